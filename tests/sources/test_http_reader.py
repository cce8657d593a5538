from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from include.clock import SHANGHAI
from include.errors import (
    AddressRefused,
    ConfigurationError,
    LimitExceeded,
    SourceMalformed,
    SourceRefused,
    SourceThrottled,
    SourceUnreachable,
)
from include.sources.card import Cursor, Envelope, Paging, Request, Signer
from include.sources.http_reader import read_http
from include.sources.page import PageFault, Window
from include.sources.raw_page import RawPage
from tests.sources.answering import (
    NOON,
    AnsweringServer,
    Asked,
    FakeTime,
    Reply,
    connection_to,
    envelope_of,
    listing,
    make_card,
    reply,
    rows,
)
from tests.sources.reading import FULL, faults_of, ids, pages_of, read


def broken_at(page: int, said: Reply, total: int = 12) -> Callable[[Asked], Reply]:
    """Answer honestly except for one page."""
    honest = listing(total)
    return lambda asked: said if asked.query["pageNo"] == str(page) else honest(asked)


def test_a_listing_is_read_to_its_declared_end() -> None:
    found, asked = read(listing(8))
    assert ids(found) == list(range(8))
    assert [(p.number, p.declared_rows, p.is_last) for p in pages_of(found)] == [
        (1, 8, False),
        (2, 8, False),
        (3, 8, True),
    ]
    assert [a.query for a in asked] == [{"pageNo": str(n), "pageSize": "3"} for n in (1, 2, 3)]
    assert all(p.received_bytes > 80 for p in pages_of(found))
    assert all("项目" not in repr(p) for p in found)


def test_an_empty_listing_is_one_empty_last_page() -> None:
    found, asked = read(lambda _: reply({"code": "0", "message": "", "data": ""}))
    body = b'{"code": "0", "message": "", "data": ""}'
    digest = hashlib.sha256(body).hexdigest()
    assert found == [RawPage(1, [], is_last=True, received_bytes=len(body), body_sha256=digest)]
    assert len(asked) == 1


def test_parameters_of_card_window_and_paging_go_where_the_card_says() -> None:
    since = datetime(2026, 11, 1, tzinfo=SHANGHAI)
    for place in ("query", "json", "form"):
        request = Request("/list", "GET" if place == "query" else "POST", place, {"kind": "投资"}, {"X-Own": "1"})
        card = make_card(request=request, cursor=Cursor("U", since="from"))
        found, asked = read(lambda _: reply(envelope_of(rows(0, 1), 1)), card, Window(since))
        assert len(found) == 1
        expected: dict[str, Any] = {"kind": "投资", "from": "2026-11-01 00:00:00", "pageNo": 1, "pageSize": 3}
        (call,) = asked
        assert call.headers["x-own"] == "1"
        if place == "json":
            assert (call.json, call.query) == (expected, {})
        elif place == "form":
            assert call.body.startswith(b"kind=%E6%8A%95%E8%B5%84&from=2026-11-01+00%3A00%3A00&pageNo=1")
        else:
            assert call.query == {k: str(v) for k, v in expected.items()}


def test_a_changed_total_is_handed_on_for_others_to_judge() -> None:
    totals = {"1": 6, "2": 7, "3": 7}
    found, _ = read(
        lambda a: reply(
            envelope_of(
                rows(3 * int(a.query["pageNo"]) - 3, min(7, 3 * int(a.query["pageNo"]))), totals[a.query["pageNo"]]
            )
        )
    )
    assert [p.declared_rows for p in pages_of(found)] == [6, 7, 7]
    assert ids(found) == list(range(7))


BROKEN = [
    (reply({}, 500), SourceUnreachable, 3),
    (reply({}, 429, Retry_After="1"), SourceThrottled, 3),
    (Reply(b"<html><title>x</title>"), SourceMalformed, 1),
    (Reply(b'{"code": "0", "da'), SourceMalformed, 3),
    (reply({"code": "0", "data": {"list": "text", "total": 12}}), SourceMalformed, 1),
    (reply({"code": "-1", "message": "接口调用失败"}), SourceRefused, 1),
    (Reply(b"", 302, {"Location": "https://elsewhere.example/"}), SourceRefused, 1),
    (reply({"code": "E-9"}), SourceThrottled, 3),
]


@pytest.mark.parametrize(("said", "kind", "attempts"), BROKEN)
@pytest.mark.parametrize("page", [2, 4])
def test_a_page_that_fails_for_good_leaves_a_fault_and_the_others_are_read(
    said: Reply, kind: type[Exception], attempts: int, page: int
) -> None:
    card = make_card(envelope=Envelope("code", throttled=("E-9",), rows=("data.list",), total_path="data.total"))
    found, asked = read(broken_at(page, said), card)
    assert faults_of(found) == [(page, kind)]
    assert sorted(ids(found)) == [i for i in range(12) if not 3 * page - 3 <= i < 3 * page]
    assert len(asked) == 3 + attempts
    assert [p.number for p in pages_of(found) if p.is_last] == ([] if page == 4 else [4])


def test_a_failure_that_passes_leaves_no_trace() -> None:
    failing = [2]
    honest = listing(8)

    def answer(asked: Asked) -> Reply:
        if asked.query["pageNo"] == "2" and failing.pop() if failing else False:
            return reply({}, 500)
        return honest(asked)

    found, asked = read(answer)
    assert (ids(found), faults_of(found), len(asked)) == (list(range(8)), [], 4)


def test_three_faults_in_a_row_end_the_reading() -> None:
    found, _ = read(lambda a: reply({}, 500), make_card(limits={"attempts": 1}))
    assert faults_of(found) == [(n, SourceUnreachable) for n in (1, 2, 3)]


def test_ten_faults_in_all_end_the_reading() -> None:
    honest = listing(300)
    found, _ = read(
        lambda a: reply({}, 500) if int(a.query["pageNo"]) % 2 == 0 else honest(a), make_card(limits={"attempts": 1})
    )
    assert faults_of(found) == [(n, SourceUnreachable) for n in range(2, 22, 2)]


def test_a_refusal_of_the_first_page_ends_the_reading_at_once() -> None:
    found, asked = read(lambda _: reply({"code": "E-106", "message": "不在授权名单"}))
    assert faults_of(found) == [(1, SourceRefused)]
    assert len(asked) == 1


def test_an_address_that_is_not_allowed_ends_the_reading_before_any_call() -> None:
    found, asked = read(listing(3), networks="10.0.0.0/8")
    assert faults_of(found) == [(1, AddressRefused)]
    assert asked == []


def test_a_page_that_comes_again_is_asked_for_once_more_and_then_ends_the_reading() -> None:
    honest = listing(30)

    def stuck(asked: Asked) -> Reply:
        asked.query["pageNo"] = str(min(int(asked.query["pageNo"]), 4))
        return honest(asked)

    found, asked = read(stuck)
    assert ids(found) == list(range(12))
    (fault,) = [f for f in found if isinstance(f, PageFault)]
    assert (fault.number, type(fault.error)) == (5, SourceMalformed)
    assert "page 5 is the same as page 4" in str(fault.error)
    assert len(asked) == 6


def test_a_page_that_came_again_only_by_accident_is_healed() -> None:
    honest, wrong = listing(9), [1]

    def answer(asked: Asked) -> Reply:
        if asked.query["pageNo"] == "2" and wrong:
            wrong.pop()
            asked.query["pageNo"] = "1"
        return honest(asked)

    found, _ = read(answer)
    assert (ids(found), faults_of(found)) == (list(range(9)), [])


def test_paging_without_end_stops_with_a_fault_behind_the_pages_that_came() -> None:
    def endless(asked: Asked) -> Reply:
        number = int(asked.query["pageNo"])
        return reply(envelope_of(rows(3 * number - 3, 3 * number), 3 * number + 3))

    found, asked = read(endless)
    assert faults_of(found) == [(len(asked) + 1, LimitExceeded)]
    assert len(asked) == 4
    assert not any(p.is_last for p in pages_of(found))


def test_no_more_pages_are_read_than_the_card_allows() -> None:
    found, asked = read(listing(100), make_card(limits={"pages": 5}))
    assert faults_of(found) == [(6, LimitExceeded)]
    assert (len(asked), len(ids(found))) == (5, 15)


def test_reading_ends_when_its_time_is_over() -> None:
    time_ = FakeTime()
    honest = listing(100)

    def slow(asked: Asked) -> Reply:
        time_.seconds += 4
        return honest(asked)

    found, asked = read(slow, make_card(limits={"seconds": 10}), time_=time_)
    assert faults_of(found) == [(4, LimitExceeded)]
    assert len(asked) == 3
    assert "(seconds)" in str([f.error for f in found if isinstance(f, PageFault)][0])


def test_cursors_are_followed_and_end_at_the_first_fault() -> None:
    card = make_card(
        paging=Paging("cursor", "cursor", next="next"), envelope=Envelope(rows=("rows",)), limits={"attempts": 1}
    )
    following = {"": ("a", 0), "a": ("b", 3), "b": ("", 6)}

    def answer(asked: Asked) -> Reply:
        after, begin = following[asked.query.get("cursor", "")]
        return reply({"rows": rows(begin, begin + 3), "next": after})

    found, _ = read(answer, card)
    assert (ids(found), [p.is_last for p in pages_of(found)]) == (list(range(9)), [False, False, True])
    found, asked = read(lambda a: reply({}, 500) if a.query.get("cursor") == "a" else answer(a), card)
    assert (ids(found), faults_of(found), len(asked)) == ([0, 1, 2], [(2, SourceUnreachable)], 2)


def test_links_are_followed_on_the_same_host_and_refused_elsewhere() -> None:
    card = make_card(paging=Paging("link"), envelope=Envelope(), request=Request("/list", parameters={"kind": "x"}))

    def answer(asked: Asked) -> Reply:
        number = int(asked.query.get("page", "1"))
        target = f"/list?page={number + 1}" if number < 3 else "http://elsewhere.example/list"
        return reply(rows(number * 3 - 3, number * 3), Link=f'<{target}>; rel="next"')

    found, asked = read(answer, card)
    assert ids(found) == list(range(9))
    assert faults_of(found) == [(4, AddressRefused)]
    assert [a.query for a in asked] == [{"kind": "x"}, {"page": "2"}, {"page": "3"}]


def test_differing_clocks_are_noted_once_when_the_platform_accepts_the_calls() -> None:
    honest = listing(9)

    def answer(asked: Asked) -> Reply:
        said = honest(asked)
        return Reply(said.body, headers={"Date": format_datetime(NOON + timedelta(seconds=240))})

    found, _ = read(answer)
    assert [p.notes for p in pages_of(found)] == [("clock differs by 240 s",), (), ()]


def test_a_wrong_label_is_noted_on_its_page() -> None:
    body = b'{"code":"0","data":{"list":[{"ID":1,"N":"' + "双鸭山市".encode("gb18030") + b'"}],"total":1}}'
    found, _ = read(lambda _: Reply(body, headers={"Content-Type": "application/json; charset=utf-8"}))
    (page,) = pages_of(found)
    assert page.rows == [{"ID": 1, "N": "双鸭山市"}]
    assert page.notes == ("decoded as GB18030 though labelled utf-8",)


def test_neither_rows_nor_secrets_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    card = make_card(signer=Signer("tif"), envelope=Envelope("code", rows=("data.list",), total_path="data.total"))
    honest = listing(6)

    def answer(asked: Asked) -> Reply:
        if asked.query["pageNo"] == "2":
            return reply({"code": 1, "message": "bad token demo-token"}, 500)
        return honest(asked)

    found, _ = read(answer, card, login="demo-paas", password="demo-token")
    assert faults_of(found) == [(2, SourceRefused)]
    assert "page failed source=test_platform page=2" in caplog.text
    for text in (caplog.text, repr(found), str(found[1].error if isinstance(found[1], PageFault) else "")):
        assert "demo-token" not in text
        assert "项目1" not in text


def test_what_does_not_fit_together_is_raised_before_any_call() -> None:
    with AnsweringServer(listing(3)) as server:
        for card, match in (
            (make_card(limits={"rate": "often"}), "not a rate"),
            (make_card(signer=Signer("tif")), "lacks credentials"),
        ):
            with pytest.raises(ConfigurationError, match=match):
                list(read_http(card, connection_to(server.url), FULL))
        assert server.asked == []


def test_a_reader_that_is_left_early_closes_its_connection() -> None:
    with AnsweringServer(listing(30)) as server:
        reading = read_http(make_card(), connection_to(server.url), FULL)
        assert isinstance(next(reading), RawPage)
        reading.close()  # type: ignore[attr-defined]
        assert len(server.asked) == 1
