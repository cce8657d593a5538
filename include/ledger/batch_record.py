"""What a batch did record by record: noted where no other table keeps it, and read back from all that keep it.

Created records and changed fields stand in the ledger and its history. Rows that came twice, that were set aside or held, and
records taken with warnings are noted in `batch_record` when they are met; unchanged ones are only counted, and listed on request.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from include.landing.batch import Manifest
from include.landing.store import LandingStore
from include.ledger.plain_sql import Bind, runner
from include.ledger.recoined import decided_keys
from include.ledger.tables import ENTITIES, batch_record, quarantine
from include.sources.card import Card
from include.sources.mapping import CardMapper

REPEATED, QUARANTINED, HELD, WARNED = "repeated", "quarantined", "held", "warned"
CREATED, UPDATED, RESTORED, TOMBSTONED, UNCHANGED = "created", "updated", "restored", "tombstoned", "unchanged"


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """One thing that a batch did with, or found in, one record; a record may have several."""

    record_key: str
    outcome: str
    detail: dict[str, Any]


def note_records(connection: Connection, bind: Bind, outcome: str, query: str) -> int:
    """Note an outcome for the records that a query names, with its detail: columns `record_key` and `detail`; return how many."""
    # Names of their own: PostgreSQL wants one type of a value, and here it is selected, in queries compared.
    values = bind | {"noted_source": bind["source"], "noted_batch": bind["batch"]}
    noted = runner(connection, values)(
        "INSERT INTO batch_record (source, batch_id, outcome, record_key, detail) "
        f"SELECT :noted_source, :noted_batch, '{outcome}', n.record_key, n.detail FROM ({query}) n WHERE 1 = 1 "
        "ON CONFLICT DO NOTHING"
    )
    return int(noted.rowcount)


def note_set_aside(connection: Connection, bind: Bind) -> None:
    """Note the rows of this batch that are set aside, by hash where they have no key, and those that are held."""
    name = "coalesce(record_key, record_hash)"
    bad = f"SELECT {name} AS record_key, min(record_hash) AS detail FROM stage_quarantine WHERE new_key IS NULL GROUP BY {name}"
    note_records(connection, bind, QUARANTINED, bad)
    held = "SELECT new_key AS record_key, record_key AS detail FROM stage_quarantine WHERE new_key IS NOT NULL"
    note_records(connection, bind, HELD, held)


def note_warned(connection: Connection, bind: Bind, entity: str, *, direct: bool) -> int:
    """Note the records that came in with warnings; return how many."""
    place = f"{entity} WHERE source = :source AND created_batch = :batch AND" if direct else f"stage_{entity} WHERE"
    warned = f"SELECT record_key, warnings AS detail FROM {place} warnings IS NOT NULL"
    return note_records(connection, bind, WARNED, warned)


def copy_notes(connection: Connection, bind: Bind, of: str) -> None:
    """Give a batch whose pages equal those of another the notes of that one."""
    noted = "SELECT record_key, detail FROM batch_record WHERE source = :source AND batch_id = :of AND outcome = "
    for outcome in (REPEATED, QUARANTINED):
        note_records(connection, bind | {"of": of}, outcome, f"{noted}'{outcome}'")


def records_of_batch(
    connection: Connection, source: str, batch_id: str, entity: str = "resource"
) -> Iterator[RecordOutcome]:
    """Yield what a batch did record by record, unchanged ones left out."""
    table, change = ENTITIES[entity]
    created = select(table.c.record_key).where(table.c.source == source, table.c.created_batch == batch_id)
    for (key,) in connection.execute(created.order_by(table.c.record_key)):
        yield RecordOutcome(key, CREATED, {})
    changes = select(change.c.record_key, change.c.field, change.c.old, change.c.new)
    changes = changes.where(change.c.source == source, change.c.batch_id == batch_id)
    found = connection.execute(changes.order_by(change.c.record_key, change.c.field))
    for key, rows in groupby(found, key=lambda row: str(row.record_key)):
        yield _changed(key, list(rows))
    noted = select(batch_record).where(batch_record.c.source == source, batch_record.c.batch_id == batch_id)
    for row in connection.execute(noted.order_by(batch_record.c.outcome, batch_record.c.record_key)).all():
        yield RecordOutcome(row.record_key, row.outcome, _detail(connection, row))


def _changed(key: str, rows: list[Row[Any]]) -> RecordOutcome:
    """Return what became of a record whose fields a batch changed: each field with its old and new value."""
    fields = {row.field: [row.old, row.new] for row in rows}
    moment = fields.pop("tombstoned_at", None)
    outcome = UPDATED if moment is None else TOMBSTONED if moment[1] else RESTORED
    return RecordOutcome(key, outcome, fields)


def _detail(connection: Connection, row: Row[Any]) -> dict[str, Any]:
    if row.outcome == HELD:
        return {"known": row.detail}
    if row.outcome == WARNED:
        return {"warnings": row.detail.split(",")}
    if row.outcome == QUARANTINED:
        mine = (quarantine.c.source == row.source) & (quarantine.c.record_hash == row.detail)
        problems = connection.execute(select(quarantine.c.problems).where(mine)).scalar()
        return {"record_hash": row.detail, "problems": json.loads(problems or "[]")}
    return {}


def unchanged_of_batch(
    connection: Connection, store: LandingStore, card: Card, batch_id: str
) -> Iterator[RecordOutcome]:
    """Yield the records that a batch brought and nothing had to be done about; maps its landed pages once more."""
    told = {
        o.record_key for o in records_of_batch(connection, card.source, batch_id, card.entity) if o.outcome != WARNED
    }
    known = {new: known for known, new in decided_keys(connection, card.source)}
    mapper = CardMapper(card).main
    for page in Manifest.from_dict(store.get_manifest(card.source, batch_id)).pages:
        for line in store.get_page(card.source, page.sha256):
            key = mapper.record_key(mapper.map(orjson.loads(line), dict(card.constants))[0])
            if key is not None and known.get(key, key) not in told:
                told.add(known.get(key, key))
                yield RecordOutcome(known.get(key, key), UNCHANGED, {})
