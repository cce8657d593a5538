"""The last full batch of a source: what absence, repetition, reconciliation and the choice of a window all measure by."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, select, text

from include.ledger.tables import batch
from include.sources.card import Card

BY_HAND = "by_hand"
"""The reason of a batch that a person made: the clearing of a source, or the undoing of tombstones."""


def last_full(connection: Connection, source: str, *, complete: bool = False) -> RowMapping | None:
    """Return the row of the last full batch that was merged for a source; with `complete`, of the last proven one."""
    query = select(batch).where(batch.c.source == source, batch.c.is_full).order_by(batch.c.started_at.desc()).limit(1)
    if complete:
        query = query.where(batch.c.is_complete)
    return connection.execute(query).mappings().first()


def holds_any(connection: Connection, card: Card) -> bool:
    """Return whether the ledger holds anything of a source."""
    held = text(f"SELECT 1 FROM {card.entity} WHERE source = :source LIMIT 1")
    return connection.execute(held, {"source": card.source}).first() is not None
