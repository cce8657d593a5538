"""The outbox: messages that were decided, until they are delivered or dead. The only place that writes `outbox`.

A message is claimed before it is tried, and the try is written down before it is made: whoever dies in between leaves a claim that
ends by itself and a try that counts for the channel's rate. `delivery.py` does the trying; the caller holds the transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, Subquery, func, insert, or_, select, update

from include.alerts import channel_states
from include.alerts.channels.channel import ChannelCard
from include.alerts.message import Message
from include.alerts.pace import LEASE, MINUTE, MOST_TRIES, UNPACED, Span, earliest
from include.alerts.switchboard import OPERATOR, SPOOL
from include.errors import ConfigurationError
from include.ledger.alert_tables import DEAD, PENDING, SENT, delivery_attempt, outbox
from include.ledger.portions import portions


class Try(StrEnum):
    """What came of a try; `cut_short` where whoever made it did not live to say."""

    SENT = "sent"
    REFUSED = "refused"
    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"
    BROKEN = "broken"
    CUT_SHORT = "cut_short"


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that one worker may try now; `tries` counts this one, `number` is that of the row in `delivery_attempt`."""

    message_id: str
    channel: str
    body: str
    worker: str
    tries: int
    number: int
    refusals: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Something is due, but the channel may not be tried before a moment."""

    until: datetime


def put(connection: Connection, messages: Iterable[Message], at: datetime) -> int:
    """Put messages into the outbox in the caller's transaction; one that is there is left alone. Return how many came."""
    wanted = {message.message_id: message for message in messages}
    known = _known(connection, list(wanted))
    rows = [_row(message, at) for message_id, message in wanted.items() if message_id not in known]
    if rows:
        connection.execute(insert(outbox), rows)
    return len(rows)


def _known(connection: Connection, ids: list[str]) -> set[str]:
    found: set[str] = set()
    for some in portions(ids):
        query = select(outbox.c.message_id).where(outbox.c.message_id.in_(some))
        found |= set(connection.execute(query).scalars())
    return found


def _row(message: Message, at: datetime) -> dict[str, Any]:
    body = message.dumps()
    return {
        "message_id": message.message_id, "channel": message.channel, "receiver": message.receiver,
        "department": message.department, "reasons": ",".join(dict.fromkeys(s.reason.value for s in message.sections)),
        "is_urgent": message.is_urgent, "title": message.title, "body": body,
        "finding_ids": orjson.dumps(message.finding_ids).decode(),
        "body_hash": hashlib.blake2b(body.encode(), digest_size=16).hexdigest(), "decided_at": message.decided_at,
        "state": PENDING, "attempts": 0, "next_try_at": at,
    }  # fmt: skip


def _due(channel: str, at: datetime, receivers: Collection[str] = ()) -> ColumnElement[bool]:
    """Return the condition of what may be claimed on a channel; with `receivers` only what is for them."""
    is_free = or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until <= at)
    condition = (outbox.c.state == PENDING) & (outbox.c.channel == channel) & (outbox.c.next_try_at <= at) & is_free
    return condition & outbox.c.receiver.in_(sorted(receivers)) if receivers else condition


def is_due(connection: Connection, channel: str, at: datetime, receivers: Collection[str] = ()) -> bool:
    """Return whether there is something to claim on a channel, its pace left aside."""
    query = select(outbox.c.message_id).where(_due(channel, at, receivers)).limit(1)
    return connection.execute(query).first() is not None


def waiting(connection: Connection, channel: str) -> int:
    """Return how many messages of a channel are not delivered yet and not dead."""
    pending = (outbox.c.state == PENDING) & (outbox.c.channel == channel)
    return int(connection.execute(select(func.count()).select_from(outbox).where(pending)).scalar_one())


def claim(
    connection: Connection, card: ChannelCard, worker: str, at: datetime, receivers: Collection[str] = ()
) -> Claim | Wait | None:
    """Claim the next message of a channel for one worker, urgent ones first; None when nothing is due."""
    channel_states.lock(connection, card.id)
    while (row := connection.execute(_next(card.id, at, receivers)).first()) is not None:
        blocked = channel_states.state_of(connection, card.id).blocked_until
        free = max(blocked or at, earliest(card, _spans(connection, card, at), at))
        if free > at:
            return Wait(free)
        _end_cut_short(connection, row.message_id, at)
        if row.attempts < MOST_TRIES:
            return _claimed(connection, row, worker, at)
        _bury(connection, row.message_id, f"{row.attempts} tries, the last of them cut short")
    return None


def _next(channel: str, at: datetime, receivers: Collection[str]) -> Select[Any]:
    order = outbox.c.is_urgent.desc(), outbox.c.next_try_at, outbox.c.message_id
    query = select(outbox).where(_due(channel, at, receivers)).order_by(*order).limit(1)
    return query.with_for_update(skip_locked=True)  # SQLite has no such clause: its transaction began as a writer's


def _claimed(connection: Connection, row: Row[Any], worker: str, at: datetime) -> Claim:
    mine = delivery_attempt.c.message_id == row.message_id
    past = connection.execute(select(delivery_attempt.c.number, delivery_attempt.c.outcome).where(mine)).all()
    number = max((p.number for p in past), default=0) + 1
    of_this_life = [p for p in past if p.number >= number - row.attempts]
    held = Claim(
        row.message_id, row.channel, row.body, worker, row.attempts + 1, number,
        sum(p.outcome == Try.REFUSED for p in of_this_life),
    )  # fmt: skip
    values = {"claimed_by": worker, "claimed_until": at + LEASE, "attempts": held.tries}
    connection.execute(update(outbox).where(outbox.c.message_id == row.message_id).values(**values))
    connection.execute(
        insert(delivery_attempt).values(message_id=row.message_id, number=number, channel=row.channel, started_at=at)
    )
    return held


def _spans(connection: Connection, card: ChannelCard, at: datetime) -> list[Span]:
    if card.kind in UNPACED:
        return []
    recent = (delivery_attempt.c.channel == card.id) & (delivery_attempt.c.started_at > at - LEASE - MINUTE)
    query = select(delivery_attempt.c.started_at, delivery_attempt.c.ended_at).where(recent)
    return [Span(started, ended) for started, ended in connection.execute(query)]


def _end_cut_short(connection: Connection, message_id: str, at: datetime) -> None:
    unended = (delivery_attempt.c.message_id == message_id) & delivery_attempt.c.ended_at.is_(None)
    connection.execute(update(delivery_attempt).where(unended).values(ended_at=at, outcome=Try.CUT_SHORT.value))


def settle_sent(connection: Connection, held: Claim, receipt: str, at: datetime) -> None:
    """It was delivered: so it stands, also where its claim is over and another worker has it by now."""
    _end(connection, held, Try.SENT, receipt, at)
    mine = outbox.c.message_id == held.message_id
    values = {"state": SENT, "sent_at": at, "receipt": receipt, "last_error": None, **_UNCLAIMED}
    connection.execute(update(outbox).where(mine, outbox.c.state != SENT).values(**values))


def settle_failed(
    connection: Connection, held: Claim, outcome: Try, error: str, next_try_at: datetime | None, at: datetime
) -> bool:
    """It was not delivered: to be tried again, or dead without `next_try_at`. Return whether it is dead now by this try."""
    _end(connection, held, outcome, error, at)
    values: dict[str, Any] = {"last_error": error, **_UNCLAIMED}
    values |= {"next_try_at": next_try_at} if next_try_at else {"state": DEAD}
    still_mine = (outbox.c.message_id == held.message_id) & (outbox.c.state == PENDING)
    still_mine &= outbox.c.claimed_by == held.worker
    changed = connection.execute(update(outbox).where(still_mine).values(**values)).rowcount
    return bool(changed) and next_try_at is None


_UNCLAIMED = {"claimed_by": None, "claimed_until": None}


def _end(connection: Connection, held: Claim, outcome: Try, detail: str, at: datetime) -> None:
    this = (delivery_attempt.c.message_id == held.message_id) & (delivery_attempt.c.number == held.number)
    connection.execute(update(delivery_attempt).where(this).values(ended_at=at, outcome=outcome.value, detail=detail))


def _bury(connection: Connection, message_id: str, error: str) -> None:
    values = {"state": DEAD, "last_error": error, **_UNCLAIMED}
    connection.execute(update(outbox).where(outbox.c.message_id == message_id).values(**values))


def give_up(connection: Connection, in_use: Collection[str], before: datetime) -> int:
    """Let messages die that have waited since before a moment for channels that are not in use; return how many."""
    stranded = (outbox.c.state == PENDING) & outbox.c.channel.not_in(sorted(in_use)) & (outbox.c.next_try_at < before)
    values = {"state": DEAD, "last_error": "the channel is not in use any more", **_UNCLAIMED}
    return connection.execute(update(outbox).where(stranded).values(**values)).rowcount


def hand_over(connection: Connection, channels: Collection[str], at: datetime) -> None:
    """Put a copy of what waits for channels that are down into the spool, for the operator to hand on; the messages wait on.

    A message has one copy, however often and by however many at once it is asked for.
    """
    channel_states.lock(connection, SPOOL.id)
    waits = (outbox.c.state == PENDING) & outbox.c.channel.in_(sorted(channels)) & (outbox.c.receiver != OPERATOR)
    copies = {_copy_id(one): one for one in connection.execute(select(outbox.c.message_id).where(waits)).scalars()}
    missing = [copies[one] for one in copies.keys() - _known(connection, list(copies))]
    for some in portions(sorted(missing)):
        bodies = connection.execute(select(outbox.c.body).where(outbox.c.message_id.in_(some))).scalars()
        put(connection, [_copy(Message.loads(body)) for body in bodies], at)


def _copy(message: Message) -> Message:
    title = f"请转交{message.receiver_title}:{message.title}"
    copied = replace(message, message_id=_copy_id(message.message_id), channel=SPOOL.id, receiver=OPERATOR)
    return replace(copied, title=title, address=())


def _copy_id(message_id: str) -> str:
    return hashlib.blake2b(f"{message_id}\x1f{SPOOL.id}".encode(), digest_size=16).hexdigest()


def revive(connection: Connection, beginning: str, at: datetime) -> str:
    """Make a dead message pending again, with all its tries before it; return its id. Raises `ConfigurationError` for another."""
    pattern = outbox.c.message_id.startswith(beginning, autoescape=True)
    found = connection.execute(select(outbox.c.message_id, outbox.c.state).where(pattern).limit(2)).all()
    if len(found) != 1:
        many = "more than one message begins" if found else "no message begins"
        raise ConfigurationError(
            f"{many} with {beginning!r}; list the dead ones with: python -m include deliver --dead"
        )
    message_id, state = found[0]
    if state != DEAD:
        raise ConfigurationError(f"message {message_id} is {state}, not dead; there is nothing to retry")
    _revive(connection, [message_id], at)
    return str(message_id)


def revive_channel(connection: Connection, channel: str, since: datetime, at: datetime) -> list[str]:
    """Make the messages of a channel pending again that died after a moment, as `revive` does; return their ids."""
    died = _died_since(since)
    mine = select(died.c.message_id).where(died.c.channel == channel).order_by(died.c.message_id)
    found = list(connection.execute(mine).scalars())
    _revive(connection, found, at)
    return found


def _revive(connection: Connection, ids: Collection[str], at: datetime) -> None:
    values = {"state": PENDING, "attempts": 0, "next_try_at": at}
    for some in portions(sorted(ids)):
        connection.execute(update(outbox).where(outbox.c.message_id.in_(some)).values(**values))


def listed(connection: Connection, state: str | None = None, limit: int = 200) -> list[dict[str, Any]]:
    """Return the newest messages, without their bodies, as the command line shows them."""
    columns = [c for c in outbox.c if c.name not in ("body", "finding_ids", "body_hash")]
    query = select(*columns).order_by(outbox.c.decided_at.desc(), outbox.c.message_id).limit(limit)
    query = query.where(outbox.c.state == state) if state else query
    return [dict(row) for row in connection.execute(query).mappings()]


def counts(connection: Connection) -> dict[str, dict[str, int]]:
    """Return how many messages of each channel are pending, sent and dead."""
    found: dict[str, dict[str, int]] = {}
    query = select(outbox.c.channel, outbox.c.state, func.count()).group_by(outbox.c.channel, outbox.c.state)
    for channel, state, count in connection.execute(query):
        found.setdefault(channel, dict.fromkeys((PENDING, SENT, DEAD), 0))[state] = count
    return found


def dead_since(connection: Connection, since: datetime) -> dict[str, int]:
    """Return of each channel how many of its dead messages died after a moment."""
    died = _died_since(since)
    query = select(died.c.channel, func.count()).group_by(died.c.channel)
    return {channel: count for channel, count in connection.execute(query)}


def _died_since(since: datetime) -> Subquery:
    tried = func.max(func.coalesce(delivery_attempt.c.ended_at, delivery_attempt.c.started_at))
    return (
        select(outbox.c.channel, outbox.c.message_id)
        .outerjoin(delivery_attempt, delivery_attempt.c.message_id == outbox.c.message_id)
        .where(outbox.c.state == DEAD)
        .group_by(outbox.c.channel, outbox.c.message_id, outbox.c.next_try_at)
        .having(func.coalesce(tried, outbox.c.next_try_at) > since)
        .subquery()
    )
