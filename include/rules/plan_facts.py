"""The facts of what the bureau itself does by the year: plans, the departments' applications, the lines of a plan, the calendar."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Any

from include.rules.dossier_facts import Dossiers
from include.rules.parameters import Parameters
from include.rules.project_register import ProjectRegister
from include.rules.records import PlanYear
from include.rules.register_facts import Combined, Registers, Row
from include.rules.verdict import Fact
from include.sources.folding import plain

CALENDAR = "workday_calendar"
"""What the facts of the calendar come from: our own files."""

_DEPARTMENT = ("plan_year", "unit_name", "unit_uscc", "budget_units", "applications")
_LINE = ("plan_year", "name", "project_code", "unit_name")

FactsBySubject = dict[str, dict[str, Fact]]


def first_plan_year(parameters: Parameters) -> int:
    """Return the first plan whose needs were to be called for under the measures: in the first July after they took effect."""
    effective = parameters.day("regulation_effective_on")
    call = effective.replace(month=parameters.at("needs_call_month", effective), day=1)
    return effective.year + (1 if effective <= call else 2)


class PlanFacts:
    """The facts of plan years, departments' years, lines of the plan, and the next year's calendar."""

    def __init__(
        self, registers: Registers, projects: ProjectRegister, dossiers: Dossiers, day: date, parameters: Parameters
    ) -> None:
        self._registers, self._projects, self._dossiers = registers, projects, dossiers
        self._day, self._parameters = day, parameters

    def plan_years(self) -> FactsBySubject:
        """Return the years whose plan the measures ask for, to the next one; blanks where the register has no row."""
        are_known, are_attested = (self._dossiers.are_known(name) for name in ("plan_years", "attestations"))
        attested = [one for one in self._dossiers.kept("attestations") if one.record.plan_year] if are_attested else []
        kept = {one.key: one for one in self._dossiers.kept("plan_years")}
        found = {}
        for year in range(first_plan_year(self._parameters), self._day.year + 2):
            rows = [kept[year]] if year in kept else []
            fact = self._dossiers.fact("plan_years", rows[0].record if rows else PlanYear(year), rows)
            values = {"plan_year_code": str(year), "name": f"{year}年度计划", "year": year}
            found[str(year)] = {name: fact.like(value) for name, value in values.items()}
            if are_known:
                found[str(year)]["plan_year"] = fact
            if are_attested:
                mine = [one for one in attested if one.record.plan_year == year]
                found[str(year)]["attestations"] = self._dossiers.several("attestations", mine)
        return found

    def calendar(self) -> FactsBySubject:
        """Return whether the working days of the next year are known to its end."""
        year = self._day.year + 1
        is_covered = self._parameters.workdays.covered_until >= date(year, 12, 31)
        values = {"calendar_code": str(year), "name": f"{year}年工作日日历", "year": year, "is_covered": is_covered}
        return {str(year): {name: Fact(value, CALENDAR) for name, value in values.items()}}

    # -- departments ----------------------------------------------------------------------------------------------------------

    def department_years(self) -> FactsBySubject:
        """Return what each department applied for in a year, and how many budget units it has."""
        are_known = self._registers.are_known("department_year")
        found = {}
        for code, rows in sorted(_living(self._department_rows, self._department_codes).items()):
            department, year = Combined(tuple(rows)), rows[0]["plan_year"]
            name = f"{department.get('unit_name')}({year}年度)"
            base = self._registers.about("department_year", code, rows=rows)
            facts = {"department_year_code": base, "name": base.like(name), "year": base.like(year)}
            facts |= self._registers.facts(department, ("unit_name", "unit_uscc"))
            if are_known:
                facts |= self._registers.facts(department, ("budget_units", "applications"))
            found[code] = facts
        return found

    @cached_property
    def _department_rows(self) -> list[Row]:
        return self._registers.rows("department_year", _DEPARTMENT)

    @staticmethod
    def _department_codes(row: Row) -> Iterator[str]:
        """Yield the code of a department's year: no text that people edit where its USCC is known."""
        if row["unit_uscc"] is not None:
            yield f"{row['plan_year']}:{row['unit_uscc']}"
        yield f"{row['plan_year']}:{plain(row['unit_name'])}"

    # -- lines of the plan ----------------------------------------------------------------------------------------------------

    def plan_entries(self) -> FactsBySubject:
        """Return of each project of the annual plans whether a platform lists it; lines without a code stand by themselves.

        Names join nothing: of a line without a code nobody knows whether its project is on a platform.
        """
        are_known = self._registers.are_known("project")
        found = {}
        for code, rows in sorted(_living(self._lines, self._line_codes).items()):
            line = Combined(tuple(sorted(rows, key=lambda row: -row["plan_year"])))
            facts = self._registers.facts(line, ("name", "unit_name"))
            facts["plan_entry_code"] = self._registers.about("plan_entry", code, rows=rows)
            if rows[0]["project_code"] is not None:
                facts["project_code"] = facts["plan_entry_code"].like(code)
                if are_known:
                    is_void = self._projects.is_void(code)
                    facts["is_on_platform"] = self._registers.about("project", is_void is not None)
                    if is_void is not None:
                        facts["is_void"] = self._registers.about("project", is_void)
            found[code] = facts
        return found

    @cached_property
    def _lines(self) -> list[Row]:
        return self._registers.rows("plan_entry", _LINE)

    def _line_codes(self, row: Row) -> Iterator[str]:
        """Yield the code of a line: the present one of its project; without one its year and a hash of its key."""
        if row["project_code"] is not None:
            yield self._projects.present(row["project_code"])
            yield str(row["project_code"])
        yield f"{row['plan_year']}:{line_hash(row['record_key'])}"

    # -- both -----------------------------------------------------------------------------------------------------------------

    def former(self, subject_type: str) -> dict[str, bool]:
        """Return the codes under which nothing stands any more, and whether that is because a source withdrew the record.

        It may also have got a USCC, a project code, or a new one, and be judged under that.
        """
        rows, codes = {
            "department_year": (self._department_rows, self._department_codes),
            "plan_entry": (self._lines, self._line_codes),
        }[subject_type]
        living = set(_living(rows, codes))
        found: dict[str, bool] = {}
        for row in rows:
            for code in codes(row):
                if code not in living:
                    found[code] = found.get(code, True) and row["tombstoned_at"] is not None
        return found


def line_hash(record_key: str) -> str:
    """Return what stands for the key of a line without a project code in the code that it is judged by."""
    return hashlib.blake2b(record_key.encode(), digest_size=8).hexdigest()


def _living(rows: list[Row], codes: Any) -> Mapping[str, list[Row]]:
    """Return the living rows by their code, the best authority first."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row["tombstoned_at"] is None:
            found.setdefault(next(codes(row)), []).append(row)
    return found
