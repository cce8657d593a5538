"""What the daily series and the probes say of systems over the windows of the rules; one query for each kind and length.

Roles name who looks at a window; its length is a parameter. A window without any evidence is absent, not empty.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

from sqlalchemy import select

from include.ledger.call_sums import LOOK_BACK
from include.ledger.day_sums import Span
from include.rules.facts import Calls, Load, Probes, Use
from include.rules.register_facts import Registers
from include.rules.verdict import Fact
from include.rules.window_sums import AFRESH, Carrying, WindowSums

ROLES: dict[str, tuple[str, str]] = {
    "idle_load": ("load", "idle_window_days"), "idle_use": ("use", "idle_window_days"),
    "idle_calls": ("calls", "idle_window_days"), "low_use": ("users", "low_use_window_days"),
    "zombie_load": ("load", "zombie_window_days"), "zombie_use": ("use", "zombie_window_days"),
    "zombie_calls": ("calls", "zombie_window_days"), "oversized_load": ("load", "oversized_window_days"),
    "connection_calls": ("calls", "connected_window_days"), "connection_probes": ("probes", "connected_window_days"),
}  # fmt: skip
"""Fact → kind of window and the parameter that says how many days it has."""

PROBES = "probes"
"""Source of what we observe ourselves."""

_Facts = dict[str, Fact]


class WindowFacts:
    """The windows that end the day before a day."""

    def __init__(
        self,
        registers: Registers,
        day: date,
        parameters: Mapping[str, Any],
        probers: Sequence[str] = (),
        carrying: Carrying = AFRESH,
    ) -> None:
        self.registers, self.day, self.parameters = registers, day, parameters
        self.sums = WindowSums(registers, day, probers, carrying)
        self._without_users: set[str] = set()
        self._evidence, self._origin = _newest_days(registers, day), cache(self._origin_of)

    def of(self, roles: Collection[str]) -> dict[str, _Facts]:
        """Return per role the facts by system."""
        use = cache(self._use)
        kinds: dict[str, Callable[[int], _Facts]] = {
            "load": cache(self._load), "use": use, "calls": cache(self._calls), "probes": cache(self._probes),
            "users": lambda days: self._counted(use(days)),
        }  # fmt: skip
        found = {}
        for role in sorted(set(roles) & set(ROLES)):
            kind, parameter = ROLES[role]
            found[role] = kinds[kind](int(self.parameters[parameter]))
        return found

    def _fact(self, value: Any, sources: tuple[str, ...], seen_until: date | None = None) -> Fact:
        named, seen, batches = self._origin(sources)
        return Fact(value, named, seen_until or seen, batches)

    def _origin_of(self, sources: tuple[str, ...]) -> tuple[str, date | None, tuple[str, ...]]:
        """Return sources as facts name them, the day that they reach to together, and the batches that say so."""
        newest = [self._evidence[s] for s in sources if s in self._evidence]
        return "+".join(sources), min((day for day, _ in newest), default=None), tuple(batch for _, batch in newest)

    def _load(self, days: int) -> _Facts:
        found, sources = {}, tuple(self.sums.days.sources("cloud_usage_day"))
        for system, row in self.sums.load(Span.before(self.day, days)).items():
            n = row["observed"]
            load = Load(days, n, row["cpu_mean_sum"] // n, row["cpu_max_sum"] // n, row["memory_max_bp"])
            found[system] = self._fact(load, sources, row["seen_until"])
        return found

    def _use(self, days: int) -> _Facts:
        """Return what people did, of each system from the source with the best authority that says anything of it."""
        rows = self.sums.use(Span.before(self.day, days))
        found = {}
        for source, system in sorted(rows, key=lambda k: (self.registers.authority(k[0]), k[0])):
            row = rows[source, system]
            if system in found or not (row["observed"] or row["logins"]):
                continue
            users = row["active_users"]
            if users is None:
                self._without_users.add(system)
            use = Use(days, row["observed"], row["logins"], row["login_days"], users or 0, row["registered_users"])
            found[system] = self._fact(use, (source,), row["seen_until"])
        return found

    def _counted(self, use: _Facts) -> _Facts:
        """Return the use of the systems whose active users are counted: where nobody counts them, few is not known."""
        return {system: fact for system, fact in use.items() if system not in self._without_users}

    def _calls(self, days: int) -> _Facts:
        """Return the calls of every system: where the exchange's log was read, no line means no call.

        Successes are those of calls received and of calls made: either way the system works with the exchange.
        """
        span, longer = Span.before(self.day, days), Span.before(self.day, days * LOOK_BACK)
        trusted = self.sums.days.trusted_days("exchange_call_day", longer)
        in_span = [day for day in trusted if day >= span.first]
        received, made = self.sums.received(span, in_span), self.sums.made(span)
        before = Span(longer.first, span.first - timedelta(days=1))
        succeeded = {system for rows in (received, made) for system, row in rows.items() if row["last_success_on"]}
        # Who succeeded within the window is not asked before it; where nothing was seen at all, anybody's success counts.
        silent = None if not trusted and not received and not made else self.registers.systems.keys() - succeeded
        earlier = self.sums.last_successes(before, silent)
        sources, flat = tuple(self.sums.days.sources("exchange_call_day")), Flatness(in_span, self.parameters)
        if not trusted and not received and not made and not earlier:
            return {}

        def fact(row: Mapping[str, Any], own: Mapping[str, Any], before: Mapping[str, Any]) -> Fact:
            last = _later(row["last_success_on"], own["last_success_on"]) or before["last_success_on"]
            calls = Calls(
                days, len(in_span), row["calls"], row["successes"] + own["successes"], own["calls"], row["probe_calls"], last,
                None if last is None else len(trusted) - bisect_right(trusted, last),
                _later(row["last_failure_on"], own["last_failure_on"]), flat.is_flat(row),
            )  # fmt: skip
            return self._fact(calls, sources)

        called = {*received, *made, *earlier}
        found = dict.fromkeys(self.registers.systems, fact(_NO_CALLS, _NO_CALLS, _NO_CALLS))  # most are never called
        for system in called & found.keys():
            found[system] = fact(
                received.get(system, _NO_CALLS), made.get(system, _NO_CALLS), earlier.get(system, _NO_CALLS)
            )
        return found

    def _probes(self, days: int) -> _Facts:
        span, longer = Span.before(self.day, days), Span.before(self.day, days * LOOK_BACK)
        self.sums.calls.refuse_removed(longer)
        sums = self.sums.probes(span)
        found = {}
        for system, aged in self.sums.aged(longer).items():
            row, last = sums.get(system, _NO_PROBES), aged["last_success_on"]
            probes = Probes(
                days, row["observed"], row["probes"], row["successes"], row["failures"], row["inconclusive"], last,
                None if last is None else aged["days_since_success"], _state(aged),
            )  # fmt: skip
            found[system] = Fact(probes, PROBES, aged["seen_until"])
        return found


def _later(one: date | None, other: date | None) -> date | None:
    return max((d for d in (one, other) if d), default=None)


_NO_CALLS: Mapping[str, Any] = {
    "calls": 0, "successes": 0, "probe_calls": 0, "last_success_on": None, "last_failure_on": None,
    "flat_days": 0, "flat_sum": 0, "flat_squares": 0, "flat_weekend": 0,
}  # fmt: skip


_NO_PROBES = dict.fromkeys(("observed", "probes", "successes", "failures", "inconclusive"), 0)


class Flatness:
    """Whether calls come as a machine makes them: many, every day alike, weekends like working days.

    Over the trusted days: calls on `flat_least_days` of them or more, `flat_least_calls` a day or more on average, a standard
    deviation of at most `flat_deviation_percent` of that average, and a weekend day of at least `flat_weekend_percent` of a
    working day. In whole numbers: with n days, sum S and squares Q, (n·Q − S²)·100² ≤ percent²·S².
    """

    def __init__(self, days: Sequence[date], parameters: Mapping[str, Any]) -> None:
        self._days, self._ends, self._parameters = len(days), sum(day.weekday() >= 5 for day in days), parameters

    def is_flat(self, row: Mapping[str, Any]) -> bool:
        """Return it of the sums of one system."""
        n, ends, parameters = self._days, self._ends, self._parameters
        total, squares, weekend = row["flat_sum"], row["flat_squares"], row["flat_weekend"]
        if row["flat_days"] < parameters["flat_least_days"] or total < parameters["flat_least_calls"] * n:
            return False
        if not 0 < ends < n:
            return False
        is_even = (n * squares - total * total) * 10_000 <= parameters["flat_deviation_percent"] ** 2 * total * total
        rests = weekend * (n - ends) * 100 < parameters["flat_weekend_percent"] * (total - weekend) * ends
        return bool(is_even and not rests)


def _state(row: Mapping[str, Any]) -> str:
    """Return up, down or unknown as of the newest day that concluded anything; `probe_state` is of this hour, not of a day."""
    if row["seen_until"] is None:
        return "unknown"
    return "up" if row["newest_successes"] else "down"


def _newest_days(registers: Registers, day: date) -> dict[str, tuple[date, str]]:
    """Return of each series the newest trusted day before a day, with the batch that first read it whole."""
    observed = registers.known.observed_days()
    query = (
        select(observed.c.source, observed.c.day, observed.c.batch_id)
        .where(observed.c.is_trusted, observed.c.day < day)
        .order_by(observed.c.source, observed.c.day)
    )
    return {source: (seen, batch) for source, seen, batch in registers.known.connection.execute(query)}
