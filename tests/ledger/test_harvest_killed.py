"""kill -9 at any statement of a harvest, a decision, a clearing: the next run leaves what an undisturbed one leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include.landing.store import LandingStore
from include.ledger.tables import absence, batch_record, identity_decision, quarantine, resource, resource_item
from include.sources.card import Card
from tests.ledger.catalogue import entry, renamed, write_catalogue_card
from tests.ledger.rows import sync

KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from include.landing.store import LandingStore
from include.ledger.database import open_ledger
from include.ledger.decide import decide_identity
from include.ledger.undo import clear_source
from include.ledger.sync import merge_batch
from tests.ledger.catalogue import write_catalogue_card
url, landing, cards, what, batch_id, after = sys.argv[1:]
engine, store, left = open_ledger(url), LandingStore(landing), [int(after)]
card = write_catalogue_card(Path(cards))
def count(*_):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
event.listen(engine, "before_cursor_execute", count)
event.listen(engine, "commit", count)
if what == "merge":
    merge_batch(engine, store, card, batch_id)
elif what == "decide":
    decide_identity(engine, store, card, None, is_same=True, by="张三", reason="核实")
else:
    clear_source(engine, card.source, card.source)
print(int(after) - left[0])
"""
ENTRIES = [entry(n) for n in range(12)]
NEXT = [renamed(ENTRIES[0]), entry(1, about="改过"), *ENTRIES[2:11], entry(50), entry(51, rows="若干")]
NEVER = 10**6


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return write_catalogue_card(tmp_path / "cards")


def run(url: str, folder: Path, what: str, batch_id: str, after: int) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        KILLED,
        url,
        str(folder / "landing"),
        str(folder / "cards"),
        what,
        batch_id,
        str(after),
    ]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": "."}, timeout=120)


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
    engine: Engine, ledger_url: str, store: LandingStore, card: Card, tmp_path: Path
) -> None:
    from tests.ledger.rows import land, pages_of

    sync(engine, store, card, ENTRIES)
    before = state(engine)
    batch_id = land(store, card, pages_of(NEXT)).batch_id
    for after in (5, 25, 45):
        died = run(ledger_url, tmp_path, "merge", batch_id, after)
        assert died.returncode == -signal.SIGKILL, (after, died.stdout, died.stderr[-500:])
        assert state(engine) == before
    survived = run(ledger_url, tmp_path, "merge", batch_id, NEVER)
    assert survived.returncode == 0, survived.stderr[-800:]
    assert int(survived.stdout) > 45  # the kills above fell into the transaction, not behind it
    after_all = state(engine)
    assert {row[1] for row in after_all[2]} and len(after_all[0]) == 13
    assert run(ledger_url, tmp_path, "merge", batch_id, NEVER).returncode == 0
    assert state(engine) == after_all


def test_killed_while_a_decision_is_applied_it_is_applied_by_the_next_try_or_the_next_merge(
    engine: Engine, ledger_url: str, store: LandingStore, card: Card, tmp_path: Path
) -> None:
    sync(engine, store, card, ENTRIES)
    sync(engine, store, card, [renamed(ENTRIES[0]), *ENTRIES[1:]])
    for after in (2, 6, 30):
        died = run(ledger_url, tmp_path, "decide", "", after)
        assert died.returncode == -signal.SIGKILL, (after, died.stdout, died.stderr[-500:])
    assert len(state(engine)[4]) == 1  # decided, and not yet applied
    result = sync(engine, store, card, [renamed(ENTRIES[0]), *ENTRIES[1:]])
    assert (result.changed, result.created, result.held, result.absent) == (1, 0, 0, 0), result
    after_all = state(engine)
    assert run(ledger_url, tmp_path, "decide", "", NEVER).returncode == 0
    assert state(engine) == after_all


def test_killed_while_it_is_cleared_a_source_is_whole(
    engine: Engine, ledger_url: str, store: LandingStore, card: Card, tmp_path: Path
) -> None:
    sync(engine, store, card, ENTRIES)
    before = state(engine)
    for after in (4, 12):
        died = run(ledger_url, tmp_path, "clear", "", after)
        assert died.returncode == -signal.SIGKILL, (after, died.stdout, died.stderr[-500:])
        assert state(engine) == before
    survived = run(ledger_url, tmp_path, "clear", "", NEVER)
    assert int(survived.stdout) > 12, survived.stderr[-800:]
    assert state(engine) != before
