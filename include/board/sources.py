"""Sources: how far each was read, whether its last reading was whole, and what of it a person should look at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import func, select

from include.board.looking import Look
from include.board.state_models import BatchRow, QuestionCount, SourceRow, Sources
from include.ledger.tables import batch, quarantine, question, verdict

EVIDENCE = "evidence-current"
"""The rule that judges every source: whole and fresh."""


def list_sources(look: Look) -> Sources:
    """Return every source that a card names or that was ever read."""
    last, complete = _batches(look)
    aside, asked, said = _counts(look, quarantine), _questions(look), _evidence(look)
    of: dict[str, int] = {}
    kinds: dict[str, int] = {}
    for (source, kind), count in asked.items():
        of[source] = of.get(source, 0) + count
        kinds[kind] = kinds.get(kind, 0) + count
    items = []
    for source in sorted({*look.reference.cards, *last}, key=lambda s: _order(look, s)):
        card, (outcome, message) = look.reference.cards.get(source), said.get(source, (None, None))
        items.append(
            SourceRow(
                source=source, title=card.title if card else source, group=card.group if card else "",
                entity=card.entity if card else "", is_enabled=bool(card and card.is_enabled), last=last.get(source),
                complete_at=complete.get(source), quarantined=aside.get(source, 0), questions=of.get(source, 0),
                evidence=outcome, message=message,
            )
        )  # fmt: skip
    questions = [QuestionCount(kind=kind, count=count) for kind, count in sorted(kinds.items())]
    return Sources(items=items, questions=questions)


def _order(look: Look, source: str) -> tuple[bool, str, str]:
    card = look.reference.cards.get(source)
    return not (card and card.is_enabled), card.group if card else "~", source


def _batches(look: Look) -> tuple[dict[str, BatchRow], dict[str, datetime]]:
    """Return the last batch of every source, and when a complete one was merged last."""
    newest = select(batch.c.source, func.max(batch.c.started_at).label("at")).group_by(batch.c.source).subquery()
    query = select(batch).join(
        newest, (newest.c.source == batch.c.source) & (newest.c.at == batch.c.started_at)
    )  # fmt: skip
    last = {row["source"]: _batch(row) for row in look.connection.execute(query).mappings()}
    complete = select(batch.c.source, func.max(batch.c.merged_at)).where(batch.c.is_complete).group_by(batch.c.source)
    return last, dict(look.connection.execute(complete).tuples().all())


def _batch(row: Mapping[Any, Any]) -> BatchRow:
    changes = ("created", "changed", "restored", "tombstoned")
    return BatchRow(
        batch_id=row["batch_id"], merged_at=row["merged_at"], is_full=row["is_full"], is_complete=row["is_complete"],
        received=row["rows_received"], changes=sum(row[name] for name in changes), quarantined=row["quarantined"],
        held=row["held"], reasons=[_reason(one) for one in orjson.loads(row["reasons"])],
    )  # fmt: skip


def _reason(one: Mapping[str, str]) -> str:
    """Return why a batch is not complete, as `include.landing.batch.Reason` was kept."""
    return one.get("text") or one.get("code", "")


def _counts(look: Look, rows: Any) -> dict[str, int]:
    query = select(rows.c.source, func.count()).where(rows.c.state == "open").group_by(rows.c.source)
    return dict(look.connection.execute(query).tuples().all())


def _questions(look: Look) -> dict[tuple[str, str], int]:
    q = question
    query = select(q.c.source, q.c.kind, func.count()).where(q.c.closed_at.is_(None)).group_by(q.c.source, q.c.kind)
    return {(source, kind): count for source, kind, count in look.connection.execute(query).tuples()}


def _evidence(look: Look) -> dict[str, tuple[str, str]]:
    """Return of each source the outcome and the sentence of the rule that judges it."""
    query = select(verdict.c.subject, verdict.c.outcome, verdict.c.body).where(
        verdict.c.rule == EVIDENCE, verdict.c.subject_type == "source", verdict.c.until_day.is_(None)
    )
    return {
        source: (outcome, orjson.loads(body)["message"])
        for source, outcome, body in look.connection.execute(query).tuples()
    }
