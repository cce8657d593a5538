"""Read one workbook, CSV file or HTML table by the card: which sheets are records, which belong to them, what is told.

The heading line is looked for, columns are recognised by their headings, and every row says which file, sheet and line
it stands on. Does not know folders or pages.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from include.errors import SourceMalformed
from include.sources.card import Card
from include.sources.file_block import Files
from include.sources.headed_rows import HEADING_WITHIN, Heading, Row, Table, normal, normals
from include.sources.joined_rows import fill_down, fold_lines, put_children, remarks
from include.sources.privacy import Gatekeeper
from include.sources.raw_page import Contents
from include.sources.sheets import open_sheets
from include.sources.workbook import Line, Sheet

_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)", re.ASCII)
_QUOTED_HEADINGS = 20


class WorkbookReader:
    """Knows the card's columns, and reads one file after the other."""

    def __init__(self, card: Card, files: Files, limit: int) -> None:
        self._files, self._limit = files, limit
        self._is_open = Gatekeeper(card).is_open
        by = [*(files.fold.by if files.fold else ()), *(p for child in files.children for p in child.parent.values())]
        spelled = [*_named(card), *by, *(files.fold.columns if files.fold else ())]
        self._heading = Heading([*files.header, *by], files.skip, spelled)
        self._children = [
            (child, Heading([*child.header, *child.parent], files.skip, [*child.parent, *_named(card, child.name)]))
            for child in files.children
        ]
        self._inner = {normal(name): name for name in reversed(_named(card, files.fold.into))} if files.fold else {}

    def read(self, data: bytes, name: str) -> Iterator[Contents]:
        """Yield the rows of every sheet with the heading; raise where there is none."""
        sheets, notes = open_sheets(data, self._limit, self._heading.is_heading)
        asked = [sheet for sheet in sheets if not sheet.is_hidden and self._is_asked(sheet)]
        headed = [(sheet, at) for sheet in asked if (at := self._heading.find(sheet)) is not None]
        if not headed:
            raise SourceMalformed(self._no_heading(sheets, asked))
        tables = [self._table(sheet, at, name) for sheet, at in headed]
        told = [*notes, *self._join(sheets, tables)]
        taken = {id(sheet) for sheet, _ in headed}
        told += [
            self._why_left_out(s)
            for s in sheets
            if id(s) not in taken and s.lines and (s.is_hidden or not self._is_child(s))
        ]
        told = [f"{name}: {note}" for note in told]
        for table in tables:
            said = [f"{name} {table.sheet.name}: {text}" for text in remarks(table, self._files.fold is not None)]
            yield Contents(table.rows, notes=(*told, *said))
            told = []

    def _table(self, sheet: Sheet, at: int, name: str) -> Table:
        marks: Row = {"_file": name, "_sheet": sheet.name}
        year = _year_of(sheet, at, name)
        fold = self._files.fold
        if fold:
            fill_down(sheet, at)
        table = self._heading.read(sheet, at, marks if year is None else marks | {"_year": year})
        if fold:
            inner = {normal(column) for column in fold.columns}
            columns = {
                column: self._inner.get(normal(column), column)
                for column in self._heading.columns(sheet.lines[at])
                if normal(column) in inner
            }
            by = tuple(map(self._heading.spelled, fold.by))
            table.rows = fold_lines(table.rows, by, fold.into, columns, self._is_open)
        return table

    def _join(self, sheets: list[Sheet], tables: list[Table]) -> Iterator[str]:
        """Put the rows of child sheets into those of the tables; yield what there is to tell."""
        parents = [row for table in tables for row in table.rows]
        for child, heading in self._children:
            named = [s for s in sheets if s.name and not s.is_hidden and fnmatchcase(s.name, child.sheet)]
            found = [(sheet, at) for sheet in named if (at := heading.find(sheet)) is not None]
            if not found:
                yield f"no sheet {child.sheet!r} with the columns {', '.join(child.header)}; {child.name} stays unknown"
                continue
            rows = [row for sheet, at in found for row in heading.read(sheet, at, {}).rows]
            links = {heading.spelled(own): self._heading.spelled(theirs) for own, theirs in child.parent.items()}
            yield from put_children(parents, rows, replace(child, parent=links), self._is_open).notes(child)

    def _is_asked(self, sheet: Sheet) -> bool:
        """Return whether a sheet may have records; that of a CSV file has no name."""
        return not sheet.name or (fnmatchcase(sheet.name, self._files.sheet) and not self._is_child(sheet))

    def _is_child(self, sheet: Sheet) -> bool:
        return bool(sheet.name) and any(fnmatchcase(sheet.name, child.sheet) for child in self._files.children)

    def _why_left_out(self, sheet: Sheet) -> str:
        if sheet.is_hidden:
            return f"the hidden sheet {sheet.name!r} was left out"
        return f"the sheet {sheet.name!r} {'has no heading and' if self._is_asked(sheet) else 'is not asked for and'} was left out"

    def _no_heading(self, sheets: list[Sheet], asked: list[Sheet]) -> str:
        if not asked:
            return f"no visible sheet is called {self._files.sheet!r}; it has {', '.join(s.name for s in sheets) or 'none'}"
        lines = [line for sheet in asked for line in sheet.lines[:HEADING_WITHIN]]
        found = max(lines, key=self._likeness, default=[])
        cells = [str(cell).strip() for cell in found if isinstance(cell, str) and cell.strip()]
        has_some = normals(found) & self._heading.wanted
        quoted = ", ".join(cell[:20] for cell in cells[:_QUOTED_HEADINGS]) if has_some else "none"
        wanted = ", ".join(self._heading.said)
        return (
            f"none of its first {HEADING_WITHIN} lines is the heading; wanted the columns {wanted}, found {quoted}; correct "
            "the heading in the file, or file.header in the card"
        )

    def _likeness(self, line: Line) -> tuple[int, int]:
        return len(normals(line) & self._heading.wanted), len(normals(line))


def _named(card: Card, inside: str = "") -> list[str]:
    """Return the raw fields that the card names, of its rows or inside a list that is put into them."""
    gates = [gate.field for gate in card.classified]
    named = [*gates, *(source for rule in card.fields for source in rule.raw_fields), *card.personal, *card.ignore]
    if not inside:
        return named
    nested = [source for n in card.nested if n.rows == inside for rule in n.fields for source in rule.sources]
    nested += [source for rule in card.fields if inside in rule.sources for source in rule.inner.values()]
    return nested + [name.removeprefix(f"{inside}.") for name in named if name.startswith(f"{inside}.")]


def _year_of(sheet: Sheet, at: int, name: str) -> int | None:
    title = (str(cell) for line in sheet.lines[:at] for cell in line if isinstance(cell, str))
    for text in (sheet.name, Path(name).stem, *title):
        match = _YEAR.search(unicodedata.normalize("NFKC", text))
        if match:
            return int(match[1])
    return None
