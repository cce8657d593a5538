"""Freshness: both sides of the longest age of every cycle, and what is not known of an entry."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from include.rules.freshness import AGE_UNKNOWN, CYCLE_DAYS, UNCYCLED, Freshness, freshness
from include.sources.card import canonical_schema

ON = date(2026, 11, 23)

LONGEST = {
    "realtime": 1, "daily": 1, "weekly": 8, "ten_days": 12, "monthly": 37, "quarterly": 110, "half_yearly": 220, "yearly": 439,
    "two_yearly": 877, "three_yearly": 1315,
}  # fmt: skip
"""Whole days that a cycle × 1.2 allows."""


@pytest.mark.parametrize(("cycle", "days"), LONGEST.items())
def test_the_longest_age_is_in_time_and_a_day_more_is_not(cycle: str, days: int) -> None:
    assert freshness(cycle, ON, ON, 120) is Freshness.TIMELY
    assert freshness(cycle, ON - timedelta(days=days), ON, 120) is Freshness.TIMELY
    assert freshness(cycle, ON - timedelta(days=days + 1), ON, 120) is Freshness.OVERDUE


def test_an_age_of_exactly_the_grace_is_in_time() -> None:
    assert freshness("ten_days", ON - timedelta(days=10), ON, 100) is Freshness.TIMELY
    assert freshness("ten_days", ON - timedelta(days=11), ON, 100) is Freshness.OVERDUE
    assert freshness("ten_days", ON - timedelta(days=20), ON, 200) is Freshness.TIMELY


@pytest.mark.parametrize("cycle", UNCYCLED)
@pytest.mark.parametrize("updated", [None, date(1999, 1, 1), ON + timedelta(days=9)])
def test_nobody_is_late_for_a_cycle_that_is_none(cycle: str, updated: date | None) -> None:
    assert freshness(cycle, updated, ON, 120) is Freshness.UNCYCLED


def test_what_is_not_known_is_told_apart() -> None:
    assert freshness("daily", None, ON, 120) is Freshness.DATE_MISSING
    assert freshness("daily", None, ON, 120, has_written_date=True) is Freshness.DATE_INEXACT
    assert freshness("yearly", ON + timedelta(days=1), ON, 120) is Freshness.DATE_IN_FUTURE
    assert freshness(None, ON, ON, 120) is Freshness.CYCLE_MISSING
    assert set(Freshness) == {*AGE_UNKNOWN, Freshness.TIMELY, Freshness.OVERDUE, Freshness.UNCYCLED}


def test_every_cycle_of_the_schema_is_measured_or_not_a_cycle() -> None:
    cycles = canonical_schema("resource")["properties"]["update_cycle"]["enum"]
    assert {*CYCLE_DAYS, *UNCYCLED, None} == set(cycles)
