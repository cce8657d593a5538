"""Cards of daily series: their defaults, and what is wrong in one is said with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.errors import CardError
from tests.sources.test_card_files import line_of, read_text

SERIES = """\
source: bureau
title: 某局使用统计
entity: system_usage_day
reader: http
connection: bureau
request: {path: /daily}
paging: {style: single}
cursor: {field: DAY, since: from, until: to, format: "%Y-%m-%d"}
series: {settle_days: 2}
key: [day, system_code]
fields:
  day: DAY
  system_code: CODE
"""


def test_a_series_has_the_defaults_of_the_schema(tmp_path: Path) -> None:
    series = read_text(tmp_path, SERIES).series
    assert series is not None
    assert (series.first_days, series.settle_days, series.is_dense) == (120, 2, True)


@pytest.mark.parametrize(
    ("old", "new", "problem", "place"),
    [
        (", since: from", "", "first and last day", "cursor:"),
        (", until: to", "", "first and last day", "cursor:"),
        ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "not one of days", "cursor:"),
        (', format: "%Y-%m-%d"', "", "not one of days", "cursor:"),
        ("system_usage_day", "system", "'day'", "entity:"),
        ("{settle_days: 2}", "{settle_days: -1}", "settle_days", "series:"),
        ("{path: /daily}", "{path: /daily, detail: {path: /one, parameters: {}, into: D}}", "detail", "request:"),
        ("{path: /daily}", "{path: /daily, detail: {path: /one, parameters: {code: C}}}", "into", "request:"),
    ],
)
def test_a_mistake_in_a_series_or_a_detail_is_said_with_its_line(
    tmp_path: Path, old: str, new: str, problem: str, place: str
) -> None:
    text = SERIES.replace(old, new, 1)
    with pytest.raises(CardError, match=problem) as caught:
        read_text(tmp_path, text)
    if "no field" not in str(caught.value):
        assert caught.value.line == line_of(text, place)


def test_front_end_databases_have_no_series(tmp_path: Path) -> None:
    text = SERIES.replace("reader: http", "reader: sql\nsql: {table: T, order: LSH}")
    with pytest.raises(CardError, match="no series"):
        read_text(tmp_path, text)
