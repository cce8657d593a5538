"""Placeholder: the working days of the State Council's calendar. Replaced by its own branch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Due:
    """The day a term ends; `earliest` and `latest` differ where it reaches a year whose calendar is not published."""

    earliest: date
    latest: date

    @property
    def is_certain(self) -> bool:
        """Return whether the day is known."""
        return self.earliest == self.latest


class Workdays:
    """Weekdays only."""

    digest = "placeholder"

    @classmethod
    def load(cls) -> Workdays:
        """Return the calendar."""
        return cls()

    @property
    def covered_until(self) -> date:
        """Return the last day whose kind is known."""
        return date(2026, 12, 31)

    def after(self, start: date, count: int) -> Due:
        """Return the working day number `count` after a day; the day itself is day 0."""
        day = start
        while count:
            day += timedelta(days=1)
            count -= day.weekday() < 5
        latest = day + timedelta(days=7) if day > self.covered_until else day
        return Due(day, latest)

    def between(self, first: date, last: date) -> int:
        """Return how many working days lie after `first`, up to and with `last`."""
        return sum((first + timedelta(days=n)).weekday() < 5 for n in range(1, (last - first).days + 1))


def months_after(day: date, months: int) -> date:
    """Return the same day so many months later, or the last of that month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for number in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, number)
        except ValueError:
            continue
    raise ValueError(day)
