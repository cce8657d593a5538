"""Daily figures as they were appended: by rule and department, and summed up as a trend."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from include.board.asked import ComplianceAsked
from include.board.looking import Look
from include.board.models import Listed
from include.board.state_models import ComplianceRow, TrendPoint
from include.ledger.alert_tables import compliance_day

TREND_DAYS = 90
"""Days that the trend of the overview reaches back."""

_c = compliance_day.c


def rate_bp(passed: int, warned: int, failed: int) -> int | None:
    """Return the share of what is in order among what could be judged, in basis points, rounded half up."""
    judged = passed + warned + failed
    return (passed * 20_000 // judged + 1) // 2 if judged else None


def list_compliance(look: Look, asked: ComplianceAsked) -> Listed[ComplianceRow]:
    """Return one page of the daily figures that were asked for."""
    where: list[Any] = [_c.rule.in_(asked.rule)] if asked.rule else []
    where += [_c.department == asked.department] if asked.department else []
    where += [_c.day >= asked.since] if asked.since else []
    where += [_c.day <= asked.until] if asked.until else []
    total = look.connection.execute(select(func.count()).select_from(compliance_day).where(*where)).scalar_one()
    query = select(compliance_day).where(*where).order_by(_c.day.desc(), _c.rule, _c.department)
    rows = look.connection.execute(query.limit(asked.limit).offset(asked.offset)).mappings()
    items = [
        ComplianceRow(
            **{name: row[name] for name in ComplianceRow.model_fields if name != "rate_bp"},
            rate_bp=rate_bp(row["passed"], row["warned"], row["failed"]),
        )
        for row in rows
    ]
    return Listed(items=items, total=total, limit=asked.limit, offset=asked.offset)


def trend(look: Look) -> list[TrendPoint]:
    """Return per day what stood over all rules and departments, of the last `TREND_DAYS` days."""
    names = ("passed", "warned", "failed", "unknown", "waived", "opened", "resolved")
    sums = [func.sum(_c[name]).label(name) for name in names]
    since = look.today - timedelta(days=TREND_DAYS)
    query = select(_c.day, *sums).where(_c.day >= since, _c.day <= look.today).group_by(_c.day).order_by(_c.day)
    return [
        TrendPoint(**row, rate_bp=rate_bp(row["passed"], row["warned"], row["failed"]))
        for row in look.connection.execute(query).mappings()
    ]
