"""A webhook of the bureau's own: the message as JSON, signed over time and body, with an id under which it may come twice.

The receiver checks `X-Shuheng-Signature: sha256=<hex>`, the HMAC-SHA256 of `<X-Shuheng-Timestamp>.<body>` (seconds) with the shared
secret, and takes what it has seen under the same `Idempotency-Key` for the same message. A 2xx is a receipt unless its body says
otherwise: a page of HTML (a login, a proxy), `success` false, `errcode` other than 0, `code` or `status` of 400 and more. Where the
receiver has words of its own, extra `success` names them, as {"field": "code", "value": "0"}: then nothing else is a receipt.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import orjson

from include import clock
from include.alerts.channels.channel import ChannelCard
from include.alerts.channels.posting import Poster, Reply, quoted
from include.alerts.message import Item, Message, Section
from include.alerts.rendering.cut import fit
from include.alerts.rendering.text import as_text
from include.connections import Connection
from include.errors import ChannelRefused, ChannelUnreachable, ConfigurationError

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
        self._success = _success(connection)
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
        return _receipt(self._title, reply, self._success, self._poster.secrets)

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()


def _success(connection: Connection) -> tuple[str, str] | None:
    """Return field and value by which a receiver says that it took a message, where the connection names them."""
    said = connection.extra.get("success")
    if said is None:
        return None
    is_whole = isinstance(said, dict) and set(said) == {"field", "value"} and isinstance(said["field"], str)
    if not is_whole or not isinstance(said["value"], str | int) or not said["field"]:
        raise ConfigurationError(
            f'connection {connection.conn_id!r}: "success" must be like {{"field": "code", "value": "0"}}'
        )
    return said["field"], _plain(said["value"])


def _plain(value: Any) -> str:
    return str(value).strip().casefold()


def _receipt(title: str, reply: Reply, success: tuple[str, str] | None, secrets: Iterable[str]) -> str:
    """Return the receipt of a message that was taken.

    Raises `ChannelRefused` where the answer says that it was not, `ChannelUnreachable` where a page of HTML answers.
    """
    document = reply.document if isinstance(reply.document, dict) else {}
    if success:
        is_taken = success[0] in document and _plain(document[success[0]]) == success[1]
        if not is_taken:
            said = quoted(reply.body, secrets)
            raise ChannelRefused(
                f"{title} did not say {success[0]} {success[1]} but HTTP {reply.status}{said}; ask the receiver, or correct "
                '"success" in the extra of the connection'
            )
    elif reply.body.lstrip()[:1] == b"<":
        raise ChannelUnreachable(
            f"{title} answered HTTP {reply.status} with a page instead of a receipt: whether it has the message is not known; "
            "is the path right, does a login or a proxy stand before it?"
        )
    elif (code := _refusal(document)) is not None:
        raise ChannelRefused(
            f"{title} refused the message with HTTP {reply.status} and {code}{quoted(reply.body, secrets)}"
        )
    return f"HTTP {reply.status}"


def _refusal(document: Mapping[str, Any]) -> str | None:
    """Return what in an answer says that a message was not taken, as the usual interfaces say it; None where nothing does."""
    if _plain(document.get("success", "")) == "false":
        return "success false"
    for name, least in (("errcode", 1), ("code", 400), ("status", 400)):
        said = _plain(document.get(name, ""))
        if said.isascii() and said.removeprefix("-").isdecimal() and abs(int(said)) >= least:
            return f"{name} {said}"
    return None


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
