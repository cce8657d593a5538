"""A month that the bureau changes counts from its day on: what was done, or due, in an earlier year is held against that year's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from include.rules.parameters import ParameterBook, Parameters
from include.rules.plan_facts import first_plan_year
from tests.rules.test_law_cases import BOOK, judged

CALL, PLAN = "demand-collected-in-july", "plan-ready-by-october"


def changed(name: str, value: int, since: date) -> ParameterBook:
    """Return the parameters with another value of one from a day on."""
    values = BOOK.values[name]
    return replace(BOOK, values={**BOOK.values, name: (*values, replace(values[-1], value=value, since=since))})


def said(rule: str, year: int, field: str, done: date | None, on: date, book: ParameterBook) -> tuple[str, str]:
    plan: dict[str, Any] = {"plan_year": year, field: done}
    given = {"plan_year_code": str(year), "name": f"{year}年度计划", "year": year, "plan_year": plan}
    verdict = judged({"rule": rule, "seen": dict.fromkeys(given, on)}, {"given": given, "as_of": on}, book)
    return verdict.outcome.value, verdict.reason


@pytest.mark.parametrize(
    ("year", "done", "on", "expected"),
    [
        (2027, date(2026, 7, 10), date(2027, 12, 31), ("pass", "in_time")),
        (2027, date(2026, 7, 10), date(2028, 1, 1), ("pass", "in_time")),
        (2027, None, date(2028, 1, 1), ("fail", "overdue")),
        (2028, date(2027, 7, 31), date(2028, 1, 1), ("pass", "in_time")),
        (2029, date(2028, 5, 1), date(2028, 6, 1), ("pass", "in_time")),
        (2029, date(2028, 7, 10), date(2028, 8, 1), ("warn", "late")),
        (2027, date(2028, 2, 1), date(2028, 3, 1), ("warn", "late")),
    ],
)
def test_a_call_is_held_against_the_month_of_its_year(
    year: int, done: date | None, on: date, expected: tuple[str, str]
) -> None:
    book = changed("needs_call_month", 5, date(2028, 1, 1))
    assert said(CALL, year, "needs_called_on", done, on, book) == expected


@pytest.mark.parametrize(
    ("year", "done", "expected"),
    [
        (2028, date(2027, 10, 31), ("pass", "in_time")),
        (2028, date(2027, 11, 1), ("warn", "late")),
        (2029, date(2028, 8, 31), ("pass", "in_time")),
        (2029, date(2028, 9, 1), ("warn", "late")),
    ],
)
def test_so_is_a_plan(year: int, done: date, expected: tuple[str, str]) -> None:
    book = changed("plan_due_month", 8, date(2028, 1, 1))
    assert said(PLAN, year, "drafted_on", done, date(2028, 12, 1), book) == expected


def test_a_month_that_changes_on_the_last_day_of_a_year_counts_on_it() -> None:
    book = changed("plan_due_month", 12, date(2026, 12, 31))
    found = [said(PLAN, 2027, "drafted_on", date(2026, 12, day), date(2027, 3, 1), book) for day in (30, 31)]
    assert found == [("warn", "late"), ("pass", "in_time")]


def test_the_first_plan_stays_the_first_whatever_month_is_set_later() -> None:
    def of(book: ParameterBook, day: date) -> int:
        parameters: Parameters = book.on(day)
        return first_plan_year(parameters)

    later = changed("needs_call_month", 12, date(2028, 1, 1))
    assert of(BOOK, date(2026, 11, 20)) == of(later, date(2026, 11, 20)) == of(later, date(2028, 1, 1)) == 2026
