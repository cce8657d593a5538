"""One publication of a ledger at a time, without keeping anybody from writing into the ledger."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

from include.ledger.database import lock_key

PUBLICATION = "publication"
"""The name of the lock."""


@contextmanager
def one_publisher(engine: Engine) -> Iterator[None]:
    """Wait until no other publication of this ledger runs, and keep others waiting; a process that dies lets go.

    PostgreSQL keeps the lock for a session of its own; with SQLite it is that of a file beside the ledger.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            key = {"key": lock_key(PUBLICATION)}
            connection.execute(text("SELECT pg_advisory_lock(:key)"), key)
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)
        return
    with Path(f"{engine.url.database}.{PUBLICATION}").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
