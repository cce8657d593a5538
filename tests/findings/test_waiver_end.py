"""Decisions end at midnight in Asia/Shanghai, holidays or not, and the next judging says so, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include.clock import SHANGHAI
from include.errors import DecisionRefused
from include.findings import judging as judging_module
from include.findings.door import told_events
from include.findings.judging import judge
from include.findings.story import Kind
from include.findings.waivers import decisions_of, ending_waivers, useless_waivers
from include.ledger.tables import finding
from include.rules.rule_book import load_rules
from tests.depth import BOTH, MOSTLY_SQLITE, deep
from tests.findings.deciding import (
    assert_whole,
    everything,
    handled,
    id_of,
    judge_by_hand,
    kinds,
    said,
    standing,
    story,
    taken,
)
from tests.rules.city import City, planted
from tests.rules.evidence import DAY, at

pytestmark = MOSTLY_SQLITE

EVE = date(2026, 9, 30)
"""The day before the National Day holiday, which lasts to 7 October."""
FIRST_WORKDAY = date(2026, 10, 8)


def moment(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI)


def _on_the_eve(engine: Engine) -> None:
    judge(engine, "systems", EVE, at=moment(EVE, 7))


def _judged_at(engine: Engine, when: datetime, scope: str = "systems") -> list[tuple[str, str]]:
    """Judge the day that it is in Shanghai at a moment; return the changes of the city's idle system's idleness."""
    judged = judge(engine, scope, when.astimezone(SHANGHAI).date(), at=when)
    return [
        (c.kind.value, c.handling)
        for c in judged.settled.changes
        if (c.rule, c.subject) == ("resources-not-idle", "idle")
    ]


@pytest.mark.parametrize("until", deep([EVE, date(2026, 10, 3)], [EVE, date(2026, 10, 1), date(2026, 10, 3)]))
def test_a_waiver_ends_at_midnight_in_shanghai(engine: Engine, until: date) -> None:
    city = planted(engine, EVE, _on_the_eve)
    taken(engine, Kind.WAIVED, "idle", day=EVE - timedelta(days=1), until=until)
    while city.day < until:
        city.next_day()
    assert _judged_at(engine, moment(until, 23, 59)) == []
    assert handled(engine, "idle") == ("open", "waived", until)
    city.next_day()
    midnight = datetime(until.year, until.month, until.day, 16, tzinfo=UTC)  # as a server elsewhere would count it
    assert _judged_at(engine, midnight) == [("waiver_ended", "new")]
    assert handled(engine, "idle") == ("open", "new", None)
    event = story(engine, "idle")[-1]
    assert (event.day, event.until, event.outcome) == (until + timedelta(days=1), until, "fail")
    assert f"豁免已于 {until} 到期" in event.message
    assert _judged_at(engine, midnight + timedelta(hours=1)) == []
    assert_whole(engine)


@BOTH
def test_a_waiver_that_ended_in_the_holiday_is_told_by_the_first_run_after_it(engine: Engine) -> None:
    city = planted(engine, EVE, _on_the_eve)
    taken(engine, Kind.WAIVED, "idle", day=EVE, until=date(2026, 10, 2))
    while city.day < FIRST_WORKDAY:
        city.next_day()
    judged = judge(engine, "systems", FIRST_WORKDAY, at=moment(FIRST_WORKDAY, 7))
    ended = judged.settled.of(Kind.WAIVER_ENDED)
    assert [(c.subject, c.outcome) for c in ended] == [("idle", "fail")]
    assert any(line.startswith("豁免终止 1 条") for line in judged.lines())
    assert handled(engine, "idle") == ("open", "new", None)


def test_a_waiver_ends_though_its_rule_breaks_or_another_scope_is_judged(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = planted(engine, EVE, _on_the_eve)
    taken(engine, Kind.WAIVED, "idle", day=EVE, until=date(2026, 10, 1))

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    rules = [replace(r, function=broken) if r.id == "resources-not-idle" else r for r in load_rules()]
    city.next_day()
    city.next_day()
    monkeypatch.setattr(judging_module, "load_rules", lambda book: rules)
    judged = judge(engine, "systems", city.day, at=moment(city.day, 7))
    assert list(judged.crashed) == ["resources-not-idle"]
    assert [c.subject for c in judged.settled.of(Kind.WAIVER_ENDED)] == ["idle"]

    taken(engine, Kind.WAIVED, "idle", day=city.day, until=city.day + timedelta(days=1))
    city.next_day()
    city.next_day()
    judged = judge(engine, "interconnection", city.day, at=moment(city.day, 7))
    assert [c.subject for c in judged.settled.of(Kind.WAIVER_ENDED)] == ["idle"]


def test_a_past_day_judged_late_ends_nothing(engine: Engine) -> None:
    city = planted(engine, EVE, _on_the_eve)
    while city.day < FIRST_WORKDAY:
        city.next_day()
    judge(engine, "systems", FIRST_WORKDAY, at=moment(FIRST_WORKDAY, 7))
    taken(engine, Kind.WAIVED, "idle", day=FIRST_WORKDAY, until=date(2026, 10, 20))
    before = everything(engine)["finding"]
    late = judge(engine, "systems", date(2026, 10, 5), at=moment(FIRST_WORKDAY, 9))
    assert late.is_backfill
    assert everything(engine)["finding"] == before


@BOTH
def test_a_rectification_that_is_not_made_in_time_is_told_once(engine: Engine) -> None:
    due = DAY + timedelta(days=3)
    judge_by_hand(engine, DAY, said("fail", "S"), said("fail", "T"), said("fail", "U"))
    taken(engine, Kind.RECTIFYING, "S", "T", "U", until=due)
    assert not judge_by_hand(engine, due, *(said("fail", s) for s in "STU")).changes
    next_day = due + timedelta(days=1)
    told = judge_by_hand(engine, next_day, said("fail", "S"), said("pass", "T"))
    assert [(c.kind.value, c.subject) for c in sorted(told.changes, key=lambda c: c.subject)] == [
        ("rectification_overdue", "S"), ("resolved", "T"), ("rectification_overdue", "U"),
    ]  # fmt: skip
    assert standing(engine)["overdue_since"] == next_day
    assert not judge_by_hand(engine, next_day + timedelta(days=1), said("fail", "S"), said("fail", "U")).changes
    assert handled(engine) == ("open", "rectifying", due)
    later = next_day + timedelta(days=9)
    taken(engine, Kind.RECTIFYING, day=next_day, until=later)
    assert standing(engine)["overdue_since"] is None
    judge_by_hand(engine, later + timedelta(days=1), said("fail", "S"))
    assert kinds(engine).count("rectification_overdue") == 2
    judge_by_hand(engine, later + timedelta(days=2), said("pass", "S"))
    assert (handled(engine), standing(engine)["overdue_since"]) == (("resolved", "new", None), None)
    assert_whole(engine)


@pytest.mark.parametrize(
    ("kind", "end"),
    [(Kind.DISPUTED, "dispute_ended"), (Kind.ATTESTED, "attestation_ended"), (Kind.WAIVED, "waiver_ended")],
)
def test_every_decision_with_an_end_ends(engine: Engine, kind: Kind, end: str) -> None:
    judge_by_hand(engine, DAY, said("warn"))
    taken(engine, kind)
    for number in deep((1, 20, 21, 22), range(1, 23)):
        judge_by_hand(engine, DAY + timedelta(days=number), said("warn"))
    assert kinds(engine) == ["opened", kind.value, end]
    assert story(engine)[-1].day == DAY + timedelta(days=21)


@BOTH
def test_a_decision_after_the_end_of_another_says_that_first(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said("fail"))
    taken(engine, Kind.WAIVED, until=DAY + timedelta(days=1))
    taken(engine, Kind.ACKNOWLEDGED, day=DAY + timedelta(days=2))
    assert kinds(engine) == ["opened", "waived", "waiver_ended", "acknowledged"]
    with pytest.raises(DecisionRefused):
        taken(engine, Kind.WITHDRAWN, decision_id="w", findings=(id_of("T"),))
    assert assert_whole(engine) == 1


@BOTH
def test_waivers_are_listed_before_they_end_and_when_they_are_of_no_use(engine: Engine) -> None:
    subjects = "ABCD"
    judge_by_hand(engine, DAY, *(said("fail", s) for s in subjects))
    taken(engine, Kind.WAIVED, "A", "B", decision_id="W1", until=DAY + timedelta(days=60))
    taken(engine, Kind.WAIVED, "C", decision_id="W2", until=DAY + timedelta(days=80))
    judge_by_hand(
        engine, DAY + timedelta(days=1), said("pass", "B"), said("pass", "C"), said("fail", "A"), said("fail", "D")
    )

    def listed(day: int) -> tuple[list[str], list[str]]:
        with engine.connect() as connection:
            on = DAY + timedelta(days=day)
            ending, useless = ending_waivers(connection, on), useless_waivers(connection, on)
            return [w.subject for w in ending], [w.subject for w in useless]

    assert listed(44) == ([], ["B", "C"])
    assert listed(45) == (["A"], ["B", "C"])
    assert listed(60) == (["A"], ["B", "C"])
    assert listed(61) == ([], ["C"])
    assert [listed(d)[1] for d in (30, 31)] == [[], ["B", "C"]]
    with engine.connect() as connection:
        found = useless_waivers(connection, DAY + timedelta(days=31))
    assert decisions_of(found) == {"W1": [id_of("B")], "W2": [id_of("C")]}
    assert {w.idle_since for w in found} == {DAY + timedelta(days=1)}
    judge_by_hand(engine, DAY + timedelta(days=46), said("fail", "C"))
    assert listed(46)[1] == ["B"]
    settled = judge_by_hand(engine, DAY + timedelta(days=47), said("fail", "A"))
    assert (settled.waived, settled.ending) == (2, 1)


def test_judging_and_reading_see_the_same_events(engine: Engine, city: City) -> None:
    judge(engine, "systems", DAY, at=at(DAY, 7))
    with engine.connect() as connection:
        row = connection.execute(select(finding)).mappings().first()
        assert row is not None
        event = told_events(connection, row["finding_id"])[0]
    assert (event.rule_version, event.severity, event.cause) == (row["rule_version"], row["severity"], "world")
    assert row["handling"] == "new"
