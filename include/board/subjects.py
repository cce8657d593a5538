"""What lists of systems and of projects have in common: their open findings counted, their order, their filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from include.board.asked import SubjectsAsked
from include.board.current import counted
from include.board.findings import IS_OPEN, UNREGISTERED
from include.board.looking import Look
from include.ledger.tables import finding

Counts = Mapping[str, ColumnElement[int]]


def counted_findings(subject_type: str, code: ColumnElement[Any]) -> Counts:
    """Return how many leads (`fail`) and hints (`warn`) are open about the subject of a row.

    Looked up by the index over subjects, row by row: joined to a grouped query, SQLite goes through all groups for each row.
    """

    def of(outcome: str) -> ColumnElement[int]:
        mine = (finding.c.subject_type == subject_type, finding.c.subject == code)
        query = select(func.count()).where(*mine, IS_OPEN, finding.c.outcome == outcome)
        return query.correlate(code.table).scalar_subquery()  # type: ignore[attr-defined]

    return {"leads": of("fail").label("leads"), "hints": of("warn").label("hints")}


def narrowed(
    query: Select[Any], asked: SubjectsAsked, columns: Mapping[str, ColumnElement[Any]], counts: Counts
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
        query = query.where(counts["leads"] + counts["hints"] > 0)
    return query


def ordered(
    query: Select[Any], asked: SubjectsAsked, columns: Mapping[str, ColumnElement[Any]], counts: Counts
) -> Select[Any]:
    """Return a query in the order that was asked for, one page of it; ties by code."""
    name = asked.sort.removeprefix("-")
    is_down = asked.sort.startswith("-")
    by = [counts["leads"], counts["hints"]] if name == "leads" else [columns[name]]
    order = [c.desc() if is_down else c for c in by]
    return query.order_by(*order, columns["code"]).limit(asked.limit).offset(asked.offset)


def page_of(look: Look, query: Select[Any]) -> tuple[list[Mapping[Any, Any]], int]:
    """Return the rows of a page, and how many there are in all."""
    rows: list[Mapping[Any, Any]] = list(look.connection.execute(counted(query)).mappings())
    if rows:
        return rows, rows[0]["of"]
    whole = query.limit(None).offset(None).order_by(None).subquery()  # the page lies behind the last row
    return [], look.connection.execute(select(func.count()).select_from(whole)).scalar_one()
