"""Rows that are built alike go through the gate by column; what passes, and how, is what passes one by one."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.sources.alike import Search, by_keys
from include.sources.card import Card
from include.sources.card_files import load_card
from include.sources.personal_data import MASK, may_be_identity, may_be_personal
from include.sources.privacy import Gatekeeper
from include.sources.raw_page import RawPage

Row = dict[str, Any]

MANY = 150
"""Rows of a page: more than are looked at by column at once."""

PLANTED: tuple[Any, ...] = (
    "致电13800001234", "１３８００００１２３４", "0469-4281234", "联系人：王小明", "110101199003071234", "无", "", None, 0, True,
    13800001234, 13800001234.0, ["a", "13800001234"], {"手机": "1"}, {"密级": "秘密"}, [{"key": "密级", "value": "机密"}],
    ["建设", "交通"], ["[x", "110101199003071234"],
    [{"key": "电话", "value": "13800001234"}], "[x", "涉密", "1", "公开", "秘密", [None], [["13800001234"]], {}, [],
)  # fmt: skip
PLACES = (
    "PROJECT_NAME", "SCALE_CONTENT", "PROJECT_CODE", "APPLY_DATE", "SECRET_FLAG", "ENTERPRISE", "ITEMS", "ENTERPRISE.CONTACTNAME",
    "ENTERPRISE.ENTERPRISENAME", "ITEMS.DEAL_USER", "ITEMS.FILE_NO", "备注", "密级", "联系方式", "key",
)  # fmt: skip


def row(number: int) -> Row:
    return {
        "PROJECT_CODE": f"2611-230500-04-04-{number:06d}", "PROJECT_NAME": f"项目{number}", "SCALE_CONTENT": f"建设{number}套",
        "APPLY_DATE": "2026-01-02 03:04:05", "SECRET_FLAG": "0",
        "ENTERPRISE": {"ENTERPRISENAME": "某局", "CONTACTNAME": "张三"},
        "ITEMS": [{"SENDID": f"S{number}", "DEAL_USER": "李四", "FILE_NO": "双发改〔2026〕1号"}] * (number % 3),
    }  # fmt: skip


def plant(rows: list[Row], at: int, place: str, value: Any) -> None:
    head, _, tail = place.partition(".")
    inner = rows[at].get(head)
    for one in (rows[at],) if not tail else inner if isinstance(inner, list) else (inner,):
        if isinstance(one, dict):
            one[tail or head] = copy.deepcopy(value)


def one_by_one(card: Card, rows: list[Row]) -> list[Row]:
    gatekeeper = Gatekeeper(card)
    return [passed for one in rows for passed in gatekeeper.admit(RawPage(1, [one])).rows]


@pytest.fixture(scope="module")
def card() -> Card:
    return load_card("provincial_approval")


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, MANY - 1), st.sampled_from(PLACES), st.sampled_from(PLANTED)), min_size=1, max_size=12
    )
)
def test_what_passes_together_is_what_passes_one_by_one(card: Card, planted: list[tuple[int, str, Any]]) -> None:
    rows = [copy.deepcopy(row(number)) for number in range(MANY)]
    for at, place, value in planted:
        plant(rows, at, place, value)
    expected = one_by_one(card, copy.deepcopy(rows))
    page = Gatekeeper(card).admit(RawPage(1, rows))
    assert page.rows == expected
    assert page.refused == MANY - len(expected)


def test_a_page_of_rows_alike_loses_the_closed_and_the_names(card: Card) -> None:
    rows = [copy.deepcopy(row(number)) for number in range(MANY)]
    rows[3]["SECRET_FLAG"] = "机密"
    rows[140]["PROJECT_NAME"] = "绝密工程"
    rows[7]["SCALE_CONTENT"] = "致电13800001234"
    page = Gatekeeper(card).admit(RawPage(1, rows))
    assert page.refused == 2
    assert len(page.rows) == MANY - 2
    assert {one["ENTERPRISE"]["CONTACTNAME"] for one in page.rows} == {MASK}
    assert [one["SCALE_CONTENT"] for one in page.rows if MASK in one["SCALE_CONTENT"]] == [f"致电{MASK}"]


def test_a_page_on_which_all_rows_are_closed_is_refused_whole(card: Card) -> None:
    page = Gatekeeper(card).admit(RawPage(1, [row(number) | {"SECRET_FLAG": "机密"} for number in range(MANY)]))
    assert (page.rows, page.refused) == ([], MANY)


def test_a_page_of_empty_rows_passes_where_no_mark_opens_the_gate(card: Card) -> None:
    gatekeeper = Gatekeeper(dataclasses.replace(card, classified=()))
    assert gatekeeper.admit(RawPage(1, [{} for _ in range(MANY)])).rows == [{}] * MANY


@pytest.mark.parametrize("is_alone", [True, False])
def test_lists_of_words_are_searched_together_and_masked_where_they_hit(card: Card, is_alone: bool) -> None:
    gatekeeper = Gatekeeper(card)
    for page in range(2):  # on the second page the gate knows that lists stand here
        rows = [{**copy.deepcopy(row(number)), "标签": ["交通", f"第{number}类"]} for number in range(MANY)]
        if not is_alone:
            rows[1]["标签"] = "交通"
        rows[5]["标签"].append("致电13800001234")
        rows[77]["标签"] = ["联系人：王小明", None]
        expected = one_by_one(card, copy.deepcopy(rows))
        passed = gatekeeper.admit(RawPage(page, rows)).rows
        assert passed == expected
        assert [at for at, one in enumerate(passed) if MASK in str(one["标签"])] == [5, 77]


@pytest.mark.parametrize("repeated", [True, False])
def test_a_search_finds_every_text_that_is_hit_on_every_page(repeated: bool) -> None:
    search = Search(may_be_personal)
    for page in range(3):
        texts = [f"建设{0 if repeated else number}套" for number in range(MANY)]
        for at in (0, 1, 70, MANY - 1):
            texts[at] = f"致电1380000123{page}"
        assert set(search.places(texts)) == {0, 1, 70, MANY - 1}
    assert list(search.places(["建设0套"] * MANY)) == []


def test_an_identity_number_is_found_where_it_stands_first_and_last() -> None:
    texts = ["110101199003071234", *("2611" for _ in range(MANY)), "110101199003071234"]
    assert set(Search(may_be_identity).places(texts)) == {0, MANY + 1}


def test_rows_are_told_apart_by_their_keys_and_keep_their_order() -> None:
    assert by_keys([{"a": 1, "b": 2}, {"b": 1}, {"a": 3, "b": 4}]) == {
        ("a", "b"): [{"a": 1, "b": 2}, {"a": 3, "b": 4}], ("b",): [{"b": 1}],
    }  # fmt: skip
