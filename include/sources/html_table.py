"""Read the tables of an HTML page that a system wrote with the name of a workbook. Does not know headings or records."""

from __future__ import annotations

from html.parser import HTMLParser

_MOST_SPAN = 1000


class _Tables(HTMLParser):
    """Collects the cells of every table; a table within a table counts as text of its cell."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self._depth = 0
        self._cell: list[str] | None = None
        self._span = (1, 1)
        self._below: dict[int, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._depth += 1
            if self._depth == 1:
                self.tables.append([])
                self._below = {}
        elif self._depth == 1 and tag == "tr":
            self._end_cell()
            self.tables[-1].append([])
        elif self._depth == 1 and tag in ("td", "th") and self.tables[-1]:
            self._end_cell()
            given = dict(attrs)
            self._cell, self._span = [], (_span(given.get("colspan")), _span(given.get("rowspan")))
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table" and self._depth:
            self._end_cell()
            self._depth -= 1
        elif self._depth == 1 and tag in ("td", "th", "tr"):
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def _end_cell(self) -> None:
        """Put the cell into its column; what a cell above or beside it covers stays blank, as in a workbook."""
        if self._cell is None or self._depth != 1:
            return
        row, (across, down) = self.tables[-1][-1], self._span
        while self._below.get(len(row), 0):
            self._below[len(row)] -= 1
            row.append("")
        for offset in range(across):
            self._below[len(row)] = down - 1
            row.append("" if offset else "".join(self._cell).strip())
        self._cell = None


def _span(text: str | None) -> int:
    return min(int(text), _MOST_SPAN) if text and text.isascii() and text.isdigit() and int(text) else 1


def read_tables(html: str) -> list[list[list[str]]]:
    """Return the rows of every table, with blanks where a cell spans several rows or columns."""
    parser = _Tables()
    parser.feed(html)
    parser.close()
    return parser.tables
