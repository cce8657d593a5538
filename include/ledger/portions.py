"""Many names in few queries: a database takes only so many values in one, unless they are one list, and plans a long one badly."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ARRAY, Boolean, ColumnElement, Dialect, String, Table, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

PORTION = 500
"""Names in one query that names each of them."""

LISTED = 2000
"""Names in one list."""


class _Names(TypeDecorator[list[str]]):
    """A list of names as one parameter: an array in PostgreSQL, a JSON array in SQLite."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String() if dialect.name == "sqlite" else ARRAY(String()))

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:
        return json.dumps(value, ensure_ascii=False) if dialect.name == "sqlite" else value


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
    return _Among(column, bindparam(None, sorted(names), type_=_Names(), unique=True))


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
