"""Working days of the State Council's calendar: terms from a day, counts between days, and months.

The trigger day is day 0. A year whose notice is not loaded is not guessed: what reaches it is an interval that holds for every
arrangement within `MOST_EXTRA`, `MOST_OFF` and `WEEKDAYS_PER_OFF`. No day of the notices of 2004–2026 left those bounds, by a day
or more on either side (a test walks through all of them). The same goes for years before the first one.
"""

from __future__ import annotations

import calendar
import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from include.rules.calendar_files import ALWAYS_OFF, Notice, read_calendar

MOST_EXTRA = 3
"""Most working days that make-up days can bring above the plain weekdays of any span; 2 at most in 2004–2026."""

MOST_OFF = 7
"""Most weekdays that a short span can lose to holidays, those off by law on their date not counted; 6 at most in 2004–2026 …"""

WEEKDAYS_PER_OFF = 21
"""… and one more for each so many weekdays (a month): 19 a year, 15 at most in 2004–2026."""

LAST = date.max.toordinal()


@dataclass(frozen=True, slots=True)
class Due:
    """The day on which a term ends; `earliest` and `latest` differ where it reaches a year whose calendar is not published."""

    earliest: date
    latest: date

    @property
    def is_certain(self) -> bool:
        """Return whether the day is known."""
        return self.earliest == self.latest


@dataclass(frozen=True, slots=True)
class Count:
    """How many working days lie in a span: at least, and at most."""

    least: int
    most: int

    @property
    def is_certain(self) -> bool:
        """Return whether the number is known."""
        return self.least == self.most


@dataclass(frozen=True)
class Workdays:
    """The working days of the years whose notices are loaded, one after another without a gap."""

    covered_from: date
    covered_until: date
    """The last day whose kind is known."""
    notices: Mapping[int, Notice]
    digest: str
    """Hash of the days and bounds, not of the citations: another calendar is another version of each rule that counts by it."""
    _worked: tuple[int, ...] = field(repr=False)
    _known: dict[tuple[int, int], Due] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def load(cls) -> Workdays:
        """Read the shipped years and what `$SHUHENG_CONFIG/calendar/` lays over them."""
        found = read_calendar()
        return cls.of(found.days, found.notices)

    @classmethod
    def of(cls, days: Mapping[date, bool], notices: Mapping[int, Notice] | None = None) -> Workdays:
        """Return the calendar of days that follow one another, each with whether people work."""
        kinds = "".join(str(int(days[day])) for day in sorted(days))
        text = f"{min(days)} {kinds} {MOST_EXTRA} {MOST_OFF} {WEEKDAYS_PER_OFF} {sorted(ALWAYS_OFF)}"
        worked = tuple(sorted(day.toordinal() for day, is_worked in days.items() if is_worked))
        digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        return cls(min(days), max(days), notices or {}, digest, worked)

    def covers(self, day: date) -> bool:
        """Return whether the kind of a day is known."""
        return self.covered_from <= day <= self.covered_until

    def source(self, year: int) -> str | None:
        """Return the number of the notice that arranges a year; None where none is loaded."""
        notice = self.notices.get(year)
        return notice.source if notice else None

    def sources(self, years: Iterable[int]) -> tuple[str, ...]:
        """Return the numbers of the notices of those years that are covered, in their order."""
        return tuple(source for year in sorted(set(years)) if (source := self.source(year)))

    def is_workday(self, day: date) -> bool | None:
        """Return whether people work on a day; None where no notice says so yet, which is neither yes nor no."""
        if not self.covers(day):
            return None
        index = bisect_left(self._worked, day.toordinal())
        return index < len(self._worked) and self._worked[index] == day.toordinal()

    def after(self, start: date, count: int) -> Due:
        """Return the working day number `count` after a day; the day itself is day 0, whether people work on it or not."""
        if count < 0:
            raise ValueError(f"after({start}, {count}): count forward, or use before()")
        return self._due(start, count, self._find_after) if count else Due(start, start)

    def on_or_after(self, day: date) -> Due:
        """Return the first working day from a day on: there a term of months ends whose last day is off (民法典 art. 203)."""
        return self.after(day - timedelta(days=1), 1)

    def before(self, day: date, count: int) -> Due:
        """Return the working day number `count` before a day, which itself does not count."""
        if count < 0:
            raise ValueError(f"before({day}, {count}): count backward, or use after()")
        return self._due(day, -count, self._find_before) if count else Due(day, day)

    def span(self, first: date, last: date) -> Count:
        """Return how many working days lie after `first`, up to and with `last`."""
        return Count(*self._bounds(first.toordinal(), last.toordinal()))

    def between(self, first: date, last: date) -> int:
        """Return that number where the days are covered; elsewhere the weekdays, an estimate on which nothing may be decided."""
        span = self.span(first, last)
        if span.is_certain:
            return span.least
        known, unknown = self._parts(first.toordinal(), last.toordinal())
        return known + sum(weekdays for weekdays, _ in unknown)

    def _due(self, day: date, count: int, find: Callable[[int, int], Due]) -> Due:
        key = day.toordinal(), count
        if key not in self._known:
            self._known[key] = find(*key)
        return self._known[key]

    def _find_after(self, start: int, count: int) -> Due:
        index = bisect_right(self._worked, start) + count - 1
        if self.covered_from.toordinal() <= start + 1 and index < len(self._worked):
            found = date.fromordinal(self._worked[index])
            return Due(found, found)
        ahead = range(start + 1, min(start + _reach(count), LAST) + 1)
        most = bisect_left(ahead, count, key=lambda day: self._bounds(start, day)[1])
        least = bisect_left(ahead, count, key=lambda day: self._bounds(start, day)[0])
        return Due(*(date.fromordinal(min(start + 1 + found, LAST)) for found in (most, least)))

    def _find_before(self, day: int, count: int) -> Due:
        """Find as forward, with a negative count."""
        index = bisect_left(self._worked, day) + count
        if day - 1 <= self.covered_until.toordinal() and index >= 0:
            found = date.fromordinal(self._worked[index])
            return Due(found, found)
        back = range(1, min(_reach(-count), day - 1) + 1)
        least = bisect_left(back, -count, key=lambda ago: self._bounds(day - ago - 1, day - 1)[0])
        most = bisect_left(back, -count, key=lambda ago: self._bounds(day - ago - 1, day - 1)[1])
        return Due(*(date.fromordinal(max(day - 1 - found, 1)) for found in (least, most)))

    def _bounds(self, first: int, last: int) -> tuple[int, int]:
        """Return the fewest and the most working days in (first, last]."""
        known, unknown = self._parts(first, last)
        least = sum(max(0, weekdays - MOST_OFF - weekdays // WEEKDAYS_PER_OFF) for weekdays, _ in unknown)
        most = sum(weekdays + min(weekend, MOST_EXTRA) for weekdays, weekend in unknown)
        return known + least, known + most

    def _parts(self, first: int, last: int) -> tuple[int, list[tuple[int, int]]]:
        """Return the working days in (first, last] that are known, and the weekdays and weekend days before and after."""
        begin, end = self.covered_from.toordinal() - 1, self.covered_until.toordinal()
        known = self._worked_in(max(first, begin), min(last, end))
        return known, [_open_days(a, b) for a, b in ((first, min(last, begin)), (max(first, end), last)) if a < b]

    def _worked_in(self, first: int, last: int) -> int:
        return max(0, bisect_right(self._worked, last) - bisect_right(self._worked, first))


def _reach(count: int) -> int:
    """Return a number of days within which so many working days lie under any arrangement."""
    return 60 + 2 * count


def _weekdays_until(day: int) -> int:
    """Return how many Mondays to Fridays there were since day 1, which was a Monday."""
    return day // 7 * 5 + min(day % 7, 5)


def _open_days(first: int, last: int) -> tuple[int, int]:
    """Return the weekdays and the weekend days in (first, last] that are not off by law on their date."""
    weekdays = _weekdays_until(last) - _weekdays_until(first)
    weekend = last - first - weekdays
    for year in range(date.fromordinal(first + 1).year, date.fromordinal(last).year + 1):
        for month, number in ALWAYS_OFF:
            day = date(year, month, number)
            if first < day.toordinal() <= last:
                weekdays -= day.weekday() < 5
                weekend -= day.weekday() >= 5
    return weekdays, weekend


def months_after(day: date, months: int) -> date:
    """Return the same day so many months later (or earlier), or the last of that month where it has no such day.

    31 January and one month is 28 or 29 February: rounded down into the month, never over into the next.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
