"""Bring the ledger to one sealed batch, in one transaction: new, changed, back again, set aside, gone.

The caller holds the transaction. The same batch twice writes nothing; an incomplete batch adds and updates and says nothing of what
it lacks.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from include.errors import BatchSuperseded
from include.landing.batch import Manifest, Reason
from include.ledger.absence import is_too_many
from include.ledger.batch_record import REPEATED, note_records, note_set_aside
from include.ledger.entity_tables import kinds
from include.ledger.feed import QUARANTINE_COLUMNS, Feed
from include.ledger.identity import NO_HASH, OWNERS
from include.ledger.plain_sql import Bind, runner
from include.ledger.statements import EntityStatements
from include.ledger.tables import batch as batch_table
from include.sources.card import Card

_JOINED = ("project_code", "system_code", "service_code", "resource_code", "day")
"""Columns by which records are found, where an entity has them."""

_HANDFUL = 5
"""So few children may be gone, even all of a batch: one list of one item that was renamed is no mishap."""

_MANY = 1000
"""New rows from which a table's statistics are renewed at once."""


@dataclass(slots=True)
class Counts:
    """What one batch did to one entity."""

    created: int = 0
    changed: int = 0
    restored: int = 0
    tombstoned: int = 0


@dataclass(slots=True)
class MergeResult:
    """What one batch did to the ledger, or would do."""

    batch_id: str
    source: str
    is_full: bool
    is_complete: bool
    rows_received: int
    refused: int
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    quarantined: int = 0
    restored: int = 0
    absent: int = 0
    tombstoned: int = 0
    held: int = 0
    warned: int = 0
    declared: int | None = None
    children: dict[str, dict[str, int]] = field(default_factory=dict)
    reasons: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sample: list[dict[str, Any]] = field(default_factory=list)
    was_merged_before: bool = False

    def account(self) -> dict[str, int]:
        """Return what became of the rows received, by outcome; the sum must be `rows_received`."""
        return {
            "refused": self.refused, "created": self.created, "changed": self.changed, "restored": self.restored,
            "unchanged": self.unchanged, "repeated": self.repeated, "quarantined": self.quarantined, "held": self.held,
        }  # fmt: skip

    @property
    def writes(self) -> int:
        """Return how many records the batch touched."""
        nested = sum(sum(c.values()) for c in self.children.values())
        return self.created + self.changed + self.restored + self.tombstoned + nested


def merged_before(connection: Connection, manifest: Manifest) -> MergeResult | None:
    """Return the recorded result if this batch was merged; raise if a newer one of the source was."""
    row = connection.execute(batch_table.select().where(batch_table.c.batch_id == manifest.batch_id)).mappings().first()
    if row:
        return _recorded(row)
    newer = (
        batch_table.select()
        .where(
            batch_table.c.source == manifest.source,
            batch_table.c.started_at > datetime.fromisoformat(manifest.started_at),
        )
        .limit(1)
    )
    if found := connection.execute(newer).mappings().first():
        raise BatchSuperseded(
            f"batch {manifest.batch_id} is older than {found['batch_id']}, which was merged already; "
            f"nothing to do: read the source again if you doubt the ledger"
        )
    return None


def newest_result(connection: Connection, source: str) -> MergeResult | None:
    """Return what the newest merged batch of a source did."""
    query = (
        batch_table.select().where(batch_table.c.source == source).order_by(batch_table.c.started_at.desc()).limit(1)
    )
    row = connection.execute(query).mappings().first()
    return _recorded(row) if row else None


def _recorded(row: RowMapping) -> MergeResult:
    names = ("created", "changed", "unchanged", "repeated", "quarantined", "restored", "absent", "tombstoned",
             "held", "warned", "declared")  # fmt: skip
    return MergeResult(
        row["batch_id"], row["source"], row["is_full"], row["is_complete"], row["rows_received"], row["refused"],
        **{name: row[name] for name in names}, children=json.loads(row["children"]), reasons=json.loads(row["reasons"]),
        notes=json.loads(row["notes"]), was_merged_before=True,
    )  # fmt: skip


def merge_entity(connection: Connection, entity: str, bind: Bind, *, is_child: bool, is_forced: bool = False) -> Counts:
    """Merge what is staged for one entity."""
    sql = EntityStatements(entity, connection.dialect.name)
    run = runner(connection, bind)
    changed, restored = run(sql.count_changed()).one()
    if changed or restored:
        run(sql.log_changes())
    run(sql.update_changed(by_hash=not is_child, by_fields=is_child or is_forced))
    created = run(sql.insert_new()).rowcount
    renew_statistics(connection, entity, created)
    return Counts(created, changed, restored)


def renew_statistics(connection: Connection, entity: str, created: int) -> None:
    """Tell PostgreSQL how much has come in; autovacuum comes minutes later, and until then small batches scan the table."""
    if created >= _MANY and connection.dialect.name == "postgresql":
        columns = ["source", "record_key", *(c for c in _JOINED if c in kinds(entity))]
        # A tenth of the usual sample: enough to see that there are many and that keys differ, and autovacuum looks closer.
        connection.exec_driver_sql("SET LOCAL default_statistics_target = 10")
        connection.exec_driver_sql(f"ANALYZE {entity} ({', '.join(columns)})")


def drop_repeats(connection: Connection, entity: str, bind: Bind, *, is_noted: bool = False) -> tuple[int, int]:
    """Remove rows staged twice under one key; return how many there were and how many of them stood on different pages."""
    sql = EntityStatements(entity, connection.dialect.name)
    run = runner(connection, bind)
    repeated, across = run(sql.count_repeats()).one()
    if repeated and is_noted:
        _note_repeated(connection, bind, f"stage_{entity} GROUP BY record_key HAVING count(*) > 1")
    if repeated:
        run(sql.drop_repeats())
    return int(repeated), int(across)


def count_bad_repeats(connection: Connection) -> int:
    """Count rows that are set aside and came on another page as well."""
    twice = "SELECT count(*) - 1 AS n FROM stage_quarantine GROUP BY record_hash HAVING count(*) > 1"
    return int(connection.exec_driver_sql(f"SELECT coalesce(sum(n), 0) FROM ({twice}) t").scalar_one())


def _note_repeated(connection: Connection, bind: Bind, place: str) -> None:
    note_records(connection, bind, REPEATED, f"SELECT DISTINCT record_key, '' AS detail FROM {place}")


def count_known(connection: Connection, entity: str, bind: Bind) -> int:
    """Count staged rows that the ledger holds alike: where known ones are not staged, they came twice."""
    keys = EntityStatements(entity, connection.dialect.name).known()
    count = int(runner(connection, bind)(f"SELECT count(*) FROM ({keys}) k").scalar_one())
    if count:
        _note_repeated(connection, bind, f"({keys}) k")
    return count


def drop_brought_before(connection: Connection, entity: str, bind: Bind) -> int:
    """Remove staged rows whose record came in another row that the ledger knows; return how many."""
    run, keys = runner(connection, bind), EntityStatements(entity, connection.dialect.name).brought_before()
    if not run(f"SELECT count(*) FROM ({keys}) b").scalar_one():
        return 0
    _note_repeated(connection, bind, f"({keys}) b")
    return int(run(f"DELETE FROM stage_{entity} WHERE record_key IN ({keys})").rowcount)


def drop_known(connection: Connection, entity: str, bind: Bind) -> int:
    """Remove staged rows that the ledger holds alike; return how many."""
    sql = EntityStatements(entity, connection.dialect.name)
    return int(runner(connection, bind)(sql.drop_known()).rowcount)


def drop_orphans(connection: Connection, card: Card) -> None:
    """Remove staged children whose parent's row was taken out."""
    for nested in card.nested:
        connection.exec_driver_sql(
            f"DELETE FROM stage_{nested.entity} WHERE seq NOT IN (SELECT seq FROM stage_{card.entity})"
        )


def keep_details(connection: Connection, card: Card, bind: Bind) -> None:
    """Give staged rows that came without their detail what the ledger knows of it: not to be told is not to be told nothing."""
    into = f"{card.detail.into}." if card.detail else ""
    columns = [rule.name for rule in card.fields if into and all(source.startswith(into) for source in rule.sources)]
    if columns:
        values = ", ".join(f"{c} = t.{c}" for c in columns)
        lacking = " AND ".join(f"s.{c} IS NULL" for c in columns)
        runner(connection, bind)(
            f"UPDATE stage_{card.entity} AS s SET {values} FROM {card.entity} t "
            f"WHERE t.source = :source AND t.record_key = s.record_key AND {lacking}"
        )


def tombstone_children(
    connection: Connection, entity: str, parent: str, bind: Bind, limits: Card, *, is_proven: bool
) -> tuple[int, Reason | None]:
    """Tombstone the children that their parent's newly read list does not name any more, if the batch is proven complete.

    One such batch is enough, for the list stands in a record that came whole; a loss beyond the card's guards is held all the same.
    """
    run, owner = runner(connection, bind), OWNERS[entity]
    mine = (
        f"FROM {entity} t WHERE t.source = :source AND t.tombstoned_at IS NULL AND t.{owner} IN "
        f"(SELECT {owner} FROM stage_{parent} WHERE lists LIKE '%{entity}%')"
    )
    keys = (
        f"SELECT t.record_key {mine} AND NOT EXISTS (SELECT 1 FROM stage_{entity} s WHERE s.record_key = t.record_key)"
    )
    gone = run(f"SELECT count(*) FROM ({keys}) g").scalar_one()
    if not gone:
        return 0, None
    total = run(f"SELECT count(*) {mine}").scalar_one()
    is_held = is_proven and gone > _HANDFUL and is_too_many(gone, total, limits)
    if is_held or not is_proven:
        # Known rows are not read again: without this nobody would ever look at these lists anew.
        forget_hashes(connection, parent, bind, f"{owner} IN (SELECT t.{owner} {mine} AND t.record_key IN ({keys}))")
        sentence = f"{gone} of {total} {entity} records are missing from their parents; nothing was tombstoned"
        return 0, Reason("vanishing_held", sentence) if is_held else None
    for statement in EntityStatements(entity, connection.dialect.name).tombstone(keys):
        run(statement)
    return gone, None


def forget_hashes(connection: Connection, entity: str, bind: Bind, where: str) -> None:
    """Have the living records of a source for which a condition holds mapped and compared again by the next batch."""
    runner(connection, bind)(f"UPDATE {entity} SET source_hash = '{NO_HASH}' WHERE source = :source AND {where}")


_CLOSE = "UPDATE quarantine SET state = :state, closed_batch = :batch WHERE source = :source AND state = 'open' AND "


def heal_quarantine(connection: Connection, entity: str, bind: Bind) -> None:
    """Close the quarantine rows of records that came right; call while everything that came is still staged."""
    run = runner(connection, bind)
    if run("SELECT count(*) FROM quarantine WHERE source = :source AND state = 'open'").scalar_one():
        run(_CLOSE + f"new_key IS NULL AND record_key IN (SELECT record_key FROM stage_{entity})", state="healed")
        if entity == "resource":  # what was set aside has come in, under its own key or under that of the known record
            run(_CLOSE + "coalesce(new_key, record_key) IN (SELECT resource_id FROM stage_resource)", state="healed")


def store_quarantine(connection: Connection, feed: Feed, bind: Bind, *, is_proof: bool) -> None:
    """Open quarantine rows for what was set aside; with proof that the batch is whole, close those that are gone."""
    run = runner(connection, bind)
    columns = ", ".join(QUARANTINE_COLUMNS)
    if is_proof:
        run(_CLOSE + "record_hash NOT IN (SELECT record_hash FROM stage_quarantine)", state="gone")
    if feed.counts.quarantined or feed.counts.held:
        # A row that came on two pages is set aside once: one statement may not touch a row twice.
        run(
            f"INSERT INTO quarantine (source, {columns}, entity, batch_id, opened_at, state) "
            f"SELECT :source, {columns}, :entity, :batch, :at, 'open' FROM (SELECT q.*, row_number() OVER "
            f"(PARTITION BY record_hash ORDER BY page, line) AS place FROM stage_quarantine q) q WHERE place = 1 "
            f"ON CONFLICT (source, record_hash) DO UPDATE SET state = 'open', closed_batch = NULL, batch_id = :batch, "
            f"problems = excluded.problems, record_key = excluded.record_key, new_key = excluded.new_key "
            f"WHERE quarantine.state <> 'open' OR coalesce(quarantine.record_key, '') <> coalesce(excluded.record_key, '')"
        )
        if not feed.card.series:
            note_set_aside(connection, bind)


def note_aliases(connection: Connection, bind: Bind, *, is_first: bool) -> None:
    """Record re-issued codes: the former code stays a row of its own and points to the new one."""
    renamed = "former_code IS NOT NULL AND former_code <> project_code ON CONFLICT DO NOTHING"
    chosen = f"SELECT :source, former_code, project_code, :batch FROM stage_project WHERE {renamed}"
    if is_first:  # nothing was staged; the whole of the source is new
        chosen = (
            f"SELECT source, former_code, project_code, created_batch FROM project WHERE source = :source AND {renamed}"
        )
    runner(connection, bind)(f"INSERT INTO project_alias (source, former_code, project_code, batch_id) {chosen}")


def record_batch(connection: Connection, manifest: Manifest, result: MergeResult, at: datetime) -> None:
    """Write the batch row, which makes the merge happen once."""
    values = {k: v for k, v in asdict(result).items() if k not in ("sample", "was_merged_before", "is_full")}
    for name in ("children", "reasons", "notes"):
        values[name] = json.dumps(values[name], ensure_ascii=False)
    connection.execute(
        batch_table.insert().values(
            **values, entity=manifest.entity, is_full=manifest.is_full, filter_digest=manifest.filter_digest,
            card_digest=manifest.card_digest, started_at=datetime.fromisoformat(manifest.started_at),
            sealed_at=datetime.fromisoformat(manifest.sealed_at), merged_at=at,
        )
    )  # fmt: skip


def bind_moment(connection: Connection, at: datetime) -> Any:
    """Return a moment as the dialect's driver takes it in plain SQL."""
    return at.isoformat() if connection.dialect.name == "sqlite" else at
