"""What the ledger holds, in figures: for the end of a run, for `doctor`, for people who ask whether it works."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from include.ledger.tables import ENTITIES, batch, project_alias, quarantine, question, watermark


def summarise(engine: Engine) -> dict[str, Any]:
    """Return rows by source and entity, the last batch of each source, open quarantine and open questions."""
    with engine.connect() as connection:
        sources: dict[str, dict[str, Any]] = {}
        for entity, (table, change) in ENTITIES.items():
            for t, name in ((table, entity), (change, f"{entity}_change")):
                for source, count in connection.execute(select(t.c.source, func.count()).group_by(t.c.source)):
                    sources.setdefault(source, {"rows": {}})["rows"][name] = count
            gone = (
                select(table.c.source, func.count()).where(table.c.tombstoned_at.is_not(None)).group_by(table.c.source)
            )
            for source, count in connection.execute(gone):
                sources[source]["rows"][f"{entity}_tombstoned"] = count
        for row in connection.execute(select(batch).order_by(batch.c.started_at)).mappings():
            entry = sources.setdefault(row["source"], {"rows": {}})
            entry["batches"] = entry.get("batches", 0) + 1
            entry["last_batch"] = {
                k: json.loads(row[k]) if k in ("children", "reasons", "notes") else row[k]
                for k in (
                    "batch_id", "is_full", "is_complete", "rows_received", "refused", "created", "changed", "unchanged",
                    "repeated", "quarantined", "restored", "absent", "tombstoned", "held", "warned", "declared",
                    "children", "reasons", "notes",
                )
            }  # fmt: skip
        opened = (
            select(quarantine.c.source, func.count()).where(quarantine.c.state == "open").group_by(quarantine.c.source)
        )
        for source, count in connection.execute(opened):
            sources[source]["quarantine_open"] = count
        for source, moment in connection.execute(select(watermark.c.source, watermark.c.changed_until)):
            sources[source]["changed_until"] = moment.isoformat()
        questions = _questions(connection)
        aliases = connection.execute(select(func.count()).select_from(project_alias)).scalar_one()
    return {"sources": sources, "questions": questions, "aliases": aliases}


def _questions(connection: Connection) -> dict[str, dict[str, int]]:
    asked = (
        select(question.c.source, question.c.kind, func.count())
        .where(question.c.closed_at.is_(None))
        .group_by(question.c.source, question.c.kind)
    )
    found: dict[str, dict[str, int]] = {}
    for source, kind, count in connection.execute(asked):
        found.setdefault(source, {})[kind] = count
    return found


def open_questions(engine: Engine, kind: str | None = None) -> list[dict[str, Any]]:
    """Return the open questions, by kind and subject."""
    query = select(question).where(question.c.closed_at.is_(None)).order_by(question.c.kind, question.c.subject)
    if kind:
        query = query.where(question.c.kind == kind)
    with engine.connect() as connection:
        return [dict(row) | {"detail": json.loads(row["detail"])} for row in connection.execute(query).mappings()]
