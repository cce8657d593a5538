"""kill -9 at any statement of a harvest, a decision, a clearing: the next run leaves what an undisturbed one leaves."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include.landing.store import LandingStore
from include.ledger.decide import decide_identity
from include.ledger.sync import merge_batch
from include.ledger.tables import absence, batch_record, identity_decision, quarantine, resource, resource_item
from include.ledger.undo import clear_source
from include.sources.card import Card
from tests.depth import MOSTLY_SQLITE, deep
from tests.findings.killed import killed_before
from tests.ledger.catalogue import entry, renamed, write_catalogue_card
from tests.ledger.rows import land, pages_of, sync

ENTRIES = [entry(n) for n in range(12)]
NEXT = [renamed(ENTRIES[0]), entry(1, about="改过"), *ENTRIES[2:11], entry(50), entry(51, rows="若干")]
NEVER = 10**6


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return write_catalogue_card(tmp_path / "cards")


def state(engine: Engine) -> list[Any]:
    """Return what the ledger holds, without the names of batches."""
    tables = (resource, resource_item, quarantine, absence, identity_decision, batch_record)
    named = {"created_batch", "changed_batch", "batch_id", "closed_batch", "first_batch", "opened_at", "decided_at"}
    found = []
    with engine.connect() as connection:
        for table in tables:
            columns = [c.is_(None) if c.name == "tombstoned_at" else c for c in table.c if c.name not in named]
            rows = {tuple(row) for row in connection.execute(select(*columns))}
            found.append(sorted(rows, key=repr))
    return found


def test_killed_at_any_statement_of_a_merge_it_is_as_if_it_had_never_begun(
    engine: Engine, ledger_url: str, store: LandingStore, card: Card
) -> None:
    sync(engine, store, card, ENTRIES)
    before = state(engine)
    batch_id = land(store, card, pages_of(NEXT)).batch_id
    work = partial(merge_batch, store=store, card=card, batch_id=batch_id)
    for after in deep((5, 45), (5, 25, 45)):
        assert killed_before(ledger_url, after, work), after
        assert state(engine) == before  # the kills fell into the transaction, not behind it
    assert not killed_before(ledger_url, NEVER, work)
    after_all = state(engine)
    assert {row[1] for row in after_all[2]} and len(after_all[0]) == 13
    assert not killed_before(ledger_url, NEVER, work)
    assert state(engine) == after_all


@MOSTLY_SQLITE
def test_killed_while_a_decision_is_applied_it_is_applied_by_the_next_try_or_the_next_merge(
    engine: Engine, ledger_url: str, store: LandingStore, card: Card
) -> None:
    sync(engine, store, card, ENTRIES)
    sync(engine, store, card, [renamed(ENTRIES[0]), *ENTRIES[1:]])

    def work(ledger: Engine) -> None:
        decide_identity(ledger, store, card, None, is_same=True, by="张三", reason="核实")

    for after in deep((2, 30), (2, 6, 30)):
        assert killed_before(ledger_url, after, work), after
    assert len(state(engine)[4]) == 1  # decided, and not yet applied
    result = sync(engine, store, card, [renamed(ENTRIES[0]), *ENTRIES[1:]])
    assert (result.changed, result.created, result.held, result.absent) == (1, 0, 0, 0), result
    after_all = state(engine)
    assert not killed_before(ledger_url, NEVER, work)
    assert state(engine) == after_all


@MOSTLY_SQLITE
def test_killed_while_it_is_cleared_a_source_is_whole(
    engine: Engine, ledger_url: str, store: LandingStore, card: Card
) -> None:
    sync(engine, store, card, ENTRIES)
    before = state(engine)

    def work(ledger: Engine) -> None:
        clear_source(ledger, card.source, card.source)

    for after in (4, 12):
        assert killed_before(ledger_url, after, work), after
        assert state(engine) == before
    assert not killed_before(ledger_url, NEVER, work)
    assert state(engine) != before
