"""The outbox: messages that were decided, until they are delivered or dead. The only place that writes `outbox`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select

from include.alerts.message import Message
from include.ledger.alert_tables import outbox

PENDING, SENT, DEAD = "pending", "sent", "dead"


def put(connection: Connection, messages: Iterable[Message], at: datetime) -> int:
    """Put messages into the outbox in the caller's transaction; one that is there already is left as it is. Return how many came."""
    known = set(connection.execute(select(outbox.c.message_id)).scalars())
    rows = [_row(message, at) for message in messages if message.message_id not in known]
    if rows:
        connection.execute(insert(outbox), rows)
    return len(rows)


def _row(message: Message, at: datetime) -> dict[str, Any]:
    body = message.dumps()
    return {
        "message_id": message.message_id, "channel": message.channel, "receiver": message.receiver,
        "department": message.department, "reasons": ",".join(dict.fromkeys(s.reason.value for s in message.sections)),
        "is_urgent": message.is_urgent, "title": message.title, "body": body,
        "finding_ids": orjson.dumps(message.finding_ids).decode(),
        "body_hash": hashlib.blake2b(body.encode(), digest_size=16).hexdigest(), "decided_at": message.decided_at,
        "state": PENDING, "attempts": 0, "next_try_at": at,
    }  # fmt: skip
