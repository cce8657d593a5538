"""Mapping by column: what it makes of a row is what the careful way makes of it, and what is doubtful it leaves to that."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.sources import columns
from include.sources.card import Card
from include.sources.card_files import load_card, load_cards
from include.sources.columns import CardColumns, MappedRows, texts_of
from include.sources.folding import fold_text, fold_texts
from include.sources.mapping import CardMapper
from include.sources.moments import read_datetime, read_datetimes

Row = dict[str, Any]


@pytest.fixture(scope="module")
def card() -> Card:
    return load_card("provincial_approval")


def row(number: int, **changed: Any) -> Row:
    return {
        "PROJECT_CODE": f"2611-230500-04-04-{number:06d}", "PROJECT_NAME": f"项目{number}", "OLD_PROJECT_CODE": "",
        "PROJECT_NATURE": "0", "DIVISION_NAME": "宝山区", "START_YEAR": "2026", "TOTAL_MONEY": "1,234.5", "VALIDITY_FLAG": "1",
        "UPDATETIME": f"2026-11-{number % 28 + 1:02d} 09:00:00", "APPLY_DATE": "2026-01-02 03:04:05.0",
        "ENTERPRISE": {"ENTERPRISENAME": "某局", "LEREPCERTNO": "91230500MA0011726M"},
        "ITEMS": [{"SENDID": f"S{number}", "DEAL_STATE": "ITEM_BJ", "DEAL_TIME": "2026-01-02 03:04:05"}],
    } | changed  # fmt: skip


def as_mapped(found: MappedRows, at: int) -> tuple[Any, ...]:
    """Return one row of what was mapped by column, in the form of what was mapped by row."""
    record = dict(zip(found.main.names, (column[at] for column in found.main.columns), strict=True))
    children = [
        (one.entity, one.keys[i], dict(zip(one.names, (column[i] for column in one.columns), strict=True)))
        for one in found.children for i, owner in enumerate(one.owners) if owner == at
    ]  # fmt: skip
    return found.main.keys[at], record, children, found.listed[at]


def compare(card: Card, rows: list[Row], by_column: CardColumns | None = None) -> set[int]:
    """Hold every row that was not left against the careful way; return the indexes of those that were left."""
    careful = CardMapper(card)
    for mapper in (careful.main, *(one for _, one in careful.nested)):
        mapper.map = mapper._map_carefully  # type: ignore[method-assign]
    found = (by_column or CardColumns(card, CardMapper(card))).map(copy.deepcopy(rows))
    for at, one in enumerate(rows):
        expected = careful.map(one)
        if at not in found.left:
            assert not expected.problems, one
            assert as_mapped(found, at) == (expected.key, expected.record, expected.children, expected.listed)
    assert all(owner in range(len(rows)) for one in found.children for owner in one.owners)
    return found.left


ODD: list[Row] = [
    {"PROJECT_CODE": None}, {"PROJECT_CODE": ""}, {"PROJECT_NAME": "一"}, {"TOTAL_MONEY": "-1"}, {"PROJECT_NATURE": "77"},
    {"PROJECT_NATURE": ["0", "1"]}, {"START_YEAR": "二〇"}, {"UPDATETIME": "2026-02-30 00:00:00"}, {"ENTERPRISE.LEREPCERTNO": "x"},
    {"ITEMS": {"SENDID": "S"}}, {"ITEMS": [5]}, {"ITEMS": [{"SENDID": None}]}, {"ITEMS": [{"SENDID": "S", "DEAL_TIME": "soon"}]},
    {"ITEMS": [{"SENDID": "S", "DEAL_STATE": "odd", "DEAL_STATE_NAME": "ITEM_BJ"}]}, {"DIVISION_CODE": "23"},
]  # fmt: skip
"""What the careful way has to look at: it is wrong, or needs a second look."""

FINE: list[Row] = [
    {}, {"PROJECT_NATURE": None}, {"PROJECT_NATURE": ["0"]}, {"START_YEAR": 2026}, {"START_YEAR": None}, {"VALIDITY_FLAG": True},
    {"VALIDITY_FLAG": 1}, {"TOTAL_MONEY": 12}, {"TOTAL_MONEY": 12.5}, {"TOTAL_MONEY": "1.5亿元"}, {"DIVISION_NAME": "  宝山\t区 "},
    {"DIVISION_NAME": 5}, {"DIVISION_NAME": True}, {"DIVISION_NAME": 1.0}, {"DIVISION_NAME": 1}, {"DIVISION_NAME": ["甲", "乙"]},
    {"PROJECT_CODE": "２６１１-230500-04-04-000018"}, {"UPDATETIME": "1900-01-01 00:00:00"}, {"UPDATETIME": 1_700_000_000},
    {"ENTERPRISE": None}, {"ENTERPRISE": "某局"}, {"ENTERPRISE": [{"ENTERPRISENAME": "某局"}]}, {"ITEMS": []}, {"ITEMS": None},
    {"ITEMS": [{"SENDID": 7, "DEAL_STATE": "", "DEAL_STATE_NAME": "ITEM_BJ"}, {"SENDID": "b"}]}, {"FUND_SOURCE": "a\x00b"},
]  # fmt: skip


def test_what_is_doubtful_is_left_and_the_rest_is_mapped_alike(card: Card) -> None:
    rows = [row(n, **changed) for n, changed in enumerate(FINE + ODD)]
    assert compare(card, rows) == set(range(len(FINE), len(rows)))


@pytest.mark.parametrize("changed", FINE)
def test_one_row_alone_is_mapped_alike(card: Card, changed: Row) -> None:
    assert compare(card, [row(1, **changed)]) == set()


def test_what_a_column_keeps_in_mind_does_not_change_what_comes_later(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "_MOST_KNOWN", 3)
    by_column = CardColumns(card, CardMapper(card))
    for changed in (*FINE, *ODD, *FINE):
        many = [row(n) for n in range(4)] + [row(5, **changed)]
        assert compare(card, many, by_column) == ({4} if changed in ODD else set())


words = st.sampled_from(["0", "1", "", "  x ", "2026-01-02 03:04:05", "某", None, 1, True, 1.0, ["0"], {}])


@given(st.lists(st.fixed_dictionaries({name: words for name in row(1)}), min_size=1, max_size=8))
def test_whatever_stands_there_is_mapped_alike_or_left(rows: list[Row]) -> None:
    compare(load_card("provincial_approval"), [row(n) | changed for n, changed in enumerate(rows)])


@given(st.lists(st.sampled_from(FINE + ODD), min_size=1, max_size=8))
def test_columns_of_texts_hold_the_same_as_those_of_values(changes: list[Row]) -> None:
    card = load_card("provincial_approval")
    rows = [row(n) | changed for n, changed in enumerate(changes)]
    values = CardColumns(card, CardMapper(card)).map(copy.deepcopy(rows))
    texts = CardColumns(card, CardMapper(card), as_text=True).map(copy.deepcopy(rows))
    assert texts.left == values.left
    for one, other in zip([values.main, *values.children], [texts.main, *texts.children], strict=True):
        kept = [at for at, owner in enumerate(one.owners) if owner not in values.left]
        assert other.owners == one.owners
        for column, written in zip([one.keys, *one.columns], [other.keys, *other.columns], strict=True):
            assert [written[at] for at in kept] == texts_of([column[at] for at in kept])


def test_cards_with_rows_that_are_not_plain_are_mapped_row_by_row() -> None:
    fitting = {card.source for card in load_cards() if CardColumns.fits(card)}
    assert {
        "provincial_approval",
        "zj_projects",
        "exchange_calls",
        "ckan_portal",
        "datajson_portal",
        "dcat_portal",
    } <= fitting
    assert fitting.isdisjoint({"own_export", "department_catalogues", "municipal_portal"})


moments = st.sampled_from(["2026-01-02 03:04:05", "2026-01-02T23:59:59.120", "2026-02-30 00:00:00", "0001-01-01 00:00:00",
    "2026-01-02 24:00:00", "2026-01-02", "2026-01-02 03:04:05\n2026-01-02 03:04:05", "", "２０２６-01-02 03:04:05"])  # fmt: skip


@given(st.lists(moments, min_size=1, max_size=4))
def test_many_moments_are_read_as_each_is(values: list[str]) -> None:
    found = read_datetimes(values)
    assert found is None or found == [read_datetime(value) for value in values]


def test_plain_moments_are_read_together() -> None:
    values = ["2026-01-02 03:04:05", "2026-01-02T23:59:59.120"]
    assert read_datetimes(values) == ["2026-01-02T03:04:05+08:00", "2026-01-02T23:59:59+08:00"]
    assert read_datetimes(["2026-01-02 03:04:05", 5]) is None


@given(st.lists(st.text(alphabet="a某 |\t\n\u200b\ud800", max_size=4), min_size=1, max_size=4))
def test_many_texts_are_folded_as_each_is(values: list[str]) -> None:
    found = fold_texts(values)
    assert found is None or found == [fold_text(value) for value in values]


def test_folded_texts_are_taken_together() -> None:
    assert fold_texts(["a b", "某|局"]) == ["a b", "某|局"]
    assert fold_texts(["a", 1]) is None
