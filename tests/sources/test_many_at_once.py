"""Values that are converted many at a time become what each becomes for itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.sources.conversions import converter, converter_of_many
from include.sources.folding import may_name_nothing, names_nothing
from include.sources.moments import read_datetime, read_datetimes
from include.sources.straight import written, written_many

AMOUNTS = [
    "0",
    "007.5",
    "28,971.0",
    "41872.4万元",
    "1,234万元",
    "0.000001",
    "30632.96",
    "999999999.999999",
    "9999999999999",
    "9999999999999.99",
    "12.",
    "1.2.3",
    "1,23",
    "万元",
    "",
    "-5",
    "1\n2",
    "１２",
    "1.2亿元",
    "12345678901234",
    5,
    None,
]
NUMBERS = [
    "双发改〔2025〕381号",
    "双发改备【2025】677号",
    "双发改备(2025)16号",
    "双发改（2025）1号",
    "发[2025]7号",
    "发〔0999〕01号",
    "发(0999)01号",
    "发(2025)01号",
    "〈2025〉3号〔2025〕1号",
    "发 (2025)1号",
    "发〔2025】1号",
    "发\u200b(2025)1号",
    "",
    "口头",
    "发〔2025〕1号\n",
    7,
]
CODES = [
    "2509-230502-04-05-014077",
    "2019-230502-04-05-014077",
    "2012-230502-04-05-014077",
    "2513-230502-04-05-014077",
    "２６１１-230500-04-04-000018",
    "26112305000404000018",
    "2509-230502-04-05-01407a",
    "",
    "2509-230502-04-05-014077\n",
    5,
]
MOMENTS = [
    "2026-01-02 03:04:05",
    "2026-01-02T23:59:59.120",
    "2026-01-02 03:60:05",
    "2026-01-02 03:04:60",
    "2026-01-02 25:04:05",
    "2026-01-02 03:04:05.",
    "2026-01-02 03:04:05Z",
    "2026-01-02T3:04:05",
    "2026-13-02 03:04:05",
    "2026-01-02 03:04:05.1x",
    "",
]
IDENTIFIERS = [
    "629fd82c-07cd-4c20-8e3e", "数据1", "urn:x:1", "http:/a", "https://a.cn/info?id=217", " a ", "a  b", "a\u200b", "", 7, None,
]  # fmt: skip
NAMES: list[Any] = [
    [{"display_name": "人口", "name": "rk"}, {"display_name": "养老", "name": "yl"}], [{"name": "a"}], [{"id": 1}],
    [{"display_name": None, "name": "b"}], ["c", "c"], [{"title": " d", "name": "e"}], [], [{"name": "x"}, "y"], "a,b", None,
]  # fmt: skip
PLAIN: dict[str, list[Any]] = {
    "wan_yuan": AMOUNTS[:8],
    "yuan": [*AMOUNTS[:3], *AMOUNTS[6:7], *AMOUNTS[8:10]],
    "document_no": NUMBERS[:5],
    "project_code": CODES[:3],
    "datetime": MOMENTS[:2],
    "identifier": IDENTIFIERS[:4],
    "names": NAMES[:2],
}
ALL: dict[str, list[Any]] = {
    "wan_yuan": AMOUNTS,
    "yuan": AMOUNTS,
    "document_no": NUMBERS,
    "project_code": CODES,
    "datetime": MOMENTS,
    "identifier": IDENTIFIERS,
    "names": NAMES,
}


def many(name: str, values: list[Any]) -> list[Any] | None:
    convert = converter_of_many(name)
    assert convert is not None
    return convert(values)


@pytest.mark.parametrize("name", ALL)
def test_plainly_written_values_are_converted_together_as_each_is(name: str) -> None:
    assert many(name, PLAIN[name]) == [converter(name, {})(value) for value in PLAIN[name]]


@pytest.mark.parametrize("name", ALL)
@given(data=st.data())
def test_whatever_is_converted_together_becomes_what_each_becomes(name: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.sampled_from(ALL[name]), min_size=1, max_size=4))
    found = many(name, values)
    assert found is None or found == [converter(name, {})(value) for value in values]


digits = st.text(alphabet="0123456789.,万元", max_size=9)


@given(st.lists(digits, min_size=1, max_size=4), st.sampled_from(["yuan", "wan_yuan"]))
def test_amounts_of_any_digits_become_what_each_becomes(values: list[str], name: str) -> None:
    found = many(name, values)
    assert found is None or found == [converter(name, {})(value) for value in values]


@given(st.lists(st.one_of(st.text(max_size=3), st.just("x" * 101), st.none(), st.integers()), min_size=1, max_size=4))
def test_what_is_written_is_kept_of_many_as_of_each(values: list[Any]) -> None:
    found = written_many(values)
    assert (found is None) == any(type(value) is not str for value in values)
    assert found is None or found == [written(value) for value in values]


def test_moments_with_and_without_fractions_are_read_together() -> None:
    values = [f"2026-01-{day:02} 0{day % 10}:5{day % 10}:{day % 60:02}{'.0' * (day % 2)}" for day in range(1, 29)]
    assert read_datetimes(values) == [read_datetime(value) for value in values]


@given(st.lists(st.sampled_from(["无", " 无 ", "NONE", "n/a ", "王小明", "", "none of them", "—"]), max_size=4))
def test_a_column_that_names_nothing_anywhere_is_never_overlooked(values: list[str]) -> None:
    assert may_name_nothing(values) or not any(map(names_nothing, values))
    assert not may_name_nothing(["王小明", "张三"])
