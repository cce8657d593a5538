"""The state of the city on one page: rates with what stands beside them, leads, departments, trend, what is old."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import orjson
from sqlalchemy import ColumnElement, case, func, select

from include.alerts.office_hours import people_work
from include.board.compliance import trend
from include.board.findings import IS_OPEN
from include.board.looking import Look
from include.board.sources import list_sources
from include.board.state_models import DepartmentRow, Overview, RateRow, ScopeRow
from include.ledger.alert_tables import alert_hold, incident, outbox
from include.ledger.tables import evaluation, finding
from include.rules.evaluation import SCOPES
from include.rules.rates import RATES
from include.rules.rule_book import SEVERITIES

AGES = (("7 天内", 7), ("8–30 天", 30), ("31–90 天", 90), ("90 天以上", None))
"""Ages of open findings, with the last day of each."""

MOST_DEPARTMENTS = 20


def read_overview(look: Look) -> Overview:
    """Return the overview."""
    newest = _newest(look)
    scopes = [_scope(look, row) for row in newest]
    totals = _totals(look)
    return Overview(
        rates=_rates(newest, totals), scopes=scopes, severities=totals.severities, handlings=totals.handlings,
        ages=totals.ages, open=totals.open, overdue=totals.overdue, departments=_departments(look), trend=trend(look),
        old=[s for s in list_sources(look).items if s.is_enabled and s.evidence not in ("pass", None)],
        never_judged=[name for name in SCOPES if name not in {row["scope"] for row in newest}], **_troubles(look),
    )  # fmt: skip


def _newest(look: Look) -> list[Mapping[Any, Any]]:
    """Return the newest evaluation of every scope, by the newest day and its last revision."""
    e = evaluation
    ranked = select(
        e, func.row_number().over(partition_by=e.c.scope, order_by=(e.c.day.desc(), e.c.revision.desc())).label("place")
    ).subquery()
    rows = look.connection.execute(select(ranked).where(ranked.c.place == 1)).mappings().all()
    return sorted(rows, key=lambda row: SCOPES.index(row["scope"]) if row["scope"] in SCOPES else len(SCOPES))


def _scope(look: Look, row: Mapping[Any, Any]) -> ScopeRow:
    counts: dict[str, int] = {}
    for outcomes in orjson.loads(row["outcomes"])["outcomes"].values():
        for outcome, count in outcomes.items():
            counts[outcome] = counts.get(outcome, 0) + count
    return ScopeRow(
        scope=row["scope"], day=row["day"], revision=row["revision"], evaluated_at=row["evaluated_at"], counts=counts,
        is_old=row["day"] < _due_day(look),
    )  # fmt: skip


def _due_day(look: Look) -> date:
    """Return the day that must have been judged by now: the last working day before today."""
    days, day = look.reference.workdays, look.today - timedelta(days=1)
    while not people_work(day, days):
        day -= timedelta(days=1)
    return day


def _rates(newest: list[Mapping[Any, Any]], totals: _Totals) -> list[RateRow]:
    rules = {name: rule for name, _, rule, _ in RATES}
    return [
        RateRow(
            **rate,
            scope=row["scope"],
            day=row["day"],
            waived=totals.waived.get(rules.get(rate["name"], ""), 0),
            settled=totals.settled.get(rules.get(rate["name"], ""), 0),
        )
        for row in newest
        for rate in orjson.loads(row["rates"])
    ]


@dataclass(slots=True)
class _Totals:
    """Open findings by severity, handling and age, how many are overdue, the waived and the settled ones by rule.

    A rate counts what is waived or settled as what it is, so it stands beside it. What is settled is in no other count.
    """

    severities: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SEVERITIES, 0))
    handlings: dict[str, int] = field(default_factory=dict)
    ages: dict[str, int] = field(default_factory=lambda: {title: 0 for title, _ in AGES})
    waived: dict[str, int] = field(default_factory=dict)
    settled: dict[str, int] = field(default_factory=dict)
    overdue: int = 0

    @property
    def open(self) -> int:
        """Return how many findings are open."""
        return sum(self.ages.values())


def _totals(look: Look) -> _Totals:
    """Count the open findings at one reading: each reading of them costs more than all the sums."""
    f = finding
    kinds = select(
        f.c.rule, f.c.severity, f.c.handling, _age(look).label("age"),
        case((f.c.overdue_since.is_not(None), 1), else_=0).label("late"),
    ).where(f.c.state == "open").subquery()  # fmt: skip
    found, totals = select(*kinds.c, func.count()).group_by(*kinds.c), _Totals()
    for rule, severity, handling, age, late, count in look.connection.execute(found).tuples():
        totals.handlings[handling] = totals.handlings.get(handling, 0) + count
        if handling == "settled":
            totals.settled[rule] = totals.settled.get(rule, 0) + count
            continue
        if severity in totals.severities:
            totals.severities[severity] += count
        totals.ages[AGES[age][0]] += count
        totals.overdue += count * late
        if handling == "waived":
            totals.waived[rule] = totals.waived.get(rule, 0) + count
    return totals


def _age(look: Look) -> ColumnElement[int]:
    """Return the place in `AGES` of a finding."""
    first = finding.c.first_seen_on
    younger = [
        (first >= look.today - timedelta(days=days), place) for place, (_, days) in enumerate(AGES) if days is not None
    ]
    return case(*younger, else_=len(younger))


def _departments(look: Look) -> list[DepartmentRow]:
    """Return the departments with the most open findings."""
    f, register = finding, look.register.subjects
    query = (
        select(f.c.subject_type, f.c.subject, _sum(f.c.outcome == "fail"), func.count(), _sum(f.c.handling != "new"),
               func.min(f.c.first_seen_on))
        .where(IS_OPEN, f.c.subject_type.not_in(("source", "calendar", "plan_year")))
        .group_by(f.c.subject_type, f.c.subject)
    )  # fmt: skip
    found: dict[str | None, _Tally] = {}
    for kind, subject, leads, count, handled, oldest in look.connection.execute(query).tuples():
        whose = register.get((kind, subject))
        found.setdefault((whose.unit or None) if whose else None, _Tally()).add(leads, count - leads, handled, oldest)
    order = sorted(found.items(), key=lambda one: (-one[1].leads, -one[1].hints, one[0] or ""))
    return [
        DepartmentRow(department=name, leads=t.leads, hints=t.hints, handled=t.handled, oldest=t.oldest)
        for name, t in order[:MOST_DEPARTMENTS]
    ]


@dataclass(slots=True)
class _Tally:
    """Open findings of a department, summed up over its subjects."""

    leads: int = 0
    hints: int = 0
    handled: int = 0
    oldest: date = date.max

    def add(self, leads: int, hints: int, handled: int, oldest: date) -> None:
        self.leads, self.hints = self.leads + leads, self.hints + hints
        self.handled, self.oldest = self.handled + handled, min(self.oldest, oldest)


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _troubles(look: Look) -> dict[str, int]:
    """Return how many pipelines are out of order, and how many messages are dead or held."""
    of = {
        "incidents": select(func.count()).select_from(incident).where(incident.c.resolved_at.is_(None)),
        "dead": select(func.count()).select_from(outbox).where(outbox.c.state == "dead"),
        "holds": select(func.count()).select_from(alert_hold).where(alert_hold.c.state == "held"),
    }
    return {name: look.connection.execute(query).scalar_one() for name, query in of.items()}
