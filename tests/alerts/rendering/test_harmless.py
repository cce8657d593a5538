"""Texts from outside are on one line, show what they are, and do nothing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.alerts.rendering.harmless import is_link, lines, one_line, without_links
from tests.alerts.messages import HOSTILE


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("智慧校园平台(二期)", "智慧校园平台(二期)"),
        ("一\r\n二\n三\x0b四\u2028五\x85六", "一 二 三 四 五 六"),
        ("系统\u202egnp.exe\u202c", "系统gnp.exe"),
        ("a\x00b\x1b[31mc\u200bd\ufeff", "ab[31mcd"),
        ("  甲\u3000\u00a0 乙\t丙 ", "甲 乙 丙"),
        ("👨‍👩‍👧‍👦𠮷é", "👨‍👩‍👧‍👦𠮷é"),
        ("\ud800半", "\ufffd半"),
    ],
)
def test_what_is_seen_stays_and_what_is_not_goes(text: str, shown: str) -> None:
    assert one_line(text) == shown


@given(st.text(alphabet=st.characters()))
def test_one_line_has_no_sign_that_nobody_sees(text: str) -> None:
    shown = one_line(text)
    assert not [s for s in shown if unicodedata.category(s) in ("Cc", "Cs", "Zl", "Zp")]
    assert not [s for s in shown if unicodedata.category(s) == "Cf" and s != "\u200d"]
    assert len(shown.splitlines()) <= 1
    assert one_line(shown) == shown
    shown.encode()


def test_marks_do_not_pile_up() -> None:
    shown = one_line(HOSTILE["marks"])
    assert shown.startswith("h")
    assert shown.endswith("ello")
    assert len(shown) < 20


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://evil.invalid/x", "http：//evil．invalid/x"),
        ("www.evil.com", "www．evil．com"),
        ("JavaScript:alert(1)", "JavaScript：alert(1)"),
        ("@all @所有人 a@b.cn", "＠all ＠所有人 a＠b．cn"),
        ("例子.中国", "例子．中国"),
        ("得分 3.5,版本 2.10.1,比例 1:2,第8条:无", "得分 3.5,版本 2.10.1,比例 1:2,第8条:无"),
    ],
)
def test_nothing_can_be_clicked_or_called(text: str, shown: str) -> None:
    assert without_links(text) == shown


def test_lines_are_those_with_something_on_them() -> None:
    assert lines("甲\n\n 乙 \r\n\u200b\n丙") == ["甲", "乙", "丙"]
    assert lines("") == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "javascript:alert(1)",
        "http://a b",
        'http://a"onclick',
        "http://a)b",
        "http://a\n",
        "//a.cn",
        "http://a<b",
        "ftp://a",
    ],
)
def test_only_plain_addresses_are_links(text: str) -> None:
    assert not is_link(text)


def test_our_own_addresses_are_links() -> None:
    assert is_link("https://host:8443/shuheng/findings?department=%E6%9F%90%E5%B1%80&topic=cloud#top")
    assert is_link("http://127.0.0.1:18080/shuheng/")
