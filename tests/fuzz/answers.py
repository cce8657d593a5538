"""Whole answers as they come over a connection, headers included: of platforms, probed services, alert channels, mail servers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from functools import cache

from include.alerts.channels.channel import Channel, ChannelCard
from include.alerts.channels.dingtalk import DingTalk
from include.alerts.channels.feishu import Feishu
from include.alerts.channels.mail import Mail
from include.alerts.channels.webhook import Webhook
from include.alerts.channels.wecom import WeCom
from include.connections import Connection
from include.errors import ShuhengError
from include.sources.card import Card, Document, Envelope, Paging
from include.sources.http_reader import read_http
from include.sources.page import PageFault, Window
from include.sources.probing.result import Outcome
from include.sources.probing.sweep import sweep
from include.sources.probing.target import Target as Probed
from include.sources.raw_page import RawPage
from tests.alerts.messages import message
from tests.fuzz.target import Target
from tests.sources.answering import AnsweringServer, Asked, FakeTime, Reply, connection_to, make_card
from tests.sources.probing.policies import allowing, policy

_EXPECTED = "运行正常"
_SECONDS = 2.0
"""No answer is waited for longer: each is there at once, or never comes to its end."""


class _Server:
    """Answers every call with the bytes of the moment, whatever they are, and ends the connection."""

    def __init__(self) -> None:
        self.said = b""
        self._server = AnsweringServer(self._answer)
        self._server.__enter__()
        self.url = self._server.url

    def _answer(self, _: Asked) -> Reply:
        self._server.asked.clear()
        return Reply(stream=lambda connection: connection.sendall(self.said))


_server = cache(_Server)


def _cards() -> list[Card]:
    seconds = {"read_seconds": _SECONDS, "page_seconds": _SECONDS}
    limits = {**seconds, "attempts": 2, "pages": 3, "page_bytes": 100_000, "redirects": 1}
    styles = (Paging("page", size="n", page_size=3), Paging("link"), Paging("cursor", next="next"))
    rows = Envelope("code", ("0",), rows=("data.list",), total_path="data.total", throttled=("slow",), expired=("old",))
    made = [make_card(paging, rows, limits=limits) for paging in styles]
    return [*made, make_card(Paging("hydra"), Envelope(), limits=limits, document=Document("rdf"))]


def fuzz_http_answer(data: bytes) -> None:
    """Read the bytes as a platform's answer, in each way of paging in turn."""
    server, cards = _server(), _cards()
    server.said = data
    timing = FakeTime().timing()
    for item in read_http(cards[len(data) % len(cards)], connection_to(server.url), Window(), timing):
        assert isinstance(item, RawPage | PageFault)


def fuzz_probe_answer(data: bytes) -> None:
    """Read the bytes as what a probed service answers."""
    server = _server()
    server.said = data
    quick = policy(addresses=allowing("127.0.0.0/8"), total_seconds=_SECONDS, max_bytes=100_000)
    found = sweep([Probed("a", "S1", server.url, _EXPECTED), Probed("b", None, server.url)], quick, "s")
    assert [result.service_code for result in found.results] == ["a", "b"]
    assert all(isinstance(r.outcome, Outcome) and len(r.detail or "") <= 200 for r in found.results)
    assert not any(sign in (r.detail or "") for r in found.results for sign in "\0\r\n\x1b")


_ROBOTS: tuple[Callable[[ChannelCard, Connection], Channel], ...] = (DingTalk, WeCom, Feishu, Webhook)


def fuzz_channel_answer(data: bytes) -> None:
    """Read the bytes as what a robot or a webhook answers to a message; its secret never gets into an error."""
    server = _server()
    server.said = data
    make = _ROBOTS[len(data) % len(_ROBOTS)]
    connection = connection_to(server.url, password=_SECRET, timeout_seconds=_SECONDS)
    channel = make(ChannelCard("c", "c", "c", True), connection)
    try:
        assert isinstance(channel.send(message()), str)
    except ShuhengError as error:
        assert _SECRET not in str(error)
    finally:
        channel.close()


_SECRET = "secret-0123456789"


def fuzz_mail_answer(data: bytes) -> None:
    """Read the bytes as all that a mail server says, from its greeting on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        there = {"from": "s@bureau.invalid", "to": ["a@units.invalid"], "security": "none", "timeout_seconds": _SECONDS}
        host, port = listening.getsockname()
        connection = Connection("m", "smtp", host, port, extra={**there, "networks": "127.0.0.0/8"})
        channel = Mail(ChannelCard("m", "m", "mail", True), connection)
        told = _Telling(listening, data)
        try:
            assert isinstance(channel.send(message()), str)
        except ShuhengError:
            return
        finally:
            channel.close()
            told.end()


class _Telling:
    """A mail server that says everything at once, to the first who calls, and hears the rest without a word."""

    def __init__(self, listening: socket.socket, said: bytes) -> None:
        self._thread = threading.Thread(target=self._tell, args=(listening, said), daemon=True)
        self._thread.start()

    def _tell(self, listening: socket.socket, said: bytes) -> None:
        listening.settimeout(_SECONDS)
        try:
            calling, _ = listening.accept()
            with calling:
                calling.settimeout(_SECONDS)
                calling.sendall(said)
                calling.shutdown(socket.SHUT_WR)
                while calling.recv(1 << 16):
                    pass
        except OSError:
            return

    def end(self) -> None:
        """Wait until the call is over."""
        self._thread.join()


# -- what to begin with -----------------------------------------------------------------------------------------------------------


def _written(body: str, *headers: str, status: str = "200 OK") -> bytes:
    lines = (f"HTTP/1.1 {status}", "Content-Type: application/json; charset=utf-8", *headers)
    text = "".join(f"{line}\r\n" for line in lines)
    sent = body.encode()
    return f"{text}Content-Length: {len(sent)}\r\n\r\n".encode() + sent


_PAGE = '{"code": "0", "message": "成功", "data": {"list": [{"ID": 1}], "total": 1}, "next": "c2"}'
_DATE = "Date: Mon, 23 Nov 2026 04:00:00 GMT"


def platforms() -> list[bytes]:
    """Return answers with the headers that are read: dates, pauses, links, redirects, encodings."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"
    chunked = head + b'4\r\n{"co\r\n9\r\nde": "1"}\r\n0\r\n\r\n'
    return [
        _written(_PAGE, _DATE), chunked,
        _written(_PAGE, _DATE, 'Link: </list?page=2>; rel="next", <http://127.0.0.1/x>; rel="last"'),
        _written("{}", _DATE, "Retry-After: 120", status="429 Too Many Requests"),
        _written("", "Retry-After: Mon, 23 Nov 2026 04:05:00 GMT", status="503 Service Unavailable"),
        _written("", "Location: /list?again=1", status="302 Found"),
        _written('{"code": "9", "message": "时间戳已过期"}', "Date: Mon, 23 Nov 2026 12:00:00 +0800"),
        _written("<https://a.cn/1> a <http://www.w3.org/ns/dcat#Dataset> .").replace(b"application/json", b"text/turtle"),
        _written("x", "Content-Encoding: gzip"), b"HTTP/1.0 200\r\n\r\n{}", b"",
    ]  # fmt: skip


def services() -> list[bytes]:
    """Return answers of services: well, wrong, elsewhere, in another encoding."""
    return [
        _written(_EXPECTED, _DATE), _written('{"status": "\\u8fd0\\u884c\\u6b63\\u5e38"}'), _written("", status="404 Not Found"),
        b"HTTP/1.1 200 OK\r\n\r\n" + _EXPECTED.encode("gb18030"), _written("", "Location: http://a.cn/login", status="302 Found"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + _written(_EXPECTED), b"SSH-2.0-OpenSSH\r\n", b"",
    ]  # fmt: skip


def channels() -> list[bytes]:
    """Return answers of robots and of webhooks."""
    return [
        _written('{"errcode": 0, "errmsg": "ok"}'), _written('{"errcode": 45009, "errmsg": "freq"}'),
        _written('{"code": 0, "msg": "success"}'), _written('{"success": false}'), _written("<html>"),
        _written('{"code": 19024}', status="400 Bad Request"), _written("", "Retry-After: 7", status="429 Too Many Requests"),
    ]  # fmt: skip


def mail_servers() -> list[bytes]:
    """Return what mail servers say in the course of one mail."""
    well = b"220 mail\r\n250-mail\r\n250-SIZE 1000\r\n250 8BITMIME\r\n250 ok\r\n250 ok\r\n354 go on\r\n250 queued\r\n221 bye\r\n"
    return [well, well.replace(b"354 go on", b"451 later"), well.replace(b"250-mail", b"535 login"), b"554 no\r\n", b""]


TARGETS = {
    "fuzz_http_answer": Target(fuzz_http_answer, platforms),
    "fuzz_probe_answer": Target(fuzz_probe_answer, services),
    "fuzz_channel_answer": Target(fuzz_channel_answer, channels),
    "fuzz_mail_answer": Target(fuzz_mail_answer, mail_servers),
}
