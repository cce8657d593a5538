"""Cuts are at the borders of what people see, within the limit, and counted."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from include.alerts.message import Item, Reason, Section
from include.alerts.rendering.cut import ELLIPSIS, borders, cut, fit, total, utf8
from include.alerts.rendering.form import json_size
from include.alerts.rendering.markdown import feishu_escape
from tests.alerts.messages import item, message

FAMILY, THUMB, FLAG = "👨‍👩‍👧‍👦", "👍🏽", "🇨🇳"
SIGNS = st.sampled_from([FAMILY, THUMB, FLAG, "𠮷", "é", "e\u0301", "中", "a", "*", "<", '"', " ", "\\"])


def test_a_text_that_fits_stays_as_it_is() -> None:
    assert cut("数衡", 6) == "数衡"
    assert cut("", 0) == ""


def test_no_character_as_people_see_it_is_split() -> None:
    for sign in (FAMILY, THUMB, FLAG, "𠮷", "e\u0301"):
        text = sign * 3
        assert borders(text) == [len(sign), 2 * len(sign), 3 * len(sign)]
        for limit in range(utf8(text)):
            short = cut(text, limit)
            assert utf8(short) <= limit
            assert short in (sign * 2 + ELLIPSIS, sign + ELLIPSIS, ELLIPSIS, "")
    assert cut(FAMILY * 3, 2 * utf8(FAMILY) + 3) == FAMILY * 2 + ELLIPSIS


@given(st.lists(SIGNS, max_size=60).map("".join), st.integers(0, 200))
def test_a_cut_text_is_within_the_limit_and_the_beginning_of_the_text(text: str, limit: int) -> None:
    for size in (utf8, json_size, lambda t: json_size(feishu_escape(t))):
        short = cut(text, limit, size)
        assert size(short) <= limit or short == ""
        assert text.startswith(short.removesuffix(ELLIPSIS))
        if short != text and short.removesuffix(ELLIPSIS):
            rest = text[len(short.removesuffix(ELLIPSIS)) :].lstrip()
            assert not unicodedata.category(rest[0]).startswith("M")
            assert rest[0] != "\u200d"


@given(st.text(max_size=80), st.integers(3, 100))
def test_any_text_is_cut_to_whole_code_points(text: str, limit: int) -> None:
    assert utf8(cut(text, limit)) <= limit


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 20)), max_size=8),
    st.integers(0, 400),
    st.one_of(st.none(), st.integers(0, 10)),
)
def test_what_is_shown_and_what_is_left_are_all(shapes: list[tuple[int, int]], room: int, most: int | None) -> None:
    sections = [
        Section(Reason.OPENED, "题", items + more, tuple(Item("x" * (1 + i % 5)) for i in range(items)))
        for items, more in shapes
    ]
    fitted = fit(message(*sections), room, lambda _: 10, lambda one: 7 * len(one.text), most)
    shown = sum(len(s.items) for s in fitted.sections)
    assert shown + fitted.all_left == sum(s.count for s in (sections or message().sections))
    spent = sum(10 + sum(7 * len(i.text) for i in s.items) for s in fitted.sections)
    assert spent <= room
    assert most is None or shown <= most
    for one in fitted.sections:
        assert one.items == one.section.items[: len(one.items)]


def test_headings_leave_room_for_what_happened() -> None:
    sections = [Section(Reason.OPENED, f"题{n}", 1, (item(n),)) for n in range(50)]
    fitted = fit(message(*sections), 1000, lambda _: 100, lambda _: 100)
    assert len(fitted.sections) == 5
    assert sum(len(s.items) for s in fitted.sections) == 5
    assert fitted.all_left == 45


def test_one_line_on_a_changed_rule_stands_for_all_its_findings() -> None:
    section = Section(Reason.RULE_CHANGED, "上云", 300, (item(1), item(2)))
    assert total(section) == 2
    assert fit(message(section), 1000, lambda _: 10, lambda _: 10).all_left == 0
