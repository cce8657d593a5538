"""What all rules say of one subject now, read through the key of `verdict`, which begins with the rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import select

from include.board.looking import Look
from include.board.models import VerdictRow
from include.findings.story import identity
from include.ledger.tables import verdict

_ORDER = ("fail", "warn", "unknown", "pass", "not_applicable")


def verdicts_on(look: Look, subject_type: str, subject: str) -> list[VerdictRow]:
    """Return the verdicts on a subject as they were recorded, what falls short first."""
    rules = [rule.id for rule in look.reference.rules.values() if rule.subject == subject_type]
    query = select(verdict).where(
        verdict.c.rule.in_(rules), verdict.c.subject_type == subject_type, verdict.c.subject == subject,
        verdict.c.until_day.is_(None),
    )  # fmt: skip
    order = {rule: number for number, rule in enumerate(look.reference.rules)}
    found = sorted(
        look.connection.execute(query).mappings(),
        key=lambda row: (_ORDER.index(row["outcome"]), order[row["rule"]], row["occurrence"]),
    )
    return [_row(look, row, orjson.loads(row["body"])) for row in found]


def _row(look: Look, row: Mapping[Any, Any], body: Mapping[str, Any]) -> VerdictRow:
    rule = row["rule"]
    is_bad = row["outcome"] in ("fail", "warn")
    return VerdictRow(
        rule=rule, title=look.reference.title(rule), clause=look.reference.clause(rule), article=look.reference.article(rule),
        occurrence=row["occurrence"], outcome=row["outcome"], reason=row["reason"], since=row["from_day"],
        message=body["message"], steps=list(body.get("steps", ())),
        finding_id=identity(rule, row["subject_type"], row["subject"], row["occurrence"]) if is_bad else None,
    )  # fmt: skip
