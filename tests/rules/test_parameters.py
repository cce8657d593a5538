"""A bureau's parameters: which value counts on which day, when the next one begins, and what a file may not say."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from include.errors import CardError, ConfigurationError
from include.rules.parameters import ParameterBook

NAME = "idle_window_days"
FIRST, SECOND, THIRD = date(2024, 9, 9), date(2026, 1, 1), date(2026, 7, 1)


def _value(since: date, value: object, **more: object) -> dict[str, object]:
    return {"from": since.isoformat(), "value": value, "source": "测试", "status": "confirmed", **more}


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    return tmp_path / "parameters.yaml"


def _write(file: Path, *values: dict[str, object], unit: str = "days", name: str = NAME) -> None:
    said = {"parameters": {name: {"unit": unit, "title": "空闲观测窗口", "values": list(values)}}}
    file.write_text(yaml.safe_dump(said, allow_unicode=True), "utf-8")


def test_each_value_counts_from_its_own_day_on(own: Path) -> None:
    _write(own, _value(FIRST, 30), _value(SECOND, 45), _value(THIRD, 60))
    book = ParameterBook.load()
    days = (FIRST, date(2025, 12, 31), SECOND, date(2026, 6, 30), THIRD)
    assert [book.on(day)[NAME] for day in days] == [30, 30, 45, 45, 60]
    of_last = book.on(THIRD)
    assert [of_last.known_at(NAME, day) for day in days] == [30, 30, 45, 45, 60]
    assert (of_last.known_at(NAME, date(2024, 9, 8)), of_last.known_at("nothing", FIRST)) == (None, None)
    assert of_last.used((NAME,))[NAME]["value"] == 60
    assert book.next_change(FIRST, [NAME]) == SECOND
    assert book.next_change(SECOND, [NAME]) == THIRD
    assert book.next_change(THIRD, [NAME]) is None
    events = (None, date(2024, 9, 8), FIRST, date(2025, 12, 31), SECOND, date(2026, 6, 30), THIRD, date(2027, 1, 1))
    assert [book.on(THIRD).at(NAME, day) for day in events] == [60, 60, 30, 30, 45, 45, 60, 60]


def test_before_its_first_value_nothing_can_be_judged(own: Path) -> None:
    _write(own, _value(SECOND, 45), _value(THIRD, 60))
    with pytest.raises(
        ConfigurationError, match=f"{NAME} .* has no value on 2025-12-31: its first one begins on 2026-01-01"
    ):
        ParameterBook.load().on(date(2025, 12, 31))


@pytest.mark.parametrize(
    "days", [(SECOND, FIRST), (FIRST, FIRST), (FIRST, THIRD, SECOND), (FIRST, SECOND, SECOND), (SECOND, THIRD, FIRST)]
)
def test_values_out_of_the_order_of_their_days_are_refused(own: Path, days: tuple[date, ...]) -> None:
    _write(own, *(_value(day, 30 + n) for n, day in enumerate(days)))
    with pytest.raises(CardError, match=f"{NAME}: values are not in order of their days"):
        ParameterBook.load()


@pytest.mark.parametrize(("unit", "value"), [("day", 30), ("days", "2024-09-09")])
def test_a_number_is_no_day_and_a_day_no_number(own: Path, unit: str, value: object) -> None:
    _write(own, _value(FIRST, value), unit=unit)
    with pytest.raises(CardError, match=f"{NAME}: the value .* does not fit the unit {unit}"):
        ParameterBook.load()


def test_a_value_is_overdue_from_the_day_after_its_review_and_only_while_it_counts(own: Path) -> None:
    _write(own, _value(FIRST, 30, review_by="2025-06-30"), _value(SECOND, 45))
    book = ParameterBook.load()

    def names(day: date) -> list[str]:
        return [value.name for value in book.overdue(day) if value.name == NAME]

    assert names(date(2025, 6, 30)) == []
    assert names(date(2025, 7, 1)) == [NAME]
    assert names(SECOND) == []


def test_a_value_that_nobody_knows_yet_is_said_not_to_be_there(own: Path) -> None:
    _write(own, _value(FIRST, 30), _value(SECOND, None))
    parameters = ParameterBook.load().on(SECOND)
    assert parameters.used((NAME,))[NAME]["value"] == "未载入"
    assert (parameters.known_at(NAME, FIRST), parameters.known_at(NAME, SECOND)) == (30, None)
    _write(own, _value(FIRST, None), _value(SECOND, 30))
    assert ParameterBook.load().on(SECOND).known_at(NAME, SECOND) == 30
