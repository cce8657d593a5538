"""Calls and probes of each system over a span of days, worked out in the database; probe calls are kept apart from business."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, func, or_, select

from include.clock import SHANGHAI
from include.errors import Permanent
from include.ledger.day_sums import DaySums, Span, Sums, by_system, service_owner, sum_where, total
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

    def calls_received(self, span: Span, trusted: Sequence[date]) -> dict[str, Sums]:
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
            .where(calls.c.day.between(span.first, span.last))
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

    def calls_made(self, span: Span) -> dict[str, Sums]:
        """Return per system what it called of services that are not its own: sums and last days."""
        calls = self.known.rows("exchange_call_day")
        successes = calls.c.calls - calls.c.failures
        query = self._made(
            span, calls,
            total(calls.c.calls).label("calls"),
            total(successes).label("successes"),
            func.max(case((successes > 0, calls.c.day))).label("last_success_on"),
            func.max(case((calls.c.failures > 0, calls.c.day))).label("last_failure_on"),
        )  # fmt: skip
        return by_system(self.connection, query)

    def last_successes(self, span: Span) -> dict[str, date]:
        """Return per system the last day of a span with a successful business call, received or made."""
        calls, owner = self.known.rows("exchange_call_day"), service_owner
        day = func.max(calls.c.day).label("day")
        received = (
            select(owner.c.system_code, day)
            .join(owner, owner.c.service_code == calls.c.service_code)
            .where(calls.c.day.between(span.first, span.last), calls.c.calls > calls.c.failures)
            .where(~self._is_probe(calls), calls.c.caller_code != owner.c.system_code)
            .group_by(owner.c.system_code)
        )
        made = self._made(span, calls, day).where(calls.c.calls > calls.c.failures)
        found: dict[str, date] = {}
        for query in (received, made):
            for system, last in self.connection.execute(query):
                found[system] = max(last, found.get(system, last))
        return found

    def _made(self, span: Span, calls: Any, *columns: Any) -> Select[Any]:
        owner = service_owner
        return (
            select(calls.c.caller_code.label("system_code"), *columns)
            .outerjoin(owner, owner.c.service_code == calls.c.service_code)
            .where(calls.c.day.between(span.first, span.last), ~self._is_probe(calls))
            .where(or_(owner.c.system_code.is_(None), owner.c.system_code != calls.c.caller_code))
            .group_by(calls.c.caller_code)
        )

    def probes(self, span: Span, longer: Span) -> dict[str, Sums]:
        """Return per system what the probes of a span came to; the last success may lie in the longer span before it.

        A day is observed when one probe of the system concluded anything; `days_since_success` counts such days only.
        `newest_successes` are those of the newest such day.
        """
        owner, in_span = service_owner, probe_day.c.day >= span.first
        daily = (
            select(
                owner.c.system_code, probe_day.c.day,
                *(sum_where(probe_day.c[n], in_span).label(n) for n in ("probes", "successes", "failures", "inconclusive")),
                total(probe_day.c.successes).label("any_success"),
                total(probe_day.c.successes + probe_day.c.failures).label("concluded"),
            )
            .join(owner, owner.c.service_code == probe_day.c.service_code)
            .where(probe_day.c.day.between(longer.first, longer.last))
            .group_by(owner.c.system_code, probe_day.c.day)
            .subquery("daily")
        )  # fmt: skip
        last = func.max(case((daily.c.any_success > 0, daily.c.day))).over(partition_by=daily.c.system_code)
        newest = func.max(case((daily.c.concluded > 0, daily.c.day))).over(partition_by=daily.c.system_code)
        aged = select(daily, last.label("last_success_on"), newest.label("newest_on")).subquery("aged")
        is_observed = aged.c.concluded > 0
        query = select(
            aged.c.system_code,
            *(total(aged.c[n]).label(n) for n in ("probes", "successes", "failures", "inconclusive")),
            func.count(case((and_(is_observed, aged.c.day >= span.first), 1))).label("observed"),
            func.max(aged.c.last_success_on).label("last_success_on"),
            func.count(case((and_(is_observed, aged.c.day > aged.c.last_success_on), 1))).label("days_since_success"),
            func.max(aged.c.newest_on).label("seen_until"),
            sum_where(aged.c.any_success, aged.c.day == aged.c.newest_on).label("newest_successes"),
        ).group_by(aged.c.system_code)
        return by_system(self.connection, query)

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
