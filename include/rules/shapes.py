"""Shapes that rules share: three-valued conditions, coverage of a window, and how figures are written for people.

A condition is true, false or None (not known). What is already false decides an `all_of`, whatever else is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

Tri = bool | None


def all_of(conditions: Iterable[Tri]) -> Tri:
    """Return False where one is false, else None where one is unknown, else True."""
    found = list(conditions)
    return False if False in found else None if None in found else True


def any_of(conditions: Iterable[Tri]) -> Tri:
    """Return True where one is true, else None where one is unknown, else False."""
    found = list(conditions)
    return True if True in found else None if None in found else False


def earliest(*days: date | None) -> date | None:
    """Return the first of the days that are known."""
    found = None
    for day in days:  # asked some ten times a verdict: a generator would cost thrice as much
        if day and (found is None or day < found):
            found = day
    return found


def below(value: int | None, limit: int) -> Tri:
    """Return whether a value is below a limit; the limit itself is not. Zero is a value."""
    return None if value is None else value < limit


def is_covered(observed: int, days: int, percent: int) -> bool:
    """Return whether enough days of a window were observed; exactly the share is enough."""
    return observed * 100 >= days * percent


def window(on: date, days: int) -> str:
    """Return the whole days that a window covers; it ends the day before the day judged."""
    return f"{on - timedelta(days=days):%Y-%m-%d} 至 {on - timedelta(days=1):%Y-%m-%d}({days} 个整日)"


def percent(bp: int | None) -> str:
    """Write hundredths of a percent."""
    return "无数据" if bp is None else f"{bp // 100}.{bp % 100:02d}%"


def said(condition: Tri) -> str:
    """Write whether a condition holds."""
    return {True: "是", False: "否", None: "未知"}[condition]
