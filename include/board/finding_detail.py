"""One finding with everything about it; reuses what `explain` gathers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from include.board.findings import row_of, whose_of
from include.board.looking import Look
from include.board.models import (
    Clause,
    DecisionRow,
    Event,
    FactShown,
    FindingDetail,
    Stretch,
    Threshold,
    ToldRow,
)
from include.board.problems import not_found
from include.findings.explain import Explained, explained
from include.findings.fact_text import fact_text
from include.findings.titles import CONFIRMED, UNITS, title
from include.ledger.tables import decision, finding
from include.rules.engine import CALENDAR

MOST_EVENTS = 200
"""Events of one finding that are shown; the newest."""


def read_finding(look: Look, finding_id: str, *, is_again: bool = False) -> FindingDetail:
    """Return a finding; with `is_again` its steps and facts are those of the last evaluation, worked out once more."""
    row = look.connection.execute(select(finding).where(finding.c.finding_id == finding_id)).mappings().first()
    if row is None:
        raise not_found(f"编号为 {finding_id} 的线索")
    found = explained(look.connection, row, look.reference.rules, look.reference.sources, is_again=is_again)
    rule, body, whose = found.rule, found.body, whose_of(look, row["subject_type"], row["subject"])
    return FindingDetail(
        **row_of(look, row, whose), law=_clause(found), steps=list(body.get("steps", ())), facts=facts_shown(found),
        thresholds=thresholds(body), events=_events(found), stretches=_stretches(found),
        told=[ToldRow(**asdict(one)) for one in found.knows],
        decisions=_decisions(look, finding_id), to_be_told=list(rule.told) if rule else [],
        remedy=rule.remedy if rule else None, is_waivable=rule.is_waivable if rule else None,
        is_past_mending=rule is not None and row["state"] == "open" and row["reason"] in rule.past_mending,
        holds_until=_day(body.get("holds_until")), judged_day=found.judged[0] if found.judged else None,
        would_be=found.would_be["message"] if found.would_be else None,
        is_held=found.is_held_back, is_again=is_again,
    )  # fmt: skip


def _clause(found: Explained) -> Clause | None:
    if found.rule is None:
        return None
    article = found.rule.article
    reading = None
    if article.reading:
        status = title(CONFIRMED, article.reading["status"], "zh")
        reading = f"印作“{article.reading['as_printed']}”,读作“{article.reading['as_read']}”({status})"
    return Clause(
        number=article.number, source=article.source, modality=article.modality, text=article.text, reading=reading
    )


def facts_shown(found: Explained) -> list[FactShown]:
    """Return the facts that a verdict rests on in words, those that are known first."""
    facts: Mapping[str, Any] = found.body.get("facts_used", {})
    return [
        FactShown(
            name=name, title=found.fact_title(name), text=fact_text(fact["value"], "zh", name),
            source="、".join(found.sources.get(s, s) for s in fact["source"].split("+") if s),
            seen_until=_day(fact.get("seen_until")), batch=fact["evidence"][-1] if fact.get("evidence") else None,
        )
        for name, fact in sorted(facts.items(), key=lambda f: (f[1]["value"] is None, f[0]))
    ]  # fmt: skip


def thresholds(body: Mapping[str, Any]) -> list[Threshold]:
    """Return the parameters that a verdict rests on, each with where it is from and whether it is confirmed."""
    found = []
    for name, one in body.get("parameters_used", {}).items():
        if not isinstance(one, Mapping):  # the calendar, by its hash
            words = "工作日历" if name == CALENDAR else name
            found.append(Threshold(name=name, text=f"{words} {one}", is_confirmed=True, since=None, source=""))
            continue
        text = f"{one['title']}:{one['value']} {title(UNITS, one['unit'], 'zh')}".strip()
        found.append(
            Threshold(
                name=name, text=text, is_confirmed=one["status"] == "confirmed", since=_day(one["from"]), source=one["source"]
            )
        )  # fmt: skip
    return found


def _events(found: Explained) -> list[Event]:
    return [
        Event(
            number=e.number, day=e.day, kind=e.kind, outcome=e.outcome, message=str(e.detail.get("message", "")),
            by=e.detail.get("by"),
        )
        for e in reversed(found.events[-MOST_EVENTS:])
    ]  # fmt: skip


def _stretches(found: Explained) -> list[Stretch]:
    """Return on which days what was said, the newest first; a day judged late leaves two stretches that say the same."""
    joined: list[Stretch] = []
    for one in found.stretches:
        until = one.until_day - timedelta(days=1) if one.until_day else None
        last = joined[-1] if joined else None
        is_same = last is not None and (last.outcome, last.reason) == (one.outcome, one.reason)
        if last and is_same and last.until_day and last.until_day + timedelta(days=1) == one.from_day:
            joined[-1] = last.model_copy(update={"until_day": until})
            continue
        joined.append(Stretch(from_day=one.from_day, until_day=until, outcome=one.outcome, reason=one.reason))
    return joined[::-1]


def _decisions(look: Look, finding_id: str) -> list[DecisionRow]:
    query = select(decision).where(decision.c.finding_id == finding_id).order_by(decision.c.decided_at.desc())
    return [
        DecisionRow(**{name: row[name] for name in DecisionRow.model_fields})
        for row in look.connection.execute(query.limit(MOST_EVENTS)).mappings()
    ]


def _day(given: Any) -> date | None:
    return date.fromisoformat(given[:10]) if isinstance(given, str) else given
