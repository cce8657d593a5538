"""One transaction that sees one state of the ledger from its first line to its last: to judge, or only to look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, text

from include.ledger.database import READING, lock_key

FINDINGS = "findings"
"""The name of the one transaction that judges or decides: such wait for each other, and who expunges waits for them."""

RECONCILIATION = "reconciliation"
"""The name of the one transaction that compares plan and platform."""


@contextmanager
def snapshot(engine: Engine, name: str) -> Iterator[Connection]:
    """Open the one transaction of a name, committed at the end, rolled back where it raises; a second one waits for it.

    Merges go on meanwhile and are not seen: what was known and what was read are of the same moment.
    """
    if engine.dialect.name == "sqlite":  # BEGIN IMMEDIATE: one writer at a time, who sees what stood when it began
        with engine.begin() as connection:
            yield connection
        return
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        # The state seen is that of the first statement, so the lock is taken in a transaction before; it ends with the session.
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": lock_key(name)})
        connection.commit()
        with connection.begin():
            connection.execute(text("SET LOCAL random_page_cost = 1.1"))
            yield connection


@contextmanager
def glance(engine: Engine) -> Iterator[Connection]:
    """Open a transaction to look at one state of the ledger: it keeps no writer waiting, and is rolled back in the end.

    It is not declared read-only, because judging sums its days up in temporary tables.
    """
    options: dict[str, Any] = {READING: True}
    if engine.dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    with engine.connect().execution_options(**options) as connection:
        transaction = connection.begin()
        try:
            yield connection
        finally:
            transaction.rollback()
