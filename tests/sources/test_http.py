from __future__ import annotations

import gzip
import logging
import socket
import struct
import time
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from include.connections import Connection
from include.errors import (
    ConfigurationError,
    LimitExceeded,
    ShuhengError,
    SourceMalformed,
    SourceRefused,
    SourceThrottled,
    SourceUnreachable,
)
from include.sources.call import Answer, Call, form_body, json_body
from include.sources.card import Limits
from include.sources.http import HttpSession
from tests.sources.answering import NOON, AnsweringServer, Asked, FakeTime, Reply, connection_to, reply

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def in_turn(*replies: Reply) -> Callable[[Asked], Reply]:
    """Answer one after the other, the last one for ever."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def fetch(
    server: AnsweringServer, call: Call | None = None, time_: FakeTime | None = None, tif: bool = False, **limits: Any
) -> Answer:
    """Make one call with its attempts."""
    timing = (time_ or FakeTime()).timing()
    bounds = Limits(**{"attempts": 4, **limits})
    with HttpSession(connection_to(server.url), bounds, timing, error_is_answer=tif) as session:
        return session.fetch(lambda: call or Call("GET", "/list"), lambda answer: answer)


def fault(server: AnsweringServer, time_: FakeTime | None = None, **limits: Any) -> ShuhengError:
    """Make one call that must fail, and return its error."""
    with pytest.raises(ShuhengError) as caught:
        fetch(server, None, time_, **limits)
    return caught.value


def raw(*parts: bytes, pause: float = 0.0, reset: bool = False) -> Reply:
    """Write bytes as they are, and close or reset the connection."""

    def stream(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    return Reply(stream=stream)


def test_query_json_and_form_reach_the_platform_as_they_are() -> None:
    with AnsweringServer(lambda _: reply({})) as server:
        fetch(server, Call("GET", "/list", {"名称": "双鸭山 & 市", "n": 1}, {"X-Own": "yes"}))
        body, kind = json_body({"名称": "双鸭山", "n": 1})
        fetch(server, Call("POST", "/json", body=body, content_type=kind))
        body, kind = form_body({"名称": "双鸭山 & 市", "n": 1})
        fetch(server, Call("POST", "/form", body=body, content_type=kind))
    query, posted, form = server.asked
    assert (query.query, query.headers["x-own"]) == ({"名称": "双鸭山 & 市", "n": "1"}, "yes")
    assert (posted.json, posted.headers["content-type"]) == ({"名称": "双鸭山", "n": 1}, "application/json")
    assert form.headers["content-type"] == "application/x-www-form-urlencoded"
    assert form.body.decode() == "%E5%90%8D%E7%A7%B0=%E5%8F%8C%E9%B8%AD%E5%B1%B1+%26+%E5%B8%82&n=1"


def test_one_connection_serves_many_calls() -> None:
    with AnsweringServer(lambda _: reply({"ok": 1})) as server:
        with HttpSession(connection_to(server.url), Limits()) as session:
            for _ in range(5):
                session.fetch(lambda: Call("GET", "/list"), lambda answer: answer)
        assert len(server.asked) == 5
        assert len({a.client for a in server.asked}) == 1


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_compressed_and_plain_answers_are_read(encoding: str) -> None:
    body = b'{"a":"' + b"x" * 3_000_000 + b'"}'
    sent = gzip.compress(body) if encoding == "gzip" else body
    with AnsweringServer(lambda _: Reply(sent, headers={"Content-Encoding": encoding})) as server:
        assert len(fetch(server).body) == len(body)


def test_chunked_answers_and_those_without_a_length_are_read() -> None:
    chunked = raw(HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n', b"2\r\n1}\r\n0\r\n\r\n")
    closed = raw(HEAD + b"\r\n", b'{"a":', b"1}")
    for said in (chunked, closed):
        with AnsweringServer(in_turn(said)) as server:
            assert fetch(server).document == {"a": 1}


def test_a_gzip_bomb_ends_at_the_limit_and_is_not_tried_again() -> None:
    bomb = gzip.compress(b" " * 200_000_000, 1)
    assert len(bomb) < 2_000_000
    with AnsweringServer(lambda _: Reply(bomb, headers={"Content-Encoding": "gzip"})) as server:
        error = fault(server, page_bytes=4_000_000)
    assert isinstance(error, LimitExceeded)
    assert "4000000 bytes (page_bytes)" in str(error)
    assert len(server.asked) == 1


@pytest.mark.parametrize("declared", [True, False])
def test_an_answer_larger_than_the_limit_ends_there(declared: bool) -> None:
    length = b"Content-Length: 900000000\r\n\r\n" if declared else b"\r\n"
    with AnsweringServer(in_turn(raw(HEAD + length, *[b" " * 100_000] * 60))) as server:
        error = fault(server, page_bytes=2_000_000)
    assert isinstance(error, LimitExceeded)
    assert ("declares 900000000 bytes" in str(error)) == declared


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\nX: ", HEAD + b"Content-Length: 5000\r\n\r\n", HEAD + b"\r\n"],
    ids=["head", "body", "open"],
)
def test_a_slow_drip_ends_after_page_seconds_wherever_it_drips(start: bytes) -> None:
    with AnsweringServer(in_turn(raw(start, *[b" "] * 100, pause=0.1))) as server:
        begun = time.monotonic()
        error = fault(server, page_seconds=0.4, read_seconds=5)
        took = time.monotonic() - begun
    assert isinstance(error, LimitExceeded)
    assert "0.4 s (page_seconds)" in str(error)
    assert took > 0.35


def test_silence_ends_after_read_seconds_and_is_tried_again() -> None:
    with AnsweringServer(in_turn(raw(b"", pause=1.0), reply({"ok": 1}))) as server:
        assert fetch(server, read_seconds=0.3).document == {"ok": 1}
        assert len(server.asked) == 2
    with AnsweringServer(in_turn(raw(b"", pause=1.0))) as server:
        error = fault(server, read_seconds=0.2, attempts=2)
    assert isinstance(error, SourceUnreachable)
    assert "read_seconds" in str(error)


BROKEN = {
    "HTTP 500": reply({"code": "9"}, 500),
    "HTTP 502 with HTML": Reply(b"<html><title>Bad Gateway</title>", 502),
    "reset in the body": raw(HEAD + b"Content-Length: 100\r\n\r\n" + b'{"a":', reset=True),
    "closed in the body": raw(HEAD + b"Content-Length: 100\r\n\r\n" + b'{"a":'),
    "closed before the head": raw(b""),
    "cut JSON": Reply(b'{"a": [1, 2'),
    "empty body": Reply(b""),
    "damaged gzip": Reply(gzip.compress(b'{"a":1}')[:-4] + b"xxxx", headers={"Content-Encoding": "gzip"}),
    "chunk without end": raw(HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_failures_that_may_pass_are_tried_again_with_growing_pauses(name: str) -> None:
    time_ = FakeTime()
    with AnsweringServer(in_turn(BROKEN[name], BROKEN[name], BROKEN[name], reply({"ok": 1}))) as server:
        assert fetch(server, None, time_).document == {"ok": 1}
        assert len(server.asked) == 4
    assert time_.slept == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("name", BROKEN)
def test_after_the_last_attempt_the_failure_stands(name: str) -> None:
    with AnsweringServer(in_turn(BROKEN[name])) as server:
        error = fault(server, attempts=3)
    assert len(server.asked) == 3
    expected = SourceMalformed if name in ("cut JSON", "empty body") else SourceUnreachable
    assert type(error) is expected
    assert server.url not in str(error)


def test_pauses_are_spread_by_full_jitter() -> None:
    time_ = FakeTime()
    with AnsweringServer(in_turn(reply({}, 500), reply({}, 500), reply({}))) as server:
        timing = time_.timing(jitter=0.25)
        with HttpSession(connection_to(server.url), Limits(), timing) as session:
            session.fetch(lambda: Call("GET", "/list"), lambda answer: answer)
    assert time_.slept == [0.25, 0.5]


FINAL = {
    "HTML with status 200": (Reply(b"<html><title>x</title></html>"), SourceMalformed),
    "text": (Reply(b"busy"), SourceMalformed),
    "deep JSON": (Reply(b"[" * 5000 + b"]" * 5000), SourceMalformed),
}


@pytest.mark.parametrize("name", FINAL)
def test_failures_that_will_not_pass_are_not_tried_again(name: str) -> None:
    said, kind = FINAL[name]
    with AnsweringServer(in_turn(said)) as server:
        error = fault(server)
    assert type(error) is kind
    assert len(server.asked) == 1


def test_a_4xx_is_handed_on_at_once_with_what_json_it_has() -> None:
    with AnsweringServer(in_turn(reply({"code": "E-106"}, 403), Reply(b"<html>", 404))) as server:
        first, second = fetch(server), fetch(server)
    assert (first.status, first.document) == (403, {"code": "E-106"})
    assert (second.status, second.document) == (404, None)


def test_http_500_with_json_is_the_platforms_answer_only_where_the_profile_says_so() -> None:
    with AnsweringServer(in_turn(reply({"code": 400001, "msg": "签名错误"}, 500))) as server:
        assert fetch(server, tif=True).document == {"code": 400001, "msg": "签名错误"}
        assert len(server.asked) == 1
        assert isinstance(fault(server), SourceUnreachable)
        assert len(server.asked) == 5


@pytest.mark.parametrize(
    ("value", "pause"),
    [
        ("7", 7.0),
        ("0", 0.0),
        (format_datetime(NOON + timedelta(seconds=42)), 42.0),
        (format_datetime(NOON - timedelta(seconds=42)), 0.0),
        ("86400", 300.0),
        ("soon", 1.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured_in_both_forms_up_to_300_seconds(value: str, pause: float, status: int) -> None:
    time_ = FakeTime()
    with AnsweringServer(in_turn(reply({}, status, Retry_After=value), reply({"ok": 1}))) as server:
        assert fetch(server, None, time_).document == {"ok": 1}
    assert time_.slept == [pause]


def test_throttling_that_does_not_end_is_reported_as_such() -> None:
    with AnsweringServer(in_turn(reply({}, 429, Retry_After="3"))) as server:
        error = fault(server, attempts=2)
    assert isinstance(error, SourceThrottled)
    assert error.retry_after == 3.0


def test_no_pause_goes_beyond_the_time_of_the_whole_read() -> None:
    time_ = FakeTime()
    with AnsweringServer(in_turn(reply({}, 429, Retry_After="200"))) as server:
        assert isinstance(fault(server, time_, seconds=100), SourceThrottled)
    assert (time_.slept, len(server.asked)) == ([], 1)


def test_the_rate_of_the_card_spaces_the_calls() -> None:
    time_ = FakeTime()
    limits = Limits(rate="1次/秒")
    with (
        AnsweringServer(lambda _: reply({})) as server,
        HttpSession(connection_to(server.url), limits, time_.timing()) as session,
    ):
        for _ in range(3):
            session.fetch(lambda: Call("GET", "/"), lambda answer: answer)
    assert time_.slept == [1.0, 1.0]


def test_every_attempt_is_made_anew_so_that_time_stamps_are_fresh() -> None:
    made: list[int] = []

    def make() -> Call:
        made.append(1)
        return Call("GET", "/list", {"stamp": len(made)})

    with AnsweringServer(in_turn(reply({}, 500), reply({}, 500), reply({}))) as server:
        with HttpSession(connection_to(server.url), Limits(), FakeTime().timing()) as session:
            session.fetch(make, lambda answer: answer)
        assert [a.query["stamp"] for a in server.asked] == ["1", "2", "3"]


def redirecting(target: str, status: int = 302) -> Callable[[Asked], Reply]:
    return lambda a: (
        reply({"at": a.path, "by": a.method}) if a.path == "/new" else Reply(b"", status, {"Location": target})
    )


def test_redirects_are_refused_by_default_and_name_the_host_but_not_the_query() -> None:
    with AnsweringServer(redirecting("https://elsewhere.example/login?token=1")) as server:
        error = fault(server)
    assert isinstance(error, SourceRefused)
    assert "'elsewhere.example' (HTTP 302)" in str(error)
    assert "token" not in str(error)


@pytest.mark.parametrize(("status", "method"), [(302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
def test_redirects_on_the_same_host_are_followed_where_the_card_allows(status: int, method: str) -> None:
    with AnsweringServer(redirecting("/new", status)) as server:
        body, kind = json_body({"n": 1})
        answer = fetch(server, Call("POST", "/old", body=body, content_type=kind), redirects=1)
        assert answer.document == {"at": "/new", "by": method}
        assert server.asked[-1].body == (body if method == "POST" else b"")


def test_redirects_to_another_host_or_port_and_endless_ones_are_refused_even_where_allowed() -> None:
    with AnsweringServer(lambda _: reply({})) as other:
        for target in (f"{other.url}/new", "http://169.254.169.254/latest", "/again"):
            with AnsweringServer(redirecting(target)) as server:
                assert isinstance(fault(server, redirects=3), SourceRefused)
                assert len(server.asked) == (4 if target == "/again" else 1)
        assert other.asked == []


def test_the_platforms_clock_is_compared_with_ours() -> None:
    with AnsweringServer(in_turn(reply({}, Date=format_datetime(NOON + timedelta(seconds=95))), reply({}))) as server:
        assert fetch(server).skew_seconds == 95.0
        assert fetch(server).skew_seconds is None


def test_the_next_link_is_resolved_against_the_address_of_the_page() -> None:
    links = '</list?page=1>; rel="prev", </list?page=3>; rel="next"'
    with AnsweringServer(in_turn(reply({}, Link=links), reply({}))) as server:
        assert fetch(server).next_link == f"{server.url}/list?page=3"
        assert fetch(server).next_link is None


@pytest.mark.parametrize("host", ["", "ftp://x.example", "https://user:secret@x.example", "http://"])
def test_an_unusable_address_names_the_connection_and_hides_what_it_holds(host: str) -> None:
    with pytest.raises(ConfigurationError, match="'c' has no usable address") as caught:
        HttpSession(Connection("c", "ftp" if not host else "http", host), Limits())
    assert "secret" not in str(caught.value)


def test_a_header_that_cannot_be_sent_is_a_matter_of_the_card() -> None:
    with AnsweringServer(lambda _: reply({})) as server, pytest.raises(ConfigurationError, match="headers of the card"):
        fetch(server, Call("GET", "/list", headers={"X-Bad": "a\r\nb"}))


def test_neither_logs_nor_errors_hold_the_query(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    call = Call("GET", "/list", {"appKey": "a-caller", "sign": "a-signature"})
    with AnsweringServer(in_turn(reply({}, 500), raw(b""), reply({}))) as server:
        fetch(server, call)
    with pytest.raises(SourceUnreachable) as caught:
        fetch(server, call, attempts=2)
    assert "attempt 1 of 4 failed" in caplog.text
    assert '"GET /list HTTP/1.1" 500' in caplog.text
    for text in (caplog.text, str(caught.value), repr(call), "".join(map(str, [caught.value.__cause__]))):
        assert "a-caller" not in text and "a-signature" not in text
