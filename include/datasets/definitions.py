"""The data sets: of each its name, version, schema and key. The schema in `schemas/datasets/` is the contract with its readers.

A data set is the view of its name in the ledger (`include/datasets/views/`, made by migration 0009). Columns stand in the order of
the schema's properties, rows in the order of the key. What is published is never changed under its version: `released.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from include.settings import ROOT

SCHEMAS = ROOT / "schemas" / "datasets"
VIEWS = ROOT / "include" / "datasets" / "views"

TYPES = ("text", "integer", "decimal(18,2)", "date", "moment", "flag", "json")
"""What a column may hold, by `x-type`: `json` is a text that holds JSON, `moment` has a zone, `decimal(18,2)` is exact."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its Chinese title, what it holds (one of `TYPES`), whether it may be null, its values with Chinese labels."""

    name: str
    title: str
    type: str
    is_nullable: bool
    description: str
    unit: str | None
    values: tuple[str, ...]
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Dataset:
    """A data set under a version: `name` is its view, `schema` that of a row in JSON, `key` tells rows apart and orders them."""

    name: str
    version: int
    title: str
    schema: dict[str, Any]
    key: tuple[str, ...]

    @property
    def id(self) -> str:
        """Return name and version, as in the name of its files: `findings.v1`."""
        return f"{self.name}.v{self.version}"

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns in order."""
        return tuple(_column(name, spec) for name, spec in self.schema["properties"].items())

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns in order."""
        return tuple(self.schema["properties"])


NAMES: Mapping[str, int] = {
    "projects": 1, "approval_items": 1, "systems": 1, "interconnection": 1, "usage_monthly": 1, "resources": 1, "findings": 1,
    "compliance_daily": 1, "dossier": 1,
}  # fmt: skip
"""Name → the version that is published."""


@cache
def load_dataset(name: str) -> Dataset:
    """Return a data set with its schema as it stands in `schemas/datasets/`."""
    version = NAMES[name]
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{name}.v{version}.json").read_text("utf-8"))
    return Dataset(name, version, schema["title"], schema, tuple(schema["x-key"]))


DATASETS: Mapping[str, Dataset] = {name: load_dataset(name) for name in NAMES}
"""Every data set by name, in the order in which people are shown them."""


def _column(name: str, spec: dict[str, Any]) -> Column:
    values = tuple(value for value in spec.get("enum", ()) if value is not None)
    return Column(
        name, spec["title"], spec["x-type"], "null" in spec["type"], spec.get("description", ""), spec.get("x-unit"), values,
        spec.get("x-labels", {}),
    )  # fmt: skip
