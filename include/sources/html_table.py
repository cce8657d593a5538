"""Read the tables of an HTML page that a system wrote with the name of a workbook. Does not know headings or records.

The standard library's parser needs a minute for 60 kB of tags that never end; this one looks at every character once.
"""

from __future__ import annotations

import html as entities
import re

from include.errors import LimitExceeded, SourceMalformed

_TAG = re.compile(r"""(/?)([a-z][a-z0-9]*+)((?:[^>"']|"[^"]*"|'[^']*')*+)>""", re.IGNORECASE)
_OF_TABLES = re.compile(r"/?(?:table|tr|td|th)\b", re.IGNORECASE)
_SPAN = re.compile(r"""\b(col|row)span\s*=\s*["']?\s*(\d{1,9})""", re.IGNORECASE)
_UNSEEN = ("script", "style", "title")
_MOST_SPAN = 1000
_MOST_CELLS = 2_000_000
"""Cells and lines of all tables; a cell that spans a thousand columns and lines takes twenty characters."""


class _Tables:
    """Collects the cells of every table; a table within a table counts as text of its cell."""

    def __init__(self) -> None:
        self.tables: list[list[list[str]]] = []
        self._depth = 0
        self._cell: list[str] | None = None
        self._span = (1, 1)
        self._below: dict[int, int] = {}
        self._counted = 0

    def _count(self, more: int) -> None:
        self._counted += more
        if self._counted > _MOST_CELLS:
            raise LimitExceeded(f"its tables have more than {_MOST_CELLS} cells; divide it and deliver it again")

    def start(self, tag: str, attributes: str) -> None:
        if tag == "table":
            self._depth += 1
            if self._depth == 1:
                self._count(1)
                self.tables.append([])
                self._below = {}
        elif self._depth == 1 and tag == "tr":
            self._end_cell()
            self._count(1)
            self.tables[-1].append([])
        elif self._depth == 1 and tag in ("td", "th") and self.tables[-1]:
            self._end_cell()
            given = {name.lower(): _span(digits) for name, digits in _SPAN.findall(attributes)}
            self._cell, self._span = [], (given.get("col", 1), given.get("row", 1))
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")

    def end(self, tag: str) -> None:
        if tag == "table" and self._depth:
            self._end_cell()
            self._depth -= 1
        elif self._depth == 1 and tag in ("td", "th", "tr"):
            self._end_cell()

    def text(self, text: str) -> None:
        if self._cell is not None:
            self._cell.append(text)

    def _end_cell(self) -> None:
        """Put the cell into its column; what a cell above or beside it covers stays blank, as in a workbook."""
        if self._cell is None or self._depth != 1:
            return
        row, (across, down) = self.tables[-1][-1], self._span
        before = len(row)
        while self._below.get(len(row), 0):
            self._below[len(row)] -= 1
            row.append("")
        for column in range(len(row), len(row) + across):
            self._below[column] = down - 1
        row += [_unescaped("".join(self._cell)).strip(), *[""] * (across - 1)]
        self._cell = None
        self._count(len(row) - before)


def _span(digits: str) -> int:
    return min(int(digits), _MOST_SPAN) or 1


def _unescaped(text: str) -> str:
    try:
        return entities.unescape(text)
    except ValueError:  # a character reference of thousands of digits
        raise SourceMalformed("a character reference in it is no character; deliver it again as .xlsx") from None


def read_tables(page: str) -> list[list[list[str]]]:
    """Return the rows of every table, with blanks where a cell spans several rows or columns."""
    tables = _Tables()
    awaited = ""
    before, *pieces = page.split("<")
    tables.text(before)
    for piece in pieces:
        if awaited:  # within a comment or a script, nothing is a tag
            is_over = awaited in piece if awaited == "-->" else piece[: len(awaited)].lower() == awaited
            if not is_over:
                continue
            piece = piece.partition(awaited)[2] if awaited == "-->" else piece.partition(">")[2]
            awaited = ""
            tables.text(piece)
            continue
        awaited = _take(piece, tables)
    tables.end("table")
    return tables.tables


def _take(piece: str, tables: _Tables) -> str:
    """Take what stands between two signs of a tag; return what ends the part that has no tags, if it begins one."""
    if piece.startswith("!--") and "-->" not in piece:
        return "-->"
    if piece.startswith(("!", "?")):
        tables.text(piece.partition("-->" if piece.startswith("!--") else ">")[2])
        return ""
    tag = _TAG.match(piece)
    if tag is None and _OF_TABLES.match(piece):
        raise SourceMalformed("a tag of its tables is not closed or has a < within; deliver it again as .xlsx")
    if tag is None:
        tables.text(f"<{piece}")
        return ""
    name = tag[2].lower()
    if tag[1]:
        tables.end(name)
    else:
        tables.start(name, tag[3])
    if not tag[1] and name in _UNSEEN:
        return f"/{name}"
    tables.text(piece[tag.end() :])
    return ""
