"""What the chat robots have in common: JSON that says in its own code whether a message was taken, whatever the HTTP status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from include.alerts.channels.posting import Reply, quoted
from include.connections import Connection
from include.errors import ChannelRefused, ChannelThrottled, ChannelUnreachable, ConfigurationError


@dataclass(frozen=True, slots=True)
class Codes:
    """A platform's answers: the field of the code, which codes ask to slow down and for how many seconds, which may pass.

    `hints` say what a person has to do about a refusal.
    """

    field: str
    text: str
    throttled: Mapping[int, float]
    passing: frozenset[int]
    hints: Mapping[int, str]


def receipt(title: str, reply: Reply, codes: Codes, secrets: Iterable[str]) -> str:
    """Return the receipt of a message that was taken: only the documented success is one.

    Raises `ChannelThrottled`, `ChannelRefused`, or `ChannelUnreachable` where the answer is none of this platform.
    """
    code = answered(reply.document, codes.field)
    if code is None or (code == 0 and reply.is_refusal_in_json):
        raise _without_code(title, reply, secrets)
    if code == 0:
        return f"{codes.field} 0"
    said = quoted(str(reply.document.get(codes.text) or ""), secrets)
    if code in codes.throttled:
        raise ChannelThrottled(f"{title} asks to slow down: {codes.field} {code}{said}", codes.throttled[code])
    if code in codes.passing:
        raise ChannelUnreachable(f"{title} is busy: {codes.field} {code}{said}")
    hint = codes.hints.get(code, "see the platform's list of codes")
    raise ChannelRefused(f"{title} refused the message: {codes.field} {code}{said}; {hint}")


def _without_code(title: str, reply: Reply, secrets: Iterable[str]) -> ChannelRefused | ChannelUnreachable:
    if reply.is_refusal_in_json:
        said = quoted(reply.body, secrets)
        return ChannelRefused(f"{title} refused the message with HTTP {reply.status}{said}; check the connection")
    return ChannelUnreachable(
        f"{title} answered HTTP {reply.status} with something that is not its JSON: whether it has the message is not known"
    )


def answered(document: Any, field: str) -> int | None:
    """Return the code of an answer; None where there is none. A text or a truth value is no code."""
    code = document.get(field) if isinstance(document, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def secret_of(connection: Connection, what: str) -> str:
    """Return the password of a connection, which a robot cannot do without."""
    if not connection.password:
        raise ConfigurationError(f"connection {connection.conn_id!r} has no password; it is {what}")
    return connection.password


def extra_text(connection: Connection, name: str) -> str:
    """Return a text of the extra, "" where there is none."""
    return str(connection.extra.get(name) or "")
