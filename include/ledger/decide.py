"""What a person says of held records: the known one under a new identifier, or another one. Applied at once and ever after."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from include.clock import now
from include.errors import Permanent
from include.landing.store import LandingStore
from include.ledger.database import writing
from include.ledger.merge import MergeResult
from include.ledger.replay import replay_quarantine
from include.ledger.tables import identity_decision, quarantine
from include.sources.card import Card

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """A record that is held: its own key, and that of the record it may be."""

    record_key: str
    new_key: str


def held_records(connection: Connection, source: str, known_key: str | None = None) -> list[HeldRecord]:
    """Return the held records of a source, all or those that may be one known record."""
    query = select(quarantine.c.record_key, quarantine.c.new_key).where(
        quarantine.c.source == source, quarantine.c.state == "open", quarantine.c.new_key.is_not(None)
    )
    if known_key is not None:
        query = query.where(quarantine.c.record_key == known_key)
    found = connection.execute(query.distinct().order_by(quarantine.c.record_key, quarantine.c.new_key))
    return [HeldRecord(*row) for row in found]


def decide_identity(
    engine: Engine,
    store: LandingStore,
    card: Card,
    known_key: str | None,
    *,
    is_same: bool,
    by: str,
    reason: str,
) -> MergeResult | None:
    """Decide what is held against one known record, or against all of a source (None), and merge it.

    Same: the known record keeps key and history and takes the new identifier. Different: the new one comes in as a record of its
    own, and the known one goes the usual way of what is absent. Deciding again what is decided does nothing.
    """
    with writing(engine, card.source) as connection:
        held = held_records(connection, card.source, known_key)
        if not held and known_key is not None:
            _require_decided(connection, card.source, known_key, is_same=is_same)
        if not held:
            return None
        for pair in held:
            _write(connection, card.source, pair, is_same=is_same, by=by, reason=reason)
    log.info("decided source=%s records=%d same=%s", card.source, len(held), is_same)
    # Were we to die here, the next merge applies the decisions: a batch after one that held records is always looked at.
    return replay_quarantine(engine, store, card)


def _require_decided(connection: Connection, source: str, known_key: str, *, is_same: bool) -> None:
    """Raise unless the decision about a known record stands already."""
    mine = (identity_decision.c.source == source) & (identity_decision.c.record_key == known_key)
    decided = connection.execute(select(identity_decision).where(mine)).mappings().all()
    if not decided:
        raise Permanent(
            f"no record of {source} is held against {known_key!r}; list what is: python -m include quarantine"
        )
    if all(d["is_same"] != is_same for d in decided):
        raise Permanent(
            f"what was held against {known_key!r} was decided by {decided[0]['decided_by']} before, and came in; "
            "where the source shows both identifiers they become two records by themselves"
        )


def _write(connection: Connection, source: str, pair: HeldRecord, *, is_same: bool, by: str, reason: str) -> None:
    values = {"is_same": is_same, "decided_at": now().replace(microsecond=0), "decided_by": by, "reason": reason}
    table = identity_decision
    mine = (table.c.source == source) & (table.c.record_key == pair.record_key) & (table.c.new_key == pair.new_key)
    if not connection.execute(table.update().where(mine).values(**values)).rowcount:
        keys = {"source": source, "record_key": pair.record_key, "new_key": pair.new_key}
        connection.execute(table.insert().values(**keys, **values))
