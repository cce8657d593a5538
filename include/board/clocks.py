"""The terms of the law in working days that run, ran or ran out for a project, read from what the rules said of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from include.board.dossier_models import Clock
from include.board.looking import Look
from include.board.models import VerdictRow

_END = re.compile(r"[毛净]期限至 (\d{4}-\d{2}-\d{2})(?: 至 (\d{4}-\d{2}-\d{2}))?")
"""How a step of `include.rules.deadlines` writes the end of a term; two days where the calendar is not published yet."""

RUNNING = ("running", "due_soon", "overdue", "probably_overdue", "calendar_unpublished")
"""Reasons of terms that are not fulfilled and whose clock goes on."""


def due_of(steps: Iterable[str]) -> tuple[date | None, date | None]:
    """Return the first and the last day on which a term can end; the net term, which is told last, counts."""
    found = [match for step in steps for match in _END.finditer(step)]
    if not found:
        return None, None
    first, last = found[-1].groups()
    return date.fromisoformat(first), date.fromisoformat(last or first)


def clocks_of(look: Look, verdicts: Iterable[VerdictRow]) -> list[Clock]:
    """Return the terms among verdicts, those that run first."""
    clocks = []
    for row in verdicts:
        rule = look.reference.rules[row.rule]
        due, latest = due_of(row.steps)
        if not rule.counts_workdays or rule.parts or due is None:
            continue
        clocks.append(
            Clock(
                rule=row.rule, title=row.title, clause=row.clause, outcome=row.outcome, reason=row.reason, due=due,
                latest=latest if latest != due else None, left=_left(look, row.reason, due, latest), steps=row.steps,
                message=row.message,
            )
        )  # fmt: skip
    return sorted(clocks, key=lambda clock: (clock.reason not in RUNNING, clock.due or date.max))


def _left(look: Look, reason: str, due: date, latest: date | None) -> tuple[int, int] | None:
    """Return how many working days remain from today on, negative once the term is over."""
    days = look.reference.workdays
    if reason not in RUNNING or days is None:
        return None
    if due >= look.today:
        return days.span(look.today, due).least, days.span(look.today, latest or due).most
    over = days.span(due, look.today)
    return -over.most, -over.least
