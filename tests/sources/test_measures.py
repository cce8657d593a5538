"""Project code lists, seasons, hourly rates and percentages as registers write them, odd ones included."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.sources.conversions import converter
from tests.ledger.rows import code

A, B = sorted([code(1), code(2)])
NAMES = ["project_codes", "season", "hourly_rate", "basis_points"]


def convert(name: str, value: object) -> object:
    return converter(name, {})(value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("blank", [None, "", "  ", "\u3000\t", "\r\n", "\u200b"])
def test_a_blank_is_absent(name: str, blank: object) -> None:
    assert convert(name, blank) is None


@pytest.mark.parametrize(
    "raw",
    [
        f"{A};{B}", f"{B};{A}", f"{A}；{B}", f"{A}、{B}", f"{A}，{B}", f"{B},{A},{B}", f"{A}\n{B}", f"{A}\r\n{B}\r\n", f"{A} {B}",
        f" {A} ; {B} ;", f"{A.replace('-', '')};{B}", f"{A.replace('2', '２')}；{B.replace('-', '—')}", f"{A}|{B}", [B, A],
    ],
)  # fmt: skip
def test_project_codes_are_sorted_and_stand_once(raw: object) -> None:
    assert convert("project_codes", raw) == f"{A},{B}"


@pytest.mark.parametrize(("raw", "wanted"), [(A, A), ("无", None), ("—", None), (";；", None), (f"{A};无", A)])
def test_one_code_or_none(raw: str, wanted: str | None) -> None:
    assert convert("project_codes", raw) == wanted


@pytest.mark.parametrize(("raw", "named"), [(f"{A};双发改5号", "双发改5号"), (f"{A}、2613", "2613"), (12, "12")])
def test_a_failing_code_is_named(raw: object, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        convert("project_codes", raw)


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("6月1日至8月31日", "06-01~08-31"),
        ("06-01~08-31", "06-01~08-31"),
        ("６月１日～８月３１日", "06-01~08-31"),
        ("每年6月1日—8月31日", "06-01~08-31"),
        ("6/1-8/31", "06-01~08-31"),
        ("06.01到08.31", "06-01~08-31"),
        ("6月至8月", "06-01~08-31"),
        ("1-2月", "01-01~02-29"),
        ("12月1日至次年2月28日", "12-01~02-28"),
        ("11月1日至12月15日；6月1日至8月31日", "06-01~08-31,11-01~12-15"),
        ("06-01~08-31、06-01~08-31", "06-01~08-31"),
        ("3月1日至3月31日和9月1日至9月30日", "03-01~03-31,09-01~09-30"),
        ("全年", None),
        ("无", None),
    ],
)
def test_seasons(raw: str, wanted: str | None) -> None:
    assert convert("season", raw) == wanted


@pytest.mark.parametrize("raw", ["夏季", "2月30日至3月1日", "13月1日至12月1日", "6月1日", 61, "6月1日至8月31日;夏季"])
def test_what_is_no_season_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match="season"):
        convert("season", raw)


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("1000次/小时", 1000),
        ("10次/秒", 36000),
        ("１０次／秒", 36000),
        ("60次/分钟", 3600),
        ("100次/天", 4),
        ("1次/天", 1),
        ("不限", None),
        ("无限制", None),
        (" 不限 ", None),
        ("Unlimited", None),
    ],
)
def test_rates_are_by_the_hour(raw: str, wanted: int | None) -> None:
    assert convert("hourly_rate", raw) == wanted


@pytest.mark.parametrize("raw", ["快", "1000", 1000, "0次/秒", "-1次/秒", [1]])
def test_a_rate_without_its_time_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match="wanted"):
        convert("hourly_rate", raw)


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (3.25, 325), ("3.25", 325), ("3.25%", 325), ("３．２５％", 325), ("3.25 %", 325), (0, 0), (0.0, 0), ("0", 0), (100, 10000),
        ("100%", 10000), (3.255, 326), ("3.255 %", 326), ("3.2549", 325), (1.005, 101), (0.005, 1), (0.0049, 0), (1e-07, 0),
        (99.999, 10000), ("1e1", 1000),
    ],
)  # fmt: skip
def test_percentages_are_hundredths_of_a_percent_with_halves_up(raw: object, wanted: int) -> None:
    assert convert("basis_points", raw) == wanted


@pytest.mark.parametrize(
    "raw", [100.001, "100.01%", 101, -0.01, "-1", "abc", "3,25", True, float("nan"), float("inf"), [3], "0x10", "3%%"]
)
def test_what_is_no_percentage_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match="percentage"):
        convert("basis_points", raw)


@given(st.decimals(0, 100, places=4))
def test_a_number_and_its_text_are_read_alike_and_exactly(percent: Decimal) -> None:
    exact = int((percent * 100).quantize(Decimal(1), ROUND_HALF_UP))
    assert convert("basis_points", str(percent)) == convert("basis_points", f"{percent}%") == exact
    assert convert("basis_points", float(percent)) == exact


@pytest.mark.parametrize("name", NAMES)
@given(value=st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.lists(st.text()), st.dates()))
def test_any_value_is_read_or_refused_and_nothing_else_happens(name: str, value: object) -> None:
    try:
        found = convert(name, value)
    except ValueError as error:
        assert 0 < len(str(error)) < 600  # forty characters, each perhaps escaped
    else:
        assert found is None or isinstance(found, str | int)
