"""Feishu's custom robot: a card with Markdown, at most 20 kB, signed in the body with seconds; 100 a minute and 5 a second.

That it is not called in the first seconds of full and half hours, when it turns many away, is left to whoever paces the channel.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

import orjson

from include import clock
from include.alerts.channels.channel import ChannelCard
from include.alerts.channels.posting import Poster, Reply
from include.alerts.channels.robot import Codes, answered, extra_text, receipt, secret_of
from include.alerts.message import Message
from include.alerts.rendering.markdown import FEISHU, as_markdown, plain_title
from include.connections import Connection

HOST, PATH = "https://open.feishu.cn", "/open-apis/bot/v2/hook/"
LIMIT = 20_000
"""The platform says 20 kB; the smaller reading of it."""
CODES = Codes(
    field="code",
    text="msg",
    throttled={11232: 60.0, 99991400: 60.0},
    passing=frozenset(),
    hints={
        19021: "check the secret (extra \"secret\") and this machine's clock: a signature holds for an hour",
        19022: "this machine's address is not in the robot's list", 19024: "the robot asks for a keyword that is missing",
        19001: "the hook (password) is wrong, or the robot was removed from its group",
    },
)  # fmt: skip


class Feishu:
    """Sends to one robot: password of the connection is the last part of the hook's address, extra `secret` what it signs with."""

    def __init__(self, card: ChannelCard, connection: Connection) -> None:
        self._title = f"the channel {card.id} (Feishu)"
        self._hook = secret_of(connection, "the last part of the robot's hook address")
        self._secret = extra_text(connection, "secret")
        self._poster = Poster(connection, self._title, HOST, PATH)

    def send(self, message: Message) -> str:
        """Send a message; see `Channel.send`."""
        seconds = int(clock.now().timestamp())
        signed = {"timestamp": str(seconds), "sign": sign(self._secret, seconds)} if self._secret else {}
        reply = _in_one_form(self._poster.post(body(message, signed), secret_path=self._hook, has_codes=True))
        return receipt(self._title, reply, CODES, self._poster.secrets)

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()


def sign(secret: str, timestamp_seconds: int) -> str:
    """Return the signature of a time stamp in seconds: time and secret are the key, and nothing is signed with it."""
    digest = hmac.new(f"{timestamp_seconds}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def body(message: Message, signed: dict[str, str]) -> bytes:
    """Return the body of a message with its signature, cut so that all of it stays within the limit."""
    title = plain_title(message, FEISHU, LIMIT)
    colour = "red" if message.is_urgent else "blue"
    room = LIMIT - len(_body(title, colour, "", signed))
    return _body(title, colour, as_markdown(message.abridged, FEISHU, room), signed)


def _body(title: str, colour: str, text: str, signed: dict[str, str]) -> bytes:
    header = {"title": {"tag": "plain_text", "content": title}, "template": colour}
    card = {"config": {"wide_screen_mode": True}, "header": header, "elements": [{"tag": "markdown", "content": text}]}
    return orjson.dumps({**signed, "msg_type": "interactive", "card": card})


def _in_one_form(reply: Reply) -> Reply:
    """Return an answer of the older form (StatusCode, StatusMessage) in the newer one (code, msg)."""
    document = reply.document
    if answered(document, "code") is not None or (code := answered(document, "StatusCode")) is None:
        return reply
    return Reply(reply.status, reply.body, {"code": code, "msg": document.get("StatusMessage")})
