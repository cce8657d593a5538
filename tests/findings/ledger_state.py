"""What the tests of judging ask: a day judged in the morning, and what then stands in the ledger."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Engine, Table, func, select

from include.findings.door import told_events
from include.findings.judging import Judged, judge
from include.findings.story import fold
from include.ledger.tables import evaluation, finding, finding_event, verdict
from tests.rules.evidence import at, rows_of

SCOPES = ("interconnection", "systems")


def judge_day(engine: Engine, day: date, scope: str = "systems", **how: Any) -> Judged:
    how.setdefault("at", at(day, 7))
    return judge(engine, scope, day, **how)


def ledger_rows(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    with engine.connect() as connection:
        return {t.name: rows_of(connection, t) for t in (evaluation, verdict, finding, finding_event)}


def says(engine: Engine, rule: str) -> dict[str, tuple[str, str]]:
    """Return what stands of a rule, by subject."""
    query = select(verdict).where(verdict.c.rule == rule, verdict.c.until_day.is_(None))
    with engine.connect() as connection:
        return {r["subject"]: (r["outcome"], r["reason"]) for r in connection.execute(query).mappings()}


def standing(engine: Engine) -> dict[tuple[str, str], tuple[str, str]]:
    """Return what stands of every rule and subject."""
    query = select(verdict.c.rule, verdict.c.subject, verdict.c.outcome, verdict.c.reason)
    with engine.connect() as connection:
        rows = connection.execute(query.where(verdict.c.until_day.is_(None)))
        return {(r.rule, r.subject): (r.outcome, r.reason) for r in rows}


def count(engine: Engine, *tables: Table) -> list[int]:
    """Return how many rows each table has."""
    with engine.connect() as connection:
        return [connection.execute(select(func.count()).select_from(t)).scalar_one() for t in tables]


def assert_folds(engine: Engine) -> None:
    """Every finding is what its events come to."""
    found = ledger_rows(engine)["finding"]
    assert found
    with engine.connect() as connection:
        folded = {row["finding_id"]: fold(told_events(connection, row["finding_id"])) for row in found}
    for row in found:
        standing = folded[row["finding_id"]]
        assert standing is not None
        assert {name: row[name] for name in standing.__slots__} == {n: getattr(standing, n) for n in standing.__slots__}
