"""What the tests of decisions ask: findings that stand, decisions about them, and what then stands in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Engine, select

from include.findings.decisions import Decided, Decision, decide
from include.findings.door import Settled, end_decisions, settle, told_events
from include.findings.story import Event, Kind, fold, identity
from include.ledger.snapshot import FINDINGS, snapshot
from include.ledger.tables import decision, finding, finding_event, rule_version, verdict
from include.rules import timeline
from include.rules.verdict import Fact, Outcome, Used, Verdict
from tests.rules.evidence import DAY, at, rows_of

HIGH, OTHER = "evidence-current", "resources-not-idle"
"""Rules of the book: `fail` is high of the one and medium of the other."""
PAID = "no-final-payment-before-acceptance"
"""A rule whose card says of some reasons, as `FOR_GOOD`, that nobody can mend them any more."""
FOR_GOOD = "paid_after_failure"
PAST_MENDING = {(PAID, FOR_GOOD), (PAID, "paid_early")}
SEVERITY = {
    PAID: {"fail": "critical", "warn": "low"},
    HIGH: {"fail": "high", "warn": "low"},
    OTHER: {"fail": "medium", "warn": "low"},
}
GROUND = "双政办发〔2024〕39号"


def said(
    outcome: str,
    subject: str = "S",
    rule: str = OTHER,
    reason: str = "r",
    *,
    day: date = DAY,
    version: str = "v1",
    facts: Mapping[str, Any] | None = None,
    severity: str | None = None,
    message: str | None = None,
) -> Verdict:
    """Return a verdict as a judging would make it."""
    severity = severity or SEVERITY.get(rule, {}).get(outcome)
    used = Used({name: Fact(value, "s") for name, value in (facts or {}).items()})
    return Verdict(
        rule, "system", subject, "", Outcome(outcome), reason, message or f"{subject}:{outcome}", (), used, {}, "art", severity,
        version, day, None,
    )  # fmt: skip


def judge_by_hand(
    engine: Engine, day: date, *verdicts: Verdict, rules: Iterable[str] = (HIGH, OTHER, PAID), gone: Any = None
) -> Settled:
    """Settle a day as a judging does, all in one transaction: rule after rule timeline and findings, then what has ended."""
    settled = Settled()
    with snapshot(engine, FINDINGS) as connection:
        for rule in rules:
            mine = [replace(v, as_of=day) for v in verdicts if v.rule == rule]
            timeline.record(connection, "systems", [rule], mine, day, None)
            settled.add(settle(connection, mine, [rule], day, at(day, 7), gone, "systems", past_mending=PAST_MENDING))
        settled.changes += end_decisions(connection, day, at(day, 7))
    return settled


def id_of(subject: str = "S", rule: str = OTHER) -> str:
    return identity(rule, "system", subject, "")


def wanted(kind: Kind = Kind.WAIVED, *subjects: str, rule: str = OTHER, day: date = DAY, **how: Any) -> Decision:
    """Return a decision that may be taken, or what `how` makes of it."""
    findings = tuple(id_of(s, rule) for s in subjects or ("S",))
    usual: dict[str, Any] = {
        "requested_by": "engineer", "approved_by": "ops", "ground": GROUND, "reason": "系统年底下线", "findings": findings,
        "until": day + timedelta(days=20), "decided_at": at(day, 10),
    }  # fmt: skip
    if kind in (Kind.WITHDRAWN, Kind.ACKNOWLEDGED):
        usual |= {"until": None, "approved_by": None}
    if kind is Kind.SETTLED:
        usual |= {"until": None, "result": "criticised"}
    return Decision(kind=kind, **({"decision_id": f"run-{kind.value}-{day}"} | usual | how))


def taken(engine: Engine, kind: Kind = Kind.WAIVED, *subjects: str, **how: Any) -> Decided:
    return decide(engine, wanted(kind, *subjects, **how))


def standing(engine: Engine, subject: str = "S", rule: str = OTHER) -> dict[str, Any]:
    with engine.connect() as connection:
        query = select(finding).where(finding.c.finding_id == id_of(subject, rule))
        return dict(connection.execute(query).mappings().one())


def handled(engine: Engine, subject: str = "S", rule: str = OTHER) -> tuple[str, str, date | None]:
    row = standing(engine, subject, rule)
    return row["state"], row["handling"], row["handled_until"]


def story(engine: Engine, subject: str = "S", rule: str = OTHER) -> list[Event]:
    with engine.connect() as connection:
        return told_events(connection, id_of(subject, rule))


def kinds(engine: Engine, subject: str = "S", rule: str = OTHER) -> list[str]:
    return [event.kind.value for event in story(engine, subject, rule)]


def everything(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Return every row that judgings and decisions write."""
    with engine.connect() as connection:
        return {t.name: rows_of(connection, t) for t in (verdict, finding, finding_event, decision, rule_version)}


def assert_whole(engine: Engine) -> int:
    """Every finding is the fold of its events, told once or twice, in any order; numbers run without gap. Returns how many."""
    found = everything(engine)
    with engine.connect() as connection:
        told = {row["finding_id"]: told_events(connection, row["finding_id"]) for row in found["finding"]}
    for row in found["finding"]:
        events = told[row["finding_id"]]
        assert [e.number for e in events] == list(range(1, len(events) + 1))
        folded = fold(events)
        assert folded is not None
        assert fold([*reversed(events), *events]) == folded
        assert {name: row[name] for name in folded.__slots__} == {n: getattr(folded, n) for n in folded.__slots__}
    assert {e["finding_id"] for e in found["finding_event"]} == {r["finding_id"] for r in found["finding"]}
    return len(found["finding"])
