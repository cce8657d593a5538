"""Recognise a full batch whose pages are those of the last one: then the ledger holds it already and nothing need be read."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from include.errors import LandingCorrupt
from include.landing.batch import Manifest
from include.landing.store import LandingStore
from include.ledger.absence import OUTSIDE
from include.ledger.batch_record import copy_notes
from include.ledger.last_batch import last_full
from include.ledger.merge import MergeResult
from include.ledger.recoined import changed_identifiers
from include.ledger.tables import absence, batch
from include.sources.card import Card


def same_again(connection: Connection, store: LandingStore, card: Card, manifest: Manifest) -> MergeResult | None:
    """Return the result of merging a batch that equals the last full one, or None where it has to be looked at.

    Equal means: both proven complete, the same card, the same question, the same pages; no other batch wrote anything in
    between; and no record waits for its second absence.
    """
    last = last_full(connection, card.source)
    if not (manifest.is_full and manifest.is_complete and last and last["is_complete"]):
        return None
    if last["held"] or changed_identifiers(connection, card.source, last["batch_id"]):
        return None  # there may be a decision to apply, or a row that could only be taken for another's
    if (last["card_digest"], last["filter_digest"]) != (card.digest, manifest.filter_digest):
        return None
    waiting = (
        select(func.count())
        .select_from(absence)
        .where(absence.c.source == card.source, absence.c.first_batch.not_like(f"{OUTSIDE}%"))
    )
    if connection.execute(waiting).scalar_one() or _wrote_since(connection, last):
        return None
    try:
        before = Manifest.from_dict(store.get_manifest(card.source, last["batch_id"]))
    except LandingCorrupt:
        return None
    if [p.sha256 for p in before.pages] != [p.sha256 for p in manifest.pages]:
        return None
    bind = {"source": card.source, "batch": manifest.batch_id}
    copy_notes(connection, bind, last["batch_id"])
    known = manifest.rows_received - manifest.refused - last["quarantined"] - last["repeated"]
    return MergeResult(
        manifest.batch_id, card.source, True, True, manifest.rows_received, manifest.refused,
        unchanged=known, repeated=last["repeated"], quarantined=last["quarantined"], declared=last["declared"],
        notes=list(manifest.notes),
    )  # fmt: skip


def _wrote_since(connection: Connection, last: RowMapping) -> bool:
    later = select(batch).where(batch.c.source == last["source"], batch.c.started_at > last["started_at"])
    return any(_wrote(row) for row in connection.execute(later).mappings())


def _wrote(row: RowMapping) -> bool:
    nested: dict[str, dict[str, Any]] = json.loads(row["children"])
    own = row["created"] + row["changed"] + row["restored"] + row["tombstoned"] + row["quarantined"]
    return bool(own or any(sum(counts.values()) for counts in nested.values()))
