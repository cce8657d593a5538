from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import SourceMalformed
from include.sources.decoding import CutShort, decode_json, decode_json_exactly, unwrap

UTF8 = "application/json; charset=utf-8"
VALUE = {"name": "双鸭山市数字化项目", "n": 1}
TEXT = json.dumps(VALUE, ensure_ascii=False)


@pytest.mark.parametrize(
    ("body", "label"),
    [
        (TEXT.encode(), UTF8),
        (TEXT.encode(), ""),
        (TEXT.encode(), "text/plain"),
        (TEXT.encode(), "application/json;charset=ISO-8859-1"),
        (TEXT.encode(), "application/json; charset=no-such-set"),
        (b"\xef\xbb\xbf" + TEXT.encode(), UTF8),
        (TEXT.encode("gb18030"), "application/json; charset=GBK"),
        (TEXT.encode("gb18030"), 'application/json; charset="gb2312"'),
        (TEXT.encode("utf-16"), "application/json; charset=utf-16"),
        (json.dumps(TEXT).encode(), UTF8),
    ],
)
def test_json_is_read_in_the_encoding_it_has_without_a_note_when_the_label_is_right(body: bytes, label: str) -> None:
    assert decode_json(body, label) == (VALUE, ())


def test_gb18030_under_a_utf8_label_is_read_and_noted() -> None:
    assert decode_json(TEXT.encode("gb18030"), UTF8) == (VALUE, ("decoded as GB18030 though labelled utf-8",))


@pytest.mark.parametrize("label", ["gbk", "utf-16"])
def test_utf8_under_another_label_is_read_and_noted(label: str) -> None:
    note = f"decoded as UTF-8 though labelled {label}"
    assert decode_json(TEXT.encode(), f"application/json; charset={label}") == (VALUE, (note,))


def test_the_name_of_the_city_is_read_by_its_gbk_label_though_its_bytes_are_valid_utf8() -> None:
    body = '{"name":"双鸭山"}'.encode("gb18030")
    body.decode("utf-8")  # valid by chance
    assert decode_json(body, "application/json; charset=gbk") == ({"name": "双鸭山"}, ())


def test_html_with_status_200_shows_its_title_hash_and_size_and_nothing_else() -> None:
    body = f"\n<!DOCTYPE html><html><title> 系统\n维护 {'长' * 200}</title><body>涉密内容</body></html>".encode()
    with pytest.raises(SourceMalformed) as caught:
        decode_json(body, "text/html")
    said = str(caught.value)
    assert said.startswith(f"HTML page instead of JSON, title '{('系统 维护 ' + '长' * 200)[:80]}', body SHA-256 ")
    assert hashlib.sha256(body).hexdigest() in said
    assert f"{len(body)} bytes" in said
    assert "涉密" not in said
    assert not isinstance(caught.value, CutShort)


def test_plain_text_is_malformed_and_not_quoted() -> None:
    with pytest.raises(SourceMalformed, match="text instead of JSON, body SHA-256") as caught:
        decode_json("内部错误 张三".encode(), "text/plain")
    assert "张三" not in str(caught.value)


@pytest.mark.parametrize("size", [1, 5, 12, 20, 30])
def test_json_cut_anywhere_is_told_apart_because_another_attempt_may_help(size: int) -> None:
    with pytest.raises(CutShort):
        decode_json(TEXT.encode()[:-size], UTF8)


def test_an_empty_body_counts_as_cut() -> None:
    for body in (b"", b"  \n"):
        with pytest.raises(CutShort, match="empty"):
            decode_json(body, UTF8)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[" * 100_000 + b"]" * 100_000, "depth limit"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"a":1e400}', "infinity"),
        (b'{"a":NaN}', "unexpected character"),
        (b'{"a":1}{"b":2}', "unexpected content"),
        (b'{"a":"\xff\xff"}', "neither utf-8 nor GB18030"),
    ],
)
def test_what_is_no_json_is_malformed_with_the_reason_and_never_a_crash(body: bytes, reason: str) -> None:
    with pytest.raises(SourceMalformed, match=reason) as caught:
        decode_json(body, UTF8)
    assert not isinstance(caught.value, CutShort)


def test_numbers_beyond_64_bits_do_not_crash_and_can_be_had_exactly() -> None:
    body = b'{"code":26112305000404000018,"small":12,"low":-9223372036854775809,"f":1.5,"long":' + b"9" * 5000 + b"}"
    fast, _ = decode_json(body[: body.index(b',"long"')] + b"}", UTF8)
    assert isinstance(fast["code"], float)
    assert decode_json_exactly(body, UTF8) == {
        "code": "26112305000404000018", "small": 12, "low": "-9223372036854775809", "f": 1.5, "long": "9" * 5000
    }  # fmt: skip


@pytest.mark.parametrize("text", ["plain", "{not json", "", "12"])
def test_strings_that_hold_no_json_stay_strings(text: str) -> None:
    assert unwrap(text) == text


@given(
    st.binary(max_size=200),
    st.sampled_from(["", UTF8, "x;charset=gbk", "x;charset=utf-16", "x;charset=rot13", "x;charset=undefined"]),
)
def test_any_bytes_end_in_a_value_or_in_malformed(body: bytes, label: str) -> None:
    try:
        decode_json(body, label)
    except SourceMalformed as error:
        assert "SHA-256" in str(error)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab中", max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text("ab项", max_size=3), json_values))
def test_both_ways_of_reading_agree(value: Any) -> None:
    body = json.dumps(value, ensure_ascii=False).encode()
    assert decode_json(body, UTF8)[0] == decode_json_exactly(body, UTF8) == value
