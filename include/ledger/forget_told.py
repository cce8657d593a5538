"""Remove what was told, or is about to be, of records that must leave no trace: messages, tries, holds, incidents, counts by unit.

A message that is still on its way loses the lines that name them and goes on with the rest; one that was sent, or is dead, goes
whole, so that what was spooled of it is called back. What people have read already cannot be. Keys and names are never logged.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Column, ColumnElement, Connection, Table, column, delete, or_, select, table, update

from include.ledger.alert_tables import (
    alert_hold,
    channel_state,
    compliance_day,
    delivery_attempt,
    held_finding,
    incident,
    outbox,
    told,
)
from include.ledger.portions import portions
from include.ledger.tables import ENTITIES

PART = r"[0-9A-Za-z_-]"
"""What a key is made of: SYS1 is not named by SYS10."""
SHORTEST_NAME = 4
"""Characters below which a name is a word like any other and names nothing."""

_SUBJECTS = table("subject_unit", column("subject"), column("unit_name"), column("name"))


@dataclass(frozen=True, slots=True)
class Called:
    """What the records of some keys are called, and the units they belong to, now and before."""

    names: frozenset[str]
    units: frozenset[str]


def called(connection: Connection, entity: str, source: str, keys: Collection[str]) -> Called:
    """Return names and units of records; to be asked before they are deleted."""
    main, change = ENTITIES[entity]
    found: dict[str, set[str]] = {"name": set(), "unit_name": set()}
    for some in portions(sorted(keys)):
        for field, texts in found.items():
            texts.update(connection.execute(select(_SUBJECTS.c[field]).where(_SUBJECTS.c.subject.in_(some))).scalars())
            if field in main.c:
                mine = select(main.c[field]).where(main.c.source == source, main.c.record_key.in_(some))
                texts.update(connection.execute(mine).scalars())
            former = (change.c.source == source, change.c.record_key.in_(some), change.c.field == field)
            for row in connection.execute(select(change.c.old, change.c.new).where(*former)):
                texts.update(row)
    names, units = ({text for text in texts if text and len(text) >= SHORTEST_NAME} for texts in found.values())
    return Called(frozenset(names), frozenset(units))


def forget_told(
    connection: Connection, findings: Collection[str], keys: Collection[str], names: Collection[str]
) -> None:
    """Remove what is told of these findings, and whatever names a key, or a name that no other record has."""
    for some in portions(sorted(findings)):
        for one in (told, held_finding):
            connection.execute(delete(one).where(one.c.finding_id.in_(some)))
    words = _Words(set(keys), set(names) - _still_used(connection, _SUBJECTS.c.name, names))
    _forget_messages(connection, set(findings), words)
    for one, texts in ((incident, (incident.c.part, incident.c.detail)),):
        for row in words.rows(connection, one, texts):
            connection.execute(delete(one).where(_same(one, row)))
    for one, text in (
        (delivery_attempt, delivery_attempt.c.detail), (outbox, outbox.c.receipt), (outbox, outbox.c.last_error),
        (channel_state, channel_state.c.last_error), (alert_hold, alert_hold.c.reason),
    ):  # fmt: skip
        for row in words.rows(connection, one, (text,)):
            connection.execute(update(one).where(_same(one, row)).values({text.name: None}))
    empty = alert_hold.c.hold_id.not_in(select(held_finding.c.hold_id))
    connection.execute(delete(alert_hold).where(alert_hold.c.state == "held", empty))


def forget_units(connection: Connection, units: Collection[str]) -> None:
    """Remove what is kept by unit of those units that nothing in the ledger belongs to any more."""
    for gone in portions(sorted(set(units) - _still_used(connection, _SUBJECTS.c.unit_name, units))):
        for one in (compliance_day, told):
            connection.execute(delete(one).where(one.c.department.in_(gone)))
        mine = select(outbox.c.message_id).where(outbox.c.department.in_(gone))
        for message_id in connection.execute(mine).scalars().all():
            _drop(connection, message_id)


def _still_used(connection: Connection, column: ColumnElement[str], words: Collection[str]) -> set[str]:
    """Return which of the words a subject in the ledger still has."""
    return {
        word
        for some in portions(sorted(words))
        for word in connection.execute(select(column).where(column.in_(some))).scalars()
    }


class _Words:
    """Keys, which stand for themselves and not within longer ones, and names, which may stand anywhere."""

    def __init__(self, keys: set[str], names: set[str]) -> None:
        self.words = sorted(keys | names)
        parts = [f"(?<!{PART}){re.escape(key)}(?!{PART})" for key in sorted(keys)]
        self._named = re.compile("|".join([*parts, *map(re.escape, sorted(names))]) or r"(?!)")

    def stand_in(self, *texts: Any) -> bool:
        """Return whether one of the texts names one of them."""
        return any(isinstance(text, str) and self._named.search(text) for text in texts)

    def rows(self, connection: Connection, one: Table, texts: tuple[Column[Any], ...]) -> Iterator[dict[str, Any]]:
        """Yield the rows, with the columns asked for and their key, that name one of them."""
        for at in range(0, len(self.words), 50):
            some = self.words[at : at + 50]
            likely = or_(*(text.contains(word, autoescape=True) for text in texts for word in some))
            query = select(*one.primary_key, *(t for t in texts if not t.primary_key)).where(likely)
            for row in connection.execute(query).mappings().all():
                if self.stand_in(*(row[text.name] for text in texts)):
                    yield dict(row)


def _same(one: Table, row: dict[str, Any]) -> Any:
    condition = [key == row[key.name] for key in one.primary_key]
    return condition[0] if len(condition) == 1 else condition[0] & condition[1]


def _forget_messages(connection: Connection, findings: set[str], words: _Words) -> None:
    named = {row["message_id"] for row in words.rows(connection, outbox, (outbox.c.title, outbox.c.body))}
    query = select(outbox.c.message_id, outbox.c.finding_ids)
    if findings:
        named |= {i for i, ids in connection.execute(query) if not findings.isdisjoint(orjson.loads(ids))}
    for message_id in sorted(named):
        row = connection.execute(select(outbox).where(outbox.c.message_id == message_id)).mappings().one()
        left = _without(row["body"], findings, words) if row["state"] == "pending" else None
        if left is None:
            _drop(connection, message_id)
            continue
        connection.execute(update(outbox).where(outbox.c.message_id == message_id).values(**left))


def _drop(connection: Connection, message_id: str) -> None:
    for one in (delivery_attempt, outbox):
        connection.execute(delete(one).where(one.c.message_id == message_id))


def _without(body: str, findings: set[str], words: _Words) -> dict[str, str] | None:
    """Return what stands in the outbox of a message without the lines that name them; None where nothing is left to say."""
    message = orjson.loads(body)
    sections = []
    for section in message["sections"]:
        kept = [i for i in section["items"] if i["finding_id"] not in findings and not words.stand_in(*i.values())]
        count = section["count"] - (len(section["items"]) - len(kept))
        if count > 0 and not words.stand_in(section["topic"], section["note"]):
            sections.append(section | {"items": kept, "count": count})
    rest = [value for name, value in message.items() if name != "sections"]
    if not sections or words.stand_in(*rest):
        return None
    text = orjson.dumps(message | {"sections": sections}, option=orjson.OPT_SORT_KEYS).decode()
    ids = dict.fromkeys(item["finding_id"] for section in sections for item in section["items"] if item["finding_id"])
    return {
        "body": text, "body_hash": hashlib.blake2b(text.encode(), digest_size=16).hexdigest(),
        "finding_ids": orjson.dumps(list(ids)).decode(),
        "reasons": ",".join(dict.fromkeys(section["reason"] for section in sections)),
    }  # fmt: skip
