"""The ledger is opened by whoever wants to look, whatever else goes on in it."""

from __future__ import annotations

from sqlalchemy import Engine, event, select
from sqlalchemy.engine.interfaces import CacheStats

from include.ledger.database import open_ledger, writing
from include.ledger.snapshot import glance
from include.ledger.tables import batch


def test_whoever_opens_the_ledger_does_not_wait_for_a_writer(engine: Engine, ledger_url: str) -> None:
    with writing(engine, "s"), glance(open_ledger(ledger_url)) as connection:
        assert connection.execute(select(batch.c.batch_id)).all() == []


def test_what_was_compiled_is_not_compiled_again_when_the_ledger_is_opened_again(
    engine: Engine, ledger_url: str
) -> None:
    query, told = select(batch.c.batch_id).order_by(batch.c.merged_at, batch.c.source.desc()), []
    for opened in (engine, open_ledger(ledger_url)):
        event.listen(opened, "after_cursor_execute", lambda *said: told.append(said[4].cache_hit))
        with glance(opened) as connection:
            connection.execute(query)
    assert told[-1] is CacheStats.CACHE_HIT
