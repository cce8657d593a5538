"""Remove what was worked out about records that must leave no trace: verdicts, findings with their history, probes.

Called when records are expunged, for keys that the ledger held. Whatever names such a key goes, also under another subject:
the next judging says it anew without it. Keys are never logged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import orjson
from sqlalchemy import Column, Connection, Table, and_, delete, or_, select, update

from include.landing.store import LandingStore
from include.ledger.database import keep_out
from include.ledger.forget_told import PART
from include.ledger.probe_merge import SOURCE as SWEEPS
from include.ledger.tables import (
    decision,
    finding,
    finding_event,
    judged_subject,
    probe_day,
    probe_state,
    probe_sweep,
    verdict,
    window_sum,
)


def forget_judged(connection: Connection, keys: set[str]) -> set[str]:
    """Remove the verdicts and findings that are about one of these keys or name one; return the ids of the findings."""
    for table, columns in (
        (verdict, (verdict.c.subject, verdict.c.occurrence, verdict.c.body)),
        (judged_subject, (judged_subject.c.subject, judged_subject.c.outcomes)),
    ):
        for row in _naming(connection, table, columns, keys):
            mine = and_(*(column == row[column.name] for column in table.primary_key))
            connection.execute(delete(table).where(mine))
    connection.execute(delete(window_sum))  # sums that these were part of, and under their names: they are made anew
    named = {
        row["finding_id"]
        for table, columns in (
            (finding, (finding.c.subject, finding.c.occurrence, finding.c.message)),
            (finding_event, (finding_event.c.detail,)),
            (decision, (decision.c.ground, decision.c.reason, decision.c.plan)),
        )
        for row in _naming(connection, table, columns, keys)
    }
    for finding_id in sorted(named):
        for table in (decision, finding_event, finding):
            connection.execute(delete(table).where(table.c.finding_id == finding_id))
    return named


def forget_probes(connection: Connection, store: LandingStore, services: set[str]) -> None:
    """Remove what probes found of these services, from the pages of the sweeps too; one that is being merged is waited for."""
    keep_out(connection, SWEEPS)
    renamed = _rewrite_pages(store, services)
    for sweep_id, causes in connection.execute(select(probe_sweep.c.sweep_id, probe_sweep.c.causes)).all():
        told = json.loads(causes)
        if told.get("page") in renamed:
            text = json.dumps(told | {"page": renamed[told["page"]]}, ensure_ascii=False, sort_keys=True)
            connection.execute(update(probe_sweep).where(probe_sweep.c.sweep_id == sweep_id).values(causes=text))
    for code in sorted(services):
        for table in (probe_day, probe_state):
            connection.execute(delete(table).where(table.c.service_code == code))


def _rewrite_pages(store: LandingStore, services: set[str]) -> dict[str, str]:
    """Rewrite the pages of sweeps that hold one of the services; return old and new names."""
    renamed: dict[str, str] = {}
    for name in store.pages(SWEEPS):
        rows = [orjson.loads(line) for line in store.get_page(SWEEPS, name)]
        kept = [row for row in rows if row["service_code"] not in services]
        if len(kept) < len(rows):
            renamed[name] = store.put_page(SWEEPS, kept)
            store.drop_page(SWEEPS, name)
    return renamed


def _naming(
    connection: Connection, table: Table, columns: tuple[Column[str], ...], keys: set[str]
) -> Iterator[dict[str, str]]:
    """Yield primary key and texts of the rows in which a key stands for itself and not within a longer one."""
    for key in sorted(keys):
        whole = re.compile(f"(?<!{PART}){re.escape(key)}(?!{PART})")
        likely = or_(*(column.contains(key, autoescape=True) for column in columns))
        for row in connection.execute(select(*table.primary_key, *columns).where(likely)).mappings().all():
            if any(whole.search(row[column.name] or "") for column in columns):
                yield dict(row)
