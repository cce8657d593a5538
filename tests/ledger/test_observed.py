"""What speaks against a day, by what the days before it and the others of the read had."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from include.ledger.observed import DayCount, Observation, judge_days
from include.sources.card import Series

FIRST = date(2026, 11, 1)
DAY = timedelta(days=1)
DENSE, SPARSE = Series(is_dense=True), Series(is_dense=False)


def judged(
    rows: list[int],
    series: Series = SPARSE,
    before: Sequence[int] = (),
    flat: tuple[int, ...] = (),
    shared: str = "",
) -> list[str]:
    """Return the doubts of days in a row, with the days before them all trusted."""
    counts = {FIRST + n * DAY: DayCount(count, n in flat) for n, count in enumerate(rows)}
    earlier = [
        Observation(FIRST - (len(before) - n) * DAY, "b", is_trusted=True, rows=count, doubts=())
        for n, count in enumerate(before)
    ]
    return [",".join(d) for d in judge_days(counts, series, earlier, [shared] if shared else []).values()]


@pytest.mark.parametrize(
    ("rows", "series", "before", "wanted"),
    [
        pytest.param([0, 0], SPARSE, [3, 0, 1], ["", ""], id="nothing happens where little happens"),
        pytest.param([0, 90], SPARSE, [100] * 5, ["empty_day", ""], id="an empty day among full ones"),
        pytest.param([49, 50], SPARSE, [100] * 5, ["few_rows", ""], id="less than half"),
        pytest.param([9, 8], SPARSE, [19] * 5, ["", ""], id="half of a few proves nothing"),
        pytest.param([0] * 5 + [100], SPARSE, [], ["empty_day"] * 5 + [""], id="an outage before the first full day"),
        pytest.param([0, 0, 0], SPARSE, [], ["empty_day"] * 3, id="a source without any row is not believed"),
        pytest.param([0, 0], DENSE, [3, 3], ["empty_day"] * 2, id="a dense series has rows on every day"),
        pytest.param([10] * 9, SPARSE, [100] * 14, ["few_rows"] * 9, id="a long drop is not taken for the new usual"),
    ],
)
def test_days_are_measured_by_the_trusted_days_before(
    rows: list[int], series: Series, before: list[int], wanted: list[str]
) -> None:
    assert judged(rows, series, before) == wanted


def test_a_lasting_change_is_believed_after_a_month() -> None:
    found = judged([10] * 40, SPARSE, [100] * 14)
    assert found[:30] == ["few_rows"] * 30
    assert set(found[31:]) == {""}


def test_the_reference_is_the_last_fourteen_trusted_days() -> None:
    assert judged([60], SPARSE, [200] * 10 + [100] * 14) == [""]
    assert judged([60], SPARSE, [200] * 10 + [100] * 4) == ["few_rows"]


def test_zeros_are_doubted_in_a_dense_series_alone() -> None:
    assert judged([30, 30], DENSE, flat=(1,)) == ["", "all_zero"]
    assert judged([30, 30], SPARSE, flat=(1,)) == ["", ""]


def test_what_speaks_against_the_batch_speaks_against_every_day() -> None:
    assert judged([30, 0], DENSE, [30] * 3, shared="read_incomplete") == [
        "read_incomplete",
        "read_incomplete,empty_day",
    ]
