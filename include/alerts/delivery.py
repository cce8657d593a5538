"""Deliver what is due on one channel: claim, send, settle, one message after the other, at the pace that the channel bears.

At least once and with a stable id: a message that was sent and not settled comes a second time under the same id, never a third
by the same mishap. The border of the channels: whatever one of them raises becomes a try that failed, and never stops the others.
"""

from __future__ import annotations

import logging
import os
import socket
import time
import traceback
import uuid
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from include.alerts import channel_states, outbox
from include.alerts.channels.channel import Channel, ChannelCard
from include.alerts.message import Message
from include.alerts.outbox import Claim, Try, Wait
from include.alerts.pace import MOST_REFUSALS, wait_after
from include.clock import now
from include.errors import ChannelRefused, ChannelThrottled, ChannelUnreachable, MessageRefused, ShuhengError
from include.ledger.database import READING

log = logging.getLogger(__name__)

BUDGET = timedelta(minutes=4)
"""How long one pass may work on a channel: it ends before the next one begins."""

FAILURES_IN_A_ROW = 3
"""So often without a success, and a channel is left alone until the next pass: it must not use up every message's tries."""

ASK_AGAIN = timedelta(seconds=5)
"""The longest sleep before a channel is asked again: what another worker has under way may end sooner than it must."""

LONGEST_BLOCK = timedelta(hours=1)
"""No channel's own word for how long it wants to be left alone counts for more."""

_LONGEST_ERROR = 500

Open = Callable[[ChannelCard], Channel]
Clock = Callable[[], datetime]
_T = TypeVar("_T")


@dataclass(slots=True)
class Delivered:
    """What a pass did on one channel; `waiting` are left behind. `is_down`: nothing has got through for `FAILING_AFTER`."""

    channel: str
    sent: int = 0
    failed: int = 0
    died: int = 0
    waiting: int = 0
    is_down: bool = False
    error: str | None = None

    def summary(self) -> dict[str, Any]:
        """Return it as counts and words, without names."""
        return asdict(self)


def deliver(
    engine: Engine,
    card: ChannelCard,
    open_channel: Open,
    *,
    receivers: Collection[str] = (),
    clock: Clock = now,
    sleep: Callable[[float], None] = time.sleep,
    budget: timedelta = BUDGET,
) -> Delivered:
    """Deliver what is due on a channel, or within `budget` becomes so; with `receivers` only what is for them."""
    done = Delivered(card.id)
    if _is_due(engine, card, clock(), receivers):
        _Pass(engine, card, done, receivers, clock, sleep, clock() + budget).run(open_channel)
    with engine.connect().execution_options(**{READING: True}) as connection:
        done.waiting = outbox.waiting(connection, card.id)
        done.is_down = channel_states.state_of(connection, card.id).is_down(clock())
    return done


def _is_due(engine: Engine, card: ChannelCard, at: datetime, receivers: Collection[str]) -> bool:
    """Look without keeping a writer waiting: most passes find nothing to do."""
    with engine.connect().execution_options(**{READING: True}) as connection:
        return outbox.is_due(connection, card.id, at, receivers)


@dataclass(slots=True)
class _Pass:
    """One worker's pass over a channel."""

    engine: Engine
    card: ChannelCard
    done: Delivered
    receivers: Collection[str]
    clock: Clock
    sleep: Callable[[float], None]
    ends_at: datetime
    failures: int = 0

    def run(self, open_channel: Open) -> None:
        try:
            channel = open_channel(self.card)
        except Exception as error:  # the border: without connection or key nothing is claimed, so no try is used up
            self._note_closed(_words(error))
            return
        worker = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        try:
            # One connection for the whole pass: SQLite tidies its log whenever the last one is closed.
            with self.engine.connect() as connection:
                while self.failures < FAILURES_IN_A_ROW and self._one(connection, channel, worker):
                    pass
        finally:
            channel.close()

    def _one(self, connection: Connection, channel: Channel, worker: str) -> bool:
        """Try the next message; return whether to go on."""
        at = self.clock()
        if at >= self.ends_at:
            return False
        with connection.begin():
            claimed = outbox.claim(connection, self.card, worker, at, self.receivers)
        if isinstance(claimed, Wait):
            if claimed.until >= self.ends_at:
                return False
            self.sleep(min(claimed.until - at, ASK_AGAIN).total_seconds())
        elif claimed:
            self._try(connection, channel, claimed)
        return claimed is not None

    def _try(self, connection: Connection, channel: Channel, held: Claim) -> None:
        try:
            receipt = channel.send(Message.loads(held.body))
        except Exception as error:  # the border: every failure of a channel is recorded as a try
            self._settle_failed(connection, held, error)
            return
        self.failures = 0
        self.done.sent += 1
        self._settle(connection, lambda using: self._record_sent(using, held, receipt))
        log.info("sent message %s over %s", held.message_id, held.channel)

    def _record_sent(self, connection: Connection, held: Claim, receipt: str) -> None:
        channel_states.lock(connection, held.channel)
        at = self.clock()
        outbox.settle_sent(connection, held, receipt[:_LONGEST_ERROR], at)
        channel_states.note_sent(connection, held.channel, at)

    def _settle_failed(self, connection: Connection, held: Claim, error: Exception) -> None:
        self.failures += not isinstance(error, MessageRefused)
        self.done.failed += 1
        self.done.error = words = _words(error)
        died = self._settle(connection, lambda using: self._record_failed(using, held, error, words))
        self.done.died += died
        log.warning("message %s not sent over %s, try %d: %s", held.message_id, held.channel, held.tries, words)

    def _record_failed(self, connection: Connection, held: Claim, error: Exception, words: str) -> bool:
        channel_states.lock(connection, held.channel)
        at = self.clock()
        blocked_until = _blocked_until(error, at)
        next_try_at = _next_try_at(held, error, at)
        if next_try_at and blocked_until:
            next_try_at = max(next_try_at, blocked_until)
        if not isinstance(error, MessageRefused):
            channel_states.note_failed(connection, held.channel, words, at, blocked_until)
        return outbox.settle_failed(connection, held, _outcome(error), words, next_try_at, at)

    def _settle(self, connection: Connection, work: Callable[[Connection], _T]) -> _T:
        """Record what came of a try; a ledger that is busy for a moment must not make a message go out twice."""
        try:
            with connection.begin():
                return work(connection)
        except OperationalError:
            self.sleep(1)
        with self.engine.begin() as another:
            return work(another)

    def _note_closed(self, words: str) -> None:
        self.done.error = words
        with self.engine.begin() as connection:
            channel_states.lock(connection, self.card.id)
            channel_states.note_failed(connection, self.card.id, words, self.clock())
        log.warning("channel %s cannot be opened: %s", self.card.id, words)


def _words(error: Exception) -> str:
    """Return what may be kept of an error: ours say nothing secret; the words of others may hold an address with its key."""
    if isinstance(error, ShuhengError):
        return str(error)[:_LONGEST_ERROR] or type(error).__name__
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" in {Path(frame[0].filename).name}:{frame[0].lineno}" if frame else ""
    return f"{type(error).__name__}{where}"


def _outcome(error: Exception) -> Try:
    kinds = {ChannelRefused: Try.REFUSED, ChannelThrottled: Try.THROTTLED, ChannelUnreachable: Try.UNREACHABLE}
    return next((outcome for kind, outcome in kinds.items() if isinstance(error, kind)), Try.BROKEN)


def _blocked_until(error: Exception, at: datetime) -> datetime | None:
    if not isinstance(error, ChannelThrottled):
        return None
    return at + min(timedelta(seconds=max(error.retry_after, 1)), LONGEST_BLOCK)


def _next_try_at(held: Claim, error: Exception, at: datetime) -> datetime | None:
    is_refused = isinstance(error, ChannelRefused)
    if is_refused and held.refusals + 1 >= MOST_REFUSALS:
        return None
    wait = wait_after(held.tries, held.message_id, is_refused=is_refused)
    return at + wait if wait else None
