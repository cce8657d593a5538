"""Remove every trace of a record that a platform now marks as classified (art. 39): rows, history, pages, verdicts, findings.

The one place that deletes, and the one that rewrites landed pages. Keys are held in memory only and never logged.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, Engine, delete, select

from include.clock import now
from include.landing.store import LandingStore
from include.ledger.alert_tables import expunged
from include.ledger.database import keep_out, writing
from include.ledger.forget import forget_judged, forget_probes
from include.ledger.forget_told import called, forget_told, forget_units
from include.ledger.identity import OWNERS
from include.ledger.portions import portions
from include.ledger.question import forget_questions
from include.ledger.recoined import decided_keys
from include.ledger.snapshot import FINDINGS, RECONCILIATION
from include.ledger.tables import (
    ENTITIES,
    OF_PROJECTS,
    absence,
    batch,
    batch_record,
    identity_decision,
    project_alias,
    quarantine,
)
from include.sources.card import Card
from include.sources.card_files import load_card
from include.sources.mapping import CardMapper

if TYPE_CHECKING:
    from include.ledger.begun_merge import BegunMerge

log = logging.getLogger(__name__)

TELL_OF_PROJECTS = ("project", "project_dossier")
"""Entities whose mark speaks of a whole project, and so of all that is kept of it elsewhere."""


def expunge(
    engine: Engine,
    store: LandingStore,
    card: Card,
    keys: set[str],
    fresh: frozenset[str] = frozenset(),
    begun: BegunMerge | None = None,
) -> int:
    """Remove the records of these keys of one source wherever they are; return how many the ledger held.

    `fresh` are the pages of the read that refused the records; they need not be searched unless the ledger holds some. `begun` is
    the merge of that read, if it was begun; it holds the lock of the source, and nothing that has been written before.
    """
    with writing(engine, card.source, is_locked=begun is not None and begun.holds_lock) as connection:
        keys = _with_other_names(connection, card, keys)
        held = _held(connection, card, keys)
        # What was merged is in the ledger; a dry run, or a run that died, has landed what the ledger does not know of.
        searched = store.pages(card.source) if held else sorted(_unmerged_pages(connection, store, card) - fresh)
        # The ledger goes last: were we to die before, it still says that there is something to remove.
        landed = _expunge_landing(store, card, keys, searched)
        if held:
            # Who has begun to judge or to compare sees them still, and would write of them afterwards.
            for name in (FINDINGS, RECONCILIATION):
                keep_out(connection, name)
            for some in portions(sorted(keys if card.entity == "resource" else held)):
                _delete(connection, store, card, set(some))
            # What was published before still has them: whoever publishes looks here what must go.
            connection.execute(expunged.insert().values(expunged_at=now(), source=card.source, records=len(held)))
    if held or landed:
        log.warning("expunged source=%s records=%d pages=%d: now classified", card.source, len(held), landed)
    if card.entity in TELL_OF_PROJECTS and card.key == ("project_code",):
        others = _kept_by_others(engine, card, keys)
        if others and begun:
            begun.end("records of other sources are expunged")  # nobody waits for a second lock while holding one
        for source, theirs in others.items():
            expunge(engine, store, load_card(source), theirs)
    return len(held)


def _kept_by_others(engine: Engine, card: Card, codes: set[str]) -> dict[str, set[str]]:
    """Return source → keys of what other sources keep of these projects: their contracts, reports and the like.

    A source that does not mark its own rows brings them back with its next read: marking them is the unit's duty.
    """
    found: dict[str, set[str]] = defaultdict(set)
    with engine.connect() as connection:
        for table in OF_PROJECTS:
            for some in portions(sorted(codes)):
                mine = table.c.project_code.in_(some) & (table.c.source != card.source)
                for source, key in connection.execute(select(table.c.source, table.c.record_key).where(mine)):
                    found[source].add(key)
    return found


def _unmerged_pages(connection: Connection, store: LandingStore, card: Card) -> set[str]:
    """Return the landed pages that no merged batch names."""
    merged = set(connection.execute(select(batch.c.batch_id).where(batch.c.source == card.source)).scalars())
    named = [store.get_manifest(card.source, b)["pages"] for b in store.manifests(card.source) if b in merged]
    return set(store.pages(card.source)) - {page["sha256"] for pages in named for page in pages}


def _with_other_names(connection: Connection, card: Card, keys: set[str]) -> set[str]:
    """Return the keys with every key and identifier that a person decided to be of the same record."""
    if card.entity != "resource":
        return keys
    pairs = decided_keys(connection, card.source)
    before: set[str] = set()
    while before != keys:
        before, keys = keys, keys | {name for pair in pairs if not keys.isdisjoint(pair) for name in pair}
    return keys


def _held(connection: Connection, card: Card, keys: set[str]) -> set[str]:
    held: set[str] = set()
    table = ENTITIES[card.entity][0]
    for some in portions(sorted(keys)):
        for where in (table.c.record_key, quarantine.c.record_key, quarantine.c.new_key, batch_record.c.record_key):
            query = select(where).where(where.table.c.source == card.source, where.in_(some))
            held.update(connection.execute(query).scalars())
    return held


def _delete(connection: Connection, store: LandingStore, card: Card, keys: set[str]) -> None:
    mine = sorted(keys)
    known_as = called(connection, card.entity, card.source, keys)
    for table in (*ENTITIES[card.entity], absence, quarantine, batch_record, identity_decision):
        connection.execute(delete(table).where(table.c.source == card.source, table.c.record_key.in_(mine)))
    for column in (quarantine.c.new_key, batch_record.c.detail, identity_decision.c.new_key):
        connection.execute(delete(column.table).where(column.table.c.source == card.source, column.in_(mine)))
    for nested in card.nested:
        child, change = ENTITIES[nested.entity]
        owner = child.c[OWNERS[nested.entity]]
        owned = select(child.c.record_key).where(child.c.source == card.source, owner.in_(mine))
        connection.execute(delete(change).where(change.c.source == card.source, change.c.record_key.in_(owned)))
        connection.execute(delete(child).where(child.c.source == card.source, owner.in_(mine)))
    connection.execute(
        delete(project_alias).where(
            project_alias.c.source == card.source,
            project_alias.c.project_code.in_(mine) | project_alias.c.former_code.in_(mine),
        )
    )
    forget_questions(connection, keys)
    forget_told(connection, forget_judged(connection, keys), keys, known_as.names)
    forget_units(connection, known_as.units)
    if card.entity == "exchange_service":
        forget_probes(connection, store, keys)


def _expunge_landing(store: LandingStore, card: Card, keys: set[str], searched: list[str]) -> int:
    """Rewrite the pages that hold the records and point the manifests to the new pages."""
    mapper = CardMapper(card)
    renamed: dict[str, tuple[str, int]] = {}
    for name in searched:
        rows: list[dict[str, Any]] = [orjson.loads(line) for line in store.get_page(card.source, name)]
        kept = [row for row in rows if mapper.main.record_key(mapper.main.map(row, {})[0]) not in keys]
        if len(kept) < len(rows):
            renamed[name] = (store.put_page(card.source, kept), len(rows) - len(kept))
    for batch_id in store.manifests(card.source) if renamed else []:
        manifest = store.get_manifest(card.source, batch_id)
        for page in manifest["pages"]:
            if page["sha256"] in renamed:
                page["sha256"], gone = renamed[page["sha256"]]
                page["body_sha256"] = None  # it no longer is what that answer brings
                page["rows"] -= gone
                page["refused"] += gone
        store.put_manifest(card.source, batch_id, json.loads(json.dumps(manifest)))
    for name in renamed:
        store.drop_page(card.source, name)
    return len(renamed)
