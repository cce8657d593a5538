"""Gates on fields within lists: extras of a package may hold the mark, and a person's name."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.sources.card import Gate
from include.sources.card_files import load_card
from include.sources.privacy import Gatekeeper, gate
from include.sources.raw_page import RawPage


def package(*extras: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"id": "u1", "title": "公交线路", "type": "dataset", "extras": list(extras)} | changed


def admitted(row: dict[str, Any]) -> list[dict[str, Any]]:
    return gate(load_card("ckan_portal"), RawPage(1, [row], is_last=True)).rows


@pytest.mark.parametrize(
    ("extras", "is_open"),
    [
        ([], True),
        ([{"key": "secret_level", "value": "非密"}], True),
        ([{"key": "other", "value": "秘密"}], True),
        ([{"key": "secret_level", "value": "秘密"}], False),
        ([{"key": "secret_level", "value": "something new"}], False),
        ([{"key": "secret_level", "value": "非密"}, {"key": "secret_level", "value": "机密"}], False),
        ([{"secret_level": "秘密"}], False),
        ([{"secret_level": "非密"}, {"secret_level": "秘密"}], False),
    ],
)
def test_a_mark_within_a_list_is_found_and_what_is_not_clear_is_refused(
    extras: list[dict[str, Any]], is_open: bool
) -> None:
    assert bool(admitted(package(*extras))) is is_open


@pytest.mark.parametrize(
    ("value", "is_open"),
    [
        ([{"key": "密级", "value": "秘密"}], False),
        ([{"key": "a", "value": "1"}, {"key": "是否涉密", "value": "1"}], False),
        ([{"key": "密级", "value": "非密"}], True),
        ({"密级": "机密"}, False),
        ({"密级": "公开"}, True),
        ([{"key": "密级"}], True),
    ],
)
def test_a_mark_that_the_card_does_not_name_is_found_one_level_down(value: Any, is_open: bool) -> None:
    assert bool(admitted(package(META=value))) is is_open


def test_a_title_that_says_so_is_refused() -> None:
    assert admitted(package(title="某机密系统目录")) == []
    for title in ("手机密码找回指南", "涉密测绘成果审批信息"):
        assert len(admitted(package(title=title))) == 1


def test_a_person_named_by_a_key_is_masked() -> None:
    (row,) = admitted(package({"key": "contact_person", "value": "王小明"}, {"key": "update_cycle", "value": "每月"}))
    assert row["extras"] == [{"key": "contact_person", "value": "***"}, {"key": "update_cycle", "value": "每月"}]


def is_open(row: dict[str, Any], gates: tuple[Gate, ...]) -> bool:
    return Gatekeeper(replace(load_card("ckan_portal"), classified=gates)).is_open(row)


@pytest.mark.parametrize(
    "marks",
    [
        [{"key": "LEVEL", "value": "秘密"}],
        [{"key": "theme", "value": "教育"}, {"key": "LEVEL", "value": "内部"}],
        [{"key": "LEVEL", "value": "公开"}, {"key": "LEVEL", "value": "秘密"}],
        [{"LEVEL": "公开"}, {"LEVEL": "秘密"}],
        [[{"LEVEL": "秘密"}]],
        {"key": "LEVEL", "value": "秘密"},
        {"LEVEL": ["公开", "秘密"]},
    ],
)
def test_a_mark_within_a_list_is_found_and_each_one_must_be_open(marks: object) -> None:
    gates = (Gate("META.LEVEL", frozenset({"公开", ""}), open_if_absent=True),)
    assert not is_open({"META": marks}, gates)
    assert not is_open({"META.LEVEL": "秘密"}, gates)
    for harmless in ([{"key": "LEVEL", "value": "公开"}], [{"key": "theme", "value": "秘密"}], [], ["秘密"]):
        assert is_open({"META": harmless}, gates)


_card_of = cache(load_card)
_KEYS = ("secret_level", "密级", "是否涉密", "cycle", "contact_person", 5)
_VALUES = (
    "",
    None,
    "非密",
    "公开",
    "秘密",
    "1",
    "王小明",
    "无",
    "电话13800001234",
    7,
    ["秘密"],
    {"key": "密级", "value": "秘密"},
)
_pairs = st.fixed_dictionaries(
    {"key": st.sampled_from(_KEYS)}, optional={"value": st.sampled_from(_VALUES), "x": st.just("y")}
)
_items = _pairs | st.sampled_from(["text", None, {"secret_level": "秘密"}, {"title": "a"}])
_extras = st.lists(_items, max_size=3) | st.sampled_from(
    [None, "密级", {"密级": "秘密"}, {"key": "密级", "value": "秘密"}]
)


@settings(deadline=None)
@given(st.lists(_extras, min_size=1, max_size=4))
def test_a_page_of_packages_is_gated_as_each_of_them_alone(some: list[Any]) -> None:
    rows = [{"id": f"u{n}", "title": "公交", "extras": extras} for n, extras in enumerate([[], *some] * 5)]
    card = _card_of("ckan_portal")
    alone = [row for one in rows for row in gate(card, RawPage(1, [copy.deepcopy(one)])).rows]
    together = gate(card, RawPage(1, copy.deepcopy(rows)))
    assert together.rows == alone
    assert together.refused == len(rows) - len(alone)
