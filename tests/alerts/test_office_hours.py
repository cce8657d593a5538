"""Office hours over a holiday and a make-up day: told is what is still so when they begin, and nothing is lost."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from include.alerts.office_hours import OfficeHours
from include.rules.workdays import Workdays
from tests.alerts.town import Town, moment, reasons, said

HOURS = OfficeHours(time(8, 30), time(17, 30))


@pytest.mark.parametrize(
    ("when", "are_open"),
    [
        (moment(date(2026, 9, 30), 8, 29), False),
        (moment(date(2026, 9, 30), 8, 30), True),
        (moment(date(2026, 9, 30), 17, 29), True),
        (moment(date(2026, 9, 30), 17, 30), False),
        (moment(date(2026, 10, 1), 10, 0), False),
        (moment(date(2026, 10, 8), 10, 0), True),
        (moment(date(2026, 10, 10), 10, 0), True),  # a Saturday on which people work
        (moment(date(2026, 10, 11), 10, 0), False),
        (moment(date(2027, 2, 5), 10, 0), True),  # a Friday of a year without a calendar
        (moment(date(2027, 2, 6), 10, 0), False),
    ],
)
def test_people_are_at_work(when: datetime, are_open: bool) -> None:
    assert HOURS.are_open(when, Workdays.load()) is are_open


def test_a_desk_that_is_always_there_is_told_on_days_off_too_but_within_its_hours() -> None:
    desk, holiday = OfficeHours(time(8, 30), time(17, 30), every_day=True), date(2026, 10, 1)
    assert desk.are_open(moment(holiday, 10, 0), Workdays.load())
    assert not desk.are_open(moment(holiday, 20, 0), Workdays.load())


def test_what_came_on_a_holiday_is_told_after_it_if_it_is_still_so(town: Town) -> None:
    town.plant({"A": "教育局", "B": "教育局"})
    town.judge(moment(date(2026, 10, 2), 10), said("fail", "A"), said("fail", "B"))
    town.judge(moment(date(2026, 10, 5), 10), said("pass", "B"))
    town.tell(moment(date(2026, 10, 8), 8, 29))
    assert town.lines() == []
    town.tell(moment(date(2026, 10, 8), 8, 30))
    town.judge(moment(date(2026, 10, 9), 20), said("pass", "A"))
    town.tell(moment(date(2026, 10, 10), 8, 30))
    assert town.lines() == [
        "10-08 08:30 unit(教育局) | opened 使用情况 1: A",
        "10-10 08:30 unit(教育局) | resolved 使用情况 1: A",
    ]
    assert reasons(town.lines()) == ["opened 使用情况 1: A", "resolved 使用情况 1: A"]
