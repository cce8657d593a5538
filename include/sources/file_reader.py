"""Read the workbooks and CSV files of a folder by the card: one page a sheet, whatever the files are called.

The heading line is looked for, columns are recognised by their headings, and every row says which file, sheet and line
it stands on. A file that cannot be read is a fault in its place; the others are read.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import count
from pathlib import Path
from typing import Any

from include.connections import Connection
from include.errors import ConfigurationError, LimitExceeded, ShuhengError, SourceMalformed, SourceUnreachable
from include.sources.card import Card, Files
from include.sources.page import PageFault, Window
from include.sources.raw_page import RawPage
from include.sources.sheets import Line, Sheet, open_sheets

log = logging.getLogger(__name__)

_HEADING_WITHIN = 30
_UNCOMPRESSED = 8
"""How many times a card's page_bytes a file may be once it is uncompressed."""
_BLANKS = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\x00]+")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)", re.ASCII)
_QUOTED_HEADINGS = 20


def read_files(card: Card, connection: Connection, window: Window) -> Iterator[RawPage | PageFault]:
    """Yield a page for every sheet with the card's heading; files are always read whole, whatever the window.

    Raises `ConfigurationError` where the connection names no folder.
    """
    if card.files is None:
        raise ConfigurationError(f"card {card.source!r} has no file block; the file reader needs it")
    if not connection.extra.get("path"):
        raise ConfigurationError(f"connection {connection.conn_id!r} names no folder; put it into extra.path")
    log.debug("reading files source=%s full=%s", card.source, window.is_full)
    folder = Path(str(connection.extra["path"]))
    numbers = count(1)
    held: RawPage | PageFault | None = None
    for found in _found(card, card.files, folder):
        if held is not None:
            yield held
        if isinstance(found, ShuhengError):
            log.warning("file failed source=%s error=%s: %s", card.source, type(found).__name__, found)
            held = PageFault(next(numbers), found)
        else:
            held = replace(found, number=next(numbers))
    if held is not None:
        yield replace(held, is_last=True) if isinstance(held, RawPage) else held


def _found(card: Card, files: Files, folder: Path) -> Iterator[RawPage | ShuhengError]:
    """Yield the pages of all files, and the error of each that has none."""
    try:
        paths = _paths(files, folder)
    except OSError as error:
        yield SourceUnreachable(
            f"the folder {str(folder)!r} cannot be listed ({type(error).__name__}); create it, or correct extra.path and "
            "the rights on it"
        )
        return
    if not paths:
        yield SourceUnreachable(
            f"no files match {', '.join(files.glob)} in {str(folder)!r}; wait for the delivery or correct the folder"
        )
    reader = _FileReader(card, files)
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            yield from reader.pages(path, name)
        except OSError as error:
            yield SourceUnreachable(
                f"the file {name!r} cannot be opened ({type(error).__name__}); check the rights on it"
            )
        except ShuhengError as error:
            yield type(error)(f"the file {name!r} cannot be read: {error}")


def _paths(files: Files, folder: Path) -> list[Path]:
    """Return the files that match, in order of name; upper and lower case are one, as where the files come from."""
    is_deep = any("/" in pattern for pattern in files.glob)
    listed = folder.rglob("*") if is_deep else folder.iterdir()
    patterns = [pattern.casefold() for pattern in files.glob]
    found = []
    for path in listed:
        name = path.relative_to(folder).as_posix().casefold()
        if path.is_file() and not path.name.startswith(".") and any(fnmatchcase(name, p) for p in patterns):
            found.append(path)
    return sorted(found)


def _read_whole(path: Path, limit: int) -> bytes:
    """Read a file that nobody is writing."""
    if path.name.startswith("~$"):
        raise SourceMalformed(
            "it is the lock of a workbook that someone has open; close the workbook, or delete the lock if nobody has it open"
        )
    before = path.stat()
    if before.st_size == 0:
        raise SourceMalformed("it is empty; deliver it again")
    if before.st_size > limit:
        raise LimitExceeded(
            f"it has {before.st_size} bytes, more than the {limit} allowed; raise page_bytes in the card"
        )
    data = path.read_bytes()
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(data) != after.st_size:
        raise SourceMalformed("it changed while it was read; wait until it is copied to its end, then read again")
    return data


class _FileReader:
    """Knows the card's columns, and reads one file after the other."""

    def __init__(self, card: Card, files: Files) -> None:
        self._files = files
        self._limit = card.limits.page_bytes * _UNCOMPRESSED
        self._heading = {_normal(name) for name in files.header}
        self._skip = {_normal(word) for word in files.skip}
        mapped = [source for rule in card.fields for source in rule.sources]
        gates = [gate.field for gate in card.classified]
        self._spelling: dict[str, str] = {}
        for name in (*gates, *mapped, *card.personal, *card.ignore):
            self._spelling.setdefault(_normal(name), name)

    def pages(self, path: Path, name: str) -> Iterator[RawPage]:
        """Yield the pages of a file; raise where it has no sheet with the heading."""
        data = _read_whole(path, self._limit)
        sheets, notes = open_sheets(data, self._limit, self._is_heading)
        asked = [sheet for sheet in sheets if not sheet.is_hidden and self._is_asked(sheet)]
        headed = [(sheet, at) for sheet in asked if (at := self._heading_at(sheet)) is not None]
        if not headed:
            raise SourceMalformed(self._no_heading(sheets, asked))
        taken = {id(sheet) for sheet, _ in headed}
        told = [f"{name}: {note}" for note in notes]
        told += [f"{name}: {self._why_left_out(s)}" for s in sheets if id(s) not in taken and s.lines]
        for sheet, at in headed:
            yield self._page(sheet, at, name, told, len(data))
            data, told = b"", []

    def _is_asked(self, sheet: Sheet) -> bool:
        return not sheet.name or fnmatchcase(sheet.name, self._files.sheet)  # CSV files have no names of sheets

    def _why_left_out(self, sheet: Sheet) -> str:
        if sheet.is_hidden:
            return f"the hidden sheet {sheet.name!r} was left out"
        return f"the sheet {sheet.name!r} {'has no heading and' if self._is_asked(sheet) else 'is not asked for and'} was left out"

    def _no_heading(self, sheets: list[Sheet], asked: list[Sheet]) -> str:
        wanted = ", ".join(self._files.header)
        if not asked:
            return f"no visible sheet is called {self._files.sheet!r}; it has {', '.join(s.name for s in sheets) or 'none'}"
        lines = [line for sheet in asked for line in sheet.lines[:_HEADING_WITHIN]]
        best = max(
            lines, key=lambda line: (len(self._normals(line) & self._heading), len(self._normals(line))), default=[]
        )
        cells = [str(cell).strip() for cell in best if isinstance(cell, str) and cell.strip()]
        found = (
            ", ".join(cell[:20] for cell in cells[:_QUOTED_HEADINGS]) if self._normals(best) & self._heading else "none"
        )
        return (
            f"none of its first {_HEADING_WITHIN} lines is the heading; wanted the columns {wanted}, found {found}; correct "
            "the heading in the file, or file.header in the card"
        )

    def _normals(self, line: Line) -> set[str]:
        return {_normal(cell) for cell in line if isinstance(cell, str)} - {""}

    def _is_heading(self, line: Line) -> bool:
        return self._heading <= self._normals(line)

    def _heading_at(self, sheet: Sheet) -> int | None:
        lines = enumerate(sheet.lines[:_HEADING_WITHIN])
        return next((index for index, line in lines if self._is_heading(line)), None)

    def _page(self, sheet: Sheet, at: int, name: str, told: list[str], size: int) -> RawPage:
        columns = self._columns(sheet.lines[at])
        marks: dict[str, Any] = {"_file": name, "_sheet": sheet.name}
        year = _year_of(sheet, at, name)
        rows, sums = [], 0
        for number, line in enumerate(sheet.lines[at + 1 :], at + 2):
            filled = [cell for cell in line if cell is not None and (not isinstance(cell, str) or cell.strip())]
            if not filled or self._is_heading(line):
                continue
            if isinstance(filled[0], str) and _normal(filled[0]).rstrip(":") in self._skip:
                sums += 1
                continue
            row = {columns[i] if i < len(columns) else _nameless(i): cell for i, cell in enumerate(line)}
            rows.append({k: v for k, v in row.items() if not k.startswith("_column_") or v not in ("", None)} | marks)
            rows[-1]["_row"] = number
            if year is not None:
                rows[-1]["_year"] = year
        notes = told + [f"{name} {sheet.name}: {text}" for text in _remarks(sheet, at, sums)]
        return RawPage(0, rows, received_bytes=size, notes=tuple(notes))

    def _columns(self, heading: Line) -> list[str]:
        """Name the columns as the card spells them; the second of two equal headings must not replace the first."""
        names: list[str] = []
        for index, cell in enumerate(heading):
            normal = _normal(cell) if cell is not None else ""
            name = self._spelling.get(normal, _one_line(cell)) if normal else _nameless(index)
            repeats = sum(1 for earlier in names if earlier == name or earlier.startswith(f"{name}#"))
            names.append(f"{name}#{repeats + 1}" if repeats else name)
        return names


def _remarks(sheet: Sheet, at: int, sums: int) -> Iterable[str]:
    if sums:
        yield f"{sums} lines with sums were left out"
    merged = sum(1 for first, last in sheet.merged if first > at + 1 and last > first)
    if merged:
        yield f"{merged} merged ranges below the heading; only the first line of each has the value, the others lack it"


def _year_of(sheet: Sheet, at: int, name: str) -> int | None:
    title = (str(cell) for line in sheet.lines[:at] for cell in line if isinstance(cell, str))
    for text in (sheet.name, Path(name).stem, *title):
        match = _YEAR.search(unicodedata.normalize("NFKC", text))
        if match:
            return int(match[1])
    return None


def _normal(value: object) -> str:
    """Return a heading as it is compared: half width, without white space."""
    return _BLANKS.sub("", unicodedata.normalize("NFKC", str(value)))


def _one_line(value: object) -> str:
    return _BLANKS.sub(" ", str(value)).strip()


def _nameless(index: int) -> str:
    return f"_column_{index + 1}"
