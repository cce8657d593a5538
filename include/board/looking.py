"""A look at the ledger for one request: one state of it, read only, cut off when it takes too long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from threading import Lock
from typing import Any

from fastapi import Request
from sqlalchemy import Connection, Engine, text

from include.board.reference import Reference, References
from include.board.register import Register, read_register, stamp_of
from include.clock import now
from include.ledger.database import open_ledger
from include.ledger.snapshot import glance
from include.settings import load_settings

SECONDS = 8.0
"""How long one request may ask the ledger; judging one finding again may take `JUDGING_SECONDS`."""

JUDGING_SECONDS = 30.0

_STEPS = 20_000
"""After so many steps of SQLite's machine the clock is looked at: some two milliseconds."""


@dataclass(frozen=True)
class Look:
    """What a page is made of: the ledger as it stands, the reference, and the day in Asia/Shanghai."""

    connection: Connection
    reference: Reference
    today: date
    registers: Registers

    @cached_property
    def register(self) -> Register:
        """Return whose everything is."""
        return self.registers.read(self.connection)

    @property
    def dialect(self) -> str:
        """Return the kind of database."""
        return self.connection.engine.dialect.name


class Registers:
    """Keeps the register of each ledger until records or findings have changed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[str, Register] = {}

    def read(self, connection: Connection) -> Register:
        """Return the register as it stands; whoever comes meanwhile waits for it instead of working it out, too."""
        url = str(connection.engine.url)
        with self._lock:
            stamp = stamp_of(connection)
            kept = self._kept.get(url)
            if kept is None or kept.stamp != stamp:
                kept = self._kept[url] = read_register(connection, stamp)
            return kept


class Desk:
    """Opens looks. The engine of a ledger is made once, when its migration was found right."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._engines: dict[str, Engine] = {}
        self._lock = Lock()
        self._references, self._registers = References(), Registers()

    @contextmanager
    def look(self, *, is_judging: bool = False) -> Iterator[Look]:
        """Open a look; with `is_judging` temporary tables may be made, which judging sums its days up in."""
        with glance(self._engine()) as connection:
            _limit(connection, JUDGING_SECONDS if is_judging else SECONDS, is_judging=is_judging)
            yield Look(connection, self._references.read(), self._clock().date(), self._registers)

    def reference(self) -> Reference:
        """Return the rules, sources and calendar, without a look at the ledger."""
        return self._references.read()

    def _engine(self) -> Engine:
        url = load_settings().ledger_url
        with self._lock:
            if url not in self._engines:
                self._engines[url] = open_ledger(url)
            return self._engines[url]


def _limit(connection: Connection, seconds: float, *, is_judging: bool) -> None:
    """Let the transaction write nothing and end after some seconds, on either database."""
    if connection.engine.dialect.name == "postgresql":
        if not is_judging:
            connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text(f"SET LOCAL statement_timeout = {int(seconds * 1000)}"))
        return
    driver: Any = connection.connection.driver_connection
    deadline = time.monotonic() + seconds
    driver.set_progress_handler(lambda: int(time.monotonic() > deadline), _STEPS)
    if not is_judging:
        driver.execute("PRAGMA query_only = ON")


def desk_of(request: Request) -> Desk:
    """Return the desk of the application that answers a request."""
    desk: Desk = request.app.state.desk
    return desk
