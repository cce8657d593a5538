"""A project turns classified while others work with it: what a judging or a comparison that has begun writes of it goes as well."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import Connection, Engine, insert, text

from include.landing.store import LandingStore
from include.ledger.database import writing
from include.ledger.expunge import expunge
from include.ledger.probe_merge import SOURCE
from include.ledger.snapshot import FINDINGS, RECONCILIATION, snapshot
from include.ledger.sync import merge_batch
from include.ledger.tables import finding, probe_state
from include.sources.card_files import load_card
from tests.ledger import rows as made
from tests.ledger.probing import NOON, list_services, rows
from tests.ledger.rows import code
from tests.ledger.test_expunge import NAME, SECRET, WORDS, dump, open_row
from tests.rules.evidence import DAY
from tests.traces import traces


def judging(engine: Engine) -> AbstractContextManager[Connection]:
    return snapshot(engine, FINDINGS)


def comparing(engine: Engine) -> AbstractContextManager[Connection]:
    return writing(engine, RECONCILIATION)


@pytest.mark.parametrize("ledger_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
@pytest.mark.parametrize("working", [judging, comparing])
def test_expunging_waits_for_what_has_begun(
    engine: Engine, store: LandingStore, working: Callable[[Engine], AbstractContextManager[Connection]]
) -> None:
    """SQLite has one writer at a time anyhow."""
    card = load_card("provincial_approval")
    merge_batch(engine, store, card, made.land(store, card, made.pages_of([open_row()])).batch_id)
    with ThreadPoolExecutor(1) as other:
        with working(engine) as connection:
            line = {
                "finding_id": "a" * 32, "rule": "r", "subject_type": "project", "subject": code(SECRET), "occurrence": "",
                "outcome": "fail", "reason": "late", "first_seen_on": DAY, "judged_on": DAY, "reopened": 0, "state": "open",
                "message": NAME,
            }  # fmt: skip
            connection.execute(insert(finding), [line])
            expunging = other.submit(expunge, engine, store, card, {code(SECRET)})
            wait_until_it_waits(engine, expunging)
        assert expunging.result(30) == 1
    assert traces(WORDS, dump(engine)) == []


@pytest.mark.parametrize("ledger_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_expunging_a_service_waits_for_a_sweep_that_is_merged(engine: Engine, store: LandingStore) -> None:
    list_services(engine, {"secret": "http://10.0.0.9/secret"})
    with ThreadPoolExecutor(1) as other:
        with writing(engine, SOURCE) as connection:
            line = {
                "service_code": "secret", "state": "up", "since_at": NOON, "failures_in_a_row": 0, "successes_in_a_row": 1,
                "sweep_id": "run/1",
            }  # fmt: skip
            connection.execute(insert(probe_state), [line])
            expunging = other.submit(expunge, engine, store, load_card("exchange_services"), {"secret"})
            wait_until_it_waits(engine, expunging)
        assert expunging.result(30) == 1
    assert rows(engine, probe_state) == []


def wait_until_it_waits(engine: Engine, expunging: Future[int]) -> None:
    query = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    deadline = time.monotonic() + 30
    with engine.connect() as connection:
        while not connection.execute(query).scalar() and not expunging.done():
            assert time.monotonic() < deadline, "neither waits nor is done"
            time.sleep(0.01)
    assert not expunging.done(), "what is about to be written would stay"
