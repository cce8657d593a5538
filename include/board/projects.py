"""Projects: the list, and the dossier of one with its timeline and the terms of the law that run for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, select

from include.board.asked import ProjectsAsked
from include.board.clocks import clocks_of
from include.board.current import current
from include.board.dossier_models import Labelled, Named, ProjectDetail, ProjectRow
from include.board.findings import findings_about
from include.board.looking import Look
from include.board.models import Listed
from include.board.problems import not_found
from include.board.subjects import counted_findings, narrowed, ordered, page_of
from include.board.systems import fields_of
from include.board.timeline import timeline_of
from include.board.verdicts import verdicts_on
from include.ledger.tables import judged_subject, plan_entry, project, project_dossier

MOST = 200
"""Systems of one project that are shown."""

_SHOWN = (
    "unit_name", "nature", "project_type", "managed_industry", "division_name", "total_investment_yuan", "fund_source",
    "start_year", "end_year", "is_major",
)  # fmt: skip
_OF_DOSSIER = (
    "demand_unit_name", "track", "fund_scope", "content_class", "is_public_service", "approved_investment_yuan",
    "implementing_body", "has_responsible_person", "has_management_system", "is_scope_completed",
)  # fmt: skip
_LISTED = ("name", "unit_name", "nature", "project_type", "total_investment_yuan", "applied_at")


def list_projects(look: Look, asked: ProjectsAsked) -> Listed[ProjectRow]:
    """Return one page of the projects that were asked for."""
    where = () if asked.is_all else (_is_judged(),)
    p = current(project, "project_code", _LISTED, *where, label="p")
    counts = counted_findings("project", p.c.project_code)
    columns = {"code": p.c.project_code, "name": p.c.name, "unit": p.c.unit_name}
    query = select(p, *counts.values())
    if asked.plan_year:
        planned = (plan_entry.c.plan_year == asked.plan_year, plan_entry.c.tombstoned_at.is_(None))
        query = query.where(p.c.project_code.in_(select(plan_entry.c.project_code).where(*planned)))
    rows, total = page_of(look, ordered(narrowed(query, asked, columns, counts), asked, columns, counts))
    years = _plan_years(look, [row["project_code"] for row in rows])
    items = [ProjectRow(**_row(look, row, row["leads"], row["hints"], years)) for row in rows]
    return Listed(items=items, total=total, limit=asked.limit, offset=asked.offset)


def _is_judged() -> ColumnElement[bool]:
    """Return whether rules judge a project: they said so last time, or a dossier was handed in for it."""
    code, j = project.c.project_code, judged_subject
    judged = select(j.c.subject).where(j.c.scope == "regulation", j.c.subject_type == "project")
    dossier = select(project_dossier.c.project_code).where(project_dossier.c.tombstoned_at.is_(None))
    return code.in_(judged.union(dossier))


def _row(look: Look, row: Mapping[Any, Any], leads: int, hints: int, years: Mapping[str, list[int]]) -> dict[str, Any]:
    applied, code = row["applied_at"], row["project_code"]
    return {
        "code": code, "name": row["name"], "unit": row["unit_name"], "leads": leads, "hints": hints,
        "nature": row["nature"], "type": row["project_type"], "investment_yuan": row["total_investment_yuan"],
        "applied_on": applied.date() if applied else None, "plan_years": years.get(code, []),
        "systems": len(look.register.naming.get(code, ())),
    }  # fmt: skip


def read_project(look: Look, code: str) -> ProjectDetail:
    """Return the dossier of a project."""
    here = current(project, "project_code", (*_SHOWN, *_LISTED), project.c.project_code == code, label="p")
    row = look.connection.execute(select(here)).mappings().first()
    if row is None:
        raise not_found(f"代码为 {code} 的项目")
    holes, verdicts = findings_about(look, "project", code), verdicts_on(look, "project", code)
    systems = [Named(code=system, name=name) for system, name in look.register.naming.get(code, ())]
    leads = sum(1 for hole in holes if hole.outcome == "fail")
    return ProjectDetail(
        **_row(look, row, leads, len(holes) - leads, _plan_years(look, [code])), named_systems=systems[:MOST],
        fields=[*fields_of("project", row, _SHOWN), *_dossier(look, code)], timeline=timeline_of(look, code), holes=holes,
        clocks=clocks_of(look, verdicts), verdicts=verdicts,
    )  # fmt: skip


def _dossier(look: Look, code: str) -> list[Labelled]:
    d = project_dossier
    query = select(d).where(d.c.project_code == code, d.c.tombstoned_at.is_(None)).order_by(d.c.source).limit(1)
    row = look.connection.execute(query).mappings().first()
    return fields_of("project_dossier", row, _OF_DOSSIER) if row else []


def _plan_years(look: Look, codes: list[str]) -> dict[str, list[int]]:
    e = plan_entry
    query = select(e.c.project_code, e.c.plan_year).distinct().where(e.c.project_code.in_(codes))
    found: dict[str, list[int]] = {}
    rows = look.connection.execute(query.where(e.c.tombstoned_at.is_(None), e.c.plan_year.is_not(None)))
    for code, year in rows.tuples():
        found.setdefault(code, []).append(year)
    return {code: sorted(years) for code, years in found.items()}
