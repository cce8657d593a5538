"""Find the heading of a sheet and turn the lines below it into rows. Does not know files, nor which sheets to take."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from include.sources.workbook import Line, Sheet

Row = dict[str, Any]

HEADING_WITHIN = 30
"""Lines from the top in which the heading is looked for."""
_BLANKS = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\x00]+")


def normal(value: object) -> str:
    """Return a heading as it is compared: half width, without white space."""
    return _BLANKS.sub("", unicodedata.normalize("NFKC", str(value)))


def normals(line: Line) -> set[str]:
    """Return the words of a line as headings are compared."""
    return {normal(cell) for cell in line if isinstance(cell, str)} - {""}


@dataclass(slots=True)
class Table:
    """The rows of one sheet, and how many lines with sums were left out of them."""

    sheet: Sheet
    at: int
    rows: list[Row] = field(repr=False)
    sums: int = 0


class Heading:
    """The columns by which a heading line is recognised, and how the card spells the columns below it."""

    def __init__(self, wanted: Iterable[str], skip: Iterable[str], spelled: Iterable[str]) -> None:
        self.said = tuple(dict.fromkeys(wanted))
        self.wanted = {normal(name) for name in self.said}
        self._skip = {normal(word) for word in skip}
        self._spelling: dict[str, str] = {}
        for name in spelled:
            self._spelling.setdefault(normal(name), name)

    def is_heading(self, line: Line) -> bool:
        """Return whether a line holds all the columns."""
        return self.wanted <= normals(line)

    def find(self, sheet: Sheet) -> int | None:
        """Return the index of the heading line."""
        lines = enumerate(sheet.lines[:HEADING_WITHIN])
        return next((index for index, line in lines if self.is_heading(line)), None)

    def read(self, sheet: Sheet, at: int, marks: Row) -> Table:
        """Return the rows below the heading at an index; each gets the marks and the line that it stands on."""
        columns = self.columns(sheet.lines[at])
        width = max((i for i, name in enumerate(columns, 1) if not name.startswith("_column_")), default=0)
        table = Table(sheet, at, [])
        for number, line in enumerate(sheet.lines[at + 1 :], at + 2):
            filled = [cell for cell in line if is_filled(cell)]
            if not filled or self.is_heading(line):
                continue
            if isinstance(filled[0], str) and normal(filled[0]).rstrip(":") in self._skip:
                table.sums += 1
                continue
            row = {columns[i] if i < len(columns) else _nameless(i): cell for i, cell in enumerate(line)}
            row = {k: v for k, v in row.items() if not k.startswith("_column_") or v not in ("", None)} | marks
            row["_row"] = number
            # A comma without quotation marks shifts cells to the right. A side note in a workbook does not.
            surplus = sum(map(is_filled, line[width:])) if sheet.is_text else len(filled) - width
            if surplus > 0:
                row["_shifted"] = surplus
            table.rows.append(row)
        return table

    def spelled(self, name: str) -> str:
        """Return a column as rows have it."""
        return self._spelling.get(normal(name), name)

    def columns(self, heading: Line) -> list[str]:
        """Name the columns as the card spells them; the second of two equal headings must not replace the first."""
        names: list[str] = []
        repeats: dict[str, int] = {}
        for index, cell in enumerate(heading):
            word = normal(cell) if cell is not None else ""
            name = self._spelling.get(word, _one_line(cell)) if word else _nameless(index)
            repeats[name] = repeats.get(name, 0) + 1
            names.append(f"{name}#{repeats[name]}" if repeats[name] > 1 else name)
        return names


def is_filled(cell: object) -> bool:
    """Return whether a cell has more than white space."""
    return cell is not None and (not isinstance(cell, str) or bool(cell.strip()))


def _one_line(value: object) -> str:
    return _BLANKS.sub(" ", str(value)).strip()


def _nameless(index: int) -> str:
    return f"_column_{index + 1}"
