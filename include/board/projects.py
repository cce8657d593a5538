"""Projects: the list, and the dossier of one with its timeline and the terms of the law that run for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, column, exists, literal, or_, select, table

from include.board.asked import ProjectsAsked
from include.board.clocks import clocks_of
from include.board.dossier_models import Labelled, Named, ProjectDetail, ProjectRow
from include.board.findings import findings_about
from include.board.looking import Look
from include.board.models import Listed
from include.board.problems import not_found
from include.board.subjects import count_of, counted_findings, narrowed, ordered, total_of
from include.board.systems import current_system, fields_of
from include.board.timeline import timeline_of
from include.board.verdicts import verdicts_on
from include.ledger.tables import judged_subject, plan_entry, project, project_dossier

MOST = 200
"""Systems of one project that are shown."""

current_project = table("current_project", *(column(c.name, c.type) for c in project.c))

_SHOWN = (
    "unit_name", "nature", "project_type", "managed_industry", "division_name", "total_investment_yuan", "fund_source",
    "start_year", "end_year", "is_major",
)  # fmt: skip
_OF_DOSSIER = (
    "demand_unit_name", "track", "fund_scope", "content_class", "is_public_service", "approved_investment_yuan",
    "implementing_body", "has_responsible_person", "has_management_system", "is_scope_completed",
)  # fmt: skip
_COLUMNS = {"code": current_project.c.project_code, "name": current_project.c.name, "unit": current_project.c.unit_name}


def list_projects(look: Look, asked: ProjectsAsked) -> Listed[ProjectRow]:
    """Return one page of the projects that were asked for."""
    p, counted = current_project, counted_findings("project")
    query = select(
        p.c.project_code, p.c.name, p.c.unit_name, p.c.nature, p.c.project_type, p.c.total_investment_yuan, p.c.applied_at,
        count_of(counted, "leads").label("leads"), count_of(counted, "hints").label("hints"),
    ).select_from(p.outerjoin(counted, counted.c.subject == p.c.project_code))  # fmt: skip
    if not asked.is_all:
        query = query.where(_is_judged())
    if asked.plan_year:
        planned = exists().where(
            plan_entry.c.project_code == p.c.project_code, plan_entry.c.plan_year == asked.plan_year,
            plan_entry.c.tombstoned_at.is_(None),
        )  # fmt: skip
        query = query.where(planned)
    query = narrowed(query, asked, _COLUMNS, counted)
    rows = look.connection.execute(ordered(query, asked, _COLUMNS, counted)).mappings().all()
    codes = [row["project_code"] for row in rows]
    years, systems = _plan_years(look, codes), _systems(look, codes)
    items = [
        ProjectRow(**_row(row, row["leads"], row["hints"], years, len(systems.get(row["project_code"], ()))))
        for row in rows
    ]
    return Listed(items=items, total=total_of(look, query), limit=asked.limit, offset=asked.offset)


def _is_judged() -> ColumnElement[bool]:
    """Return whether rules judge a project: they said so last time, or a dossier was handed in for it."""
    code, j = current_project.c.project_code, judged_subject
    judged = select(j.c.subject).where(j.c.scope == "regulation", j.c.subject_type == "project")
    dossier = select(project_dossier.c.project_code).where(project_dossier.c.tombstoned_at.is_(None))
    return or_(code.in_(judged), code.in_(dossier))


def _row(
    row: Mapping[str, Any], leads: int, hints: int, years: Mapping[str, list[int]], systems: int
) -> dict[str, Any]:
    applied = row["applied_at"]
    return {
        "code": row["project_code"], "name": row["name"], "unit": row["unit_name"], "leads": leads, "hints": hints,
        "nature": row["nature"], "type": row["project_type"], "investment_yuan": row["total_investment_yuan"],
        "applied_on": applied.date() if applied else None, "plan_years": years.get(row["project_code"], []),
        "systems": systems,
    }  # fmt: skip


def read_project(look: Look, code: str) -> ProjectDetail:
    """Return the dossier of a project."""
    found = look.connection.execute(select(current_project).where(current_project.c.project_code == code))
    row = found.mappings().first()
    if row is None:
        raise not_found(f"代码为 {code} 的项目")
    holes = findings_about(look, "project", code)
    verdicts = verdicts_on(look, "project", code)
    systems = _systems(look, [code]).get(code, [])
    leads = sum(1 for hole in holes if hole.outcome == "fail")
    return ProjectDetail(
        **_row(row, leads, len(holes) - leads, _plan_years(look, [code]), len(systems)), named_systems=systems[:MOST],
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


def _systems(look: Look, codes: list[str]) -> dict[str, list[Named]]:
    """Return the systems that name a project; the register writes the codes of a system into one text, parted by commas."""
    if not codes:
        return {}
    listed = literal(",").concat(current_system.c.project_codes).concat(",")
    names = or_(*(listed.contains(f",{code},", autoescape=True) for code in codes))
    query = select(current_system.c.system_code, current_system.c.name, current_system.c.project_codes)
    found: dict[str, list[Named]] = {}
    for system, name, named in look.connection.execute(query.where(names).order_by("system_code")).tuples():
        for code in set(named.split(",")) & set(codes):
            found.setdefault(code, []).append(Named(code=system, name=name))
    return found
