"""What is released stays: `schemas/datasets/released.json` locks columns, types, nullability and values of every released version.

A nullable column may be added at the end, and is recorded here: `python -m include.datasets.released`. Anything else is a new
version with a schema and a view of its own, because the tables of whoever reads the old one must not break.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from include.datasets.definitions import DATASETS, SCHEMAS, Column, Dataset

LOCK = SCHEMAS / "released.json"

Form = dict[str, Any]
"""Key and columns of a version: name, type, whether null may stand there, and the values of an enumeration."""


def form_of(dataset: Dataset) -> Form:
    """Return what readers of a data set rely on."""
    return {"key": list(dataset.key), "columns": [_form(column) for column in dataset.columns]}


def load_released() -> dict[str, Form]:
    """Return what was released, by name and version (`findings.v1`)."""
    found: dict[str, Form] = json.loads(LOCK.read_text("utf-8"))
    return found


def breaks(released: Form, now: Form) -> list[str]:
    """Return what in the present form would break readers of a released version; each says what to do."""
    found = [f"the key was {released['key']} and is {now['key']}"] if released["key"] != now["key"] else []
    for old, new in zip_longest(released["columns"], now["columns"]):
        found += _of_column(old, new)
    return [f"{problem}: make v2" for problem in found]


def record() -> list[str]:
    """Record versions and columns that are new; return what was recorded. Raises `ValueError` where readers would break."""
    released, recorded = load_released() if LOCK.exists() else {}, []
    for dataset in DATASETS.values():
        now = form_of(dataset)
        if dataset.id in released and (problems := breaks(released[dataset.id], now)):
            raise ValueError(f"{dataset.id}: {'; '.join(problems)}")
        if released.get(dataset.id) != now:
            recorded.append(dataset.id)
        released[dataset.id] = now
    LOCK.write_text(_written(released), "utf-8")
    return recorded


def _form(column: Column) -> Form:
    return {
        "name": column.name, "type": column.type, "nullable": column.is_nullable, "values": list(column.values),
    }  # fmt: skip


def _of_column(old: Form | None, new: Form | None) -> Iterator[str]:
    if old is None:
        assert new is not None  # noqa: S101 - one of both is there
        if not new["nullable"]:
            yield f"the added column {new['name']} must be nullable"
        return
    if new is None or old["name"] != new["name"]:
        yield f"the column {old['name']} was removed, renamed or moved"
        return
    for part in ("type", "nullable", "values"):
        if old[part] != new[part]:
            yield f"{part} of the column {old['name']} was {old[part]} and is {new[part]}"


def _written(released: Mapping[str, Form]) -> str:
    """Return the lock with a column a line, so that a difference can be read."""
    parts = []
    for name, form in released.items():
        columns = ",\n".join(f"    {json.dumps(column, ensure_ascii=False)}" for column in form["columns"])
        parts.append(f' "{name}": {{"key": {json.dumps(form["key"])}, "columns": [\n{columns}\n  ]}}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    print("recorded:", ", ".join(record()) or "nothing new")  # noqa: T201
