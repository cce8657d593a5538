"""Daily figures as they were appended: by rule and department, and summed up as a trend."""

from __future__ import annotations

import time
from datetime import timedelta
from threading import Lock
from typing import Any

from sqlalchemy import func, select

from include.board.asked import ComplianceAsked
from include.board.looking import Look
from include.board.models import Listed
from include.board.state_models import ComplianceRow, TrendPoint
from include.ledger.alert_tables import compliance_day

TREND_DAYS = 90
"""Days that the trend of the overview reaches back."""

AFRESH_SECONDS = 600.0

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
    """Return per day what stood over all rules and departments, of the last `TREND_DAYS` days.

    Summed up anew when a day was appended, and every `AFRESH_SECONDS`, for a replay may write past days: there are a third of a
    million rows to sum.
    """
    return _TRENDS.read(look)


class _Trends:
    """Keeps the trend of each ledger."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[str, tuple[Any, float, list[TrendPoint]]] = {}

    def read(self, look: Look) -> list[TrendPoint]:
        """Return the trend of the ledger that is looked at."""
        url, last = str(look.connection.engine.url), select(func.max(_c.day)).scalar_subquery()
        query = select(_c.day, func.max(_c.appended_at)).where(_c.day == last).group_by(_c.day)
        stamp = (look.today, *(look.connection.execute(query).one_or_none() or ()))
        with self._lock:
            kept = self._kept.get(url)
            if kept is None or kept[0] != stamp or time.monotonic() - kept[1] > AFRESH_SECONDS:
                kept = self._kept[url] = (stamp, time.monotonic(), _summed(look))
            return kept[2]


_TRENDS = _Trends()


def _summed(look: Look) -> list[TrendPoint]:
    names = ("passed", "warned", "failed", "unknown", "waived", "settled", "opened", "resolved")
    sums = [func.sum(func.coalesce(_c[name], 0)).label(name) for name in names]
    since = look.today - timedelta(days=TREND_DAYS)
    query = select(_c.day, *sums).where(_c.day >= since, _c.day <= look.today).group_by(_c.day).order_by(_c.day)
    return [
        TrendPoint(**row, rate_bp=rate_bp(row["passed"], row["warned"], row["failed"]))
        for row in look.connection.execute(query).mappings()
    ]
