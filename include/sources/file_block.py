"""The `file` block of a card: which files of a folder are read, and how their lines become rows. Does not read files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SheetChild:
    """Another sheet of the workbook whose rows are put into their parents; `parent` is its column → the parent's."""

    name: str
    sheet: str
    header: tuple[str, ...]
    parent: dict[str, str]


@dataclass(frozen=True, slots=True)
class Fold:
    """Several lines that are one record: equal or blank in `by`; their `columns` become a list of the name `into`."""

    by: tuple[str, ...]
    into: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Files:
    """Files in a folder; `header` is empty where they are documents and no sheets."""

    glob: tuple[str, ...]
    header: tuple[str, ...] = ()
    sheet: str = "*"
    skip: tuple[str, ...] = ("合计", "总计", "小计")
    children: tuple[SheetChild, ...] = ()
    fold: Fold | None = None


def build_files(data: dict[str, Any]) -> Files:
    """Build the block from YAML data that the schema has accepted."""
    plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    fold = plain.pop("fold", None)
    children = (SheetChild(c["as"], c["sheet"], tuple(c["header"]), c["parent"]) for c in plain.pop("children", ()))
    return Files(
        **plain,
        children=tuple(children),
        fold=Fold(tuple(fold["by"]), fold["into"], tuple(fold["columns"])) if fold else None,
    )
