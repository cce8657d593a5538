"""How the channels fare: until when one asked to be left alone, since when nothing gets through. Writes `channel_state`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from include.ledger.alert_tables import channel_state
from include.ledger.database import lock_key

FAILING_AFTER = timedelta(minutes=15)
"""For how long nothing may get through before it is more than a passing disturbance."""


@dataclass(frozen=True, slots=True)
class ChannelState:
    """How one channel fares; `failing_since` is the first failure after the last success, None while all is well."""

    channel: str
    blocked_until: datetime | None = None
    failing_since: datetime | None = None
    last_sent_at: datetime | None = None
    last_error: str | None = None

    def is_down(self, at: datetime) -> bool:
        """Return whether it has let nothing through for longer than a disturbance lasts."""
        return self.failing_since is not None and at - self.failing_since >= FAILING_AFTER


def lock(connection: Connection, channel: str) -> None:
    """Let one transaction after the other look at a channel and change it; on SQLite there is but one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key(f"channel {channel}")})


def state_of(connection: Connection, channel: str) -> ChannelState:
    """Return how a channel fares; one that was never tried fares well."""
    return states(connection).get(channel, ChannelState(channel))


def states(connection: Connection) -> dict[str, ChannelState]:
    """Return how every channel fares that was ever tried."""
    rows = connection.execute(select(channel_state)).mappings()
    return {row["channel"]: ChannelState(**row) for row in rows}


def note_sent(connection: Connection, channel: str, at: datetime) -> None:
    """Something got through. The caller holds the lock."""
    blocked_until = _later(at, state_of(connection, channel).blocked_until)
    _write(connection, channel, last_sent_at=at, failing_since=None, blocked_until=blocked_until, last_error=None)


def note_failed(
    connection: Connection, channel: str, error: str, at: datetime, blocked_until: datetime | None = None
) -> None:
    """Something did not get through; the channel wants to be left alone until `blocked_until`. The caller holds the lock."""
    before = state_of(connection, channel)
    blocked_until = _later(at, before.blocked_until, blocked_until)
    _write(connection, channel, failing_since=before.failing_since or at, last_error=error, blocked_until=blocked_until)


def _later(at: datetime, *moments: datetime | None) -> datetime | None:
    """Return the last moment still to come: what one worker is told holds for all, whatever another one hears meanwhile."""
    return max((moment for moment in moments if moment and moment > at), default=None)


def _write(connection: Connection, channel: str, **values: Any) -> None:
    changed = connection.execute(update(channel_state).where(channel_state.c.channel == channel).values(**values))
    if not changed.rowcount:
        connection.execute(insert(channel_state).values(channel=channel, **values))
