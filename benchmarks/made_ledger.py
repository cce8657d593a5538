"""Ledgers that benchmarks fill by hand, on either database, and the batches that their rows came in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from benchmarks.postgres import Postgres

_ZERO = (
    "rows_received", "refused", "created", "changed", "unchanged", "repeated", "quarantined", "restored", "absent", "tombstoned",
)  # fmt: skip


@contextmanager
def made_ledger(
    database: str,
    server: Postgres | None,
    home: Path,
    name: str,
    fill: Callable[[Engine], object],
    what: str,
    say: Callable[[str], None],
) -> Iterator[tuple[str, Engine]]:
    """Make a ledger of a name, fill it, and yield its address and an engine; `what` says what it holds."""
    from include.ledger.database import migrate, open_ledger

    file = home / f"{name}.db"
    if database == "postgres":
        assert server
        url = server.create(name).replace("postgresql://", "postgresql+psycopg://")
    else:
        url = f"sqlite:///{file}"
    migrate(url)
    begun = time.perf_counter()
    engine = open_ledger(url)
    fill(engine)
    if database == "postgres" and server:
        server.settle([name])
    say(f"{database}: {what} made in {time.perf_counter() - begun:.0f} s")
    yield url, engine
    engine.dispose()
    for left in home.glob(f"{file.name}*"):
        left.unlink()


def note_batch(connection: Any, source: str, entity: str, day: date, batch_id: str, changed: int = 0) -> None:
    """Write a complete, full batch of a source, merged at two in the morning of a day, which changed so many records."""
    from include.clock import SHANGHAI
    from include.ledger.tables import batch

    when = datetime(day.year, day.month, day.day, 2, tzinfo=SHANGHAI)
    connection.execute(
        batch.insert().values(
            batch_id=batch_id, source=source, entity=entity, is_full=True, is_complete=True, filter_digest="f", card_digest="c",
            started_at=when, sealed_at=when, merged_at=when, children="{}", reasons="[]", notes="[]",
            **dict.fromkeys(_ZERO, 0) | {"rows_received": changed + 1, "changed": changed, "unchanged": 1},
        )
    )  # fmt: skip
