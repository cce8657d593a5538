"""Open questions: what the pipelines found and cannot decide, kept until a later run no longer finds it.

A question has a natural identity (kind, source, subject), so the same finding twice is no write. The findings of the rules come
later and elsewhere; these are about the data itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, or_, select, update

from include.ledger.tables import question as table


@dataclass(frozen=True, slots=True)
class Question:
    """One thing a person should look at; `text` is Chinese and complete in itself, `detail` is for machines."""

    kind: str
    source: str
    subject: str
    text: str
    detail: dict[str, Any]


def settle_questions(
    connection: Connection,
    source: str,
    kinds: set[str],
    found: list[Question],
    batch_id: str,
    at: datetime,
    *,
    may_close: bool,
) -> tuple[int, int]:
    """Open what is new, reopen what came back, close what is no longer found; return (opened, closed).

    `may_close` is false where the evidence is incomplete: then nothing is taken for settled.
    """
    where = (table.c.source == source) & table.c.kind.in_(kinds)
    rows = connection.execute(select(table.c.kind, table.c.subject, table.c.text, table.c.closed_at).where(where)).all()
    known = {(r.kind, r.subject): r for r in rows}
    wanted = {(q.kind, q.subject): q for q in found}
    opened = 0
    for identity, q in wanted.items():
        old = known.get(identity)
        if old is not None and old.closed_at is None and old.text == q.text:
            continue
        opened += old is None or old.closed_at is not None
        values: dict[str, Any] = {
            "text": q.text, "detail": json.dumps(q.detail, ensure_ascii=False, default=str),
            "closed_at": None, "closed_batch": None,
        }  # fmt: skip
        this = (table.c.kind == q.kind) & (table.c.source == source) & (table.c.subject == q.subject)
        if old is None or old.closed_at is not None:
            values |= {"opened_at": at, "opened_batch": batch_id}
        if old is None:
            connection.execute(table.insert().values(kind=q.kind, source=source, subject=q.subject, **values))
        else:
            connection.execute(update(table).where(this).values(**values))
    settled = [i for i, r in known.items() if may_close and r.closed_at is None and i not in wanted]
    for kind, subject in settled:
        this = (table.c.kind == kind) & (table.c.source == source) & (table.c.subject == subject)
        connection.execute(update(table).where(this).values(closed_at=at, closed_batch=batch_id))
    return opened, len(settled)


def open_of_kind(connection: Connection, kind: str) -> list[RowMapping]:
    """Return the open questions of one kind."""
    query = select(table).where(table.c.kind == kind, table.c.closed_at.is_(None))
    return list(connection.execute(query).mappings())


def forget_questions(connection: Connection, keys: set[str]) -> None:
    """Remove every question that names a record of these keys, whoever asked it: the records must leave no trace."""
    for key in keys:
        named = [column.contains(key, autoescape=True) for column in (table.c.subject, table.c.text, table.c.detail)]
        connection.execute(delete(table).where(or_(*named)))
