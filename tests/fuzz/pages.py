"""Pages of platforms and rows of front-end databases, from the answer's bytes through the gate to the ledger's rows.

The cards are the shipped ones; the pages to begin with are written from what each card expects.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from include.connections import Connection
from include.errors import ShuhengError
from include.ledger.page_mapper import PageMapper
from include.sources.call import Answer
from include.sources.card import Card, FieldRule, Sql
from include.sources.card_files import load_card
from include.sources.decoding import decode_json
from include.sources.document import open_document
from include.sources.envelope import Opened, check
from include.sources.page import PageFault, Window
from include.sources.page_gate import PageGate
from include.sources.raw_page import RawPage
from include.sources.sql_reader import read_sql
from include.sources.unread_rows import Decode, UnreadRows, decoder_of
from tests.fuzz.target import Target

Row = dict[str, Any]

PAGES = {
    "ckan": ("ckan_portal",),
    "exchange_catalogue": ("exchange_catalogue",),
    "data_json": ("datajson_portal", "dcatus3_portal"),
    "municipal": ("municipal_portal",),
    "projects": ("provincial_approval", "zj_projects"),
    "city_platforms": (
        "city_cloud", "cloud_metrics", "exchange_calls", "exchange_services", "exchange_systems", "usage_statistics",
    ),
}  # fmt: skip
FRONTDB = ("approval_frontdb", "payments_frontdb", "catalogue_frontdb")
SAMPLES: dict[str, Any] = {
    "text": "230500", "date": "2026-11-02", "partial_date": "2026-11-02", "datetime": "2026-11-02 09:30:00", "integer": "1,234",
    "count": 12, "year": "2026", "wan_yuan": "1,234.5万元", "yuan": 12345.67, "flag": "是", "names": [{"name": "教育"}, "交通"],
    "project_code": "2611-230500-04-04-000018", "project_codes": "2611-230500-04-04-000018", "document_no": "双发改〔2025〕381号",
    "uscc": "91230500MA0011726M", "basis_points": "99.5%", "hourly_rate": "36000次/小时", "season": "2026Q1", "identifier": "R/1",
    "objects": [{"id": "1", "title": "a.csv", "format": "CSV", "url": "http://a.cn/1"}],
}  # fmt: skip


class _Way:
    """The way of a card's rows: the gate, then both forms in which they are staged."""

    def __init__(self, name: str) -> None:
        self.card = load_card(name)
        self._gate = PageGate(self.card)
        self._mappers = [PageMapper(self.card, as_text=as_text) for as_text in (False, True)]

    def take(self, rows: list[Row]) -> int:
        """Take rows in: each that is admitted is staged or set aside, as values and as text alike; return how many are staged."""
        page = self._gate.admit_lines(RawPage(1, rows, is_last=True)).page
        assert page.lines
        found = page.lines.packed.unpack()
        lines = [(number, b"\0" * 16, line) for number, line in enumerate(found.split(b"\n"))] if found else []
        ends = []
        for mapper in self._mappers:
            mapped = mapper.map(1, lines)
            assert mapped.counts.get(self.card.entity, 0) + len(mapped.bad) == len(lines) == page.lines.rows
            ends.append([bad[3] for bad in mapped.bad])
            mapper.card_mapper.oddities.values.clear()
            mapper.card_mapper.oddities.fields.clear()
        assert ends[0] == ends[1]
        return len(lines) - len(ends[0])


_way = cache(_Way)


def fuzz_page(names: tuple[str, ...], data: bytes) -> None:
    """Read the bytes as an answer to each of these cards."""
    for name in names:
        way = _way(name)
        try:
            opened = opened_by(way.card, data, decode_json)
        except ShuhengError as error:
            assert_refused(way.card, data, error)
            continue
        assert_cut_alike(way.card, data, opened)
        try:
            for rows in (opened.rows, *(opened.more or ())):
                way.take(rows)
        except ShuhengError:
            continue


def opened_by(card: Card, data: bytes, decode: Decode) -> Opened:
    """Open the bytes as a good answer to a card."""
    document, notes = decode(data, "application/json")
    answer = Answer(200, document, data, "application/json", "https://shuheng.invalid/", notes=notes)
    check(answer, card, str)
    return open_document(answer, card)


def assert_refused(card: Card, data: bytes, error: ShuhengError) -> None:
    """What is refused read whole is refused in the same words cut apart, at the latest where its rows are read.

    But for a number beyond a double: nobody may read it, and what the platform refuses is told before its rows are read.
    """
    try:
        list(opened_by(card, data, decoder_of(card, large=0)).rows[:])
    except ShuhengError as found:
        assert (type(found), str(found)) == (type(error), str(error)) or "infinity" in str(error)
    else:
        assert "infinity" in str(error)


def assert_cut_alike(card: Card, data: bytes, opened: Opened) -> bool:
    """The same rows and totals come of an answer whose rows were cut apart unread; return whether they were."""
    cut = opened_by(card, data, decoder_of(card, large=0))
    assert json.dumps(cut.rows[:]) == json.dumps(opened.rows)
    assert replace(cut, rows=[], more=None) == replace(opened, rows=[], more=None)
    return isinstance(cut.rows, UnreadRows)


def fuzz_frontdb_rows(data: bytes) -> None:
    """Read the bytes as the rows of a front-end database: one a line, cells between tabs, of the kind their first byte names."""
    way = _way(FRONTDB[len(data) % len(FRONTDB)])
    assert way.card.sql
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "front.db"
        _fill(file, way.card, way.card.sql, data)
        connection = Connection("front", "sqlite", extra={"url": f"sqlite:///{file}"})
        try:
            for page in read_sql(way.card, connection, Window()):
                if not isinstance(page, PageFault):
                    way.take(page.rows)
        except ShuhengError:
            return


def _fill(file: Path, card: Card, sql: Sql, data: bytes) -> None:
    """Write the same rows into the card's table and those of its children; SQLite takes any value in any column."""
    cells = [[_cell(cell) for cell in line.split(b"\t")] for line in data.split(b"\n")[:40]]
    database = sqlite3.connect(file)
    tables = [(sql.table, _columns(card, ""))] + [
        (child.table, list(dict.fromkeys([*_columns(card, f"{child.name}."), child.order, *child.key, child.parent, *child.where])))
        for child in sql.children
    ]  # fmt: skip
    for table, columns in tables:
        database.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
        for line in cells:
            values = [*line, *[(None, "?")] * len(columns)][: len(columns)]
            places = ", ".join(place for _, place in values)
            database.execute(f"INSERT INTO {table} VALUES ({places})", [value for value, _ in values])  # noqa: S608 - names of our cards
    database.commit()
    database.close()


def _cell(cell: bytes) -> tuple[Any, str]:
    """Return a value and how it is bound: text may be no UTF-8, as SQLite does not look."""
    kind, value = cell[:1], cell[1:]
    try:
        if kind == b"i":
            return max(-(2**63), min(2**63 - 1, int(value[:30]))), "?"
        if kind == b"f":
            return float(value), "?"
    except ValueError:
        pass
    return (None, "?") if kind in (b"", b"n") else (value, "?" if kind == b"b" else "CAST(? AS TEXT)")


def _columns(card: Card, prefix: str) -> list[str]:
    """Return the columns that a card names, of its own table or a child's."""
    sql, blocks = card.sql, [card.fields] if not prefix else [n.fields for n in card.nested if f"{n.rows}." == prefix]
    assert sql
    mapped = [path for rules in blocks for rule in rules for path in rule.raw_fields]
    own = [sql.order, *sql.key, *sql.where, *(gate.field for gate in card.classified)] if not prefix else []
    children = {child.name for child in sql.children}
    names = [path.split(".")[0] for path in (*own, *mapped) if path.split(".")[0] not in children]
    cursor = [card.cursor.field] if card.cursor else []
    folded = {name.casefold(): name for name in (*names, *cursor)}
    return list(folded.values())


# -- what to begin with -----------------------------------------------------------------------------------------------------------


def pages_of(names: tuple[str, ...]) -> list[bytes]:
    """Return pages as these cards expect them: with rows, and with none."""
    found = []
    for card in map(load_card, names):
        rows = [_row(card), _row(card) | {"extras": [{"key": "cata_code", "value": "A/1"}]}]
        found += [json.dumps(_envelope(card, some), ensure_ascii=False).encode() for some in (rows, rows[:1], [])]
    return found


def frontdb_rows() -> list[bytes]:
    """Return rows of each kind of value."""
    line = b"i1\tt2611-230500-04-04-000018\tt2026-11-02 09:30:00\tf12.5\tn\tt" + "市教育局".encode()
    several = b"\n".join([line, line.replace(b"i1", b"i2"), b"n\tn"])
    return [line, several, b"i1\tt1" + b"\ti1" * 40, b"i1\tb\x00\xff", b""]


def _envelope(card: Card, rows: list[Row]) -> Any:
    envelope = card.envelope
    document: Any = {}
    if envelope.code:
        _put(document, envelope.code, True if envelope.success == ("True",) else envelope.success[0])
    if envelope.total_path:
        _put(document, envelope.total_path, len(rows))
    for path in envelope.rows:
        if not path:
            return rows
        _put(document, path, rows)
    return document


def _row(card: Card) -> Row:
    row: Row = {}
    for rule in sorted(card.fields, key=lambda rule: rule.converter != "text"):  # what two read suits the stricter
        for path in rule.raw_fields:
            _put(row, path, _sample(rule))
    for nested in card.nested:
        inner: Row = {}
        for rule in nested.fields:
            for path in rule.raw_fields:
                _put(inner, path, _sample(rule))
        _put(row, nested.rows, [inner, inner])
    for gate in card.classified:
        _put(row, gate.field, min(gate.open))
    for path in card.personal:
        _put(row, path, "张三 13800000000")
    return row


def _sample(rule: FieldRule) -> Any:
    return next(iter(rule.map)) if rule.map else SAMPLES.get(rule.converter, "A1")


def _put(into: Row, path: str, value: Any) -> None:
    """Put a value where a dotted path leads, unless it leads into a list."""
    *steps, last = path.split(".")
    for step in steps:
        below = into.setdefault(step, {})
        into = below if isinstance(below, dict) else {}
    into[last] = value


TARGETS = {f"fuzz_{kind}": Target(partial(fuzz_page, names), partial(pages_of, names)) for kind, names in PAGES.items()} | {
    "fuzz_frontdb_rows": Target(fuzz_frontdb_rows, frontdb_rows)
}  # fmt: skip
