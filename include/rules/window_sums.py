"""The sums of a window of days, of which the middle is carried over from one day of a week to the next.

A window moves by a day each day: what it gains and loses are its edges. The days between them, the same for every day of an ISO
week, are summed up once, by the query that sums up any days, and kept in `window_sum`. They are summed up anew where a batch wrote
of one of them since, where another day is believed, or where whose services and hosts are is another: of the systems alone that
this bears on, where that is all. It is a shortcut and no record: without it a judging says the same (ADR 0052).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from typing import Any

import orjson
from sqlalchemy import delete, func, insert, select

from include.errors import Permanent
from include.ledger.as_known import AsKnown
from include.ledger.call_sums import CallSums
from include.ledger.day_sums import Days, DaySums, Edges, Span, Sums
from include.ledger.tables import ENTITIES, probe_day
from include.ledger.tables import window_sum as table
from include.rules.grounds import code
from include.rules.later_batches import LaterBatches
from include.rules.register_facts import Registers

SETTLING = 4
"""So many days before the week belong to the edges: platforms correct the last days of a series (`settle_days` of their cards)."""

LEAST = 7
"""A middle of fewer days is not worth to be kept."""

_MOST_OTHERS = 500
"""Of so many systems the middle is summed up apart; where more are others, of all."""

_NEWEST = {"memory_max_bp", "seen_until", "active_users", "registered_users", "last_success_on", "last_failure_on"}
"""Columns of which the largest value counts; those of the others are added."""

_NAMING = {"source", "system_code", "resource_code"}
_DAYS = {"seen_until", "last_success_on", "last_failure_on"}

Rows = dict[Any, Sums]
Query = Callable[[Days, Collection[str] | None], Rows]
Signs = Mapping[str, str]
"""System → whose services and hosts its sums rest on."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """Sums of one kind: how they are asked for, over days and of some systems; whose rows they are of, None for the probes."""

    name: str
    query: Query
    entity: str | None
    signs: Signs


@dataclass(frozen=True, slots=True)
class Carrying:
    """Whether middles are kept, and whether those that are kept are used."""

    is_kept: bool = False
    is_used: bool = True


AFRESH = Carrying()
"""Nothing is carried over: every window is summed up whole."""


class WindowSums:
    """The sums of windows, as known at a frontier, for a day."""

    def __init__(self, registers: Registers, day: date, probers: Collection[str], carrying: Carrying) -> None:
        self.days = DaySums(registers.known, registers.owners, registers.hosts)
        self.calls = CallSums(self.days, sorted(probers))
        self._registers, self._connection, self._weekday = registers, registers.known.connection, day.weekday()
        self._is_kept, self._is_used = carrying.is_kept and registers.known.is_now, carrying.is_used
        self._later_than, self._believed = cache(self._later), cache(self._believed_days)

    # -- kinds ----------------------------------------------------------------------------------------------------------------

    def use(self, span: Span) -> Rows:
        """Return what people did, by source and system."""
        return self._of(_Kind("use", lambda days, _: self.days.use(days), "system_usage_day", {}), span)

    def load(self, span: Span) -> Rows:
        """Return the load of the hosts, by system."""
        shown, signs = self._shown(span), dict[str, str]()
        for host in self.days.hosts:
            if host.resource_code in shown:
                mine = f"{host.resource_code}*{host.weight} {host.opened_on}"
                signs[host.system_code] = f"{signs.get(host.system_code, '')} {mine}"
        kind = _Kind("load", lambda days, only: self.days.load(days, shown, only), "cloud_usage_day", signs)
        return self._of(kind, span)

    def _shown(self, span: Span) -> Collection[str]:
        def query(days: Days, _: Collection[str] | None) -> Rows:
            return {code: {"resource_code": code} for code in self.days.shown(days)}

        return self._of(_Kind("shown", query, "cloud_usage_day", {}), span)

    def received(self, span: Span, trusted: Sequence[date]) -> Rows:
        """Return the calls received, by system; `trusted` are the days of the span that can be believed."""
        return self._of_calls("received", lambda days, only: self.calls.calls_received(days, trusted, only), span)

    def made(self, span: Span) -> Rows:
        """Return the calls made, by system."""
        return self._of_calls("made", self.calls.calls_made, span)

    def last_successes(self, span: Span) -> Rows:
        """Return the last day with a successful call, by system."""

        def query(days: Days, only: Collection[str] | None) -> Rows:
            found = self.calls.last_successes(days, only)
            return {system: {"system_code": system, "last_success_on": day} for system, day in found.items()}

        return self._of_calls("last", query, span)

    def _of_calls(self, name: str, query: Query, span: Span) -> Rows:
        return self._of(_Kind(name, query, "exchange_call_day", self._services), span)

    def probes(self, span: Span) -> Rows:
        """Return what probes came to, by system."""
        return self._of(_Kind("probes", self.calls.probes, None, self._services), span)

    def aged(self, span: Span) -> Rows:
        """Return how long ago probes succeeded last, by system: edge by edge, for it depends on which day comes first."""
        kind = _Kind("aged", self.calls.aged, None, self._services)
        if not (middle := self._middle(span, 0)):
            return self.calls.aged(span)
        before = self.calls.aged(Span(span.first, middle.first - timedelta(days=1)))
        behind = self.calls.aged(Span(middle.last + timedelta(days=1), span.last))
        return _joined(_joined(before, self._carried(kind, span, middle), aged_later), behind, aged_later)

    @cached_property
    def _services(self) -> Signs:
        signs: dict[str, str] = {}
        for service, system in self._registers.owners:
            signs[system] = f"{signs.get(system, '')} {service}"
        return signs

    # -- middles --------------------------------------------------------------------------------------------------------------

    def _middle(self, span: Span, settling: int) -> Span | None:
        """Return the days of a span that it has on every day of the week; None where none are kept, or too few."""
        first = span.first + timedelta(days=6 - self._weekday)
        last = span.last - timedelta(days=self._weekday + settling)
        return Span(first, last) if self._is_kept and (last - first).days >= LEAST - 1 else None

    def _of(self, kind: _Kind, span: Span) -> Rows:
        middle = self._middle(span, SETTLING if kind.entity else 0)
        if middle is None:
            return kind.query(span, None)
        return _joined(self._carried(kind, span, middle), kind.query(Edges(span, middle), None), added)

    def _carried(self, kind: _Kind, span: Span, middle: Span) -> Rows:
        """Return the sums of a middle: those that were kept where they still are right, and keep them where they are not."""
        name = f"{kind.name} {(span.last - span.first).days + 1} {(self._registers.day - span.last).days}"
        stamp = self._stamp(kind, middle)
        kept = (
            self._connection.execute(select(table).where(table.c.name == name)).mappings().first()
            if self._is_used
            else None
        )
        rows: Rows | None = None
        if kept and kept["stamp"] == stamp and not self._was_written(kind.entity, kept["known"], middle):
            signs, rows = _read(kept["body"])
            others = {s for s in signs.keys() | kind.signs.keys() if signs.get(s) != kind.signs.get(s)}
            if not others:
                return rows
            if len(others) > _MOST_OTHERS:
                rows = None
            else:
                rows = {key: row for key, row in rows.items() if key not in others} | kind.query(middle, others)
        if rows is None:
            rows = kind.query(middle, None)
        known = orjson.dumps(self._registers.known.frontier, option=orjson.OPT_SORT_KEYS).decode()
        self._connection.execute(delete(table).where(table.c.name == name))
        self._connection.execute(
            insert(table).values(name=name, stamp=stamp, known=known, body=_written(kind.signs, rows))
        )
        return rows

    def _stamp(self, kind: _Kind, middle: Span) -> str:
        """Return the hash of what a middle rests on beside rows of batches, services and hosts."""
        parts = [code(), kind.name, middle, self.calls.probers, self._believed(kind.entity, middle)]
        return hashlib.blake2b(orjson.dumps(parts), digest_size=16).hexdigest()

    def _believed_days(self, entity: str | None, middle: Span) -> list[Any]:
        """Return which days of which sources are believed; of the probes, of which no batch tells, how many there are."""
        if entity:
            return self.days.believed(entity, middle)
        sums = select(func.count(), func.sum(probe_day.c.probes)).where(middle.holds(probe_day.c.day))
        return list(map(str, self._connection.execute(sums).one()))

    def _was_written(self, entity: str | None, known: str, middle: Span) -> bool:
        """Return whether a batch behind a frontier wrote a row of one of the days, or whether that cannot be told."""
        if entity is None:
            return False
        later, rows = self._later_than(known), ENTITIES[entity][0]
        if later is None or not later.wrote(entity):
            return later is None
        query = select(rows.c.day).where(middle.holds(rows.c.day), later.written(entity)).limit(1)
        return self._connection.execute(query).first() is not None

    def _later(self, known: str) -> LaterBatches | None:
        try:
            return LaterBatches(self._connection, AsKnown(self._connection, orjson.loads(known)))
        except Permanent:  # a batch of the frontier is no longer in the ledger
            return None


def added(one: Sums, other: Sums) -> Sums:
    """Return the sums of the days of both."""
    return {
        name: value if name in _NAMING else _larger(value, other[name]) if name in _NEWEST else value + other[name]
        for name, value in one.items()
    }


def aged_later(one: Sums, other: Sums) -> Sums:
    """Return how probes have aged over days and those that follow them."""
    found = dict(one)
    if other["last_success_on"]:
        found |= {name: other[name] for name in ("last_success_on", "days_since_success")}
    else:
        found["days_since_success"] += other["days_since_success"]
    if other["seen_until"]:
        found |= {name: other[name] for name in ("seen_until", "newest_successes")}
    return found


def _joined(some: Rows, others: Rows, join: Callable[[Sums, Sums], Sums]) -> Rows:
    for key, row in others.items():
        mine = some.get(key)
        some[key] = join(mine, row) if mine else row
    return some


def _larger(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return one if other is None else other
    return max(one, other)


def _written(signs: Signs, rows: Rows) -> str:
    names = list(next(iter(rows.values()), {}))
    return orjson.dumps([signs, names, [list(row.values()) for row in rows.values()]]).decode()


def _read(body: str) -> tuple[Signs, Rows]:
    signs, names, lines = orjson.loads(body)
    keys, days = (
        [n for n, name in enumerate(names) if name in _NAMING],
        [n for n, name in enumerate(names) if name in _DAYS],
    )
    rows: Rows = {}
    for line in lines:
        for n in days:
            line[n] = line[n] and date.fromisoformat(line[n])
        key = tuple(line[n] for n in keys) if len(keys) > 1 else line[keys[0]]
        rows[key] = dict(zip(names, line, strict=True))
    return signs, rows
