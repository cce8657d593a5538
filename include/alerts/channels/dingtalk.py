"""DingTalk's custom robot: Markdown, at most 20,000 bytes, signed with time and secret in the query; 20 a minute."""

from __future__ import annotations

import base64
import hashlib
import hmac

import orjson

from include import clock
from include.alerts.channels.channel import ChannelCard
from include.alerts.channels.posting import Poster
from include.alerts.channels.robot import Codes, extra_text, receipt, secret_of
from include.alerts.message import Message
from include.alerts.rendering.markdown import DINGTALK, as_markdown, plain_title
from include.connections import Connection

HOST, PATH = "https://oapi.dingtalk.com", "/robot/send"
LIMIT = 20_000
SILENCE_SECONDS = 600.0
CODES = Codes(
    field="errcode",
    text="errmsg",
    throttled={130101: SILENCE_SECONDS, 410100: SILENCE_SECONDS, 90018: SILENCE_SECONDS},
    passing=frozenset({-1}),
    hints={
        310000: "check the secret (extra \"secret\"), this machine's clock, and the robot's keywords and list of addresses",
        400101: "the access token (password) is wrong", 300001: "the access token (password) is wrong",
        400102: "the robot was switched off", 400106: "the robot was removed from its group", 400013: "the group was dissolved",
    },
)  # fmt: skip


class DingTalk:
    """Sends to one robot: password of the connection is the access token, extra `secret` the one it signs with (SEC…)."""

    def __init__(self, card: ChannelCard, connection: Connection) -> None:
        self._title = f"the channel {card.id} (DingTalk)"
        self._token = secret_of(connection, "the robot's access_token")
        self._secret = extra_text(connection, "secret")
        self._poster = Poster(connection, self._title, HOST, PATH)

    def send(self, message: Message) -> str:
        """Send a message; see `Channel.send`."""
        return receipt(
            self._title, self._poster.post(body(message), self._query(), has_codes=True), CODES, self._poster.secrets
        )

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()

    def _query(self) -> dict[str, str]:
        query = {"access_token": self._token}
        if self._secret:  # without one the robot goes by keywords or by addresses
            moment = int(clock.now().timestamp() * 1000)
            query |= {"timestamp": str(moment), "sign": sign(self._secret, moment)}
        return query


def sign(secret: str, timestamp_ms: int) -> str:
    """Return the signature of a time stamp in milliseconds, not yet quoted for a query."""
    digest = hmac.new(secret.encode(), f"{timestamp_ms}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def body(message: Message) -> bytes:
    """Return the body of a message, cut so that all of it stays within the limit."""
    title = plain_title(message, DINGTALK, LIMIT)
    room = LIMIT - len(_body(title, ""))
    return _body(title, as_markdown(message.abridged, DINGTALK, room))


def _body(title: str, text: str) -> bytes:
    return orjson.dumps({"msgtype": "markdown", "markdown": {"title": title, "text": text}})
