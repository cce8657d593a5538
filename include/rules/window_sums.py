"""The sums of a window of days, of which the middle is carried over from one day of a week to the next.

A window moves by a day each day: what it gains and loses are its edges. The days between them, the same for every day of an ISO
week, are summed up once, by the query that sums up any days, and kept in `window_sum`. They are summed up anew where a batch wrote
of one of them since, where another day is believed, or where whose services and hosts are is another: of the systems alone that
this bears on, where that is all. It is a shortcut and no record: without it a judging says the same (ADR 0052).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from typing import Any

import orjson
from sqlalchemy import delete, func, insert, select

from include.errors import Permanent
from include.ledger.as_known import AsKnown
from include.ledger.call_sums import CallSums
from include.ledger.day_sums import DaySums, Span
from include.ledger.tables import ENTITIES, probe_day
from include.ledger.tables import window_sum as table
from include.rules.grounds import code, gone
from include.rules.later_batches import LaterBatches
from include.rules.register_facts import Registers
from include.rules.sum_rows import Join, Rows, Signs, added, aged_later, joined, read, written

SETTLING = 4
"""So many days before the week belong to the edges: platforms correct the last days of a series (`settle_days` of their cards)."""

LEAST = 7
"""A middle of fewer days is not worth to be kept."""

_MOST_OTHERS = 500
"""Of so many systems the middle is summed up apart; where more are others, of all."""

_ONE = timedelta(days=1)
Query = Callable[[Span, Collection[str] | None], Rows]


@dataclass(frozen=True, slots=True)
class _Kind:
    """Sums of one kind: how they are asked for, over days and of some systems; whose rows they are of, None for the probes."""

    name: str
    query: Query
    entity: str | None
    signs: Signs
    shown: frozenset[str] = frozenset()


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
        self._gone = gone(self._connection) if self._is_kept else ""
        self._later_than, self._believed = cache(self._later), cache(self._believed_days)
        self._hosts, self._tails = cache(self._hosts_of), dict[tuple[Any, ...], Rows]()

    # -- kinds ----------------------------------------------------------------------------------------------------------------

    def use(self, span: Span) -> Rows:
        """Return what people did, by source and system."""
        return self._of(_Kind("use", lambda days, _: self.days.use(days), "system_usage_day", {}), span)

    def load(self, span: Span) -> Rows:
        """Return the load of the hosts, by system."""
        shown = frozenset(self._of(_Kind("shown", self._shown, "cloud_usage_day", {}), span))
        kind = _Kind(
            "load", lambda days, only: self.days.load(days, shown, only), "cloud_usage_day", self._hosts(shown), shown
        )
        return self._of(kind, span)

    def _shown(self, days: Span, _: Collection[str] | None) -> Rows:
        return {code: {"resource_code": code} for code in self.days.shown(days)}

    def _hosts_of(self, shown: Collection[str]) -> Signs:
        signs: dict[str, str] = {}
        for host in self.days.hosts:
            if host.resource_code in shown:
                mine = f"{host.resource_code}*{host.weight} {host.opened_on}"
                signs[host.system_code] = f"{signs.get(host.system_code, '')} {mine}"
        return signs

    def received(self, span: Span, trusted: Sequence[date]) -> Rows:
        """Return the calls received, by system; `trusted` are the days of the span that can be believed."""
        return self._of_calls("received", lambda days, only: self.calls.calls_received(days, trusted, only), span)

    def made(self, span: Span) -> Rows:
        """Return the calls made, by system."""
        return self._of_calls("made", self.calls.calls_made, span)

    def last_successes(self, span: Span, only: Collection[str] | None) -> Rows:
        """Return the last day with a successful call, by system; where some are named, what it says of others is not to be used."""
        if only is not None and not only:
            return {}

        def query(days: Span, only: Collection[str] | None) -> Rows:
            found = self.calls.last_successes(days, only)
            return {system: {"system_code": system, "last_success_on": day} for system, day in found.items()}

        return self._of_calls("last", query, span, only)

    def _of_calls(self, name: str, query: Query, span: Span, only: Collection[str] | None = None) -> Rows:
        return self._of(_Kind(name, query, "exchange_call_day", self._services), span, only)

    def probes(self, span: Span) -> Rows:
        """Return what probes came to, by system."""
        return self._of(_Kind("probes", self.calls.probes, None, self._services), span)

    def aged(self, span: Span) -> Rows:
        """Return how long ago probes succeeded last, by system."""
        return self._of(_Kind("aged", self.calls.aged, None, self._services), span, join=aged_later)

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

    def _of(self, kind: _Kind, span: Span, only: Collection[str] | None = None, join: Join = added) -> Rows:
        middle = self._middle(span, SETTLING if kind.entity else 0)
        if middle is None:
            return kind.query(span, only)
        before, behind = Span(span.first, middle.first - _ONE), Span(middle.last + _ONE, span.last)
        tail = (kind.name, kind.shown, behind, only is None)  # the same for windows of different lengths
        if only is not None or tail not in self._tails:
            self._tails[tail] = kind.query(behind, only)
        return joined(
            joined(kind.query(before, only), self._carried(kind, span, middle), join), self._tails[tail], join
        )

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
            signs, held = read(kept["body"])
            others = {s for s in signs.keys() | kind.signs.keys() if signs.get(s) != kind.signs.get(s)}
            if not others:
                return held
            if len(others) <= _MOST_OTHERS:
                rows = {key: row for key, row in held.items() if key not in others} | kind.query(middle, others)
        if rows is None:
            rows = kind.query(middle, None)
        known = orjson.dumps(self._registers.known.frontier, option=orjson.OPT_SORT_KEYS).decode()
        self._connection.execute(delete(table).where(table.c.name == name))
        self._connection.execute(
            insert(table).values(name=name, stamp=stamp, known=known, body=written(kind.signs, rows))
        )
        return rows

    def _stamp(self, kind: _Kind, middle: Span) -> str:
        """Return the hash of what a middle rests on beside rows of batches, services and hosts."""
        parts = [code(), self._gone, kind.name, middle, self.calls.probers, self._believed(kind.entity, middle)]
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
