"""Days judged in any order, any number of times: of every judged day the timeline says what was last said of it, once."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from include.rules.timeline import Stretch, placed

FIRST = date(2026, 11, 1)


def _covering(stretches: list[Stretch], day: date) -> list[Stretch]:
    return [s for s in stretches if s.from_day <= day and (s.until_day is None or day < s.until_day)]


def _judge(stretches: list[Stretch], said: dict[date, str], day: date, outcome: str) -> list[Stretch]:
    following = min((d for d in said if d > day), default=None)
    around = [s for s in stretches if s.from_day <= day and (s.until_day is None or s.until_day >= day)]
    instead = placed(around, Stretch(day, following, outcome, "r", f"{outcome}{day}"))
    return stretches if instead is None else [s for s in stretches if s not in around] + instead


@pytest.mark.parametrize("seed", range(60))
def test_each_judged_day_is_covered_once_by_what_was_last_said(seed: int) -> None:
    chance = random.Random(seed)
    stretches: list[Stretch] = []
    said: dict[date, str] = {}
    for _ in range(25):
        day, outcome = FIRST + timedelta(days=chance.randrange(10)), chance.choice("abc")
        stretches = _judge(stretches, said, day, outcome)
        said[day] = outcome
        for judged, last in said.items():
            assert [s.outcome for s in _covering(stretches, judged)] == [last]
        assert len({s.from_day for s in stretches}) == len(stretches), "the day a stretch begins is part of its key"
        assert all(s.until_day is None or s.from_day < s.until_day for s in stretches)


def test_days_judged_in_order_join_into_stretches() -> None:
    stretches: list[Stretch] = []
    said: dict[date, str] = {}
    for number, outcome in enumerate("aabbba"):
        day = FIRST + timedelta(days=number)
        stretches = _judge(stretches, said, day, outcome)
        said[day] = outcome
    found = [(s.outcome, s.from_day.day, s.until_day and s.until_day.day) for s in stretches]
    assert found == [("a", 1, 3), ("b", 3, 6), ("a", 6, None)]
    assert [s.body for s in stretches] == ["a2026-11-01", "b2026-11-03", "a2026-11-06"], "as it was when it began"


def test_a_revision_that_takes_a_change_back_leaves_no_trace() -> None:
    before = [Stretch(FIRST, None, "a", "r", "first")]
    day = FIRST + timedelta(days=3)
    changed = _judge(before, {FIRST: "a"}, day, "b")
    assert [s.outcome for s in changed] == ["a", "b"]
    assert _judge(changed, {FIRST: "a", day: "b"}, day, "a") == before
