from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from include.errors import ClockSkew, SourceMalformed, SourceRefused, SourceThrottled, SourceUnreachable
from include.sources.call import Answer
from include.sources.card import Card, Envelope, Paging
from include.sources.envelope import MISSING, SecretExpired, check, open_envelope, skew_note, walk
from tests.sources.answering import NOON, make_card


def answer(document: Any, status: int = 200, skew: float | None = None, body: bytes = b"") -> Answer:
    server_at = None if skew is None else NOON + timedelta(seconds=skew)
    return Answer(status, document, body, "application/json", "http://x/list", None, NOON, server_at)


def card(**parts: Any) -> Card:
    return make_card(envelope=Envelope(**{"code": "code", "rows": "data.list", **parts}))


def refused(
    document: Any,
    of: Card | None = None,
    status: int = 200,
    skew: float | None = None,
    hide: Callable[[str], str] = str,
) -> Exception:
    with pytest.raises(Exception) as caught:
        check(answer(document, status, skew), of or card(), hide)
    return caught.value


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", {"data": {"list": [1]}, "text": '{"rows": [2]}', "none": None, "blank": ""}),
        ("data.list", [1]),
        ("text.rows", [2]),
        ("text", {"rows": [2]}),
        ("none", None),
        ("none.list", MISSING),
        ("blank.list", MISSING),
        ("absent", MISSING),
        ("absent.list", MISSING),
    ],
)
def test_dotted_paths_lead_through_objects_and_through_json_inside_strings(path: str, found: Any) -> None:
    document = {"data": {"list": [1]}, "text": '{"rows": [2]}', "none": None, "blank": ""}
    assert walk(document, path) == found


@pytest.mark.parametrize(
    ("code", "success"),
    [(0, "0"), ("0", "0"), (0.0, "0"), (200, "200"), ("200", "200"), ("00", "00"), (True, "True"), ("OK", "ok")],
)
def test_success_codes_are_compared_as_lower_case_text(code: Any, success: str) -> None:
    check(answer({"code": code}), card(success=(success,)), str)


@pytest.mark.parametrize("code", ["00", 1, "-1", False])
def test_another_code_is_a_refusal_though_the_status_is_200(code: Any) -> None:
    error = refused({"code": code, "message": "接口调用失败"})
    assert type(error) is SourceRefused
    assert error.code == str(code).lower()
    assert "接口调用失败" in str(error)


@pytest.mark.parametrize("document", [{}, {"code": None}, {"code": {"value": 0}}, [], "text", None])
def test_an_answer_without_a_code_is_malformed_and_names_the_path(document: Any) -> None:
    error = refused(document)
    assert type(error) is SourceMalformed
    assert "'code'" in str(error)


def test_a_card_without_a_code_goes_by_the_status() -> None:
    plain = card(code=None)
    check(answer([{"ID": 1}]), plain, str)
    error = refused({"message": "不在授权名单"}, plain, status=403)
    assert isinstance(error, SourceRefused)
    assert (error.code, "不在授权名单" in str(error)) == ("403", True)


@pytest.mark.parametrize("document", [None, {}, {"code": "0"}])
def test_a_failing_status_is_never_a_success(document: Any) -> None:
    assert "HTTP 404" in str(refused(document, status=404))
    assert type(refused(document, status=500)) is SourceUnreachable


def test_http_500_with_a_failing_code_is_a_refusal() -> None:
    error = refused({"code": 400001, "msg": "签名错误"}, card(message="msg"), status=500)
    assert type(error) is SourceRefused
    assert error.code == "400001"


def test_the_platforms_message_is_cut_folded_and_freed_of_secrets() -> None:
    document = {"code": "-1", "message": "sign of my-secret\nwrong " + "长" * 500}
    said = str(refused(document, hide=lambda text: text.replace("my-secret", "***")))
    assert "sign of *** wrong 长" in said
    assert len(said) < 260


@pytest.mark.parametrize("document", [{"code": "E-107"}, {"code": "9", "message": "调用失败：secret已过期"}])
def test_an_expired_secret_is_told_by_code_or_by_words(document: Any) -> None:
    error = refused(document, card(expired=("e-107", "Secret已过期")))
    assert isinstance(error, SecretExpired)
    assert type(error.plain) is SourceRefused


def test_a_number_listed_as_expired_is_a_code_and_no_word() -> None:
    of = card(expired=("14",))
    assert isinstance(refused({"code": 14}, of), SecretExpired)
    assert type(refused({"code": 9, "message": "第14条"}, of)) is SourceRefused


def test_a_throttling_code_may_pass() -> None:
    assert type(refused({"code": "E-429"}, card(throttled=("E-429",)))) is SourceThrottled


@pytest.mark.parametrize("skew", [200.0, -200.0])
def test_a_refusal_while_the_clocks_differ_names_both_and_the_difference(skew: float) -> None:
    error = refused({"code": "-1", "message": "签名错误"}, skew=skew)
    assert type(error) is ClockSkew
    said = str(error)
    assert "clock here 2026-11-23T12:00:00+08:00" in said
    assert "clock of the platform 2026-11-23T1" in said
    assert f"difference {skew:.0f} s" in said
    assert "NTP" in said


@pytest.mark.parametrize(
    "message", ["时间戳超出有效范围", "请求时间超出有效范围", "invalid timestamp", "requestTime expired"]
)
@pytest.mark.parametrize("skew", [None, 2.0])
def test_a_refusal_that_speaks_of_time_stamps_is_about_clocks(message: str, skew: float | None) -> None:
    assert type(refused({"code": "-1", "message": message}, skew=skew)) is ClockSkew


def test_a_small_difference_of_clocks_is_no_reason() -> None:
    assert type(refused({"code": "-1", "message": "签名错误"}, skew=179.0)) is SourceRefused


def test_an_accepted_call_with_differing_clocks_gets_a_note() -> None:
    assert skew_note(answer({}, skew=-195.4), card()) == ("clock differs by -195 s",)
    assert skew_note(answer({}, skew=95.0), card()) == ()
    assert skew_note(answer({}), card()) == ()


@pytest.mark.parametrize("data", ["", None, {}, {"list": None}, {"list": ""}, {"list": []}])
def test_blank_null_and_missing_rows_are_an_empty_list(data: Any) -> None:
    assert open_envelope(answer({"code": "0", "data": data}), make_card()).rows == []


def test_rows_may_be_the_answer_itself_or_json_inside_a_string() -> None:
    rows = [{"ID": 1}, {"ID": 2}]
    assert open_envelope(answer(rows), card(rows=("",))).rows == rows
    assert open_envelope(answer({"data": json.dumps(rows)}), card(rows=("data",))).rows == rows
    assert open_envelope(answer({"data": json.dumps({"list": rows})}), card(rows=("data.list",))).rows == rows


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ({"list": {"ID": 1}}, "is dict"),
        ({"list": "张三"}, "is str"),
        ({"list": 5}, "is int"),
        ([1], "is list"),
        (7, "is int"),
        ({"list": [{"ID": 1}, ["张三"]]}, "row 2 of .* is list"),
        ({"list": [None]}, "row 1 of .* is NoneType"),
    ],
)
def test_rows_of_another_type_are_malformed_and_not_quoted(data: Any, word: str) -> None:
    with pytest.raises(SourceMalformed, match=word) as caught:
        open_envelope(answer({"code": "0", "data": data}), make_card())
    assert "data.list" in str(caught.value)
    assert "张三" not in str(caught.value)


@pytest.mark.parametrize(("total", "read"), [(25, 25), ("25", 25), (" 1,025 ", 1025), (25.0, 25), (0, 0)])
def test_totals_are_read_from_numbers_and_text_as_rows_or_as_pages(total: Any, read: int) -> None:
    document = {"data": {"total": total}}
    as_rows = open_envelope(answer(document), card(total_path="data.total"))
    as_pages = open_envelope(answer(document), card(total_path="data.total", total_counts="pages"))
    assert (as_rows.declared_rows, as_rows.declared_pages) == (read, None)
    assert (as_pages.declared_rows, as_pages.declared_pages) == (None, read)


@pytest.mark.parametrize("total", [-1, 2.5, "many", True, [3], "9" * 5000])
def test_a_total_that_is_no_number_is_noted_and_not_believed(total: Any) -> None:
    opened = open_envelope(answer({"data": {"total": total}}), card(total_path="data.total"))
    assert opened.declared_rows is None
    assert opened.notes == ("the declared total at 'data.total' is not a whole number",)


@pytest.mark.parametrize("total", [None, ""])
def test_an_absent_total_is_simply_absent(total: Any) -> None:
    opened = open_envelope(answer({"data": {"total": total}}), card(total_path="data.total"))
    assert (opened.declared_rows, opened.notes) == (None, ())


@pytest.mark.parametrize(("cursor", "read"), [("abc", "abc"), (7, 7), ("", None), (None, None), ({}, None)])
def test_the_next_cursor_is_read_where_the_card_says(cursor: Any, read: Any) -> None:
    of = make_card(paging=Paging("cursor", "cursor", next="data.next"), envelope=Envelope(rows=("data.rows",)))
    assert open_envelope(answer({"data": {"next": cursor}}), of).next_cursor == read


@pytest.mark.parametrize("cursor", [1.5, 1e30, True, False, ["a"], {"after": "abc"}])
def test_a_cursor_of_another_type_is_malformed_and_not_the_last_page(cursor: Any) -> None:
    of = make_card(paging=Paging("cursor", "cursor", next="data.next"), envelope=Envelope(rows=("data.rows",)))
    with pytest.raises(SourceMalformed, match=r"'data\.next' should be a text or a whole number") as caught:
        open_envelope(answer({"data": {"next": cursor}}), of)
    assert "abc" not in str(caught.value)


def test_a_column_of_numbers_beyond_64_bits_is_kept_exactly_as_text() -> None:
    body = b'{"data":{"list":[{"code":26112305000404000018},{"code":26112305000404000026}]}}'
    opened = open_envelope(answer(json.loads(body.replace(b"18}", b"18.0}")), body=body), make_card())
    assert [r["code"] for r in opened.rows] == ["26112305000404000018", "26112305000404000026"]
    assert opened.notes == ("whole numbers beyond 64 bits are kept as text",)
