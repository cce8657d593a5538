"""Every value is held against all that the shipped schemas say: a column is checked whole, or its type leaves nothing to check."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa

from include.datasets.arrow_files import arrow_schema
from include.datasets.checks import SAMPLE, Checker
from include.datasets.definitions import DATASETS, Column, Dataset

SAID = {"type", "title", "description", "x-type", "x-unit", "x-labels"}
"""What says nothing of values, or (`type`) what `x-type` and null say again."""
PROVEN = {
    "decimal(18,2)": {"pattern": r"^-?[0-9]{1,16}\.[0-9]{2}$"}, "date": {"format": "date"}, "moment": {"format": "date-time"},
}  # fmt: skip
"""What no value of the type can break: another pattern of a decimal would have to be checked."""
CODES = {
    "enum": "not_in_enum", "pattern": "pattern", "minLength": "too_short", "maxLength": "too_long", "minimum": "minimum",
    "maximum": "maximum",
}  # fmt: skip
RIGHT = {
    "^[0-9]{4}-[0-9]{6}-[0-9]{2}-[0-9]{2}-[0-9]{6}$": "2611-230500-04-04-000018",
    "^[0-9]{4}-[0-9]{6}-[0-9]{2}-[0-9]{2}-[0-9]{6}(,[0-9]{4}-[0-9]{6}-[0-9]{2}-[0-9]{2}-[0-9]{6})*$": "2611-230500-04-04-000018",
    "^[0-9]{4}-(0[1-9]|1[0-2])$": "2026-11", "^[0-9a-f]{32}$": "0" * 32, "^[0-9]{4}(,[0-9]{4})*$": "2025,2026",
}  # fmt: skip
"""Pattern of a text → a text that matches it."""


def constraints() -> Iterator[tuple[Dataset, Column, str, Any]]:
    for dataset in DATASETS.values():
        for column in dataset.columns:
            spec = dataset.schema["properties"][column.name]
            for word in set(spec) - SAID - set(PROVEN.get(column.type, {})):
                yield dataset, column, word, spec[word]
            for word, value in PROVEN.get(column.type, {}).items():
                assert spec.get(word, value) == value, (
                    f"{dataset.id}, {column.name}: {word} is no longer proven by the type"
                )


def right(spec: dict[str, Any]) -> Any:
    if "enum" in spec:
        return spec["enum"][0]
    if "pattern" in spec:
        return RIGHT[spec["pattern"]]
    return "字" * max(1, spec.get("minLength", 1)) if spec["x-type"] == "text" else spec.get("minimum", 0)


def wrong(word: str, value: Any) -> Any:
    if word in ("minLength", "maxLength"):
        return "字" * (value - 1 if word == "minLength" else value + 1)
    return value - 1 if word == "minimum" else value + 1 if word == "maximum" else "不是"


def found(dataset: Dataset, column: Column, value: Any) -> list[tuple[str, str, int]]:
    """Return what is said of a column of right values but this one, which stands in a row that is not in the sample."""
    spec = dataset.schema["properties"][column.name]
    schema = {"title": "", "type": "object", "required": [column.name], "properties": {column.name: spec}}
    alone = Dataset(dataset.name, 1, "", schema, ())
    if column.type in ("text", "integer"):
        values = [right(spec)] * (3 * SAMPLE)
    else:
        values = [{"flag": True, "json": "[]", "decimal(18,2)": Decimal("1.00")}.get(column.type, 0)] * (3 * SAMPLE)
    values[1] = value
    checker = Checker(alone)
    field = arrow_schema(alone).field(0)
    checker.add(pa.table({column.name: pa.array(values, field.type)}))
    return [(p.column, p.code, p.rows) for p in checker.problems]


def test_each_constraint_of_the_shipped_schemas_is_checked_of_every_value() -> None:
    seen = set()
    for dataset, column, word, value in constraints():
        assert word in CODES, f"{dataset.id}, {column.name}: {word} is checked of a sample alone"
        assert found(dataset, column, wrong(word, value)) == [(column.name, CODES[word], 1)], (
            dataset.id,
            column.name,
            word,
        )
        seen.add(word)
    assert seen >= {"enum", "pattern", "minLength", "minimum", "maximum"}


def test_a_value_that_is_missing_is_found_where_none_may_be() -> None:
    seen = {True: 0, False: 0}
    for dataset in DATASETS.values():
        for column in dataset.columns:
            wanted = [] if column.is_nullable else [(column.name, "missing", 1)]
            assert found(dataset, column, None) == wanted, (dataset.id, column.name)
            seen[column.is_nullable] += 1
    assert min(seen.values()) > 50
