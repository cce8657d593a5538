"""A message as plain text: the text part of mails, and the command line."""

from __future__ import annotations

from include.alerts.message import Message
from include.alerts.rendering.form import Form, Layout

PLAIN = Form(escape=str, heading="\n{}\n".format, line="{}\n".format)
LIMIT, MOST_ITEMS = 200_000, 500


def as_text(message: Message, limit: int = LIMIT) -> str:
    """Return a message as plain text of at most `limit` bytes."""
    return Layout(message, PLAIN, limit, MOST_ITEMS).render() + "\n"
