"""Which texts of sent messages and which tries to deliver may go; a message stays with title, receiver, findings and hash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time
from itertools import groupby

import orjson
from sqlalchemy import Connection, delete, select, update

from include.clock import SHANGHAI
from include.house.legal_holds import Held, resolve
from include.house.removal import House, Plan, Thing, hash_of_rows
from include.ledger.alert_tables import DEAD, SENT, delivery_attempt, outbox
from include.ledger.database import writing
from include.ledger.portions import portions

BODIES, ATTEMPTS = "message_bodies", "delivery_attempts"
LOCK = "keep_house"


def plan_bodies(house: House) -> Plan:
    """Return the messages whose text may go: sent long ago, and under no hold."""
    query = select(outbox.c.message_id, outbox.c.finding_ids, outbox.c.sent_at, outbox.c.body_hash, outbox.c.body)
    query = query.where(outbox.c.state == SENT, outbox.c.sent_at < _begin(house, BODIES), outbox.c.body != "")
    things: list[Thing] = []
    stays = 0
    with house.engine.connect() as connection:
        holds = resolve(connection, house.retention.holds_on(house.today))
        for row in connection.execution_options(yield_per=1000).execute(query.order_by(outbox.c.message_id)).mappings():
            if is_held(holds, row["finding_ids"], row["sent_at"]):
                stays += 1
            else:
                size = len(row["body"].encode())
                things.append(Thing((row["message_id"],), row["body_hash"], "older_than_kept", "", size))
    return Plan(BODIES, things, {"legal_hold": stays} if stays else {})


def remove_bodies(house: House, things: Sequence[Thing]) -> None:
    """Empty the texts; rows, titles and hashes stay."""
    with writing(house.engine, LOCK) as connection:
        for ids in _some(things):
            connection.execute(update(outbox).where(outbox.c.message_id.in_(ids)).values(body=""))


def plan_attempts(house: House) -> Plan:
    """Return the messages, sent or dead, of which all tries lie long back, each with the hash of the tries."""
    begin = _begin(house, ATTEMPTS)
    is_mine = outbox.c.message_id == delivery_attempt.c.message_id
    done = select(outbox.c.message_id).where(outbox.c.state.in_((SENT, DEAD)), is_mine)
    recent = select(delivery_attempt.c.message_id).where(delivery_attempt.c.started_at >= begin)
    query = select(delivery_attempt).where(delivery_attempt.c.started_at < begin, done.exists())
    query = query.where(delivery_attempt.c.message_id.not_in(recent)).order_by(*delivery_attempt.primary_key)
    things: list[Thing] = []
    stays = 0
    with house.engine.connect() as connection:
        holds = resolve(connection, house.retention.holds_on(house.today))
        named = _findings(connection) if holds else {}
        for message_id, rows in groupby(connection.execute(query).mappings(), key=lambda row: row["message_id"]):
            tries = [dict(row) for row in rows]
            if is_held(holds, named.get(message_id, "[]"), tries[-1]["started_at"]):
                stays += 1
            else:
                things.append(Thing((message_id,), hash_of_rows(tries), "older_than_kept", "", len(tries)))
    return Plan(ATTEMPTS, things, {"legal_hold": stays} if stays else {})


def remove_attempts(house: House, things: Sequence[Thing]) -> None:
    """Remove the tries of the messages."""
    begin = _begin(house, ATTEMPTS)
    with writing(house.engine, LOCK) as connection:
        for ids in _some(things):
            mine = (delivery_attempt.c.message_id.in_(ids), delivery_attempt.c.started_at < begin)
            connection.execute(delete(delivery_attempt).where(*mine))


def is_held(holds: Iterable[Held], finding_ids: str, at: datetime) -> bool:
    """Return whether a message about findings (a JSON list of ids) of a moment is under a hold."""
    ids, day = orjson.loads(finding_ids), at.astimezone(SHANGHAI).date()
    return any(held.keeps_message(ids, day) for held in holds)


def _begin(house: House, kind: str) -> datetime:
    """Return the moment before which things of a kind are old."""
    return datetime.combine(house.retention.cutoff(kind, house.today), time(), SHANGHAI)


def _findings(connection: Connection) -> dict[str, str]:
    query = select(outbox.c.message_id, outbox.c.finding_ids)
    return {message_id: finding_ids for message_id, finding_ids in connection.execute(query)}


def _some(things: Sequence[Thing]) -> Iterator[Sequence[str]]:
    return portions([thing.name[0] for thing in things])
