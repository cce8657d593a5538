"""Take tombstones of one batch back, and clear a source on purpose: batches of their own, so that history tells of them."""

from __future__ import annotations

import json
import logging
from datetime import datetime

from sqlalchemy import Connection, Engine, Select, delete, select, update

from include.clock import now
from include.errors import ConfigurationError, Permanent
from include.landing.batch import new_batch_id
from include.ledger.database import writing
from include.ledger.identity import NO_HASH, OWNERS
from include.ledger.last_batch import BY_HAND
from include.ledger.merge import MergeResult, bind_moment
from include.ledger.plain_sql import Bind, runner
from include.ledger.statements import EntityStatements
from include.ledger.tables import ENTITIES, absence, batch, watermark

log = logging.getLogger(__name__)


def undo_tombstones(engine: Engine, source: str, batch_id: str) -> MergeResult:
    """Restore what one batch of a source tombstoned and nothing has restored since; the second time there is nothing to do.

    Two further complete reads without a record are needed before it is tombstoned again.
    """
    with writing(engine, source) as connection:
        query = select(batch).where(batch.c.source == source, batch.c.batch_id == batch_id)
        undone = connection.execute(query).mappings().first()
        if undone is None:
            raise Permanent(
                f"no batch {batch_id} of {source} was merged; list the batches with: python -m include doctor"
            )
        result, at = _begin(source)
        counts = {
            e: restored for e in ENTITIES if (restored := _restore(connection, e, undone["batch_id"], result, at))
        }
        _finish(
            connection, result, undone["entity"], counts, "restored", at, f"tombstones of batch {batch_id} taken back"
        )
    return result


def clear_source(engine: Engine, source: str, confirm: str) -> MergeResult:
    """Tombstone every living record of a source; a later harvest restores what the source still has, and so does undo."""
    if confirm != source:
        raise ConfigurationError(f"to clear {source}, confirm with its name; {confirm!r} is another")
    with writing(engine, source) as connection:
        query = select(batch.c.entity).where(batch.c.source == source).order_by(batch.c.started_at.desc())
        entity = connection.execute(query).scalar()
        if entity is None:
            raise Permanent(
                f"nothing of {source} was ever merged; is the name right? list the sources with: python -m include doctor"
            )
        result, at = _begin(source)
        bind: Bind = {
            "source": source,
            "batch": result.batch_id,
            "at": bind_moment(connection, at),
            "at_text": at.isoformat(),
        }
        counts = {e: gone for e in ENTITIES if (gone := _tombstone_all(connection, e, bind))}
        # What is told of records that are missing, and how far changes were read, is about a ledger that holds them.
        connection.execute(delete(absence).where(absence.c.source == source))
        connection.execute(delete(watermark).where(watermark.c.source == source))
        _finish(connection, result, entity, counts, "tombstoned", at, "cleared by hand")
    return result


def _tombstone_all(connection: Connection, entity: str, bind: Bind) -> int:
    run, living = runner(connection, bind), f"{entity} WHERE source = :source AND tombstoned_at IS NULL"
    count = int(run(f"SELECT count(*) FROM {living}").scalar_one())
    for statement in EntityStatements(entity, connection.dialect.name).tombstone(f"SELECT record_key FROM {living}"):
        if count:
            run(statement)
    return count


def _restore(connection: Connection, entity: str, undone: str, result: MergeResult, at: datetime) -> int:
    """Restore the records of an entity that a batch tombstoned, with their line in the history."""
    table, change = ENTITIES[entity]
    mine = (table.c.source == result.source) & table.c.tombstoned_at.is_not(None) & (table.c.changed_batch == undone)
    if not connection.execute(select(table.c.record_key).where(mine).limit(1)).first():
        return 0
    run = runner(
        connection,
        {"source": result.source, "undone": undone, "batch": result.batch_id, "at": bind_moment(connection, at)},
    )
    if owner := OWNERS.get(entity):
        _look_again(connection, select(table.c[owner]).where(mine), owner, result)
    gone = "source = :source AND batch_id = :undone AND field = 'tombstoned_at' AND new IS NOT NULL"
    keys = f"SELECT record_key FROM {entity} WHERE source = :source AND tombstoned_at IS NOT NULL AND changed_batch = :undone"
    run(
        f"INSERT INTO {change.name} (source, record_key, batch_id, field, old, new, changed_at) SELECT source, record_key, "
        f":batch, field, new, NULL, :at FROM {change.name} WHERE {gone} AND record_key IN ({keys})"
    )
    where = (absence.c.source == result.source) & (absence.c.entity == entity)
    connection.execute(delete(absence).where(where, absence.c.record_key.in_(select(table.c.record_key).where(mine))))
    values = {"tombstoned_at": None, "changed_batch": result.batch_id}
    return connection.execute(update(table).where(mine).values(**values)).rowcount


def _look_again(connection: Connection, owners: Select[tuple[str]], owner: str, result: MergeResult) -> None:
    """Have living owners of restored children mapped again: the next read says whether these are still in their list."""
    for parent in (ENTITIES[e][0] for e in ENTITIES if e not in OWNERS and owner in ENTITIES[e][0].c):
        mine = (parent.c.source == result.source) & parent.c[owner].in_(owners) & parent.c.tombstoned_at.is_(None)
        mine &= parent.c.changed_batch != result.batch_id  # one that is itself restored is as it was
        connection.execute(update(parent).where(mine).values(source_hash=NO_HASH))


def _begin(source: str) -> tuple[MergeResult, datetime]:
    started = now()
    return MergeResult(new_batch_id(source, started), source, False, False, 0, 0), started


def _finish(
    connection: Connection, result: MergeResult, entity: str, counts: dict[str, int], done: str, at: datetime, why: str
) -> None:
    """Write the batch row, if anything was done: neither full nor complete, for it tells nothing of the source."""
    if not counts:
        return
    setattr(result, done, counts.pop(entity, 0))
    nothing = {"created": 0, "changed": 0, "restored": 0, "tombstoned": 0}
    result.children = {e: nothing | {done: count} for e, count in counts.items()}
    result.reasons = [{"code": BY_HAND, "text": why}]
    last = select(batch.c.filter_digest, batch.c.card_digest).where(batch.c.source == result.source)
    asked = connection.execute(last.order_by(batch.c.started_at.desc()).limit(1)).mappings().one()
    zero = {"absent": 0, "changed": 0, "created": 0, "quarantined": 0, "repeated": 0, "unchanged": 0}
    connection.execute(
        batch.insert().values(
            batch_id=result.batch_id, source=result.source, entity=entity, is_full=False, is_complete=False, **asked, **zero,
            started_at=at, sealed_at=at, merged_at=at, rows_received=0, refused=0, restored=result.restored,
            tombstoned=result.tombstoned, children=json.dumps(result.children), notes="[]",
            reasons=json.dumps(result.reasons, ensure_ascii=False),
        )
    )  # fmt: skip
    log.warning("%s source=%s batch=%s %s=%d", why, result.source, result.batch_id, done, getattr(result, done))
