"""WeCom's group robot: Markdown of at most 4,096 bytes of UTF-8; the key in the address is the only secret; 20 a minute."""

from __future__ import annotations

import orjson

from include.alerts.channels.channel import ChannelCard
from include.alerts.channels.posting import Poster
from include.alerts.channels.robot import Codes, receipt, secret_of
from include.alerts.message import Message
from include.alerts.rendering.markdown import WECOM, as_markdown
from include.connections import Connection

HOST, PATH = "https://qyapi.weixin.qq.com", "/cgi-bin/webhook/send"
LIMIT = 4096
CODES = Codes(
    field="errcode",
    text="errmsg",
    throttled={45009: 60.0, 45033: 60.0},
    passing=frozenset({-1}),
    hints={
        93000: "the key (password) is wrong, or the robot was removed from its group",
        40058: "the message does not fit the platform's rules; tell whoever maintains the pipelines",
    },
)


class WeCom:
    """Sends to one robot: password of the connection is the key."""

    def __init__(self, card: ChannelCard, connection: Connection) -> None:
        self._title = f"the channel {card.id} (WeCom)"
        self._key = secret_of(connection, "the robot's key")
        self._poster = Poster(connection, self._title, HOST, PATH)

    def send(self, message: Message) -> str:
        """Send a message; see `Channel.send`."""
        return receipt(
            self._title,
            self._poster.post(body(message), {"key": self._key}, has_codes=True),
            CODES,
            self._poster.secrets,
        )

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()


def body(message: Message) -> bytes:
    """Return the body of a message whose content stays within the limit."""
    return orjson.dumps({"msgtype": "markdown", "markdown": {"content": as_markdown(message.abridged, WECOM, LIMIT)}})
