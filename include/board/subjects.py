"""What lists of systems and of projects have in common: their open findings counted, their order, their filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, case, func, or_, select

from include.board.asked import SubjectsAsked
from include.board.current import counted
from include.board.findings import UNREGISTERED
from include.board.looking import Look
from include.ledger.tables import finding


def counted_findings(subject_type: str) -> Subquery:
    """Return per subject of a type how many leads (`fail`) and hints (`warn`) are open."""

    def of(outcome: str) -> ColumnElement[int]:
        return func.sum(case((finding.c.outcome == outcome, 1), else_=0))

    mine = (finding.c.state == "open", finding.c.subject_type == subject_type)
    query = select(finding.c.subject, of("fail").label("leads"), of("warn").label("hints"))
    return query.where(*mine).group_by(finding.c.subject).subquery("tally")


def count_of(tally: Subquery, name: str) -> ColumnElement[int]:
    """Return a count of a subject that may have none."""
    return func.coalesce(tally.c[name], 0)


def narrowed(
    query: Select[Any], asked: SubjectsAsked, columns: Mapping[str, ColumnElement[Any]], tally: Subquery
) -> Select[Any]:
    """Return a query with the filters that both lists know; `columns` gives code, name and unit."""
    if asked.q:
        query = query.where(
            or_(*(columns[name].contains(asked.q, autoescape=True) for name in ("code", "name", "unit")))
        )
    if asked.department == UNREGISTERED:
        query = query.where(or_(columns["unit"].is_(None), columns["unit"] == ""))
    elif asked.department:
        query = query.where(columns["unit"] == asked.department)
    if asked.has_leads:
        query = query.where(count_of(tally, "leads") + count_of(tally, "hints") > 0)
    return query


def ordered(
    query: Select[Any], asked: SubjectsAsked, columns: Mapping[str, ColumnElement[Any]], tally: Subquery
) -> Select[Any]:
    """Return a query in the order that was asked for, one page of it; ties by code."""
    name = asked.sort.removeprefix("-")
    is_down = asked.sort.startswith("-")
    by = [count_of(tally, "leads"), count_of(tally, "hints")] if name == "leads" else [columns[name]]
    order = [c.desc() if is_down else c for c in by]
    return query.order_by(*order, columns["code"]).limit(asked.limit).offset(asked.offset)


def page_of(look: Look, query: Select[Any]) -> tuple[list[Mapping[Any, Any]], int]:
    """Return the rows of a page, and how many there are in all."""
    rows: list[Mapping[Any, Any]] = list(look.connection.execute(counted(query)).mappings())
    if rows:
        return rows, rows[0]["of"]
    whole = query.limit(None).offset(None).order_by(None).subquery()  # the page lies behind the last row
    return [], look.connection.execute(select(func.count()).select_from(whole)).scalar_one()
