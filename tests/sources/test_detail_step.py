"""The detail of each listed row: one more call signed for another service; one that cannot be had costs no row."""

from __future__ import annotations

import base64
import hmac
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from include.errors import LimitExceeded, SourceMalformed, SourceRefused, SourceUnreachable
from include.sources.card import Card, Detail, Gate, Request
from include.sources.page import PageFault
from tests.sources.answering import Asked, FakeTime, Reply, envelope_of, listing, make_card, reply, rows
from tests.sources.reading import faults_of, pages_of, read
from tests.sources.test_http_reader_signed import EXCHANGE_CARD, Exchange

DETAIL = Detail("/detail", {"code": "ID"}, "DETAIL", rows="data")
CARD = make_card(detail=DETAIL)


def with_details(total: int, answer: Callable[[Asked], Reply] | None = None) -> Callable[[Asked], Reply]:
    """Return the answers of a platform with a listing and a detail for each row."""
    honest = listing(total)

    def detail(asked: Asked) -> Reply:
        return reply({"code": "0", "data": {"code": asked.query["code"], "url": f"http://there/{asked.query['code']}"}})

    return lambda asked: (answer or detail)(asked) if asked.path == "/detail" else honest(asked)


def urls(found: list[Any]) -> list[str | None]:
    return [row.get("DETAIL", {}).get("url") for page in pages_of(found) for row in page.rows]


def reasons(found: list[Any]) -> list[tuple[int, str, str]]:
    return [(f.number, f.code, str(f.error)) for f in found if isinstance(f, PageFault)]


def test_every_row_gets_its_detail_in_the_order_of_the_listing() -> None:
    found, asked = read(with_details(5), CARD)
    assert urls(found) == [f"http://there/{n}" for n in range(5)]
    assert [a.path for a in asked] == ["/list", *["/detail"] * 3, "/list", *["/detail"] * 2]
    assert faults_of(found) == []


def test_a_detail_that_cannot_be_had_costs_no_row_and_is_said() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.query["code"] == "1":
            return reply({"code": "-1", "message": "no such service"})
        return reply({"code": "0", "data": {"url": "u"}})

    found, _ = read(with_details(5, answer), CARD)
    assert urls(found) == ["u", None, "u", "u", "u"]
    ((page, code, sentence),) = reasons(found)
    assert (page, code) == (1, "detail_missing")
    assert "1 of 3 rows came without their detail" in sentence
    assert "no such service" in sentence
    assert faults_of(found) == [(1, SourceRefused)]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"code": "0", "data": "gone"}, SourceMalformed),
        ({"code": "0", "data": [1]}, SourceMalformed),
        ({"code": "0"}, SourceMalformed),
        ([], SourceMalformed),
    ],
)
def test_an_answer_that_is_no_object_is_no_detail(answer: Any, error: type[Exception]) -> None:
    found, _ = read(with_details(3, lambda _: reply(answer)), CARD)
    assert urls(found) == [None] * 3
    assert faults_of(found) == [(1, error)]


def test_details_that_are_down_are_given_up_after_a_few() -> None:
    found, asked = read(with_details(30, lambda _: reply({}, 503)), make_card(detail=DETAIL, limits={"attempts": 2}))
    assert len(urls(found)) == 30
    assert len([a for a in asked if a.path == "/detail"]) == 5 * 2
    assert [(n, code) for n, code, _ in reasons(found)] == [(n, "detail_missing") for n in range(1, 11)]
    assert faults_of(found)[0] == (1, SourceUnreachable)
    assert faults_of(found)[-1] == (10, LimitExceeded)


def test_a_row_without_the_field_asked_by_lacks_its_detail() -> None:
    def answer(asked: Asked) -> Reply:
        return reply(envelope_of([{"NAME": "a"}, {"ID": "", "NAME": "b"}], 2))

    found, asked = read(answer, CARD)
    assert [a.path for a in asked] == ["/list"]
    assert faults_of(found) == [(1, SourceMalformed)]
    assert [row["NAME"] for page in pages_of(found) for row in page.rows] == ["a", "b"]


def test_what_the_secrecy_gate_refuses_is_not_asked_about() -> None:
    listed = [{"ID": n, "MJ": "秘密" if n == 1 else ""} for n in range(3)]

    def answer(asked: Asked) -> Reply:
        return reply({"code": "0", "data": {"url": "u"}} if asked.path == "/detail" else envelope_of(listed, 3))

    gated = replace(CARD, classified=(Gate("MJ", frozenset([""]), open_if_absent=False),))
    found, asked = read(answer, gated)
    assert [a.query["code"] for a in asked if a.path == "/detail"] == ["0", "2"]
    assert faults_of(found) == []


def test_details_count_against_the_rate() -> None:
    clock = FakeTime()
    read(with_details(6), make_card(detail=DETAIL, limits={"rate": "1次/秒"}), time_=clock)
    assert clock.seconds == pytest.approx(7)  # two pages and six details, the first at once


class TwoServices(Exchange):
    """A gjgxjhpt platform that signs its details for another service."""

    def __init__(self) -> None:
        super().__init__(3)
        self.sids: list[tuple[str, str]] = []

    def _list(self, asked: Asked) -> Reply:
        sid, rtime = asked.headers["gjgxjhpt_sid"], asked.headers["gjgxjhpt_rtime"]
        self.sids.append((asked.path, sid))
        key = self.secret(self.given).encode()
        mac = hmac.new(key, f"{sid}{self.RID}{rtime}".encode(), "sha256")
        assert asked.headers["gjgxjhpt_sign"] == base64.b64encode(mac.digest()).decode()
        if asked.path == "/detail":
            if asked.json["code"] == 1 and self.given == 1:
                return reply({"code": "E-107", "message": "secret已过期", "data": ""})
            return reply({"code": "0", "data": {"url": f"u{asked.json['code']}"}})
        return reply(envelope_of(rows(0, 3), 3))


def test_the_detail_is_signed_for_its_own_service_and_with_a_renewed_secret() -> None:
    platform = TwoServices()
    card: Card = replace(
        EXCHANGE_CARD, request=Request("/list", "POST", "json"),
        detail=Detail("/detail", {"code": "ID"}, "DETAIL", "POST", "json", "s_2", "data"),
    )  # fmt: skip
    found, _ = read(platform, card, login="rid-1", password="an-appkey")
    assert urls(found) == ["u0", "u1", "u2"]
    assert platform.given == 2
    assert set(platform.sids) == {("/list", "s_1"), ("/detail", "s_2")}


def test_no_secret_gets_into_what_is_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    found, _ = read(
        with_details(1, lambda _: reply({"code": "-1", "message": "bad key hunter2-hunter2"})),
        CARD, login="me", password="hunter2-hunter2",
    )  # fmt: skip
    assert "hunter2" not in caplog.text + str(reasons(found))
