"""Put rows that belong to a record into it: those of another sheet, or the lines into which a template splits it.

A row that the privacy gate would refuse takes its record along: the gate looks at records, not into their lists.
Does not find sheets or headings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from include.errors import LimitExceeded
from include.sources.archive_check import MOST_CELLS
from include.sources.file_block import SheetChild
from include.sources.folding import fold_text
from include.sources.headed_rows import Row, Table, is_filled
from include.sources.remarks import MARKS
from include.sources.workbook import Sheet

IsOpen = Callable[[Row], bool]


@dataclass(slots=True)
class Joined:
    """What became of the rows of a child sheet: those without parent, and the parents of which there are several."""

    orphans: list[int] = field(default_factory=list)
    doubles: list[int] = field(default_factory=list)

    def notes(self, child: SheetChild) -> Iterator[str]:
        """Yield what there is to tell, with counts and one line to look at."""
        if self.orphans:
            yield (
                f"{len(self.orphans)} lines of {child.sheet!r} have no parent and were left out, as line {self.orphans[0]}"
            )
        if self.doubles:
            yield (
                f"{len(self.doubles)} lines have the {', '.join(child.parent.values())} of an earlier one, as line "
                f"{self.doubles[0]}; the rows of {child.sheet!r} went to the first"
            )


def put_children(parents: list[Row], children: list[Row], child: SheetChild, is_open: IsOpen) -> Joined:
    """Put child rows into the list `child.name` of their parents; the first of equal parents has them."""
    joined = Joined()
    of_key: dict[tuple[str, ...], Row] = {}
    for row in parents:
        key = _values(row, child.parent.values())
        if key is None or of_key.setdefault(key, row) is row:
            row[child.name] = []
        else:
            joined.doubles.append(row["_row"])  # its list stays unknown: an empty one would say that it has none
    for row in children:
        key = _values(row, child.parent)
        parent = of_key.get(key) if key is not None else None
        if parent is None:
            joined.orphans.append(row["_row"])
            continue
        _take_along(parent, row, is_open)
        parent[child.name].append(_plain(row))
    return joined


def fold_lines(rows: list[Row], by: tuple[str, ...], into: str, columns: dict[str, str], is_open: IsOpen) -> list[Row]:
    """Return one row a record, with its lines as the list `into`; `columns` is how those that go there are called in it."""
    records: list[Row] = []
    for row in rows:
        item = {columns[k]: v for k, v in row.items() if k in columns}
        line = {k: v for k, v in row.items() if k not in columns}
        if not records or not _continues(records[-1], line, by):
            records.append(line | {into: []})
        record = records[-1]
        _take_along(record, row, is_open)
        record |= {k: v for k, v in line.items() if is_filled(v) and not is_filled(record.get(k))}
        if any(map(is_filled, item.values())):
            record[into].append(item)
    return records


def fill_down(sheet: Sheet, at: int) -> None:
    """Write the value of merged cells below the heading into every line that they cover."""
    budget = MOST_CELLS
    for merged in sheet.merged:
        if merged.first <= at + 1 or merged.first > len(sheet.lines):
            continue
        budget -= merged.last - merged.first
        if budget < 0:
            raise LimitExceeded("its merged cells overlap thousands of times; undo the merging and deliver it again")
        line = sheet.lines[merged.first - 1]
        value = line[merged.column] if merged.column < len(line) else None
        for below in sheet.lines[merged.first : merged.last]:
            if merged.column < len(below) and not is_filled(below[merged.column]):
                below[merged.column] = value


def remarks(table: Table, is_filled_down: bool) -> Iterator[str]:
    """Yield what there is to tell of a sheet that was read."""
    if table.sums:
        yield f"{table.sums} lines with sums were left out"
    merged = sum(1 for m in table.sheet.merged if m.first > table.at + 1 and m.last > m.first)
    if merged and not is_filled_down:
        yield f"{merged} merged ranges below the heading; only the first line of each has the value, the others lack it"


def _continues(record: Row, line: Row, by: tuple[str, ...]) -> bool:
    return all(not is_filled(line.get(name)) or _text(line[name]) == _text(record.get(name)) for name in by)


def _take_along(record: Row, row: Row, is_open: IsOpen) -> None:
    """Let a row that is not open close its record: what it says is put over what the record says."""
    closed = record | {k: v for k, v in row.items() if is_filled(v)}
    if is_open(record) and not is_open(closed):
        record |= _plain(closed)


def _plain(row: Row) -> Row:
    return {k: v for k, v in row.items() if k not in MARKS}


def _values(row: Row, names: Iterable[str]) -> tuple[str, ...] | None:
    """Return the values by which rows are joined; None where all of them are blank."""
    values = tuple(_text(row.get(name)) for name in names)
    return values if any(values) else None


def _text(value: object) -> str:
    return fold_text(value) or ""
