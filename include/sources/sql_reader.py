"""Read a front-end database (前置库) by its card: the latest row of each business key, with its children, page by page.

Corrections are rows that follow, so only the row with the greatest order number counts, whatever it says of its own
validity. What is written during a read belongs to the next one: the greatest order numbers are taken first. The
source is never written to.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from itertools import chain
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import Connection as Database
from sqlalchemy import Date, DateTime, LargeBinary, String, and_, cast, false, func, not_, or_, select, true, tuple_
from sqlalchemy.sql import Select
from sqlalchemy.types import NullType, TypeEngine

from include.clock import SHANGHAI
from include.connections import Connection
from include.errors import ConfigurationError, LimitExceeded, ShuhengError, SourceMalformed
from include.sources.card import Card, Cursor, FieldRule, Sql, SqlChild
from include.sources.page import ROWS_LEFT_OUT, PageFault, Window
from include.sources.page_size import sized
from include.sources.raw_page import RawPage
from include.sources.sql_engine import SourceTable, find_table, open_source, translated_errors

log = logging.getLogger(__name__)

Row = dict[str, Any]
Key = tuple[Any, ...]

_PARENTS_AT_ONCE = 500
"""Keys in one list of a statement; every database allows at least 999."""


def read_sql(card: Card, connection: Connection, window: Window) -> Iterator[RawPage | PageFault]:
    """Yield the pages of a database in the order of the business key; a fault ends the reading, or says what it left out.

    A window that is not full takes every key of which a row, or the row of a child, was changed within it.
    """
    if card.sql is None:
        raise ConfigurationError(f"card {card.source!r} has no sql block; the sql reader needs it")
    number = 1
    try:
        with translated_errors(connection.conn_id, "reading"):
            engine = open_source(connection, card.limits)
            with engine.connect() as database:
                reading = _Reading(card, card.sql, database, window)
                for page in reading.pages():
                    number = page.number + 1
                    yield page
                for error in reading.left_out():
                    yield PageFault(number, error, ROWS_LEFT_OUT)
    except ConfigurationError:
        raise
    except ShuhengError as error:
        log.warning("page failed source=%s page=%d error=%s: %s", card.source, number, type(error).__name__, error)
        yield PageFault(number, error)


@dataclass(frozen=True, slots=True)
class _Selection:
    """A table, how the card spells its columns, and how far it is read."""

    table: SourceTable
    names: dict[str, str]
    keys: tuple[Any, ...]
    order: Any
    upto: Any

    def within(self) -> Any:
        """Return the condition of the snapshot."""
        return false() if self.upto is None else self.order <= self.upto

    def keyed(self) -> Any:
        """Return the condition that every part of the key is there; NULLs would all count as one record."""
        return and_(*(key.is_not(None) for key in self.keys))

    def columns(self, source: Any = None) -> list[Any]:
        """Return the columns to read, of the table or of a subquery over it."""
        columns = (self.table.clause if source is None else source).c
        return [columns[name] for name in self.names]

    def latest(self, where: Any, wanted: Mapping[str, Any] = MappingProxyType({})) -> Select[Any]:
        """Return the latest row of every key among the rows that the condition takes, if it has the wanted values."""
        rank = func.row_number().over(partition_by=self.keys, order_by=self.order.desc()).label("shuheng_rank")
        ranked = select(*self.columns(), rank).where(self.within(), where).subquery()
        keys = [ranked.c[key.name] for key in self.keys]
        found = {ranked.c[self.table.column(name).name]: str(value) for name, value in wanted.items()}
        has = [func.trim(cast(column, String(200))) == value for column, value in found.items()]
        return select(*self.columns(ranked)).where(ranked.c.shuheng_rank == 1, *has).order_by(*keys)

    def rows(self, database: Database, statement: Select[Any]) -> list[Row]:
        """Run a statement over `columns` and return its rows as JSON has them, under the names of the card."""
        names = list(self.names.values())
        plain = _PLAIN
        return [
            dict(zip(names, [v if type(v) in plain else _json_value(v, self.table.name) for v in found], strict=True))
            for found in database.execute(statement)
        ]


class _Reading:
    """One read of one database."""

    def __init__(self, card: Card, sql: Sql, database: Database, window: Window) -> None:
        self._card, self._sql, self._database, self._window = card, sql, database, window
        self._deadline = time.monotonic() + card.limits.seconds
        self._notes: list[str] = []
        self._unreadable: list[tuple[_Selection, Any, str]] = []
        table = find_table(database.engine, sql.table)
        _require(table, card.fields, {child.name for child in sql.children})
        for name in (*sql.where, *(gate.field.split(".")[0] for gate in card.classified)):
            table.column(name)  # without its gate every row would look open
        # Parents first: a child that is written in between finds its parent in the next read.
        self._parent = self._select(table, sql.key or _raw_key(card), sql.order, "")
        self._children = [(spec, self._child(spec)) for spec in sql.children]
        self._changed = self._changes()

    def pages(self) -> Iterator[RawPage]:
        """Yield the pages; there is at least one, and the last one says so."""
        declared = self._count()
        most = self._card.limits.page_bytes
        batches = (sized(rows, most) for rows in chain(self._keyed_batches(), self._unkeyed_batches()))
        held, number = next(batches, []), 1
        while True:
            try:
                following = next(batches, None)
                self._check_limits(number if following is None else number + 1)
            except Exception:
                yield RawPage(number, held, declared, notes=tuple(self._notes))
                raise
            yield RawPage(number, held, declared, is_last=following is None, notes=tuple(self._notes))
            if following is None:
                return
            self._notes.clear()
            held, number = following, number + 1

    def _select(self, table: SourceTable, keys: Sequence[str], order: str, prefix: str) -> _Selection:
        order_column = table.column(order)
        names = _spellings(table, self._card, prefix)
        for name in [n for n in names if isinstance(table.types[n], LargeBinary)]:
            self._notes.append(f"column {name} of {table.name} is binary and was left out")
            del names[name]
        upto = self._database.execute(select(func.max(order_column))).scalar()
        selection = _Selection(table, names, tuple(table.column(key) for key in keys), order_column, upto)
        if order.casefold() in table.nullable:
            self._unreadable.append((selection, order_column.is_(None), order))
        return selection

    def _child(self, spec: SqlChild) -> _Selection:
        table = find_table(self._database.engine, spec.table)
        for name in (spec.parent, *spec.where):
            table.column(name)
        for block in self._card.nested:
            if block.rows == spec.name:
                _require(table, block.fields, set())
        child = self._select(table, spec.key, spec.order, f"{spec.name}.")
        if any(key.casefold() in table.nullable for key in spec.key):
            self._unreadable.append((child, and_(child.order.is_not(None), not_(child.keyed())), ", ".join(spec.key)))
        return child

    def left_out(self) -> Iterator[SourceMalformed]:
        """Say which rows no page can hold; counted after the last page, so that one that became so meanwhile counts too."""
        for selection, where, lacking in self._unreadable:
            rows = select(func.count()).select_from(selection.table.clause).where(where)
            if count := self._database.execute(rows).scalar_one():
                yield SourceMalformed(
                    f"{count} rows of {selection.table.name} without {lacking} were left out, so absence cannot be told; "
                    "ask the platform to fill it in"
                )

    def _changes(self) -> Any:
        """Return the condition that a key has a changed row, or a child with one; true for a full read."""
        cursor = self._card.cursor
        if cursor is None or self._window.is_full:
            return true()
        parent = self._parent
        own = select(*parent.keys).where(parent.within(), *self._in_window(parent, cursor)).correlate(None)
        whole = parent.keys[0] if len(parent.keys) == 1 else tuple_(*parent.keys)
        found = [whole.in_(own)]
        for spec, child in self._children:
            if child.table.has(cursor.field):
                column = child.table.column(spec.parent)
                theirs = select(column).where(child.within(), *self._in_window(child, cursor))
                found.append(_parent_key(parent, spec).in_(theirs.correlate(None)))
        return or_(*found)

    def _in_window(self, selection: _Selection, cursor: Cursor) -> list[Any]:
        column = selection.table.column(cursor.field)
        kind = selection.table.type_of(cursor.field)
        if self._database.dialect.name == "sqlite":
            kind = NullType()  # it keeps moments as text
        window = self._window
        since = [column >= _bound(window.since, cursor, kind)] if window.since else []
        return since + ([column <= _bound(window.until, cursor, kind)] if window.until else [])

    def _count(self) -> int:
        parent = self._parent
        keys = select(*parent.keys).where(parent.within(), parent.keyed(), self._changed).group_by(*parent.keys)
        if self._sql.where:
            keys = parent.latest(and_(parent.keyed(), self._changed), self._sql.where)
        keyed: int = self._database.execute(select(func.count()).select_from(keys.subquery())).scalar_one()
        unkeyed = select(func.count()).select_from(parent.table.clause).where(parent.within(), not_(parent.keyed()))
        return keyed + int(self._database.execute(unkeyed).scalar_one())

    def _keyed_batches(self) -> Iterator[list[Row]]:
        """Yield the latest rows of the next keys, with their children, until there are none."""
        parent, last = self._parent, None
        while True:
            behind = _beyond(parent.keys, last) if last else true()
            where = and_(parent.within(), parent.keyed(), self._changed, behind)
            keys = select(*parent.keys).where(where).group_by(*parent.keys).order_by(*parent.keys)
            found = [tuple(k) for k in self._database.execute(keys.limit(self._sql.page_size))]
            if not found:
                return
            upto = not_(_beyond(parent.keys, found[-1]))
            taken = and_(parent.keyed(), self._changed, behind, upto)
            rows = parent.rows(self._database, parent.latest(taken, self._sql.where))
            self._attach(rows)
            yield rows
            if len(found) < self._sql.page_size:
                return
            last = found[-1]

    def _unkeyed_batches(self) -> Iterator[list[Row]]:
        """Yield the rows without a business key, each for itself, so that someone is told of them."""
        parent, last = self._parent, None
        while True:
            behind = true() if last is None else parent.order > last
            statement = select(*parent.columns()).where(parent.within(), not_(parent.keyed()), behind)
            rows = parent.rows(self._database, statement.order_by(parent.order).limit(self._sql.page_size))
            if not rows:
                return
            for spec, _ in self._children:
                for row in rows:
                    row[spec.name] = []
            last = rows[-1][parent.names[parent.order.name]]
            yield rows

    def _attach(self, rows: list[Row]) -> None:
        for spec, child in self._children:
            key = self._parent.names[_parent_key(self._parent, spec).name]
            lists: dict[Any, list[Row]] = {row[key]: [] for row in rows}
            parents = list(lists)
            for start in range(0, len(parents), _PARENTS_AT_ONCE):
                self._collect(spec, child, parents[start : start + _PARENTS_AT_ONCE], lists)
            for row in rows:
                row[spec.name] = lists[row[key]]

    def _collect(self, spec: SqlChild, child: _Selection, parents: list[Any], lists: dict[Any, list[Row]]) -> None:
        """Add the latest rows of the parents' children; one that moved to another parent stands there alone."""
        parent = child.table.column(spec.parent)
        name, wanted = (
            child.names[parent.name],
            {child.names[child.table.column(k).name]: v for k, v in spec.where.items()},
        )
        theirs = select(*child.keys).where(child.within(), child.keyed(), parent.in_(parents)).correlate(None)
        whole = child.keys[0] if len(child.keys) == 1 else tuple_(*child.keys)
        asked = frozenset(parents)
        for row in child.rows(self._database, child.latest(whole.in_(theirs))):
            if row[name] in asked and all(_same(row[k], v) for k, v in wanted.items()):
                lists[row[name]].append(row)

    def _check_limits(self, number: int) -> None:
        limits = self._card.limits
        if number > limits.pages:
            raise LimitExceeded(f"more than {limits.pages} pages (pages); raise the limit in the card")
        if time.monotonic() > self._deadline:
            raise LimitExceeded(f"reading took longer than {limits.seconds} s (seconds); raise the limit in the card")


def _require(table: SourceTable, rules: Sequence[FieldRule], children: set[str]) -> None:
    """Refuse a table that lost a column: read without it, the field would be emptied in every record."""
    for rule in rules:
        heads = [source.split(".")[0] for source in rule.raw_fields]
        if not any(head in children or table.has(head) for head in heads):
            table.column(heads[0])


def _raw_key(card: Card) -> list[str]:
    sources = {rule.name: rule.sources[0] for rule in card.fields}
    return [sources[name] for name in card.key if name in sources]


def _parent_key(parent: _Selection, spec: SqlChild) -> Any:
    """Return the column of the parent's key that a child names: the one of the same name, else the first."""
    same = [key for key in parent.keys if key.name.casefold() == spec.parent.casefold()]
    return (same or parent.keys)[0]


def _spellings(table: SourceTable, card: Card, prefix: str) -> dict[str, str]:
    """Map the table's column names to the card's spelling, which may differ in case."""
    blocks = [card.fields] if not prefix else [n.fields for n in card.nested if f"{n.rows}." == prefix]
    listed = [path.removeprefix(prefix) for path in (*card.personal, *card.ignore) if path.startswith(prefix)]
    mapped = [source for block in blocks for rule in block for source in rule.raw_fields]
    gates = [] if prefix else [gate.field for gate in card.classified]
    known = {path.split(".")[0].casefold(): path.split(".")[0] for path in (*listed, *gates, *mapped)}
    return {name: known.get(folded, name) for folded, name in table.columns.items()}


def _beyond(keys: Sequence[Any], last: Key) -> Any:
    """Return the condition that a key comes after another one, part by part."""
    found = keys[-1] > last[-1]
    for key, value in reversed(list(zip(keys[:-1], last[:-1], strict=True))):
        found = or_(key > value, and_(key == value, found))
    return found


def _bound(moment: datetime, cursor: Cursor, kind: TypeEngine[Any]) -> Any:
    """Write a moment of the window as the column holds it."""
    local = moment.astimezone(SHANGHAI)
    if isinstance(kind, DateTime):
        return local if kind.timezone else local.replace(tzinfo=None)
    if isinstance(kind, Date):
        return local.date()
    if cursor.format in ("epoch_ms", "epoch_s"):
        return int(local.timestamp() * (1000 if cursor.format == "epoch_ms" else 1))
    return local.strftime(cursor.format)


def _same(found: Any, wanted: Any) -> bool:
    return found == wanted or str(found).strip() == str(wanted).strip()


_PLAIN = frozenset({str, int, float, bool, type(None)})


def _json_value(value: Any, table: str) -> Any:
    if isinstance(value, (datetime, date, clock_time)):
        return value.isoformat()
    if isinstance(value, (Decimal, UUID, timedelta)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [v if type(v) in _PLAIN else _json_value(v, table) for v in value]
    if isinstance(value, dict):
        return {str(k): v if type(v) in _PLAIN else _json_value(v, table) for k, v in value.items()}
    raise SourceMalformed(
        f"a column of {table!r} holds values of type {type(value).__name__}, which are neither text nor numbers; "
        "ask the platform for a view without it"
    )
