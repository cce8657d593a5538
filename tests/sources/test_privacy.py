from __future__ import annotations

import copy
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from include.errors import SourceMalformed
from include.sources.card import Card, build_card
from include.sources.card_files import load_card
from include.sources.page import Page
from include.sources.privacy import Gatekeeper, gate
from include.sources.raw_page import RawPage

IDENTITY = "23050219900307123" + mod_11_2.calc_check_digit("23050219900307123")
CARD: dict[str, Any] = {
    "source": "made_up",
    "title": "虚构平台",
    "entity": "project",
    "reader": "http",
    "connection": "made_up",
    "key": ["project_code"],
    "request": {"path": "/"},
    "paging": {"style": "single"},
    "classified": [{"field": "SECRET_FLAG", "open": ["0", 0, "非密"]}],
    "personal": ["ENTERPRISE.HEAD", "ITEMS.DEAL_USER", "HANDLER"],
    "fields": {
        "project_code": "CODE",
        "name": "NAME",
        "unit_uscc": "ENTERPRISE.CERT",
        "unit_name": "ENTERPRISE.CONTACT_UNIT",
        "report_code": "REPORT",
        "total_investment_yuan": "MONEY",
        "applied_at": "APPLIED",
        "scale_content": "CONTENT",
        "start_year": "YEAR",
    },
    "nested": [
        {
            "entity": "approval_item",
            "rows": "ITEMS",
            "key": ["item_id"],
            "parent": {"project_code": "project_code"},
            "fields": {"item_id": "ID", "item_name": "ITEM"},
        }
    ],
}


def card(**changes: object) -> Card:
    return build_card({**copy.deepcopy(CARD), **changes}, Path("made_up.yaml"))


def row(**changes: object) -> dict[str, Any]:
    base = {"SECRET_FLAG": "0", "CODE": "2611-230500-04-04-000018", "NAME": "智慧校园平台", "CONTENT": "平台1套"}
    return {**base, **changes}


def admit(*rows: Any, **changes: object) -> Page:
    return gate(card(**changes), RawPage(1, list(rows)))


def admitted(**fields: object) -> dict[str, Any]:
    page = admit(row(**fields))
    assert (page.rows_received, page.refused) == (1, 0)
    return page.rows[0]


@pytest.mark.parametrize("word", ["无", "/", "待定", " 暂无 "])
def test_a_word_for_nobody_is_no_name(word: str) -> None:
    found = admitted(HANDLER=word, ENTERPRISE={"HEAD": word}, 联系人=word)
    assert (found["HANDLER"], found["ENTERPRISE"]["HEAD"], found["联系人"]) == (word, word, word)
    assert admitted(HANDLER="吴", 联系人="无名氏")["联系人"] == "***"
    assert admitted(HANDLER=word, CONTENT="电话13800001234")["HANDLER"] == word
    assert admitted(HANDLER="13800001234")["HANDLER"] == "***"


def test_the_page_keeps_what_the_source_said_of_the_listing() -> None:
    raw = RawPage(7, [row(), row(SECRET_FLAG="1"), row()], 300, 3, 4096, True, ("decoded as GB18030",))
    page = gate(card(), raw)
    assert page.rows == [row(), row()]
    assert (page.number, page.rows_received, page.refused) == (7, 3, 1)
    assert (page.declared_rows, page.declared_pages, page.received_bytes, page.is_last) == (300, 3, 4096, True)
    assert page.notes == ("decoded as GB18030",)


@pytest.mark.parametrize("value", ["0", 0, 0.0, " 0 ", "非密", "\u3000非密\n"])
def test_a_row_with_an_open_mark_passes(value: object) -> None:
    assert len(admit(row(SECRET_FLAG=value)).rows) == 1


@pytest.mark.parametrize(
    "value", ["1", 1, "", None, "  ", "机密", "未定", True, False, "00", [], ["0"], {"0": 0}, "０1", 0.5]
)
def test_a_row_whose_mark_is_not_known_to_be_open_is_refused(value: object) -> None:
    page = admit(row(SECRET_FLAG=value))
    assert (page.rows, page.refused) == ([], 1)


def test_a_row_without_the_mark_is_refused_unless_the_card_opens_its_absence() -> None:
    bare = row()
    del bare["SECRET_FLAG"]
    assert admit(bare).refused == 1
    assert admit(bare, classified=[{"field": "SECRET_FLAG", "open": [None, "0"]}]).refused == 0
    for blank in (None, "", " "):
        assert admit(row(SECRET_FLAG=blank), classified=[{"field": "SECRET_FLAG", "open": [None]}]).refused == 0
    assert admit(bare, classified=[{"field": "SECRET_FLAG", "open": [""]}]).refused == 1


def test_truth_values_are_compared_as_text() -> None:
    for opening in ("false", False):
        gates = [{"field": "SECRET_FLAG", "open": [opening]}]
        assert admit(row(SECRET_FLAG=False), classified=gates).refused == 0
        assert admit(row(SECRET_FLAG=True), classified=gates).refused == 1
        assert admit(row(SECRET_FLAG="false"), classified=gates).refused == 0


def test_every_gate_must_be_open_and_may_stand_within_an_object() -> None:
    gates = [{"field": "SECRET_FLAG", "open": ["0"]}, {"field": "META.LEVEL", "open": ["公开"]}]
    assert admit(row(META={"LEVEL": "公开"}), classified=gates).refused == 0
    for meta in ({"LEVEL": "秘密"}, {}, None, "公开", ["公开"]):
        assert admit(row(META=meta), classified=gates).refused == 1
    assert admit(row(META={"LEVEL": "公开"}, SECRET_FLAG="1"), classified=gates).refused == 1


def test_a_person_who_is_named_by_the_key_of_a_pair_is_masked() -> None:
    found = admitted(EXTRA=[{"key": "联系人", "value": "张三"}, {"key": "更新周期", "value": "每年"}])
    assert found["EXTRA"] == [{"key": "联系人", "value": "***"}, {"key": "更新周期", "value": "每年"}]
    extras = admit(row(EXTRA=[{"key": "owner", "value": "李四"}]), personal=["EXTRA.owner"]).rows[0]["EXTRA"]
    assert extras == [{"key": "owner", "value": "***"}]


def test_lists_that_the_card_does_not_name_are_masked_in_every_row_that_has_them() -> None:
    gatekeeper, kinds = Gatekeeper(card()), ([{"linkMan": "李四"}], {"deep": [["13800001234"]]}, "致电13800001234", [])
    rows = [row(EXTRA=copy.deepcopy(kinds[n % 4]), NAME=f"平台{n}") for n in range(300)]
    page = gatekeeper.admit(RawPage(1, rows))
    masked = ([{"linkMan": "***"}], {"deep": [["***"]]}, "致电***", [])
    assert [r["EXTRA"] for r in page.rows] == [masked[n % 4] for n in range(300)]


@pytest.mark.parametrize(
    "name", ["某涉密机房改造", "机密工程", "绝密项目", "秘密级系统", "工程（秘密★10年）", "涉 密系统", "未知涉密"]
)
def test_a_name_that_speaks_of_secrets_is_refused_whatever_the_card_says(name: str) -> None:
    assert admit(row(NAME=name)).refused == 1
    assert admit(row(NAME=name), classified=[]).refused == 1


@pytest.mark.parametrize(
    "name", ["非涉密机房改造", "商用密码应用改造", "手机密码服务", "计算机密钥管理", "保密宣传教育平台"]
)
def test_a_name_that_only_resembles_one_passes(name: str) -> None:
    assert admit(row(NAME=name)).refused == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("密级", "秘密"), ("密级", "机密级"), ("密级", " 绝密 "), ("项目密级", "机密★20年"), ("是否涉密", "是"), ("是否涉密", "1"),
        ("是否涉密", 1), ("涉密标识", True), ("IS_SECRET", "Y"), ("secretLevel", "secret"), ("MJ", "秘密"), ("XM_MJ", "涉密"),
        ("密级", ["机密"]),
    ],
)  # fmt: skip
def test_a_mark_the_card_does_not_know_closes_the_gate(field: str, value: object) -> None:
    assert admit(row(**{field: value})).refused == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("密级", "非密"), ("密级", "公开"), ("密级", ""), ("密级", None), ("密级", "1"), ("是否涉密", "否"), ("是否涉密", "0"),
        ("IS_SECRET", False), ("secretary", "是"), ("是否非涉密", "是"), ("密级", "非涉密"), ("NUMBER", "机密"),
    ],
)  # fmt: skip
def test_a_harmless_mark_does_not(field: str, value: object) -> None:
    assert admit(row(**{field: value})).refused == 0


def test_one_means_open_where_the_card_says_so() -> None:
    assert admit(row(SECRET_FLAG="1"), classified=[{"field": "SECRET_FLAG", "open": ["1"]}]).refused == 0


@pytest.mark.parametrize("broken", [None, "text", 5, ["SECRET_FLAG", "0"]])
def test_what_is_no_record_is_refused(broken: object) -> None:
    page = admit(row(), broken)
    assert (len(page.rows), page.refused, page.rows_received) == (1, 1, 2)


def test_personal_fields_are_masked_along_their_paths() -> None:
    found = admitted(
        HANDLER="张三",
        ENTERPRISE={"HEAD": {"name": "李四"}, "CONTACT_UNIT": "市教育局"},
        ITEMS=[{"ID": "1", "DEAL_USER": "王五"}, {"ID": "2", "DEAL_USER": ["赵六", "钱七"]}, {"ID": "3"}],
    )
    assert found["HANDLER"] == "***"
    assert found["ENTERPRISE"] == {"HEAD": "***", "CONTACT_UNIT": "市教育局"}
    assert found["ITEMS"] == [{"ID": "1", "DEAL_USER": "***"}, {"ID": "2", "DEAL_USER": "***"}, {"ID": "3"}]


def test_an_object_where_a_list_was_expected_is_masked_too() -> None:
    assert admitted(ITEMS={"ID": "1", "DEAL_USER": "王五"})["ITEMS"] == {"ID": "1", "DEAL_USER": "***"}
    assert admitted(ITEMS=[[{"DEAL_USER": "王五"}], "13800001234"])["ITEMS"] == [[{"DEAL_USER": "***"}], "***"]
    assert admitted(ENTERPRISE=[{"HEAD": "王五"}])["ENTERPRISE"] == [{"HEAD": "***"}]


def test_blank_personal_fields_stay_blank() -> None:
    assert admitted(HANDLER="", 联系人=None) == row(HANDLER="", 联系人=None)


def test_unmapped_fields_that_look_personal_are_masked_at_every_depth() -> None:
    found = admitted(
        联系人="张三",
        EXTRA={"linkMan": "李四", "deep": [{"phone": 1, "level": 2}], "hotel": "x"},
        ENTERPRISE={"CONTACT_UNIT": "市教育局", "CONTACT_MAIL": "a@b.c"},
        CONTACTS=[{"n": "王五"}],
    )
    assert found["联系人"] == "***"
    assert found["EXTRA"] == {"linkMan": "***", "deep": [{"phone": "***", "level": 2}], "hotel": "x"}
    assert found["ENTERPRISE"] == {"CONTACT_UNIT": "市教育局", "CONTACT_MAIL": "***"}
    assert found["CONTACTS"] == "***"


def test_numbers_in_free_text_are_masked_and_codes_amounts_and_dates_are_not() -> None:
    found = admitted(
        NAME="平台（0469-4223456）",
        CONTENT="咨询138-0000-1234，联系人：张三。",
        BATCH=13800001234,
        EXTRA={"note": [f"证件{IDENTITY}"]},
        REPORT="13800001234",
        MONEY="13800001234",
        APPLIED=13800001234,
        YEAR=None,
        ENTERPRISE={"CERT": "112305001998010112"},
        ITEMS=[{"ID": "13800001234", "ITEM": "电话13800001234"}],
    )
    assert found["NAME"] == "平台（***）"
    assert found["CONTENT"] == "咨询***，联系人：***。"
    assert found["BATCH"] == "***"
    assert found["EXTRA"] == {"note": ["证件***"]}
    assert (found["REPORT"], found["MONEY"], found["APPLIED"]) == ("13800001234", "13800001234", 13800001234)
    assert found["ENTERPRISE"] == {"CERT": "112305001998010112"}
    assert found["ITEMS"] == [{"ID": "13800001234", "ITEM": "电话***"}]


def test_an_identity_number_in_the_place_of_a_credit_code_is_masked() -> None:
    assert admitted(ENTERPRISE={"CERT": IDENTITY})["ENTERPRISE"] == {"CERT": "***"}
    assert admitted(REPORT=IDENTITY)["REPORT"] == "***"


def test_a_sentence_in_the_place_of_a_date_or_an_amount_is_masked() -> None:
    assert admitted(APPLIED="请咨询13800001234")["APPLIED"] == "请咨询***"
    assert admitted(MONEY={"phone": "1", "note": "咨询13800001234"})["MONEY"] == {"phone": "***", "note": "咨询***"}


def test_rows_of_many_shapes_on_a_long_page_are_each_looked_at() -> None:
    rows = [
        row(**({f"F{i}": "x"} if i % 3 else {}), CONTENT=f"第{i}套" + ("13800001234" if i % 7 == 0 else ""))
        for i in range(500)
    ]
    page = admit(*rows)
    assert len(page.rows) == 500
    for i, found in enumerate(page.rows):
        assert found["CONTENT"] == f"第{i}套" + ("***" if i % 7 == 0 else "")


def test_a_record_that_is_nested_too_deeply_stops_the_page_and_quotes_nothing() -> None:
    deep: Any = "13800001234"
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(SourceMalformed, match="page 1: a record is nested too deeply") as caught:
        admit(row(EXTRA=deep))
    assert "1380000" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_the_gate_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert admit(row(SECRET_FLAG="1"), row(联系人="张三")).refused == 1
    assert caplog.records == []


@pytest.mark.parametrize(
    ("source", "open_row", "closed_row"),
    [
        ("provincial_approval", {"SECRET_FLAG": "0"}, {"SECRET_FLAG": "1"}),
        ("zj_projects", {"secretLevel": "公开"}, {"secretLevel": "秘密"}),
        ("approval_frontdb", {"MJ": None}, {"MJ": "1"}),
        ("annual_plan", {"密级": ""}, {"密级": "内部"}),
        (
            "ckan_portal",
            {"extras": [{"key": "secret_level", "value": "公开"}]},
            {"extras": [{"key": "secret_level", "value": "秘密"}]},
        ),
    ],
)
def test_the_shipped_cards_open_and_close(source: str, open_row: dict[str, Any], closed_row: dict[str, Any]) -> None:
    page = Gatekeeper(load_card(source)).admit(RawPage(1, [dict(open_row), dict(closed_row)]))
    assert page.rows == [open_row]
    assert page.refused == 1


def test_the_shipped_cards_mask_their_personal_fields() -> None:
    seen = 0
    for source in ("provincial_approval", "zj_projects", "approval_frontdb", "annual_plan"):
        shipped = load_card(source)
        raw: dict[str, Any] = {gate.field: next(iter(gate.open - {""}), None) for gate in shipped.classified}
        for path in shipped.personal:
            head, _, tail = path.partition(".")
            if tail and head == "ITEMS":
                raw.setdefault(head, [{}])[0][tail] = "张三"
            elif tail:
                raw.setdefault(head, {})[tail] = "张三"
            else:
                raw[head] = "张三"
        page = Gatekeeper(shipped).admit(RawPage(1, [raw]))
        assert len(page.rows) == 1
        assert "张三" not in str(page.rows)
        seen += str(page.rows).count("***")
    assert seen == 9


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.just("致电13800001234"),
    st.just("138 0000 1234"),
    st.just(13800001234),
)
keys = st.sampled_from(["a", "CONTENT", "NAME", "EXTRA", "ITEMS", "ENTERPRISE", "ITEM", "note", "备注", "HANDLER"])
trees = st.recursive(
    leaves, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4))
)


@given(st.lists(st.dictionaries(keys, trees, max_size=6), max_size=5))
def test_no_mobile_number_passes_the_gate_in_any_structure(rows: list[dict[str, Any]]) -> None:
    page = admit(*(row(**fields) for fields in rows))
    assert page.refused + len(page.rows) == len(rows)
    assert "13800001234" not in str(page.rows).replace(" ", "")
