"""The last full batch of a source: what absence, repetition, reconciliation and the choice of a window all measure by."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, select

from include.ledger.tables import batch

BY_HAND = "by_hand"
"""The reason of a batch that a person made: the clearing of a source, or the undoing of tombstones."""


def last_full(connection: Connection, source: str, *, complete: bool = False) -> RowMapping | None:
    """Return the row of the last full batch that was merged for a source; with `complete`, of the last proven one."""
    query = select(batch).where(batch.c.source == source, batch.c.is_full).order_by(batch.c.started_at.desc()).limit(1)
    if complete:
        query = query.where(batch.c.is_complete)
    return connection.execute(query).mappings().first()
