"""The shapes that rules share, on both sides of each step."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest

from include.rules.shapes import Tri, all_of, any_of, below, earliest, is_covered, percent


@pytest.mark.parametrize(
    ("conditions", "both", "either"),
    [
        ((True, True), True, True), ((True, False), False, True), ((False, False), False, False), ((True, None), None, True),
        ((False, None), False, None), ((None, None), None, None), ((), True, False),
    ],
)  # fmt: skip
def test_what_is_not_known_decides_nothing_that_is_decided_already(
    conditions: tuple[Tri, ...], both: Tri, either: Tri
) -> None:
    assert all_of(conditions) is both
    assert any_of(conditions) is either


def test_the_limit_itself_is_not_below_it() -> None:
    assert [below(value, 500) for value in (None, 0, 499, 500, 501)] == [None, True, True, False, False]


def test_a_window_is_covered_from_its_share_on() -> None:
    assert is_covered(24, 30, 80)
    assert not is_covered(23, 30, 80)
    assert not is_covered(100, 101, 100)
    assert is_covered(101, 101, 100)


def test_hundredths_of_a_percent_are_written_with_two_places() -> None:
    assert [percent(bp) for bp in (None, 0, 7, 499, 10000)] == ["无数据", "0.00%", "0.07%", "4.99%", "100.00%"]


def test_the_earliest_is_the_first_of_the_days_that_are_known() -> None:
    first, second, third = (date(2026, 11, day) for day in (20, 21, 23))
    for days in permutations((None, second, first, third)):
        assert earliest(*days) == first
    assert earliest(second, second) == second
    assert earliest(None, second) == earliest(second, None) == second
    assert earliest(None, None) is None
    assert earliest() is None
