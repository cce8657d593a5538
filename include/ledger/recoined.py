"""Identifiers that a source may have coined anew: the new record is held until a person says whether it is the known one.

A portal that is rebuilt gives its entries new identifiers. Taken as they come, every entry would be created again and its history
end in a tombstone. So a new record that is like exactly one living record which did not come is held, and the other kept.
What a person decided is applied here, too: a new identifier becomes the `resource_id` of the record it was decided to be.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from include.landing.batch import Manifest
from include.landing.store import LandingStore
from include.ledger.absence import SET_ASIDE
from include.ledger.page_mapper import PAGE_FACTOR
from include.ledger.plain_sql import Bind, runner
from include.ledger.question import Question, settle_questions
from include.ledger.reconcile import folded
from include.ledger.stage import Stage
from include.ledger.tables import identity_decision, quarantine, resource_change
from include.sources.card import Card
from include.sources.remarks import Problem

_ABSENT = "{t}.source_hash IN (SELECT source_hash FROM stage_unseen)"
_NAMED = 20
"""So many pairs a question names; `python -m include quarantine` lists them all."""

_REMEDY = "核实是否为同一条目,再执行 python -m include decide 来源 已有标识 --same(同一)或 --different(不同)"


def rename(connection: Connection, stage: Stage, card: Card, bind: Bind, *, is_full: bool) -> None:
    """Give staged rows the key of the record that a person decided them to be, their children too.

    Not where that record came under another identifier as well: the source itself says then that they are two.
    """
    run = runner(connection, bind)
    if not run("SELECT 1 FROM identity_decision WHERE source = :source AND is_same LIMIT 1").first():
        return
    stage.create_table("stage_renamed", "identity_decision", ["record_key", "new_key"])
    absent = f"AND (k.tombstoned_at IS NOT NULL OR k.resource_id = d.new_key OR {_ABSENT.format(t='k')})"
    staged = "SELECT 1 FROM stage_resource s WHERE s.record_key ="
    run(
        "INSERT INTO stage_renamed (record_key, new_key) SELECT record_key, new_key FROM ("
        "SELECT d.record_key, d.new_key, row_number() OVER (PARTITION BY d.record_key ORDER BY d.decided_at DESC, d.new_key) AS n "
        "FROM identity_decision d JOIN resource k ON k.source = d.source AND k.record_key = d.record_key "
        f"WHERE d.source = :source AND d.is_same AND EXISTS ({staged} d.new_key) AND NOT EXISTS ({staged} d.record_key) "
        "AND NOT EXISTS (SELECT 1 FROM resource r WHERE r.source = d.source AND r.record_key = d.new_key) "
        f"{absent if is_full else ''}) r WHERE n = 1"
    )
    chosen = "(SELECT min(r.record_key) FROM stage_renamed r WHERE r.new_key = {column})"
    for nested in card.nested:
        run(
            f"UPDATE stage_{nested.entity} SET record_key = {chosen.format(column=f'stage_{nested.entity}.resource_id')} "
            "|| substr(record_key, length(resource_id) + 1) WHERE resource_id IN (SELECT new_key FROM stage_renamed) "
            "AND substr(record_key, 1, length(resource_id) + 1) = resource_id || '|'"
        )
    run(
        f"UPDATE stage_resource SET record_key = {chosen.format(column='stage_resource.record_key')} "
        "WHERE record_key IN (SELECT new_key FROM stage_renamed)"
    )


def repoint(connection: Connection, card: Card, bind: Bind) -> None:
    """Point the ledger's children of staged records to the identifier that is staged, with their line in the history."""
    run = runner(connection, bind)
    if not decided_keys(connection, card.source):
        return  # nothing else gives a record another identifier than its key
    for child in (nested.entity for nested in card.nested):
        moved = run(
            f"INSERT INTO {child}_change (source, record_key, batch_id, field, old, new, changed_at) "
            "SELECT c.source, c.record_key, :batch, 'resource_id', c.resource_id, s.resource_id, :at FROM stage_resource s "
            f"CROSS JOIN resource k CROSS JOIN {child} c WHERE k.source = :source AND k.record_key = s.record_key "
            "AND k.resource_id <> s.resource_id AND c.source = :source AND c.resource_id = k.resource_id"
        ).rowcount
        if moved:
            run(
                f"UPDATE {child} AS c SET resource_id = h.new, changed_batch = :batch FROM {child}_change h "
                "WHERE h.source = :source AND h.batch_id = :batch AND h.field = 'resource_id' "
                "AND c.source = h.source AND c.record_key = h.record_key"
            )


def hold(
    connection: Connection, stage: Stage, store: LandingStore, manifest: Manifest, bind: Bind, *, is_full: bool
) -> int:
    """Take staged rows that may be a known record under a new identifier out and set them aside; return how many."""
    run = runner(connection, bind)
    new = run(
        "SELECT s.kind, s.provider_name, s.title, s.record_key, s.seq, CAST(s.source_hash AS text) FROM stage_resource s "
        "LEFT JOIN resource t ON t.source = :source AND t.record_key = s.record_key WHERE t.record_key IS NULL"
    ).all()
    if not new:
        return 0
    absent = f"AND {_ABSENT.format(t='t')}" if is_full else ""
    known = run(
        "SELECT t.kind, t.provider_name, t.title, t.record_key FROM resource t WHERE t.source = :source "
        f"AND t.tombstoned_at IS NULL {absent} AND NOT EXISTS "
        f"(SELECT 1 FROM stage_resource s WHERE s.record_key = t.record_key) AND t.record_key NOT IN ({SET_ASIDE})"
    )
    fresh = _alone(new)
    old = _alone(known)
    two = set(run("SELECT record_key, new_key FROM identity_decision WHERE source = :source AND NOT is_same").tuples())
    pairs = [(old[f][0], *fresh[f]) for f in fresh if f in old and (old[f][0], fresh[f][0]) not in two]
    if pairs:
        _set_aside(stage, store, manifest, pairs)
        run(
            "DELETE FROM stage_resource WHERE record_key IN (SELECT new_key FROM stage_quarantine WHERE new_key IS NOT NULL)"
        )
    return len(pairs)


def _alone(rows: Iterable[Any]) -> dict[tuple[str, ...], tuple[Any, ...]]:
    """Return what follows kind, provider and title by these three; only of rows that share them with no other."""
    found: dict[tuple[str, ...], tuple[Any, ...]] = {}
    twice = set()
    for kind, provider, title, *rest in rows:
        print_ = (kind, _written_alike(provider), _written_alike(title))
        if print_ in found:
            twice.add(print_)
        found[print_] = tuple(rest)
    return {p: rest for p, rest in found.items() if p not in twice}


def _written_alike(name: str | None) -> str:
    return folded(unicodedata.normalize("NFKC", name or "").casefold())


def _set_aside(stage: Stage, store: LandingStore, manifest: Manifest, pairs: list[tuple[str, str, int, str]]) -> None:
    """Put the raw lines of held rows into quarantine under the key of the known record, so that it is not taken for gone."""
    pages = {page.number: page.sha256 for page in manifest.pages}
    lines: dict[int, list[bytes]] = {}
    rows: list[list[Any]] = []
    for known, new, seq, digest in sorted(pairs, key=lambda pair: pair[2]):
        page, line = divmod(seq, PAGE_FACTOR)
        if page not in lines:
            lines = {page: store.get_page(manifest.source, pages[page])}
        sentence = f"疑似重编标识:新标识 {new} 与已有记录 {known} 同名同单位,而后者未在本次读取中出现;待人确认"
        problems = json.dumps([asdict(Problem("resource_id", "资源标识", sentence, new, _REMEDY))], ensure_ascii=False)
        rows.append([digest.replace("-", ""), known, page, line, problems, lines[page][line].decode(), new])
    stage.add("stage_quarantine", rows)
    stage.finish()


def ask_recoined(connection: Connection, card: Card, batch_id: str, at: datetime) -> None:
    """Ask once a source which of the held records are known ones; closed when none is held."""
    held = (quarantine.c.source == card.source) & (quarantine.c.state == "open") & quarantine.c.new_key.is_not(None)
    count = connection.execute(select(func.count()).select_from(quarantine).where(held)).scalar_one()
    first = select(quarantine.c.record_key, quarantine.c.new_key).where(held).order_by(quarantine.c.record_key)
    pairs = [list(pair) for pair in connection.execute(first.limit(_NAMED))]
    sentence = (
        f"来源“{card.title}”有 {count} 条新标识的记录与未再出现的已有记录同名同单位,疑似重编标识,已搁置;"
        "请确认是否为同一记录"
    )
    found = [Question("recoined_identifier", card.source, card.source, sentence, {"count": count, "pairs": pairs})]
    settle_questions(
        connection, card.source, {"recoined_identifier"}, found if count else [], batch_id, at, may_close=True
    )


def decided_keys(connection: Connection, source: str) -> list[tuple[str, str]]:
    """Return the pairs of known and new key that a person decided to be one record."""
    same = select(identity_decision.c.record_key, identity_decision.c.new_key).where(
        identity_decision.c.source == source, identity_decision.c.is_same
    )
    return list(connection.execute(same.order_by(*same.selected_columns)).tuples())


def changed_identifiers(connection: Connection, source: str, batch_id: str) -> bool:
    """Return whether a batch gave a record another identifier."""
    if not decided_keys(connection, source):
        return False
    changed = (resource_change.c.source == source) & (resource_change.c.batch_id == batch_id)
    query = select(resource_change.c.record_key).where(changed, resource_change.c.field == "resource_id").limit(1)
    return connection.execute(query).first() is not None
