"""A webhook of the bureau's own: the message as JSON, signed over time and body, with an id under which it may come twice.

The receiver checks `X-Shuheng-Signature: sha256=<hex>`, the HMAC-SHA256 of `<X-Shuheng-Timestamp>.<body>` (seconds) with the shared
secret, and takes what it has seen under the same `Idempotency-Key` for the same message. Any 2xx is a receipt.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import asdict
from typing import Any

import orjson

from include import clock
from include.alerts.channels.channel import ChannelCard
from include.alerts.channels.posting import Poster
from include.alerts.message import Item, Message, Section
from include.alerts.rendering.cut import fit
from include.alerts.rendering.text import as_text
from include.connections import Connection
from include.errors import ConfigurationError

LIMIT = 1_000_000
KIND = "shuheng.alert.v1"
_OF_TEXT, _OF_SECTION = 20_000, 200


class Webhook:
    """Posts to one address; password of the connection is the shared secret, extra `path` the path."""

    def __init__(self, card: ChannelCard, connection: Connection) -> None:
        self._title = f"the channel {card.id} (webhook)"
        if not connection.password:
            raise ConfigurationError(
                f"connection {connection.conn_id!r} has no password; it is the secret that signs the messages"
            )
        self._secret = connection.password
        self._poster = Poster(connection, self._title)

    def send(self, message: Message) -> str:
        """Send a message; see `Channel.send`."""
        content = body(message)
        timestamp = str(int(clock.now().timestamp()))
        reply = self._poster.post(
            content,
            headers={
                "X-Shuheng-Timestamp": timestamp,
                "X-Shuheng-Signature": f"sha256={sign(self._secret, timestamp, content)}",
                "Idempotency-Key": message.message_id,
            },
        )
        return f"HTTP {reply.status}"

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()


def sign(secret: str, timestamp: str, content: bytes) -> str:
    """Return the signature of a body at a time (text of seconds), in hexadecimal."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + content, hashlib.sha256).hexdigest()


def body(message: Message) -> bytes:
    """Return the message as JSON of at most `LIMIT` bytes; `left` counts the findings that are not among the items.

    Texts are the original ones, hostile signs included: whoever shows them escapes them; `text` is ready to be shown.
    """
    fitted = fit(message, LIMIT - _OF_TEXT - _frame_size(message), _section_cost, _item_cost)
    document: dict[str, Any] = _frame(message) | {
        "sections": [_section(s.section, s.items) for s in fitted.sections],
        "left": fitted.all_left,
        "text": as_text(message, _OF_TEXT // 2),
    }
    return orjson.dumps(document)


def _frame(message: Message) -> dict[str, Any]:
    frame = asdict(message)
    for name in ("sections", "channel", "address"):
        del frame[name]
    texts = {name: value[:2000] if isinstance(value, str) else value for name, value in frame.items()}
    return {"kind": KIND, "number": message.number, **texts}


def _frame_size(message: Message) -> int:
    return len(orjson.dumps(_frame(message)))


def _section(section: Section, items: tuple[Item, ...]) -> dict[str, Any]:
    shown = [asdict(item) for item in items]
    return {
        "reason": section.reason,
        "topic": section.topic,
        "count": section.count,
        "note": section.note,
        "items": shown,
    }


def _section_cost(section: Section) -> int:
    return _OF_SECTION + len(orjson.dumps(_section(section, ())))


def _item_cost(item: Item) -> int:
    return 1 + len(orjson.dumps(asdict(item)))
