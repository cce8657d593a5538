"""Records that a complete batch did not bring: noted the first time, tombstoned the second, held when there are too many."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from include.landing.batch import Reason
from include.ledger.identity import NO_HASH, OWNERS
from include.ledger.last_batch import last_full
from include.ledger.stage import Stage
from include.ledger.statements import EntityStatements
from include.sources.card import Card

Bind = dict[str, Any]

OUTSIDE = "filter:"
"""Begins `first_batch` of a record that the source is no longer asked for: it is not gone, and is never tombstoned for it."""

SET_ASIDE = (
    "SELECT q.record_key FROM stage_quarantine q WHERE q.record_key IS NOT NULL "
    "UNION ALL SELECT d.record_key FROM identity_decision d JOIN stage_quarantine q ON q.record_key = d.new_key "
    "WHERE d.source = :source AND d.is_same"
)
"""Keys of records that a batch brought and that were set aside, under an identifier that a person decided to be theirs, too."""


def clear_seen(connection: Connection, card: Card, unseen: set[bytes], bind: Bind, *, is_full: bool) -> None:
    """Forget the absence of records that this batch brought, complete or not: a record that is there is there."""
    mine = "source = :source AND entity = :entity"
    noted = connection.execute(
        text(
            f"SELECT a.record_key, CAST(t.source_hash AS text) FROM absence a JOIN {card.entity} t "
            "ON t.source = a.source AND t.record_key = a.record_key WHERE a.source = :source AND a.entity = :entity"
        ),
        {k: bind[k] for k in ("source", "entity")},
    ).all()
    back = [k for k, digest in noted if is_full and bytes.fromhex(digest.replace("-", "")) not in unseen]
    for key in back:
        connection.execute(text(f"DELETE FROM absence WHERE {mine} AND record_key = :key"), _pick(bind) | {"key": key})
    if noted:
        connection.execute(
            text(
                f"DELETE FROM absence WHERE {mine} AND record_key IN "
                f"(SELECT record_key FROM stage_{card.entity} UNION ALL {SET_ASIDE})"
            ),
            _pick(bind),
        )


def has_new_question(connection: Connection, source: str, filter_digest: str) -> bool:
    """Return whether the last complete full batch asked the source something else."""
    last = last_full(connection, source, complete=True)
    return last is not None and last["filter_digest"] != filter_digest


def settle_absent(
    connection: Connection, stage: Stage, card: Card, bind: Bind, *, is_new_question: bool
) -> tuple[int, int, Reason | None]:
    """Note or tombstone what a complete full batch did not bring; return absent, tombstoned, and a reason if held.

    Where the source was asked something else than before, what is missing lies outside the question and is noted as that.
    """
    absent = _stage_absent(connection, stage, card, bind, is_new_question)
    if is_new_question:
        _note(connection, bind | {"batch": f"{OUTSIDE}{bind['batch']}"})
        return 0, 0, None
    total = _count_living(connection, card, bind) if absent else 0
    if is_too_many(absent, total, card):
        sentence = (
            f"{absent} of {total} known records are missing from a complete batch; nothing was noted or tombstoned"
        )
        return absent, 0, Reason("vanishing_held", sentence)
    tombstoned = _tombstone(connection, card, bind)
    _note(connection, bind)
    return absent, tombstoned, None


def _count_living(connection: Connection, card: Card, bind: Bind) -> int:
    living = f"SELECT count(*) FROM {card.entity} WHERE source = :source AND tombstoned_at IS NULL AND created_batch <> :batch"
    return int(_run(connection, living, bind).scalar_one())


def is_too_many(gone: int, total: int, card: Card) -> bool:
    """Return whether a loss is beyond what the card believes; a handful is never held by its share alone unless it is all."""
    if gone > card.max_vanishing_count:
        return True
    return gone > card.max_vanishing_share * total and (gone > 5 or gone == total)


def stage_unseen(stage: Stage, card: Card, unseen: set[bytes]) -> None:
    """Stage the hashes of living records that a full batch did not bring as they are."""
    stage.create_table("stage_unseen", card.entity, ["source_hash"])
    stage.add("stage_unseen", [[digest.hex()] for digest in unseen])
    stage.finish()


def take_out_staged(connection: Connection, card: Card, bind: Bind) -> None:
    """Take the hashes of records that came in another row out of those that were not seen; call before the rows are merged.

    Then nearly always none is left, and nobody need look through the whole ledger for the records that bear them.
    """
    join = "JOIN" if connection.dialect.name == "postgresql" else "CROSS JOIN"
    _run(
        connection,
        f"DELETE FROM stage_unseen WHERE source_hash IN (SELECT t.source_hash FROM stage_{card.entity} s {join} {card.entity} t "
        f"ON t.source = :source AND t.record_key = s.record_key) AND source_hash <> '{NO_HASH}'",
        bind,
    )


def _stage_absent(connection: Connection, stage: Stage, card: Card, bind: Bind, is_new_question: bool) -> int:
    """Stage the living records that the batch lacks, without those in quarantine and those outside the question."""
    stage.create_table("stage_absent", card.entity, ["record_key"])
    stage.finish()
    if not connection.exec_driver_sql("SELECT 1 FROM stage_unseen LIMIT 1").first():
        return 0
    outside = (
        ""
        if is_new_question
        else (
            "AND NOT EXISTS (SELECT 1 FROM absence a WHERE a.source = t.source AND a.entity = :entity "
            f"AND a.record_key = t.record_key AND a.first_batch LIKE '{OUTSIDE}%')"
        )
    )
    _run(
        connection,
        f"INSERT INTO stage_absent SELECT t.record_key FROM {card.entity} t WHERE t.source = :source "
        f"AND t.tombstoned_at IS NULL AND t.source_hash IN (SELECT source_hash FROM stage_unseen) "
        f"AND t.record_key NOT IN ({SET_ASIDE}) {outside}",
        bind,
    )
    return int(connection.exec_driver_sql("SELECT count(*) FROM stage_absent").scalar_one())


def _note(connection: Connection, bind: Bind) -> None:
    """Make the absences those of this batch: forget the others, add the new ones; what lies outside the question stays."""
    kept = "" if str(bind["batch"]).startswith(OUTSIDE) else f"AND first_batch NOT LIKE '{OUTSIDE}%' "
    _run(
        connection,
        f"DELETE FROM absence WHERE source = :source AND entity = :entity {kept}"
        "AND record_key NOT IN (SELECT record_key FROM stage_absent)",
        bind,
    )
    _run(
        connection,
        "INSERT INTO absence (source, entity, record_key, first_batch) "
        "SELECT :source, :entity, record_key, :batch FROM stage_absent WHERE 1 = 1 ON CONFLICT DO NOTHING",
        bind,
    )


def _tombstone(connection: Connection, card: Card, bind: Bind) -> int:
    """Tombstone what was absent before, and the children of it, and take it out of what is merely absent."""
    twice = (
        "SELECT a.record_key FROM absence a JOIN stage_absent n ON n.record_key = a.record_key "
        "WHERE a.source = :source AND a.entity = :entity"
    )
    count = int(_run(connection, f"SELECT count(*) FROM ({twice}) d", bind).scalar_one())
    if count:
        owned = {
            n.entity: f"SELECT c.record_key FROM {n.entity} c JOIN {card.entity} p ON p.source = c.source "
            f"AND p.{OWNERS[n.entity]} = c.{OWNERS[n.entity]} WHERE p.source = :source AND p.record_key IN ({twice})"
            for n in card.nested
        }
        for entity, keys in {**owned, card.entity: twice}.items():
            for statement in EntityStatements(entity, connection.dialect.name).tombstone(keys):
                _run(connection, statement, bind)
        _run(connection, f"DELETE FROM stage_absent WHERE record_key IN ({twice})", bind)
    return count


def _run(connection: Connection, statement: str, bind: Bind) -> Any:
    clause = text(statement)
    return connection.execute(clause, {k: v for k, v in bind.items() if k in clause._bindparams})


def _pick(bind: Bind) -> Bind:
    return {k: bind[k] for k in ("source", "entity")}
