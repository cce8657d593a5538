from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from include.sources.personal_data import (
    MASK,
    SEPARATOR,
    looks_personal,
    mask_code,
    mask_text,
    mask_typed,
    may_be_identity,
    may_be_personal,
)

IDENTITY = "23050219900307123"
IDENTITY += mod_11_2.calc_check_digit(IDENTITY)

NUMBERS = [
    "13800001234",
    "138-0000-1234",
    "138 0000 1234",
    "138\u00a00000\u30001234",
    "138—0000—1234",
    "1380-000-1234",
    "138 000 01234",
    "１３８００００１２３４",
    "138\u200b0000\u200b1234",
    "1\u200b3\u200b8\u200b00001234",
    "+8613800001234",
    "+86 138 0000 1234",
    "86-13800001234",
    "008613800001234",
    IDENTITY,
    "230502 19900307 1234",
    "23050219900307123x",
    "0469-4223456",
    "(0469)4223456",
    "（0469） 4223456",
    "0469 - 4223456",
    "010—12345678",
]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("frame", ["{}", "咨询{}转办", "电话：{}", "a={},b", "设备12台，{}。", "phone{}", "\n{}\n"])
def test_numbers_of_people_are_masked_wherever_they_stand(number: str, frame: str) -> None:
    if number[0] not in "1" and frame.startswith("phone"):
        return  # only mobile numbers are told from the tail of an identifier
    masked = mask_text(frame.format(number))
    assert MASK in masked
    assert not re.search(r"\d{4}", masked.replace("\u200b", ""))


@pytest.mark.parametrize(
    "text",
    [
        "2611-230500-04-04-000018",
        "2026-11-03 09:00:44",
        "2026-11-03T09:00:44.000+08:00",
        "1763884800000",
        "12800001234",
        "138000012345",
        "投资13800.0000万元",
        "东经131.15912345度",
        "双发改〔2026〕13号",
        "550e8400-e29b-41d4-a716-138000012345",
        "a13800001234b",
        "B20261103000001",
        "SB138000012345678",
        "1000次/小时",
        "12345热线",
        "电话系统升级改造",
        "联系人管理模块",
        "手机端应用3套",
        "230502199013071234",
        "",
    ],
)
def test_what_only_resembles_a_number_is_left(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("联系人：张三，教育局", "联系人：***，教育局"),
        ("联系人:李四 电话", "联系人:*** 电话"),
        ("联 系 人 ： 王五", "联 系 人 ： ***"),
        ("经办人:欧阳·某某；", "经办人:***；"),
        ("负责人：赵六", "负责人：***"),
        ("联系电话：4223456", "联系电话：***"),
        ("传真 422 3456 号", "传真 *** 号"),
    ],
)
def test_what_stands_behind_a_label_is_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked
    assert mask_text(masked) == masked


def test_a_telephone_number_may_be_a_number() -> None:
    assert mask_text(13800001234) == MASK
    assert mask_text(13800001234.0) == MASK
    assert mask_text(int(IDENTITY[:17] + "1")) == MASK
    assert mask_text(13800001234.5) == 13800001234.5
    assert mask_text(12) == 12


def test_a_code_gives_way_only_to_an_identity_number() -> None:
    assert mask_code(IDENTITY) == MASK
    assert mask_code(f" {IDENTITY.lower()} ") == MASK
    wrong = IDENTITY[:-1] + ("0" if IDENTITY[-1] != "0" else "1")
    for code in ("13800001234", "91230500MA1ABCDE0X", "2611-230500-04-04-000018", 138, None, wrong):
        assert mask_code(code) == code
    assert mask_code("联系人：张三") == "联系人：***"


def test_a_typed_value_is_left_unless_it_is_a_sentence() -> None:
    for value in ("13800001234", 13800001234, "1,234.5万元", "2026年11月3日", "１２３", "是", "￥12"):
        assert mask_typed(value) == value
    assert mask_typed("咨询13800001234") == "咨询***"


@pytest.mark.parametrize(
    "name",
    [
        "CONTACTNAME", "contactPhone", "link_man", "mobile", "TEL", "user_tel", "idCard", "ID_NO", "身份证号", "联系人", "联系电话",
        "办公电话", "手机号码", "经办人", "姓名", "LXR", "LXDH", "FRDB", "email", "DEAL_USER", "JBRXM", "SFZH",
    ],
)  # fmt: skip
def test_names_of_personal_fields_are_known(name: str) -> None:
    assert looks_personal(name)


@pytest.mark.parametrize(
    "name",
    [
        "PROJECT_NAME",
        "HOTEL_NAME",
        "TELECOM",
        "INTELLIGENT",
        "telLevel",
        "UNIT_NAME",
        "XMMC",
        "UPDATETIME",
        "DATA_BATCH_NO",
    ],
)
def test_other_fields_do_not_look_personal(name: str) -> None:
    assert not looks_personal(name)


mobiles = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
words = st.text(alphabet="项目建设内容，。：人联系电话 abz#\n—（）", max_size=20)


@given(before=words, number=mobiles, gap=st.sampled_from(["", " ", "-", "—", "\u200b", "\u3000"]), after=words)
@example("联系人：", "13800001234", "", "电话0")
def test_no_mobile_number_survives_in_any_text(before: str, number: str, gap: str, after: str) -> None:
    text = f"{before.rstrip('abcdefABCDEF')}、{gap.join((number[:3], number[3:7], number[7:]))}、{after}"
    masked = mask_text(text)
    bare = re.sub(r"[\s\u200b—-]", "", masked)
    assert number not in bare
    assert number[3:] not in bare


fragments = st.lists(
    st.one_of(
        words,
        st.sampled_from(
            [*NUMBERS, "联系人：张三", "电话", "4223456", "86", "00", "13", "-", "(", "\u200b", "0469", "x"]
        ),
        st.text(alphabet="0123456789０１３８- \u200b", max_size=14),
    ),
    max_size=6,
).map("".join)


@given(st.lists(fragments, min_size=1, max_size=5))
def test_the_quick_search_is_never_silent_where_masking_would_act(texts: list[str]) -> None:
    page = "".join(SEPARATOR + text.replace(SEPARATOR, "") for text in texts) + SEPARATOR
    if any(mask_text(text) != text for text in texts):
        assert may_be_personal(page)
    for number in (IDENTITY, "咨询13800001234"):
        assert may_be_identity(page + number + SEPARATOR)
