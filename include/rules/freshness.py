"""How fresh an entry is for the cycle that its unit declares: age in whole days against the cycle with its grace (facts §9.3)."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

CYCLE_DAYS = {
    "realtime": 1, "daily": 1, "weekly": 7, "ten_days": 10, "monthly": 31, "quarterly": 92, "half_yearly": 184,
    "yearly": 366, "two_yearly": 731, "three_yearly": 1096,
}  # fmt: skip
"""The longest that a cycle can take. 实时 would be an hour, but catalogues tell days only, so it counts as one day."""

UNCYCLED = ("irregular", "never", "other")
"""Cycles that nobody can be late for."""


class Freshness(StrEnum):
    """Whether the data were updated in time; four ways in which that is not known have their own names."""

    TIMELY = "timely"
    OVERDUE = "overdue"
    UNCYCLED = "uncycled"
    CYCLE_MISSING = "cycle_missing"
    DATE_MISSING = "date_missing"
    DATE_INEXACT = "date_inexact"
    DATE_IN_FUTURE = "date_in_future"


AGE_UNKNOWN = (
    Freshness.DATE_IN_FUTURE, Freshness.DATE_INEXACT, Freshness.DATE_MISSING, Freshness.CYCLE_MISSING,
)  # fmt: skip
"""In the order in which they are named where several entries differ."""


def freshness(
    cycle: str | None, updated_on: date | None, on: date, grace_percent: int, *, has_written_date: bool = False
) -> Freshness:
    """Return how fresh data are that were updated on a day, seen on the day `on`; exactly the longest age is still in time.

    `has_written_date` tells a date that was written but names no day (a placeholder as 1900-01-01, a month alone) from none at all.
    """
    if cycle in UNCYCLED:
        return Freshness.UNCYCLED
    if cycle is None:
        return Freshness.CYCLE_MISSING
    if updated_on is None:
        return Freshness.DATE_INEXACT if has_written_date else Freshness.DATE_MISSING
    age = (on - updated_on).days
    if age < 0:
        return Freshness.DATE_IN_FUTURE
    return Freshness.TIMELY if age * 100 <= CYCLE_DAYS[cycle] * grace_percent else Freshness.OVERDUE
