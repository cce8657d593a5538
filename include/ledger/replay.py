"""Merge what was landed once more, after a card was mended: the quarantine of a source, or its newest batch."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Engine, select

from include.clock import now
from include.errors import BatchSuperseded
from include.landing.batch import Manifest, PageEntry, Reason, new_batch_id
from include.landing.store import LandingStore
from include.ledger.merge import MergeResult
from include.ledger.sync import filter_digest, merge_batch
from include.ledger.tables import batch, quarantine
from include.sources.card import Card


def open_quarantine(engine: Engine, source: str | None = None) -> list[dict[str, Any]]:
    """Return the open quarantine rows, oldest first, of one source or of all."""
    query = (
        select(quarantine)
        .where(quarantine.c.state == "open")
        .order_by(quarantine.c.opened_at, quarantine.c.record_hash)
    )
    if source:
        query = query.where(quarantine.c.source == source)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def replay_quarantine(engine: Engine, store: LandingStore, card: Card) -> MergeResult | None:
    """Read the quarantined rows of a source with the card as it is now; None where there are none.

    They become a batch of their own that claims nothing about the rest. What is still wrong stays in quarantine.
    """
    rows = [orjson.loads(q["raw"]) for q in open_quarantine(engine, card.source)]
    if not rows:
        return None
    started = now()
    manifest = _manifest(card, started, since=started.isoformat())
    page = store.put_page(card.source, rows)
    manifest.pages.append(PageEntry(1, page, len(rows), len(rows), 0, len(rows), None, 0, True))
    manifest.reasons.append(Reason("replay", "rows from quarantine, not a read of the source"))
    return _seal_and_merge(engine, store, card, manifest)


def replay_batch(engine: Engine, store: LandingStore, card: Card, batch_id: str) -> MergeResult:
    """Merge the pages of a landed batch again under the card as it is now; refused where something newer was merged."""
    old = Manifest.from_dict(store.get_manifest(card.source, batch_id))
    with engine.connect() as connection:
        newer = connection.execute(
            select(batch.c.batch_id).where(
                batch.c.source == card.source, batch.c.started_at > datetime.fromisoformat(old.started_at)
            )
        ).scalar()
    if newer:
        raise BatchSuperseded(
            f"batch {newer} of {card.source} was merged after {batch_id}; read the source again instead"
        )
    manifest = _manifest(card, now(), since=old.since)
    manifest.until, manifest.filter_digest = old.until, old.filter_digest
    manifest.pages, manifest.high_water = old.pages, old.high_water
    manifest.reasons = [*old.reasons, Reason("replay", f"pages of batch {batch_id} read once more, not the source")]
    return _seal_and_merge(engine, store, card, manifest)


def _manifest(card: Card, started: datetime, since: str | None) -> Manifest:
    batch_id = new_batch_id(card.source, started)
    return Manifest(
        batch_id, card.source, card.entity, card.digest, filter_digest(card), started.isoformat(), since, None
    )  # fmt: skip


def _seal_and_merge(engine: Engine, store: LandingStore, card: Card, manifest: Manifest) -> MergeResult:
    manifest.sealed_at = now().isoformat()
    store.put_manifest(card.source, manifest.batch_id, manifest.to_dict())
    return merge_batch(engine, store, card, manifest.batch_id)
