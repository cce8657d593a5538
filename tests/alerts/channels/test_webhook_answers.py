"""A webhook may say in its body that it did not take a message, whatever the HTTP status; what each answer then means."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from include.alerts.channels.channel import Channel, ChannelCard
from include.alerts.channels.open import open_channel
from include.errors import ChannelRefused, ChannelUnreachable, ConfigurationError
from tests.alerts.messages import message

SECRET = "webhook-secret-0123456789"
Answering = Callable[..., Channel]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    """Return a webhook whose receiver answers HTTP 200 with a body; `extra` goes into the connection."""
    answer = {"body": b""}

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer["body"])))
            self.end_headers()
            self.wfile.write(answer["body"])

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    channels: list[Channel] = []

    def opened(body: Any, **extra: Any) -> Channel:
        answer["body"] = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = {
            "conn_type": "http", "schema": "http", "host": "127.0.0.1", "port": server.server_port, "password": SECRET,
            "extra": {"networks": ["127.0.0.0/8"], **extra},
        }  # fmt: skip
        monkeypatch.setenv("AIRFLOW_CONN_ALERT_WEBHOOK", json.dumps(connection))
        channels.append(open_channel(ChannelCard("webhook", "接口推送", "webhook", True, "alert_webhook")))
        return channels[-1]

    yield opened
    for channel in channels:
        channel.close()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    "body",
    [b"", b"ok", {}, {"code": 0}, {"code": "200", "success": True}, {"code": 1}, {"status": "ok"}, [1], {"errcode": 0}],
)
def test_what_does_not_say_otherwise_is_a_receipt(answering: Answering, body: Any) -> None:
    assert answering(body).send(message()) == "HTTP 200"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"success": False, "message": "已拒收"}, "success false"), ({"code": 500}, "code 500"), ({"code": "401"}, "code 401"),
        ({"status": 404}, "status 404"), ({"errcode": 40035, "errmsg": SECRET}, "errcode 40035"), ({"errcode": -1}, "errcode -1"),
    ],
)  # fmt: skip
def test_a_refusal_with_http_200_is_a_refusal(answering: Answering, body: Any, words: str) -> None:
    with pytest.raises(ChannelRefused, match=words) as refused:
        answering(body).send(message())
    assert SECRET not in str(refused.value)


def test_a_page_is_no_receipt(answering: Answering) -> None:
    with pytest.raises(ChannelUnreachable, match="a page instead of a receipt"):
        answering(b"  <!DOCTYPE html><html>please log in</html>").send(message())


@pytest.mark.parametrize(
    ("body", "is_taken"), [({"ret": 0}, True), ({"ret": "0"}, True), ({"ret": 1}, False), ({}, False), (b"ok", False)]
)
def test_a_receiver_with_words_of_its_own_is_believed_by_them_alone(
    answering: Answering, body: Any, *, is_taken: bool
) -> None:
    channel = answering(body, success={"field": "ret", "value": "0"})
    if is_taken:
        assert channel.send(message()) == "HTTP 200"
    else:
        with pytest.raises(ChannelRefused, match="did not say ret 0"):
            channel.send(message())


@pytest.mark.parametrize("said", ["ok", {"field": "ret"}, {"field": "", "value": "0"}, {"field": "ret", "value": [0]}])
def test_a_wrong_success_is_named(answering: Answering, said: Any) -> None:
    with pytest.raises(ConfigurationError, match='"success" must be like'):
        answering(b"", success=said)
