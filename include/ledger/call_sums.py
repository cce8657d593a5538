"""Calls and probes of each system over a span of days, worked out in the database; probe calls are kept apart from business."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, func, or_, select, true

from include.clock import SHANGHAI
from include.errors import Permanent
from include.ledger.day_sums import (
    BySystem,
    DaySums,
    Span,
    by_system,
    of_these,
    service_owner,
    sum_where,
    total,
)
from include.ledger.tables import probe_day, probe_sweep

MOST_CALLS = 100_000_000
"""Calls of a system on one day are cut here before they are squared, so that a year of squares fits 64 bits on both databases."""

LOOK_BACK = 2
"""The last success is looked for in this many windows, so that days without evidence do not age it."""


class CallSums:
    """The sums of calls and probes, on the tables that `DaySums` has laid; `probers` are callers known to be probes."""

    def __init__(self, sums: DaySums, probers: Sequence[str] = ()) -> None:
        self.known, self.connection = sums.known, sums.connection
        self.probers = list(probers)

    def calls_received(self, days: Span, trusted: Sequence[date], only: Collection[str] | None = None) -> BySystem:
        """Return per system what others called of its services: sums, last days, and what flatness is judged by.

        `flat_days` counts trusted days with a call; `flat_sum`, `flat_squares` and `flat_weekend` add up the calls of trusted
        days, their squares, and those of Saturdays and Sundays; whole numbers, so that both databases agree to the last digit.
        """
        calls, owner = self.known.rows("exchange_call_day"), service_owner
        is_probe = self._is_probe(calls)
        mine = and_(~is_probe, calls.c.caller_code != owner.c.system_code)
        daily = (
            select(
                owner.c.system_code, calls.c.day,
                sum_where(calls.c.calls, mine).label("calls"),
                sum_where(calls.c.calls - calls.c.failures, mine).label("successes"),
                sum_where(calls.c.failures, mine).label("failures"),
                sum_where(calls.c.calls, is_probe).label("probe_calls"),
            )
            .join(owner, owner.c.service_code == calls.c.service_code)
            .where(days.holds(calls.c.day), of_these(owner.c.system_code, only))
            .group_by(owner.c.system_code, calls.c.day)
            .subquery("daily")
        )  # fmt: skip
        cut = case((daily.c.calls > MOST_CALLS, MOST_CALLS), else_=cast(daily.c.calls, BigInteger))
        is_trusted = daily.c.day.in_(list(trusted))
        is_weekend = daily.c.day.in_([day for day in trusted if day.weekday() >= 5])
        query = select(
            daily.c.system_code,
            total(daily.c.calls).label("calls"),
            total(daily.c.successes).label("successes"),
            total(daily.c.probe_calls).label("probe_calls"),
            func.max(case((daily.c.successes > 0, daily.c.day))).label("last_success_on"),
            func.max(case((daily.c.failures > 0, daily.c.day))).label("last_failure_on"),
            total(case((and_(is_trusted, daily.c.calls > 0), 1), else_=0)).label("flat_days"),
            total(case((is_trusted, cut), else_=0)).label("flat_sum"),
            total(case((is_trusted, cut * cut), else_=0)).label("flat_squares"),
            total(case((is_weekend, cut), else_=0)).label("flat_weekend"),
        ).group_by(daily.c.system_code)
        return by_system(self.connection, query)

    def calls_made(self, days: Span, only: Collection[str] | None = None) -> BySystem:
        """Return per system what it called of services that are not its own: sums and last days."""
        calls = self.known.rows("exchange_call_day")
        successes = calls.c.calls - calls.c.failures
        query = self._made(
            days, only, calls,
            total(calls.c.calls).label("calls"),
            total(successes).label("successes"),
            func.max(case((successes > 0, calls.c.day))).label("last_success_on"),
            func.max(case((calls.c.failures > 0, calls.c.day))).label("last_failure_on"),
        )  # fmt: skip
        return by_system(self.connection, query)

    def last_successes(self, days: Span, only: Collection[str] | None = None) -> dict[str, date]:
        """Return per system the last of some days with a successful business call, received or made."""
        calls, owner = self.known.rows("exchange_call_day"), service_owner
        day = func.max(calls.c.day).label("day")
        received = (
            select(owner.c.system_code, day)
            .join(owner, owner.c.service_code == calls.c.service_code)
            .where(days.holds(calls.c.day), calls.c.calls > calls.c.failures, of_these(owner.c.system_code, only))
            .where(~self._is_probe(calls), calls.c.caller_code != owner.c.system_code)
            .group_by(owner.c.system_code)
        )
        made = self._made(days, only, calls, day).where(calls.c.calls > calls.c.failures)
        found: dict[str, date] = {}
        for query in (received, made):
            for system, last in self.connection.execute(query):
                found[system] = max(last, found.get(system, last))
        return found

    def _made(self, days: Span, only: Collection[str] | None, calls: Any, *columns: Any) -> Select[Any]:
        owner = service_owner
        return (
            select(calls.c.caller_code.label("system_code"), *columns)
            .outerjoin(owner, owner.c.service_code == calls.c.service_code)
            .where(days.holds(calls.c.day), ~self._is_probe(calls), of_these(calls.c.caller_code, only))
            .where(or_(owner.c.system_code.is_(None), owner.c.system_code != calls.c.caller_code))
            .group_by(calls.c.caller_code)
        )

    def probes(self, days: Span, only: Collection[str] | None = None) -> BySystem:
        """Return per system what the probes of some days came to; a day is observed when one probe concluded anything."""
        p = probe_day.c
        query = self._probed(
            days, only, *(total(p[n]).label(n) for n in ("probes", "successes", "failures", "inconclusive")),
            func.count(case((p.successes + p.failures > 0, p.day)).distinct()).label("observed"),
        )  # fmt: skip
        return by_system(self.connection, query)

    def aged(self, days: Span, only: Collection[str] | None = None) -> BySystem:
        """Return per system the last day with a success, and how many observed days came behind it, or at all where none succeeded.

        `seen_until` is the newest day that was observed, `newest_successes` are those of it.
        """
        p = probe_day.c
        daily = self._probed(
            days, only, p.day, total(p.successes).label("successes"), total(p.successes + p.failures).label("concluded")
        )
        one = daily.group_by(p.day).subquery("daily")
        last = func.max(case((one.c.successes > 0, one.c.day))).over(partition_by=one.c.system_code)
        newest = func.max(case((one.c.concluded > 0, one.c.day))).over(partition_by=one.c.system_code)
        aged = select(one, last.label("last_success_on"), newest.label("newest_on")).subquery("aged")
        is_behind = and_(aged.c.concluded > 0, func.coalesce(aged.c.day > aged.c.last_success_on, true()))
        query = select(
            aged.c.system_code,
            func.count(case((is_behind, 1))).label("days_since_success"),
            func.max(aged.c.last_success_on).label("last_success_on"),
            func.max(aged.c.newest_on).label("seen_until"),
            sum_where(aged.c.successes, aged.c.day == aged.c.newest_on).label("newest_successes"),
        ).group_by(aged.c.system_code)
        return by_system(self.connection, query)

    def _probed(self, days: Span, only: Collection[str] | None, *columns: Any) -> Select[Any]:
        owner = service_owner
        return (
            select(owner.c.system_code, *columns)
            .join(owner, owner.c.service_code == probe_day.c.service_code)
            .where(days.holds(probe_day.c.day), of_these(owner.c.system_code, only))
            .group_by(owner.c.system_code)
        )

    def refuse_removed(self, span: Span) -> None:
        """Raise `Permanent` where sweeps were merged on days of a span whose sums retention has removed since."""
        first = self.connection.execute(select(func.min(probe_day.c.day))).scalar()
        end = min(first or date.max, span.last + timedelta(days=1))
        swept = probe_sweep.c.merged_at >= _begin_of(span.first), probe_sweep.c.merged_at < _begin_of(end)
        whole = probe_sweep.c.endpoints > 0, ~probe_sweep.c.is_cut_off
        if self.connection.execute(select(probe_sweep.c.sweep_id).where(*swept, *whole).limit(1)).first():
            raise Permanent(
                f"what probes found before {first} was removed by retention (probe_days in retention.yaml), and {span.first} to "
                f"{span.last} would be looked at; that day can no longer be judged again"
            )

    def _is_probe(self, calls: Any) -> ColumnElement[bool]:
        return or_(func.coalesce(calls.c.is_probe, False), calls.c.caller_code.in_(self.probers))


def _begin_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
