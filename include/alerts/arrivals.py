"""Whether what was decided to be told has arrived: `told` says what was put on its way, the outbox what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from include.alerts.outbox import SENT
from include.ledger.alert_tables import outbox, told
from include.ledger.portions import portions


def not_arrived(connection: Connection, finding_ids: Collection[str]) -> Mapping[tuple[str, str], str]:
    """Return of (finding, receiver) what became of the last message about it where it arrived over no channel: pending or dead."""
    late: list[Row[Any]] = []
    for some in portions(sorted(finding_ids)):
        of = outbox.c
        query = select(told.c.finding_id, told.c.receiver, of.department, of.decided_at, of.state)
        query = query.join(outbox, of.message_id == told.c.message_id)
        late += connection.execute(query.where(told.c.finding_id.in_(some), of.state != SENT)).all()
    arrived = _arrived(connection, {row.decided_at for row in late})
    return {
        (row.finding_id, row.receiver): row.state
        for row in late
        if (row.receiver, row.department, row.decided_at) not in arrived
    }


def _arrived(connection: Connection, moments: Collection[datetime]) -> set[tuple[str, str, datetime]]:
    """Return who got a message that was decided at some moments, over whichever of its channels."""
    if not moments:
        return set()
    query = select(outbox.c.receiver, outbox.c.department, outbox.c.decided_at)
    since = query.where(outbox.c.state == SENT, outbox.c.decided_at >= min(moments))
    return {
        (row.receiver, row.department, row.decided_at) for row in connection.execute(since) if row.decided_at in moments
    }
