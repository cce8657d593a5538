"""Many names in few queries: a database takes only so many values in one, unless they are one list, and plans a long one badly."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Dialect,
    SelectBase,
    String,
    Table,
    bindparam,
    cast,
    false,
    func,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

PORTION = 500
"""Names in one query that names each of them."""

LISTED = 2000
"""Names in one list."""


class _Array(UserDefinedType[str]):
    """An array of PostgreSQL, already written out: its driver would take more time for that than the server for the answer."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_: Any) -> str:
        return "VARCHAR[]"


class _Names(TypeDecorator[list[str]]):
    """A list of names as one parameter: an array in PostgreSQL, a JSON array in SQLite."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String() if dialect.name == "sqlite" else _Array())

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> str:
        names = value or []
        if dialect.name == "sqlite":
            return json.dumps(names, ensure_ascii=False)
        return "{" + ",".join(f'"{name}"' for name in map(_escaped, names)) + "}"


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')


class _Among(FunctionElement[bool]):
    inherit_cache = True
    type = Boolean()


@compiles(_Among, "postgresql")
def _in_postgres(element: _Among, compiler: SQLCompiler, **how: Any) -> str:
    column, names = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} = ANY ({names})"


@compiles(_Among, "sqlite")
def _in_sqlite(element: _Among, compiler: SQLCompiler, **how: Any) -> str:
    column, names = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({names}))"


def among(column: ColumnElement[Any], names: Iterable[str]) -> ColumnElement[bool]:
    """Return whether a text is one of some names, which go as one parameter.

    With a parameter for each name, writing, sending and reading the query would cost more than answering it.
    """
    mine = sorted(names)
    return _Among(column, bindparam(None, mine, type_=_Names(), unique=True)) if mine else false()


class _AmongThose(FunctionElement[bool]):
    inherit_cache = True
    type = Boolean()


@compiles(_AmongThose, "postgresql")
def _those_in_postgres(element: _AmongThose, compiler: SQLCompiler, **how: Any) -> str:
    column, query = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} = ANY (ARRAY{query})"


@compiles(_AmongThose, "sqlite")
def _those_in_sqlite(element: _AmongThose, compiler: SQLCompiler, **how: Any) -> str:
    column, query = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} IN {query}"


def among_those(column: ColumnElement[Any], query: SelectBase) -> ColumnElement[bool]:
    """Return whether a value is one of those that a query gives, of which there are few beside the rows that are asked.

    PostgreSQL answers the query first and looks each value up by the index that must be there; by `IN` it would join, and read the
    whole table for it.
    """
    return _AmongThose(column, query.scalar_subquery())


def portions(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield names in portions, in their order."""
    return (names[at : at + PORTION] for at in range(0, len(names), PORTION))


def of_subjects(table: Table, subjects: Iterable[tuple[str, str]]) -> Iterator[ColumnElement[bool]]:
    """Yield conditions that together hold for the rows of some subjects, each told by its type and its name."""
    of_type: dict[str, list[str]] = {}
    for subject_type, subject in subjects:
        of_type.setdefault(subject_type, []).append(subject)
    for subject_type, names in of_type.items():
        for at in range(0, len(names), LISTED):
            yield (table.c.subject_type == subject_type) & among(table.c.subject, names[at : at + LISTED])


def listed(connection: Connection, column: ColumnElement[str]) -> ColumnElement[str]:
    """Return the texts of a group as one JSON array: fewer rows, which both sides would make and read one by one."""
    if connection.dialect.name == "postgresql":
        return cast(func.json_agg(column), String)
    return func.json_group_array(column)
