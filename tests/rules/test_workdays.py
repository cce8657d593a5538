"""Working days: the vectors, the other library day by day, and what holds for every start and count."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.rules.workdays import Count, Due, Workdays, months_after
from tests.depth import deep

DAY = timedelta(days=1)
CALENDAR = Workdays.load()
FIRST, LAST = date(2024, 1, 1), date(2026, 12, 31)
STEP = deep(5, 1)
"""Of 23 years every so many days are begun with: each day of a week and all about each festival are among them."""

covered = st.dates(FIRST, LAST)
any_day = st.dates(date(2019, 1, 1), date(2032, 12, 31))
counts = st.integers(0, 60)


def whole(first: date, last: date) -> list[date]:
    return [first + n * DAY for n in range((last - first).days + 1)]


@cache
def noticed(first: int, last: int) -> Workdays:
    """Return the calendar of some years as the other library has it."""
    return Workdays.of({d: chinese_calendar.is_workday(d) for d in whole(date(first, 1, 1), date(last, 12, 31))})


def test_every_day_is_what_the_other_library_says() -> None:
    differing = [d for d in whole(FIRST, LAST) if CALENDAR.is_workday(d) is not chinese_calendar.is_workday(d)]
    assert not differing
    assert (CALENDAR.covered_from, CALENDAR.covered_until) == (FIRST, LAST)
    assert CALENDAR.span(FIRST - DAY, LAST) == Count(747, 747)  # 784 weekdays - 56 off + 19 made up
    assert CALENDAR.digest == noticed(2024, 2026).digest


VECTORS = [
    ("2024-09-09", 20, "2024-10-12"), ("2025-09-30", 20, "2025-11-04"), ("2026-01-01", 1, "2026-01-04"),
    ("2026-02-13", 8, "2026-03-03"), ("2026-09-24", 8, "2026-10-13"), ("2026-09-30", 15, "2026-10-27"),
    ("2026-11-23", 15, "2026-12-14"),
]  # fmt: skip


@pytest.mark.parametrize(("start", "count", "due"), VECTORS)
def test_a_term_ends_on_its_day(start: str, count: int, due: str) -> None:
    day, end = date.fromisoformat(start), date.fromisoformat(due)
    assert CALENDAR.after(day, count) == Due(end, end)
    assert CALENDAR.between(day, end) == count
    assert CALENDAR.between(day, end - DAY) == count - 1


def test_a_term_that_reaches_a_year_without_a_notice_is_an_interval() -> None:
    due = CALENDAR.after(date(2026, 12, 20), 15)
    assert due == Due(date(2027, 1, 7), date(2027, 1, 20))
    assert not due.is_certain
    assert CALENDAR.after(date(2026, 12, 20), 9) == Due(LAST, LAST)
    assert CALENDAR.after(LAST, 1).earliest == date(
        2027, 1, 2
    )  # a Saturday that might be worked; 1 January is off by law


def test_a_term_of_an_old_project_is_an_interval_too() -> None:
    assert not CALENDAR.after(date(2022, 3, 1), 20).is_certain
    due = CALENDAR.after(date(2023, 12, 20), 15)
    assert due.earliest < due.latest
    assert due.earliest <= noticed(2023, 2026).after(date(2023, 12, 20), 15).earliest <= due.latest


def test_what_begins_a_day_before_the_covered_years_is_certain_and_what_begins_two_days_before_is_not() -> None:
    assert CALENDAR.after(FIRST - DAY, 1) == Due(date(2024, 1, 2), date(2024, 1, 2))
    assert CALENDAR.after(FIRST - 2 * DAY, 1) == Due(
        FIRST - DAY, date(2024, 1, 2)
    )  # Sunday 31 December might be worked
    assert CALENDAR.before(LAST + DAY, 1) == Due(LAST, LAST)
    assert CALENDAR.before(LAST + 3 * DAY, 1) == Due(LAST, LAST + 2 * DAY)  # Saturday 2 January might be
    assert CALENDAR.before(LAST, 0) == CALENDAR.after(LAST, 0) == Due(LAST, LAST)


def test_a_term_of_a_whole_year_ends_where_its_days_are_full() -> None:
    due = CALENDAR.after(date(2027, 1, 1), 250)
    spans = [
        CALENDAR.span(date(2027, 1, 1), day) for day in (due.latest - DAY, due.latest, due.earliest - DAY, due.earliest)
    ]
    assert [spans[0].least, spans[1].least, spans[2].most, spans[3].most] == [249, 250, 249, 250]


def test_the_days_off_by_law_are_off_in_a_year_without_a_notice() -> None:
    weekdays = [d for d in whole(date(2030, 1, 1), date(2030, 12, 31)) if d.weekday() < 5]
    off = [(d.month, d.day) for d in weekdays if CALENDAR.between(d - DAY, d) == 0]
    assert off == [(1, 1), (5, 1), (10, 1), (10, 2), (10, 3)]


def test_a_calendar_may_end_on_a_day_off() -> None:
    short = Workdays.of({LAST - DAY: True, LAST: False})
    assert [short.is_workday(day) for day in (LAST - 2 * DAY, LAST - DAY, LAST, LAST + DAY)] == [
        None,
        True,
        False,
        None,
    ]


def test_a_day_without_a_notice_is_neither() -> None:
    assert CALENDAR.is_workday(date(2027, 1, 4)) is None
    assert CALENDAR.is_workday(date(2023, 12, 29)) is None
    assert not CALENDAR.covers(date(2027, 1, 1))
    assert CALENDAR.covers(LAST)


def test_a_year_names_its_notice() -> None:
    assert CALENDAR.source(2026) == "国办发明电〔2025〕7号"
    assert CALENDAR.source(2027) is None
    assert CALENDAR.sources([2027, 2025, 2024, 2025]) == ("国办发明电〔2023〕7号", "国办发明电〔2024〕12号")
    assert {n.status for n in CALENDAR.notices.values()} == {"unconfirmed"}


def test_nothing_is_counted_backwards_by_mistake() -> None:
    for count in (CALENDAR.after, CALENDAR.before):
        with pytest.raises(ValueError, match="count"):
            count(FIRST, -1)


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_end_of_time_is_no_crash(day: date) -> None:
    """Registers write 9999-12-31 for 长期."""
    assert CALENDAR.after(day, 15).latest >= day
    assert CALENDAR.before(day, 15).earliest <= day


@given(covered, counts)
def test_day_zero_is_the_day_itself_and_the_end_is_worked(start: date, count: int) -> None:
    assert CALENDAR.after(start, 0) == CALENDAR.before(start, 0) == Due(start, start)
    due = CALENDAR.after(start, count)
    if due.is_certain and count:
        assert CALENDAR.is_workday(due.latest)


@given(any_day, counts, st.integers(0, 40))
def test_a_longer_term_or_a_later_start_never_ends_earlier(start: date, count: int, more: int) -> None:
    due, longer = CALENDAR.after(start, count), CALENDAR.after(start, count + more)
    later = CALENDAR.after(start + more * DAY, count)
    assert due.earliest <= due.latest
    assert due.earliest <= min(longer.earliest, later.earliest)
    assert due.latest <= min(longer.latest, later.latest)


@given(st.dates(FIRST, date(2026, 6, 1)), counts, counts)
def test_terms_add_up(start: date, first: int, second: int) -> None:
    whole_term = CALENDAR.after(start, first + second)
    assert CALENDAR.after(CALENDAR.after(start, first).latest, second) == whole_term


@given(any_day, any_day, any_day)
def test_spans_add_up_where_covered_and_stay_bounds_elsewhere(a: date, b: date, c: date) -> None:
    first, middle, last = sorted((a, b, c))
    one, two, both = CALENDAR.span(first, middle), CALENDAR.span(middle, last), CALENDAR.span(first, last)
    assert one.least + two.least <= both.least <= both.most <= one.most + two.most
    if CALENDAR.covers(first) and CALENDAR.covers(last):
        assert one.least + two.least == both.least == both.most


@given(any_day, st.integers(1, 60))
def test_counting_after_undoes_counting_between(start: date, count: int) -> None:
    due = CALENDAR.after(start, count)
    assert CALENDAR.span(start, due.earliest).most >= count > CALENDAR.span(start, due.earliest - DAY).most
    assert CALENDAR.span(start, due.latest).least >= count > CALENDAR.span(start, due.latest - DAY).least
    if due.is_certain:
        assert CALENDAR.between(start, due.latest) == count


@given(st.dates(date(2024, 6, 1), LAST), st.integers(1, 60))
def test_counting_before_undoes_counting_after(day: date, count: int) -> None:
    back = CALENDAR.before(day, count)
    assert back.is_certain
    assert CALENDAR.is_workday(back.latest)
    assert CALENDAR.between(back.latest - DAY, day - DAY) == count
    if CALENDAR.is_workday(day):
        assert CALENDAR.after(back.latest, count) == Due(day, day)


@given(any_day, st.integers(1, 60))
def test_counting_back_across_an_uncovered_year_is_an_interval_that_holds(day: date, count: int) -> None:
    back = CALENDAR.before(day, count)
    assert back.earliest <= back.latest < day
    assert CALENDAR.span(back.latest - DAY, day - DAY).most >= count > CALENDAR.span(back.latest, day - DAY).most
    assert CALENDAR.span(back.earliest - DAY, day - DAY).least >= count > CALENDAR.span(back.earliest, day - DAY).least


@pytest.mark.parametrize("known", [2009, 2024])
def test_every_term_of_23_years_of_notices_lies_in_its_interval(known: int) -> None:
    """Whoever knows one year only must never be wrong about the others."""
    truth, one = noticed(2004, 2026), noticed(known, known)
    uncertain = 0
    for start in whole(date(2004, 4, 1), date(2026, 9, 1))[::STEP]:
        for count in (1, 20):
            due, real = one.after(start, count), truth.after(start, count).latest
            back, gone = one.before(start, count), truth.before(start, count).latest
            assert due.earliest <= real <= due.latest, (start, count)
            assert back.earliest <= gone <= back.latest, (start, count)
            uncertain += not due.is_certain
    assert uncertain > 14_000 // STEP


@pytest.mark.parametrize("known", [2006, 2014, 2022])
@pytest.mark.parametrize("length", [5, 31, 62, 95, 250, 370, 1100])
def test_every_span_of_23_years_of_notices_lies_in_its_bounds(known: int, length: int) -> None:
    truth, one = noticed(2004, 2026), noticed(known, known)
    days = whole(date(2003, 12, 31), date(2026, 12, 31) - length * DAY)
    assert len(days) > 6000
    for first in days[::STEP]:
        real, span = truth.between(first, first + length * DAY), one.span(first, first + length * DAY)
        assert span.least <= real <= span.most, first


def test_an_interval_is_narrow_enough_to_be_of_use() -> None:
    far = [CALENDAR.after(date(2027, 1, 1) + n * DAY, 20) for n in range(700)]
    assert max((due.latest - due.earliest).days for due in far) <= 21


def test_a_span_of_a_year_without_a_notice_is_bounded_by_the_most_that_may_be_off_and_made_up() -> None:
    assert CALENDAR.span(LAST, date(2027, 1, 31)) == Count(13, 23)  # 20 weekdays but 1 January; 7 off, 3 made up
    assert CALENDAR.span(LAST, date(2027, 2, 1)) == Count(13, 24)  # the 21st weekday: one more off
    assert CALENDAR.span(LAST, date(2027, 2, 28)) == Count(32, 43)  # 40 weekdays
    assert CALENDAR.span(date(2027, 12, 31), date(2028, 1, 2)) == Count(0, 1)  # Saturday 1 January is off by law
    assert CALENDAR.span(date(2033, 12, 31), date(2034, 1, 1)) == Count(0, 0)  # so is a Sunday


def test_an_estimate_outside_is_the_weekdays_that_are_not_off_by_law() -> None:
    assert CALENDAR.between(LAST, date(2027, 1, 8)) == 5  # Friday 1 January is off by law; 4 to 8 January
    assert not CALENDAR.span(LAST, date(2027, 1, 8)).is_certain
    assert CALENDAR.between(date(2027, 3, 5), date(2027, 3, 6)) == 0  # a Saturday
    assert (
        CALENDAR.between(date(2030, 1, 1), date(2030, 1, 8)) == 5
    )  # the day that a span begins behind takes nothing off it
    assert CALENDAR.between(date(2026, 5, 9), date(2026, 5, 1)) == 0


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        ("2026-01-31", 1, "2026-02-28"), ("2024-01-31", 1, "2024-02-29"), ("2026-02-28", 1, "2026-03-28"),
        ("2026-05-31", 6, "2026-11-30"), ("2026-08-15", 6, "2027-02-15"), ("2026-12-31", 12, "2027-12-31"),
        ("2024-02-29", 12, "2025-02-28"), ("2026-03-31", -1, "2026-02-28"), ("2026-07-07", 0, "2026-07-07"),
    ],
)  # fmt: skip
def test_so_many_months_later_is_the_same_day_or_the_last_of_that_month(day: str, months: int, then: str) -> None:
    assert months_after(date.fromisoformat(day), months) == date.fromisoformat(then)


@given(any_day, st.integers(0, 40), st.integers(0, 40))
def test_more_months_are_never_earlier(day: date, months: int, more: int) -> None:
    then = months_after(day, months)
    assert months_after(day, months + more) >= then
    assert months_after(day + DAY, months) >= then
    assert (then.year - day.year) * 12 + then.month - day.month == months
