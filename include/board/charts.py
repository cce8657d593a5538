"""Figures for Plotly as plain data; the page's script gives them the colours of the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from include.board.dossier_models import UsageDay
from include.board.state_models import DepartmentRow, TrendPoint

MOST_BARS = 20
"""Departments that a chart can show legibly."""


DAYS = {"tickformat": "%m-%d", "hoverformat": "%Y-%m-%d"}
"""Days as people here write them."""

FEW_DAYS, A_DAY = 7, 86_400_000
"""Of so few days each gets its mark, a day of milliseconds apart: left alone, the library marks hours, and days twice."""


def _figure(traces: list[dict[str, Any]], **layout: Any) -> dict[str, Any]:
    return {"data": traces, "layout": layout}


def _days(count: int) -> dict[str, Any]:
    return DAYS | {"dtick": A_DAY} if count <= FEW_DAYS else DAYS


def _line(title: str, x: list[Any], y: list[Any], colour: str, **more: Any) -> dict[str, Any]:
    """Return one line; `colour` is the name of a colour of the page."""
    mode = "lines" if len(x) > 1 else "markers"
    return {"type": "scatter", "mode": mode, "name": title, "x": x, "y": y, "colour": colour, **more}


def trend(points: Sequence[TrendPoint]) -> dict[str, Any] | None:
    """Return the rate of what is in order, and beside it how many leads, hints and unknown there are, over days."""
    if not points:
        return None
    days = [p.day.isoformat() for p in points]
    rates = [None if p.rate_bp is None else p.rate_bp / 100 for p in points]
    lines = [
        _line("符合率(%)", days, rates, "good", yaxis="y2"),
        _line("线索", days, [p.failed for p in points], "bad"),
        _line("提示", days, [p.warned for p in points], "hint"),
        _line("未知", days, [p.unknown for p in points], "dim"),
        _line("已豁免", days, [p.waived for p in points], "blue", dash="dot"),
        _line("已处理结案", days, [p.settled for p in points], "dim", dash="dot"),
    ]
    return _figure(
        lines,
        yaxis={"title": {"text": "项"}, "rangemode": "tozero"},
        xaxis=_days(len(days)),
        yaxis2={
            "title": {"text": "符合率(%)"},
            "overlaying": "y",
            "side": "right",
            "range": [0, 100],
            "showgrid": False,
        },
    )


def departments(rows: Sequence[DepartmentRow]) -> dict[str, Any] | None:
    """Return open leads and hints of the departments that have most."""
    if not rows:
        return None
    shown = list(reversed(rows[:MOST_BARS]))
    names = [row.department or "未登记单位" for row in shown]
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "name": title,
            "y": names,
            "x": [getattr(r, part) for r in shown],
            "colour": colour,
        }
        for title, part, colour in (("线索", "leads", "bad"), ("提示", "hints", "hint"))
    ]
    legend = {"traceorder": "normal", "orientation": "h", "y": 1.06, "x": 0}
    return _figure(bars, barmode="stack", legend=legend, height=60 + 26 * len(shown), yaxis={"automargin": True})


def usage(days: Sequence[UsageDay]) -> dict[str, Any] | None:
    """Return logins and active users over days; a day that nobody observed is a gap, not a zero."""
    if not days:
        return None
    x = [d.day.isoformat() for d in days]
    lines = [
        _line("登录次数", x, [d.logins for d in days], "blue", connectgaps=False),
        _line("活跃用户", x, [d.active_users for d in days], "good", connectgaps=False),
    ]
    return _figure(lines, xaxis=_days(len(x)), yaxis={"rangemode": "tozero", "title": {"text": "次、人"}})
