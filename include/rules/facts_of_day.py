"""The facts of a day: for every system, project and source what is known of it, with where it comes from.

Declared, registered and observed are three evidences and are never inferred from one another. A fact that is not known is absent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any

from include.ledger.as_known import AsKnown
from include.rules.catalogue_facts import KINDS, Catalogues
from include.rules.engine import NOT_SUBJECT
from include.rules.facts import Project
from include.rules.register_facts import Combined, Registers
from include.rules.source_facts import Flapping, Sources, source_facts
from include.rules.verdict import Fact
from include.rules.window_facts import ROLES, WindowFacts

WITHDRAWN = "withdrawn_at_source"
"""Why a subject is judged no more: it was missing from two complete reads of its source."""

Subject = tuple[str, str]
"""Subject type and subject."""

PROJECTS = "projects"
"""The fact of a system that wants the projects read."""

UNSTEADY = "unsteady"
"""The fact of a source that wants its history read."""

_PROJECT = ("name", "nature", "unit_name", "unit_uscc", "applied_at", "end_year", "project_type", "managed_industry")
_DIGITAL = (None, "informatization")
"""Managed industry of the projects that are judged, as far as it is known."""

_UPGRADES = ("extended", "rebuilt")
"""Natures of a planned project that build on what is there (art. 13 (3) to (5))."""

FactsBySubject = dict[str, dict[str, Fact]]


class FactsOfDay:
    """The facts of a day as known at a frontier; of the daily series and the projects only what `wanted` names is worked out."""

    def __init__(
        self,
        known: AsKnown,
        day: date,
        parameters: Mapping[str, Any],
        cards: Sources,
        wanted: Collection[str] = (*ROLES, PROJECTS),
        probers: Sequence[str] = (),
    ) -> None:
        self.known, self.day, self.parameters, self.cards = known, day, parameters, cards
        self.wanted, self.probers = wanted, probers
        self.registers = Registers(known, day, int(parameters["register_max_age_days"]), cards.groups)

    def of(self, subject_type: str) -> FactsBySubject:
        """Return the facts of every subject of a type, in order of their codes."""
        return {"system": self.systems, "project": self.projects, "source": self.sources}[subject_type]

    def gone(self) -> dict[Subject, str]:
        """Return the subjects that are judged no more, with the reason: withdrawn by two complete reads, or no concern of ours."""
        systems = self.registers.withdrawn("system", "system_code", self.registers.systems)
        found = {("system", code): WITHDRAWN for code in systems}
        if PROJECTS in self.wanted:
            living = {*self._projects, *self._others}
            projects = self.registers.withdrawn("project", "project_code", living)
            found |= {("project", code): WITHDRAWN for code in projects}
            found |= {("project", code): NOT_SUBJECT for code in living - set(self.projects)}
        return found

    @cached_property
    def systems(self) -> FactsBySubject:
        """Return the facts of the systems that stand in a register."""
        windows = self._windows()
        joined = self._joined if PROJECTS in self.wanted else None
        found = {}
        for code in self.registers.systems:
            facts = self.registers.system_facts(code, joined)
            facts |= {role: by_system[code] for role, by_system in windows.items() if code in by_system}
            if set(self.wanted) & set(KINDS):
                facts |= self.catalogues.of(code)
            found[code] = facts
        return found

    @cached_property
    def catalogues(self) -> Catalogues:
        """Return the entries of the catalogues, joined to systems."""

        def systems_of(project: str) -> Collection[str]:
            return self._naming.get(self._present(project), ())

        return Catalogues(self.registers, int(self.parameters["catalogue_grace_percent"]), systems_of)

    def _windows(self) -> dict[str, dict[str, Fact]]:
        if not set(self.wanted) & set(ROLES):
            return {}
        return WindowFacts(self.registers, self.day, self.parameters, self.probers).of(self.wanted)

    # -- projects -------------------------------------------------------------------------------------------------------------

    @cached_property
    def _projects(self) -> dict[str, Combined]:
        """Return the digital projects, and whatever project a system names."""
        named = {self._present(code) for codes in self._named.values() for code in codes} | set(self._aliases)
        self._others: set[str] = set()

        def keep(row: Mapping[str, Any]) -> bool:
            if row["project_code"] in named or row["managed_industry"] in _DIGITAL:
                return True
            self._others.add(row["project_code"])
            return False

        found = self.registers.combined("project", "project_code", ("project_code", "is_void", *_PROJECT), keep)
        return {code: found[code] for code in sorted(found) if code not in self._others}

    @cached_property
    def _named(self) -> dict[str, tuple[str, ...]]:
        """Return the project codes that each system names."""
        systems = self.registers.systems.items()
        return {code: tuple(filter(None, (s.get("project_codes") or "").split(","))) for code, s in systems}

    @cached_property
    def _naming(self) -> dict[str, list[str]]:
        """Return the systems that name each project, by its present code."""
        found: dict[str, list[str]] = {}
        for system, codes in self._named.items():
            for code in codes:
                found.setdefault(self._present(code), []).append(system)
        return found

    def _present(self, code: str) -> str:
        return self._aliases.get(code, code)

    @cached_property
    def _aliases(self) -> dict[str, str]:
        """Return the present code of each re-issued one, chains followed; a code that leads back to itself stays."""
        step = {old: new for old, new in self.known.connection.execute(self.known.aliases())}
        found = {}
        for code in step:
            seen, last = {code}, code
            while last in step and step[last] not in seen:
                last = step[last]
                seen.add(last)
            found[code] = last
        return found

    @cached_property
    def _joined(self) -> dict[str, Project]:
        """Return the projects by every code they are known under; names join nothing."""
        plans = self.registers.combined("plan_entry", "project_code")
        upgrades = {
            self._present(code) for code, plan in plans.items() if any(row["nature"] in _UPGRADES for row in plan.rows)
        }
        found = {
            code: Project(code, p.get("name") or "", p.get("nature"), code in upgrades)
            for code, p in self._projects.items()
        }
        return found | {old: found[new] for old, new in self._aliases.items() if new in found}

    @cached_property
    def projects(self) -> FactsBySubject:
        """Return the facts of the living projects, a re-issued code under its present one: name, nature, systems."""
        are_known = self.registers.are_known("system")
        found: FactsBySubject = {}
        for code, combined in self._projects.items():
            if self._present(code) != code or combined.get("is_void"):
                continue
            found[code] = self._project_facts(code, combined)
            if are_known:
                mine = tuple(sorted(set(self._naming.get(code, ()))))
                rows = [self.registers.systems[s].rows[0] for s in mine]
                found[code]["systems"] = self.registers.about("system", mine, rows=rows)
        return found

    def _project_facts(self, code: str, project: Combined) -> dict[str, Fact]:
        facts = {name: self.registers.fact(project, name) for name in _PROJECT if project.get(name) is not None}
        first = project.rows[0]
        facts["project_code"] = Fact(code, first["source"], self.registers.readings[first["source"]].read_on)
        facts["is_planned_upgrade"] = self.registers.about("plan_entry", self._joined[code].is_planned_upgrade)
        return facts

    # -- sources --------------------------------------------------------------------------------------------------------------

    @cached_property
    def sources(self) -> FactsBySubject:
        """Return the facts of the sources that the cards name or that were ever read."""
        flapping = None
        if UNSTEADY in self.wanted:
            flapping = Flapping(int(self.parameters["flapping_window_days"]), int(self.parameters["flapping_returns"]))
        return source_facts(self.registers, self.day, self.cards, flapping)
