"""Whose everything is that findings are about, and which systems name which project: worked out once for each state of the ledger.

The same as the ledger's view `subject_unit`, for the subjects that have findings; a test compares them. The view ranks every
project of the platforms for each question, and a page would ask it several times.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Subquery, func, select

from include.board.current import current
from include.ledger.identity import codes_in
from include.ledger.tables import (
    batch,
    contract,
    department_year,
    evaluation,
    finding,
    plan_entry,
    project,
    rectification,
    system,
)


class Whose(NamedTuple):
    """Department and name of a subject, as far as they are registered."""

    unit: str | None
    name: str | None


Stamp = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """Subject type and subject → whose it is; project code → code and name of the systems that name it."""

    stamp: Stamp
    subjects: Mapping[tuple[str, str], Whose]
    naming: Mapping[str, list[tuple[str, str]]]

    @property
    def units(self) -> list[str]:
        """Return the departments that findings are about, in order, for forms to offer."""
        return sorted({whose.unit for whose in self.subjects.values() if whose.unit})

    def of_department(self, name: str | None) -> dict[str, set[str]]:
        """Return the subjects of a department by type; with None those of no registered department."""
        found: dict[str, set[str]] = {}
        for (kind, subject), whose in self.subjects.items():
            if (whose.unit or None) == name:
                found.setdefault(kind, set()).add(subject)
        return found


def stamp_of(connection: Connection) -> Stamp:
    """Return what changes whenever records or findings do."""
    rows = (
        select(func.count(), func.max(batch.c.merged_at)),
        select(func.count(), func.max(evaluation.c.evaluated_at)).select_from(evaluation),
        select(func.count()).select_from(finding),
    )
    return tuple(value for query in rows for value in connection.execute(query).one())


def read_register(connection: Connection, stamp: Stamp) -> Register:
    """Return the register of the ledger as it stands."""
    systems = current(system, "system_code", ("name", "unit_name", "project_codes"), label="s")
    found: dict[tuple[str, str], Whose] = {}
    naming: dict[str, list[tuple[str, str]]] = {}
    for row in connection.execute(select(systems).order_by(systems.c.system_code)).mappings():
        found["system", row["system_code"]] = Whose(row["unit_name"], row["name"])
        for code in codes_in(row["project_codes"]):
            naming.setdefault(code, []).append((row["system_code"], row["name"]))
    for more in (_projects, _contracts, _rectifications, _plan_entries, _department_years):
        found |= more(connection, found)
    return Register(stamp, dict(_with_findings(connection, found)), naming)


def _with_findings(
    connection: Connection, found: Mapping[tuple[str, str], Whose]
) -> Iterator[tuple[tuple[str, str], Whose]]:
    query = select(finding.c.subject_type, finding.c.subject).distinct()
    for kind, subject in connection.execute(query).tuples():
        yield (kind, subject), found.get((kind, subject), Whose(None, None))


def _subjects(kind: str) -> Subquery:
    query = select(finding.c.subject.label("code")).where(finding.c.subject_type == kind).distinct()
    return query.subquery(f"about_{kind}")


Found = dict[tuple[str, str], Whose]


def _projects(connection: Connection, _: Mapping[tuple[str, str], Whose]) -> Found:
    """Return the projects that findings, or contracts and notices with findings, are about."""
    c, r = contract, rectification
    codes = (
        select(_subjects("project").c.code)
        .union(
            select(c.c.project_code).where(c.c.contract_no.in_(select(_subjects("contract").c.code))),
            select(r.c.project_code).where(r.c.notice_no.in_(select(_subjects("rectification").c.code))),
        )
        .subquery("wanted")
    )
    here = project.c.project_code.in_(select(codes.c.code))
    p = current(project, "project_code", ("name", "unit_name"), here, label="p")
    rows = connection.execute(select(p.c.project_code, p.c.unit_name, p.c.name)).tuples()
    return {("project", code): Whose(unit, name) for code, unit, name in rows}


def _contracts(connection: Connection, known: Mapping[tuple[str, str], Whose]) -> Found:
    c, about = contract, _subjects("contract")
    query = select(c.c.contract_no, c.c.project_code, c.c.name).join(about, about.c.code == c.c.contract_no)
    found: Found = {}
    for number, code, name in connection.execute(query.where(c.c.tombstoned_at.is_(None))).tuples():
        _join(found, ("contract", number), known.get(("project", code)), name)
    return found


def _rectifications(connection: Connection, known: Mapping[tuple[str, str], Whose]) -> Found:
    r, about = rectification, _subjects("rectification")
    query = select(r.c.notice_no, r.c.project_code, r.c.system_code, r.c.topic)
    query = query.join(about, about.c.code == r.c.notice_no).where(r.c.tombstoned_at.is_(None))
    found: Found = {}
    for number, code, of_system, topic in connection.execute(query).tuples():
        whose = known.get(("project", code))
        if whose is None or whose.unit is None:
            whose = known.get(("system", of_system))
        _join(found, ("rectification", number), whose, topic)
    return found


def _plan_entries(connection: Connection, _: Mapping[tuple[str, str], Whose]) -> Found:
    e, about = plan_entry, _subjects("plan_entry")
    query = select(e.c.project_code, func.max(e.c.unit_name), func.max(e.c.name)).group_by(e.c.project_code)
    query = query.join(about, about.c.code == e.c.project_code).where(e.c.tombstoned_at.is_(None))
    return {("plan_entry", code): Whose(unit, name) for code, unit, name in connection.execute(query).tuples()}


def _department_years(connection: Connection, _: Mapping[tuple[str, str], Whose]) -> Found:
    d = department_year
    query = select(d.c.plan_year, d.c.unit_uscc, d.c.unit_name).where(d.c.tombstoned_at.is_(None))
    found: Found = {}
    for year, uscc, name in connection.execute(query.where(d.c.plan_year.is_not(None))).tuples():
        _join(found, ("department_year", f"{year}:{uscc if uscc is not None else name}"), Whose(name, None), name)
    return found


def _join(found: Found, key: tuple[str, str], whose: Whose | None, name: str | None) -> None:
    """Add a record to a subject that several have: the last name in the alphabet stands, as in the view."""
    units = [u for u in (whose.unit if whose else None, found[key].unit if key in found else None) if u is not None]
    names = [n for n in (name, found[key].name if key in found else None) if n is not None]
    found[key] = Whose(max(units, default=None), max(names, default=None))
