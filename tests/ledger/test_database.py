"""The ledger is opened by whoever wants to look, whatever else goes on in it."""

from __future__ import annotations

from sqlalchemy import Engine, select

from include.ledger.database import open_ledger, writing
from include.ledger.snapshot import glance
from include.ledger.tables import batch


def test_whoever_opens_the_ledger_does_not_wait_for_a_writer(engine: Engine, ledger_url: str) -> None:
    with writing(engine, "s"), glance(open_ledger(ledger_url)) as connection:
        assert connection.execute(select(batch.c.batch_id)).all() == []
