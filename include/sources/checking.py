"""Check canonical records against the schema of their entity and of their kind, and say in Chinese what is wrong with them.

Does not read raw rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs

from include.sources.advice import (
    Advice,
    advise_keyword,
    advise_missing,
    advise_none_of,
    advise_unplaced,
    advise_value,
)
from include.sources.card import canonical_schema
from include.sources.kinds import kind_schemas
from include.sources.remarks import Problem

Row = dict[str, Any]
Compiled = tuple[Row, jsonschema_rs.Draft202012Validator]
_WHOLE = "整条记录"


class RecordChecker:
    """Checks records of one entity; `words` are the maps of the card: field → word → value."""

    def __init__(self, entity: str, words: dict[str, dict[str, Any]]) -> None:
        schema = canonical_schema(entity)
        self._specs: dict[str, dict[str, Any]] = schema["properties"]
        self._words = words
        self._plain, self._by_kind = _compiled(entity)
        self.is_valid = self._is_valid_of_kind if self._by_kind else self._plain[1].is_valid

    def _is_valid_of_kind(self, record: Row) -> bool:
        return self._of_kind(record)[1].is_valid(record)

    def _of_kind(self, record: Row) -> Compiled:
        return self._by_kind.get(record["kind"], self._plain) if self._by_kind else self._plain

    def problem(self, name: str, advice: Advice, value: object) -> Problem:
        """Return what is wrong with a field, as a problem of its record."""
        title = self._specs[name]["title"] if name in self._specs else _WHOLE
        return Problem(
            name, title, f"“{title}”{advice.problem}", ("" if value is None else str(value))[:200], advice.fix
        )

    def unread(self, name: str, converter: str, value: object) -> Problem:
        """Return the problem of a raw value that the field's converter could not read."""
        return self.problem(name, advise_value(converter, value), value)

    def problems(self, record: Row, known: set[str]) -> Iterator[Problem]:
        """Yield what the schemas object to, each thing once; nothing about the `known` fields, which have problems already."""
        schema, validator = self._of_kind(record)
        seen = set()
        for error in validator.iter_errors(record):
            limit = _at(schema, error.schema_path)
            if error.kind.name == "anyOf":
                names = [branch["required"][0] for branch in limit]
                advice = advise_none_of(self._specs[name]["title"] for name in names[1:])
            else:
                names = [str(error.instance_path[0]) if error.instance_path else "?"]
                advice = self._advice(names[0], error.kind.name, limit, record)
            found = self.problem(names[0], advice, self._shown(names[0], record))
            if known.isdisjoint(names) and found not in seen:
                seen.add(found)
                yield found

    def _shown(self, name: str, record: Row) -> object:
        """Return the value, or the word that stood there where no value could be made of it."""
        value = record.get(name)
        return record.get(self._specs.get(name, {}).get("x-raw", "")) if value is None else value

    def missing(self, name: str) -> Problem:
        """Return the problem of a field without which a record cannot be told from others."""
        return self.problem(name, advise_missing(self._specs[name]), None)

    def _advice(self, name: str, keyword: str, limit: object, record: Row) -> Advice:
        spec = self._specs.get(name, {})
        words: dict[Any, str] = {}
        for word, value in self._words.get(name, {}).items():
            words.setdefault(value, word)  # the first: a card's own words, often numbers, stand behind the shipped ones
        if record.get(name) is not None or name not in self._specs:
            return advise_keyword(keyword, limit, spec, words.values())
        return advise_unplaced(words.values()) if record.get(spec.get("x-raw", "")) else advise_missing(spec)


@cache
def _compiled(entity: str) -> tuple[Compiled, dict[str, Compiled]]:
    """Return the schema of an entity with what checks by it, and those of each of its kinds."""
    schema = canonical_schema(entity)
    kinds = kind_schemas(entity).items()
    return _compile(schema), {kind: _compile({"allOf": [schema, more]}) for kind, more in kinds}


def _compile(schema: Row) -> Compiled:
    return schema, jsonschema_rs.Draft202012Validator(schema)


def _at(schema: Any, path: list[str | int]) -> Any:
    for step in path:
        schema = schema[step]
    return schema
