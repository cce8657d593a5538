"""Read the working-day calendar: one file a year with the State Council's notice, and a bureau's own laid over it.

A file of `$SHUHENG_CONFIG/calendar/` named after a year replaces that year; `local` days come on top. Years follow one another
without a gap. What cannot be a notice is refused with file, line and fix, for a wrong day off is a wrong deadline.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from include.errors import CardError
from include.rules.regulation_files import laid_over_in
from include.sources.checked_yaml import read_checked, wrong

FOLDER = "calendar"
REFERENCE = "include/regulation/calendar/2026.yaml"

ALWAYS_OFF = frozenset({(1, 1), (5, 1), (10, 1), (10, 2), (10, 3)})
"""Months and days that 《全国年节及纪念日放假办法》 itself makes holidays, so no notice of a year can make them working days."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Where the days of a year come from."""

    year: int
    source: str
    title: str
    status: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """Every day of the years that are covered, with whether it is a working day, and the notices."""

    days: dict[date, bool]
    notices: dict[int, Notice]


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    root: yaml.Node
    data: dict[str, Any]

    def wrong(self, at: list[Any], problem: str, fix: str) -> CardError:
        return wrong(self.path, self.root, at, problem, fix)

    def day(self, at: list[Any]) -> date:
        """Return a day of this file's year."""
        text: Any = self.data
        for step in at:
            text = text[step]
        try:
            day = date.fromisoformat(text)
        except ValueError as error:
            raise self.wrong(at, f"there is no day {text}", "write an existing day as 2026-10-01") from error
        if day.year != self.data["year"]:
            raise self.wrong(
                at,
                f"{day} is not in {self.data['year']}",
                f"a notice's day of another year goes under `local` of {day.year}, citing this notice",
            )
        return day


def read_calendar() -> Calendar:
    """Return the calendar; raise `CardError` for the first thing that is wrong."""
    years: dict[int, _File] = {}
    local: list[_File] = []
    for file in _files():
        if "holidays" not in file.data:
            local.append(file)
            continue
        if file.path.stem != str(file.data["year"]):
            raise file.wrong(["year"], f"the file arranges {file.data['year']}", f"name it {file.data['year']}.yaml")
        years[file.data["year"]] = file
    days: dict[date, bool] = {}
    for year in sorted(years):
        if days and year - 1 not in years:
            raise years[year].wrong(["year"], f"{year} is here but {year - 1} is not", f"add {year - 1}.yaml")
        days |= _days_of(years[year])
    for file in [*years.values(), *local]:
        _lay_over(file, days)
    notices = {
        year: Notice(year, file.data["source"], file.data["title"], file.data["status"]) for year, file in years.items()
    }
    return Calendar(days, notices)


def _files() -> Iterator[_File]:
    for path in laid_over_in(FOLDER):
        data, root = read_checked(path, "calendar.v1.json", REFERENCE)
        file = _File(path, root, data)
        if not {"holidays", "local"} & set(file.data):
            raise file.wrong(["year"], "there are neither `holidays` nor `local` days", "enter the whole notice")
        yield file


def _days_of(file: _File) -> dict[date, bool]:
    """Return the days of a year as its notice arranges them."""
    off = _days_off(file)
    work = _make_up_days(file, off)
    year = file.data["year"]
    for month, number in sorted(ALWAYS_OFF):
        if date(year, month, number) not in off:
            raise file.wrong(
                ["holidays"], f"{year}-{month:02}-{number:02} is a holiday by law but not listed", "enter the whole notice"
            )  # fmt: skip
    first = date(year, 1, 1)
    whole = (first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days))
    return {day: day in work or (day.weekday() < 5 and day not in off) for day in whole}


def _days_off(file: _File) -> set[date]:
    off: set[date] = set()
    for index, holiday in enumerate(file.data["holidays"]):
        at = ["holidays", index]
        first, last = file.day([*at, "from"]), file.day([*at, "to"])
        count = (last - first).days + 1
        if count != holiday["days"]:
            raise file.wrong(
                [*at, "days"], f"{first} to {last} is {count} days, not {holiday['days']}", "compare all three with the notice"
            )  # fmt: skip
        own = {first + timedelta(days=n) for n in range(count)}
        if off & own:
            raise file.wrong(at, f"{min(off & own)} is off for two festivals", "list each day once")
        off |= own
    return off


def _make_up_days(file: _File, off: set[date]) -> set[date]:
    work: set[date] = set()
    for index, holiday in enumerate(file.data["holidays"]):
        for number in range(len(holiday.get("work", []))):
            at = ["holidays", index, "work", number]
            day = file.day(at)
            if day in off:
                raise file.wrong(at, f"{day} is listed as a day off and as work", "keep what the notice says")
            if day.weekday() < 5:
                raise file.wrong(at, f"{day} is no weekend, so it is a working day anyway", "compare with the notice")
            if day in work:
                raise file.wrong(at, f"{day} is made up twice", "list each day once")
            work.add(day)
    return work


def _lay_over(file: _File, days: dict[date, bool]) -> None:
    for index, entry in enumerate(file.data.get("local", [])):
        at = ["local", index, "day"]
        day, is_work = file.day(at), entry["kind"] == "work"
        if day not in days:
            raise file.wrong(at, f"{day}: no notice covers {day.year}", f"add {day.year}.yaml first")
        if days[day] is is_work:
            raise file.wrong(
                at, f"{day} is {'a working day' if is_work else 'off'} without this", "leave the line out, or correct the day"
            )  # fmt: skip
        days[day] = is_work
