"""Who knows of a finding: whom a message about it has reached, is on its way to, or could not reach; and what is held back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from include.ledger.alert_tables import held_finding, outbox, told

PENDING, SENT, DEAD = "pending", "sent", "dead"
"""The states of a message in `outbox`."""


@dataclass(frozen=True, slots=True)
class Knows:
    """A receiver that was told of a finding: first on a day, last on a day; `state` is that of the last message."""

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
        select(told.c.receiver, told.c.first_told_on, told.c.last_told_on, told.c.message_id, outbox.c.state)
        .outerjoin(outbox, outbox.c.message_id == told.c.message_id)
        .where(told.c.finding_id == finding_id)
        .order_by(told.c.first_told_on, told.c.receiver)
    )
    return [Knows(**{**row, "state": row["state"] or SENT}) for row in connection.execute(query).mappings()]


def is_held_back(connection: Connection, finding_id: str) -> bool:
    """Return whether nobody is told of a finding because the run that brought it brought too many at once."""
    query = select(held_finding.c.hold_id).where(held_finding.c.finding_id == finding_id)
    return connection.execute(query).first() is not None
