# ruff: noqa: DTZ001 - workbooks hand over moments without a zone
from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.sources.conversions import converter
from include.sources.moments import _is_clock


def convert(name: str, value: object) -> object:
    return converter(name, {})(value)


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (2026, 2026),
        (2026.0, 2026),
        ("2026", 2026),
        ("2026年", 2026),
        ("２０２６", 2026),
        ("２０２６年", 2026),
        ("2026-03-01", 2026),
        ("2026年3月", 2026),
        ("2026-03", 2026),
        ("202603", 2026),
        ("2026-03-01 00:00:00.0", 2026),
        (1763884800000, 2025),
        (date(2026, 1, 1), 2026),
        ("0000", None),
        (0, None),
        ("1900-01-01", None),
        ("9999", None),
    ],
)
def test_years(raw: object, wanted: int | None) -> None:
    assert convert("year", raw) == wanted


@pytest.mark.parametrize("raw", ["202613", "26", True, "明年", "2026-02-30", [2026], date.max])
def test_what_is_no_year_is_refused_or_a_placeholder(raw: object) -> None:
    if raw is date.max:
        assert convert("year", raw) is None
        return
    with pytest.raises(ValueError, match="wanted a year like 2026|wanted one value"):
        convert("year", raw)


@pytest.mark.parametrize(
    "raw",
    [
        "2026-11-03",
        "2026/11/3",
        "2026/11/03",
        "2026.11.3",
        "20261103",
        20261103,
        "2026年11月3日",
        "２０２６年１１月３日",
        "2026-11-3",
        " 2026-11-03 ",
        "2026-11-03 23:59:59",
        "2026-11-03T00:00:00",
        "2026-11-02T16:00:00Z",
        46329.0,
        46329,
        date(2026, 11, 3),
        datetime(2026, 11, 3, 5),
        "2026－11－03",
        "2026–11–03",
        1793635200000,
        1793635200,
        "1793635200000",
        "1793635200",
        "20261103090000",
        "202611030900",
        "2026 年 11 月 3 日",
        "2026-11-03 00:00:44.0",
    ],
)
def test_every_way_to_write_a_date_is_the_same_date(raw: object) -> None:
    assert convert("date", raw) == "2026-11-03"


@pytest.mark.parametrize(
    "raw",
    [
        "2026-11-03 09:00:44",
        "2026-11-03T09:00:44",
        "2026-11-03 09:00:44.0",
        "2026-11-03T09:00:44.123",
        "2026-11-03T01:00:44Z",
        "2026-11-03T01:00:44.000+0000",
        "2026-11-03T10:00:44+09:00",
        "2026-11-02T20:00:44-05",
        "2026/11/3 9:00:44",
        "2026年11月3日 9时00分44秒",
        "２０２６－１１－０３　０９：００：４４",
        1793667644000,
        1793667644,
        "1793667644000",
        datetime(2026, 11, 3, 9, 0, 44),
        datetime(2026, 11, 3, 1, 0, 44, tzinfo=UTC),
        "20261103090044",
        "2026-11-03T09:00:44+08:00",
        "2026-11-03  09:00:44",
        46329.375509259254,
    ],
)
def test_every_way_to_write_a_moment_is_the_same_moment(raw: object) -> None:
    assert convert("datetime", raw) == "2026-11-03T09:00:44+08:00"


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("2026-11-03", "2026-11-03T00:00:00+08:00"),
        ("2026-11-03 09:00", "2026-11-03T09:00:00+08:00"),
        (46329.5, "2026-11-03T12:00:00+08:00"),
    ],
)
def test_a_coarse_moment_begins_its_day_or_minute(raw: object, wanted: str) -> None:
    assert convert("datetime", raw) == wanted


@pytest.mark.parametrize("name", ["date", "datetime"])
@pytest.mark.parametrize(
    "raw",
    [
        "1900-01-01",
        "0001-01-01",
        "9999-12-31",
        "0000-00-00",
        "0000-00-00 00:00:00",
        "1900-01-01 00:00:00.0",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "00000000",
        "19000101",
        "99991231",
        date(1900, 1, 1),
        "0001-01-01T00:00:00+09:00",
        "1900/1/1",
        99991231,
    ],
)
def test_placeholders_are_absent(name: str, raw: object) -> None:
    assert convert(name, raw) is None


@pytest.mark.parametrize("name", ["date", "datetime"])
@pytest.mark.parametrize(
    "raw",
    [
        "2026-02-30",
        "2026-02-30 09:00:00",
        "20260230",
        "2026-13-01",
        "2026-11-03 25:00:00",
        "2026-11-03 09:61:00",
        "2026-11-03 09:00:60",
        "2026年3月",
        "2026",
        "明天",
        True,
        -1,
        5,
        10**20,
        float("inf"),
        ["2026-11-03"],
        "2026-11/03",
        "2026-11-03x09:00:00",
        "2026-00-00",
        "9" * 30,
    ],
)
def test_impossible_dates_are_refused(name: str, raw: object) -> None:
    with pytest.raises(ValueError, match="wanted a|wanted one|finite"):
        convert(name, raw)


@given(st.datetimes(min_value=datetime(1901, 1, 1), max_value=datetime(2100, 1, 1)))
def test_any_moment_keeps_its_instant_across_forms(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    wanted = moment.isoformat() + "+08:00"
    for form in (
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S.0",
        "%Y-%m-%dT%H:%M:%S.123456",
        "%Y/%m/%d %H:%M:%S",
        "%Y年%m月%d日 %H时%M分%S秒",
        "%Y%m%d%H%M%S",
    ):
        assert convert("datetime", moment.strftime(form)) == wanted
        assert convert("date", moment.strftime(form)) == moment.date().isoformat()
    assert convert("datetime", wanted) == wanted
    assert convert("date", wanted) == moment.date().isoformat()


@pytest.mark.parametrize(
    "text", ["00:00:00", "23:59:59", "24:00:00", "12:60:00", "12:00:60", "1 :00:00", "０9:00:00", "-1:00:00"]
)
def test_the_fast_way_knows_the_clocks_that_there_are(text: str) -> None:
    try:
        expected = time.fromisoformat(text).isoformat() == text
    except ValueError:
        expected = False
    assert _is_clock(text) == expected
