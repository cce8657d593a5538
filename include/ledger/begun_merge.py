"""A merge that is begun while its batch is still being landed: mapped pages go to PostgreSQL as they come.

Else the server would wait while pages are gated, and the gate while rows are taken in. Only where whoever lands also merges, and
the ledger holds nothing of the source. Nothing of it is kept, and nobody sees anything of it, before the sealed batch is merged in
this very transaction; for whatever stands in the way it is given up, and the batch is merged from the landing zone as ever.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Error
from sqlalchemy import Connection, Engine, NestedTransaction, RootTransaction
from sqlalchemy.exc import DBAPIError

from include.clock import now
from include.landing.batch import Manifest
from include.ledger.ahead import Mapped
from include.ledger.database import prepare_writing
from include.ledger.feed import Feed
from include.ledger.last_batch import holds_any
from include.ledger.stage import Stage
from include.sources.card import Card

log = logging.getLogger(__name__)

_LONGEST_PAUSE = "20s"
"""So long may the transaction wait for a page: then the server itself ends it, whatever has become of us."""

_LONGEST_LAST_PAUSE = "10min"
"""So long may what lies between landing and merging take, as the expunging of refused records."""

_LONGEST = timedelta(minutes=3)
"""So long may pages be sent: whoever migrates the ledger, or writes of the same source, waits meanwhile."""

_TURN = 0.0005
"""Seconds after which a thread that waits for the interpreter gets it, instead of 5 ms: the one that sends has to, all the time."""

_SET_PAUSE = "SET LOCAL idle_in_transaction_session_timeout ="


@dataclass(frozen=True, slots=True)
class Begun:
    """What a merge goes on with."""

    connection: Connection
    transaction: RootTransaction
    savepoint: NestedTransaction
    stage: Stage
    feed: Feed
    begun_at: datetime


class BegunMerge:
    """The merge of one batch, begun with its first mapped page. Whoever does not merge it ends it."""

    def __init__(self, engine: Engine, card: Card, batch_id: str) -> None:
        self._engine, self._card, self._batch_id = engine, card, batch_id
        self._begun: Begun | None = None
        self._is_over = False
        self._turn = sys.getswitchinterval()
        self.sent = 0
        """How many pages were sent."""

    @property
    def holds_lock(self) -> bool:
        """Return whether the lock of the source is held here, which others that write of it wait for."""
        return self._begun is not None

    def take(self, page: int, name: str, mapped: Mapped) -> None:
        """Send what a page became, which is about to be landed; nothing after the merge was given up."""
        if self._is_over:
            return
        try:
            begun = self._begun = self._begun or self._begin()
            if begun is None:
                self.end("another writes of the source, or has written")
            elif now() - begun.begun_at > _LONGEST:
                self.end("reading takes too long")
            else:
                begun.feed.stage_before(page, name, mapped)
                self.sent += 1
        except (Error, DBAPIError) as error:  # its words may quote a record
            self.end(type(error).__name__)

    def settle(self, manifest: Manifest) -> None:
        """Wait until everything is sent. All must be pages of the batch, of which no more is asked outside."""
        if self._begun is None:
            return
        sys.setswitchinterval(self._turn)
        pages = {(page.number, page.sha256) for page in manifest.pages}
        if manifest.batch_id != self._batch_id or not self._begun.feed.staged_before <= pages:
            self.end("what was sent is not what was landed")
            return
        try:
            self._begun.stage.wait()
            self._begun.connection.exec_driver_sql(f"{_SET_PAUSE} '{_LONGEST_LAST_PAUSE}'")
        except (Error, DBAPIError) as error:
            self.end(type(error).__name__)

    @contextmanager
    def merging(self, *, keep: bool) -> Iterator[Begun]:
        """Go on with what was begun, as `writing` does; rows that were sent stay only where the savepoint was kept."""
        begun, self._begun, self._is_over = self._begun, None, True
        if begun is None:
            raise RuntimeError("nothing was begun that could be merged")
        with begun.connection, begun.stage:
            try:
                yield begun
                if begun.savepoint.is_active:  # the merge had no use for them
                    begun.savepoint.rollback()
            except BaseException:
                begun.transaction.rollback()
                raise
            begun.transaction.commit() if keep else begun.transaction.rollback()

    def end(self, why: str = "nobody merges it") -> None:
        """Give up what was sent."""
        begun, self._begun, self._is_over = self._begun, None, True
        if begun is None:
            return
        log.info("begun merge given up source=%s batch=%s: %s", self._card.source, self._batch_id, why)
        sys.setswitchinterval(self._turn)
        with suppress(Error, DBAPIError), begun.connection:
            begun.stage.close()
            begun.connection.invalidate()  # whatever it is at; the server rolls back what it has

    def _begin(self) -> Begun | None:
        """Open the transaction, lock the source, make what rows are staged in; None where it is not ours alone."""
        with ExitStack() as stack:
            connection = stack.enter_context(self._engine.connect())
            transaction = connection.begin()
            if not prepare_writing(connection, self._card.source, wait=False) or holds_any(connection, self._card):
                return None
            connection.exec_driver_sql(f"{_SET_PAUSE} '{_LONGEST_PAUSE}'")
            savepoint = connection.begin_nested()
            stage = Stage(connection)
            feed = Feed(self._card, stage, set(), self._batch_id)
            stack.pop_all()  # it stays open
        sys.setswitchinterval(_TURN)
        return Begun(connection, transaction, savepoint, stage, feed, now())
