"""Who knows of a finding: whom a message about it has reached, is on its way to, or could not reach; and what is held back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from include.ledger.alert_tables import SENT, held_finding, outbox, told
from include.ledger.portions import among


@dataclass(frozen=True, slots=True)
class Knows:
    """A receiver that was told of a finding: first on a day, last on a day; `state` is what became of the last message."""

    receiver: str
    first_told_on: date
    last_told_on: date
    message_id: str
    state: str


def who_knows(connection: Connection, finding_id: str) -> list[Knows]:
    """Return whom messages about a finding were made for, the first told first.

    A message whose row has been cleared away had been sent: only those are.
    """
    query = (
        select(told.c.receiver, told.c.first_told_on, told.c.last_told_on, told.c.message_id)
        .where(told.c.finding_id == finding_id)
        .order_by(told.c.first_told_on, told.c.receiver)
    )
    late = not_arrived(connection, [finding_id])
    return [
        Knows(**row, state=late.get((finding_id, row["receiver"]), SENT))
        for row in connection.execute(query).mappings()
    ]


def is_held_back(connection: Connection, finding_id: str) -> bool:
    """Return whether nobody is told of a finding because the run that brought it brought too many at once."""
    query = select(held_finding.c.hold_id).where(held_finding.c.finding_id == finding_id)
    return connection.execute(query).first() is not None


def not_arrived(connection: Connection, finding_ids: Collection[str]) -> Mapping[tuple[str, str], str]:
    """Return of (finding, receiver) what became of the last message about it where it arrived over no channel: pending or dead."""
    if not finding_ids:
        return {}
    of = outbox.c
    query = select(told.c.finding_id, told.c.receiver, of.department, of.decided_at, of.state)
    query = query.join(outbox, of.message_id == told.c.message_id)
    late = connection.execute(query.where(among(told.c.finding_id, finding_ids), of.state != SENT)).all()
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
