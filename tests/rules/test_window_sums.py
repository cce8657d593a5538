"""What is carried over says what summing up all days anew says, whatever has happened since; and it is carried over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, update

from include.clock import now
from include.ledger.alert_tables import expunged
from include.ledger.as_known import AsKnown, Frontier, frontier
from include.ledger.call_sums import CallSums
from include.ledger.day_sums import DaySums, Span
from include.ledger.forget import forget_judged
from include.ledger.tables import system_usage_day, window_sum
from include.rules import window_sums
from include.rules.parameters import ParameterBook
from include.rules.register_facts import Registers
from include.rules.sum_rows import added, aged_later
from include.rules.verdict import Fact
from include.rules.window_facts import ROLES, WindowFacts
from include.rules.window_sums import AFRESH, LEAST, SETTLING, Carrying
from tests.depth import deep
from tests.rules.evidence import DAY
from tests.rules.series_town import SeriesTown

PARAMETERS = ParameterBook.load()
KEPT = Carrying(is_kept=True)
QUERIES = ((DaySums, "use"), (DaySums, "load"), (CallSums, "calls_received"), (CallSums, "calls_made"), (CallSums, "probes"),
           (CallSums, "aged"))  # fmt: skip

Facts = dict[str, dict[str, Fact]]
Asked = tuple[str, Span, Any]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """Return which sums were asked for, over which days, and of which systems alone."""
    seen: list[Asked] = []
    for owner, name in QUERIES:
        monkeypatch.setattr(owner, name, _noting(seen, getattr(owner, name)))
    return seen


def _noting(seen: list[Asked], real: Callable[..., Any]) -> Callable[..., Any]:
    def noting(self: Any, days: Span, *rest: Any) -> Any:
        seen.append((real.__name__, days, rest[-1] if rest else None))
        return real(self, days, *rest)

    return noting


def facts(
    town: SeriesTown, carrying: Carrying, known: Frontier | None = None, lengths: Mapping[str, int] | None = None
) -> Facts:
    """Return the facts of all windows of the town's day."""
    day = town.day
    with town.engine.begin() as connection:
        registers = Registers(AsKnown(connection, known), day, 7, {})
        return WindowFacts(registers, day, dict(PARAMETERS.on(day)) | dict(lengths or {}), ("prober",), carrying).of(
            ROLES
        )


def longest(asked: list[Asked]) -> int:
    """Return how many days were summed up at most, of all systems, and forget it."""
    found = max((span.last - span.first).days + 1 for _, span, only in asked if only is None)
    asked.clear()
    return found


def kept(engine: Engine) -> dict[str, str]:
    """Return what is kept."""
    with engine.connect() as connection:
        return {name: body for name, body in connection.execute(select(window_sum.c.name, window_sum.c.body))}


@pytest.mark.parametrize("seed", range(deep(2, 12)))
def test_what_is_carried_over_says_what_all_days_say(engine: Engine, seed: int, asked: list[Asked]) -> None:
    town = SeriesTown(engine, seed)
    short = 0
    for _ in range(deep(18, 40)):
        town.live()
        asked.clear()
        found = facts(town, KEPT)
        short += longest(asked) <= 6 + SETTLING
        assert found == facts(town, AFRESH), town.day
        assert all(found[role] for role in ROLES), "something was seen in every window"
    assert short >= 3, "days on which the edges alone were summed up"


def test_a_quiet_week_sums_its_middles_up_once(engine: Engine, asked: list[Asked]) -> None:
    town, found = SeriesTown(engine, 0), []
    town.day += timedelta(days=3)  # a Monday
    for _ in range(9):
        town.pass_by()
        before = kept(engine)
        assert facts(town, KEPT) == facts(town, AFRESH)
        asked.clear()
        facts(town, KEPT)
        assert longest(asked) <= 6 + SETTLING, "of the same day"
        found.append(kept(engine) == before)
    assert found == [False, *[True] * 5, False, True, True], "Tuesday to Sunday, and from another Monday on"


HAPPENS: dict[str, tuple[Callable[[SeriesTown, date], None], str, Collection[str] | None]] = {
    "a figure is corrected": (lambda town, day: town.correct(day + timedelta(days=1)), "use", None),
    "a row comes late": (lambda town, day: town.come_late(day), "use", None),
    "a day is believed": (lambda town, day: town.observed(town.reading("usage_statistics"), [day]), "use", None),
    "a host has more CPUs": (lambda town, _: town.change_host("hA", vcpu=64), "load", {"A"}),
    "a host was opened": (lambda town, day: town.change_host("hA", opened_on=day), "load", {"A"}),
    "a host goes over": (lambda town, _: town.change_host("hA", system_code="B"), "load", {"A", "B"}),
    "a service goes over": (lambda town, _: town.change_service("sA", "B"), "calls_received", {"A", "B"}),
    "a service of nobody": (lambda town, _: town.change_service("sA", None), "calls_made", {"A"}),
    "probes of a service that goes over": (lambda town, _: town.change_service("sA", "B"), "aged", {"A", "B"}),
    "a probe is counted late": (lambda town, day: town.probed("sA", day, successes=1), "aged", None),
}  # fmt: skip
"""What happens, of which sums the middle is made anew for it, and of which systems alone."""


@pytest.mark.parametrize("happening", HAPPENS)
def test_what_happens_to_a_middle_is_seen(engine: Engine, happening: str, asked: list[Asked]) -> None:
    town = SeriesTown(engine, 1)
    happen, of, only = HAPPENS[happening]
    day = town.day - timedelta(days=21)
    town.forget("sA", day)
    facts(town, KEPT)
    happen(town, day)
    asked.clear()
    found = facts(town, KEPT)
    again = [some for name, span, some in asked if name == of and span.first <= day <= span.last]
    assert {None if some is None else frozenset(some) for some in again} == {only and frozenset(only)}
    assert found == facts(town, AFRESH)
    asked.clear()
    facts(town, KEPT)
    assert longest(asked) <= 6 + SETTLING, "and it is kept again"


def test_what_is_written_of_an_edge_makes_no_middle_anew(engine: Engine, asked: list[Asked]) -> None:
    town, found = SeriesTown(engine, 2), {}
    assert town.day.weekday() == 4, (
        "two days of the week are to come: the middle of 90 days begins two days behind the window"
    )
    for ago in (89, 88, 9, 8):
        facts(town, KEPT)
        town.correct(town.day - timedelta(days=ago))
        asked.clear()
        assert facts(town, KEPT) == facts(town, AFRESH)
        again = [span for name, span, _ in asked if name == "use"]
        found[ago] = sorted(
            {(town.day - span.first).days for span in again if span.last == town.day - timedelta(days=9)}
        )
    assert found == {89: [], 88: [88], 9: [28, 88], 8: []}


def test_many_systems_that_are_others_are_not_summed_up_apart(
    engine: Engine, asked: list[Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, found = SeriesTown(engine, 7), {}
    for most, system in ((2, "B"), (1, "C")):
        monkeypatch.setattr(window_sums, "_MOST_OTHERS", most)
        facts(town, KEPT)
        town.change_service("sA", system)
        asked.clear()
        assert facts(town, KEPT) == facts(town, AFRESH)
        spans = [(span, only) for name, span, only in asked if name == "calls_received"]
        found[most] = {only and len(only) for span, only in spans if span.last == town.day - timedelta(days=9)}
    assert found == {2: {2}, 1: {None}}


def test_a_window_with_a_middle_of_a_week_is_carried_over_and_a_shorter_one_is_not(engine: Engine) -> None:
    town, found = SeriesTown(engine, 8), {}
    for days in (16, 17):
        lengths = {"idle_window_days": days}
        assert facts(town, KEPT, lengths=lengths) == facts(town, AFRESH, lengths=lengths)
        found[days] = any(name.startswith(f"use {days} ") for name in kept(engine))
    assert found == {16: False, 17: True}


def test_what_is_kept_is_not_used_where_all_is_judged_anew(engine: Engine, asked: list[Asked]) -> None:
    town = SeriesTown(engine, 3)
    facts(town, KEPT)
    with engine.begin() as connection:
        connection.execute(update(window_sum).values(body='[{},["system_code"],[]]'))
    assert facts(town, KEPT) != facts(town, AFRESH), "it is used"
    asked.clear()
    assert facts(town, Carrying(is_kept=True, is_used=False)) == facts(town, AFRESH)
    assert facts(town, KEPT) == facts(town, AFRESH), "and was kept anew"


def test_nothing_is_kept_of_a_frontier_that_is_past(engine: Engine) -> None:
    town = SeriesTown(engine, 4)
    with engine.connect() as connection:
        then = frontier(connection)
    was = facts(town, AFRESH)
    town.correct(town.day - timedelta(days=21))
    assert facts(town, KEPT, known=then) == was != facts(town, AFRESH)
    assert not kept(engine)


def test_what_is_kept_by_a_batch_that_is_gone_is_made_anew(engine: Engine, asked: list[Asked]) -> None:
    town = SeriesTown(engine, 5)
    facts(town, KEPT)
    with engine.begin() as connection:
        connection.execute(update(window_sum).values(known='{"usage_statistics":"gone"}'))
    asked.clear()
    assert facts(town, KEPT) == facts(town, AFRESH)
    assert any(name == "use" and (span.last - span.first).days > LEAST for name, span, _ in asked)


def test_what_is_expunged_leaves_no_sum(engine: Engine) -> None:
    town = SeriesTown(engine, 6)
    facts(town, KEPT)
    assert kept(engine)
    with engine.begin() as connection:
        forget_judged(connection, {"anything"})
    assert not kept(engine)


def test_what_was_kept_while_something_was_expunged_is_made_anew(engine: Engine) -> None:
    """A judging that had begun before keeps sums of what it still saw."""
    town = SeriesTown(engine, 6)
    facts(town, KEPT)
    with engine.begin() as connection:
        connection.execute(delete(system_usage_day).where(system_usage_day.c.system_code == "A"))
        connection.execute(insert(expunged).values(expunged_at=now(), source="usage_statistics", records=1))
    assert facts(town, KEPT) == facts(town, AFRESH)


def test_sums_are_added_and_of_days_and_maxima_the_largest_counts() -> None:
    one = {
        "source": "s",
        "system_code": "A",
        "logins": 3,
        "active_users": 5,
        "registered_users": None,
        "seen_until": DAY,
    }
    other = one | {"logins": 4, "active_users": 2, "registered_users": 9, "seen_until": None}
    whole = one | {"logins": 7, "registered_users": 9}
    assert added(one, other) == added(other, one) == whole


def test_how_probes_have_aged_goes_by_what_comes_later() -> None:
    def seen(since: int, last: int | None, newest: int | None, successes: int) -> dict[str, Any]:
        days = [n and DAY + timedelta(days=n) for n in (last, newest)]
        return {
            "days_since_success": since,
            "last_success_on": days[0],
            "seen_until": days[1],
            "newest_successes": successes,
        }

    early, silent, failing, late = seen(2, 1, 3, 0), seen(0, None, None, 0), seen(3, None, 8, 0), seen(1, 6, 7, 4)
    assert aged_later(early, silent) == early
    assert aged_later(early, failing) == seen(5, 1, 8, 0)
    assert aged_later(early, late) == late
    assert aged_later(silent, early) == early
    assert aged_later(failing, silent) == failing
