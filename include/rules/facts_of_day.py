"""The facts of a day: for every system, project and source what is known of it, with where it comes from.

Declared, registered and observed are three evidences and are never inferred from one another. A fact that is not known is absent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any

from include.ledger.as_known import AsKnown
from include.rules.facts import Project
from include.rules.register_facts import Combined, Registers
from include.rules.source_facts import Sources, source_facts
from include.rules.verdict import Fact
from include.rules.window_facts import ROLES, WindowFacts

_UPGRADES = ("extended", "rebuilt")
"""Natures of a planned project that build on what is there (art. 13 (3) to (5))."""

FactsBySubject = dict[str, dict[str, Fact]]


class FactsOfDay:
    """The facts of a day as known at a frontier; only what `wanted` names is worked out of the daily series."""

    def __init__(
        self,
        known: AsKnown,
        day: date,
        parameters: Mapping[str, Any],
        cards: Sources,
        wanted: Collection[str] = tuple(ROLES),
        probers: Sequence[str] = (),
    ) -> None:
        self.known, self.day, self.parameters, self.cards = known, day, parameters, cards
        self.wanted, self.probers = wanted, probers
        self.registers = Registers(known, day, int(parameters["register_max_age_days"]), cards.groups)

    def of(self, subject_type: str) -> FactsBySubject:
        """Return the facts of every subject of a type, in order of their codes."""
        return {"system": self.systems, "project": self.projects, "source": self.sources}[subject_type]

    def withdrawn(self) -> set[tuple[str, str]]:
        """Return the subjects that stood in a register and left it by two complete reads."""
        systems = self.registers.withdrawn("system", "system_code", self.registers.systems)
        projects = self.registers.withdrawn("project", "project_code", self._projects)
        return {("system", s) for s in systems} | {("project", p) for p in projects}

    @cached_property
    def systems(self) -> FactsBySubject:
        """Return the facts of the systems that stand in a register."""
        windows = self._windows()
        found = {}
        for code in self.registers.systems:
            facts = self.registers.system_facts(code, self._joined)
            facts |= {role: by_system[code] for role, by_system in windows.items() if code in by_system}
            found[code] = facts
        return found

    def _windows(self) -> dict[str, dict[str, Fact]]:
        if not set(self.wanted) & set(ROLES):
            return {}
        return WindowFacts(self.registers, self.day, self.parameters, self.probers).of(self.wanted)

    # -- projects -------------------------------------------------------------------------------------------------------------

    @cached_property
    def _projects(self) -> dict[str, Combined]:
        return dict(sorted(self.registers.combined("project", "project_code").items()))

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
            self._aliases.get(code, code)
            for code, plan in plans.items()
            if any(row["nature"] in _UPGRADES for row in plan.rows)
        }
        found = {
            code: Project(code, p.get("name") or "", p.get("nature"), code in upgrades)
            for code, p in self._projects.items()
        }
        return found | {old: found[new] for old, new in self._aliases.items() if new in found}

    @cached_property
    def projects(self) -> FactsBySubject:
        """Return the facts of the living projects, a re-issued code under its present one: name, nature, systems."""
        systems: dict[str, list[str]] = {}
        for code, system in self.registers.systems.items():
            for named in (system.get("project_codes") or "").split(","):
                if project := self._joined.get(named):
                    systems.setdefault(project.code, []).append(code)
        are_known = self.registers.are_known("system")
        found: FactsBySubject = {}
        for code, combined in self._projects.items():
            if self._aliases.get(code, code) != code or combined.get("is_void"):
                continue
            found[code] = self._project_facts(code, combined)
            if are_known:
                mine = tuple(sorted(set(systems.get(code, ()))))
                rows = [self.registers.systems[s].rows[0] for s in mine]
                found[code]["systems"] = self.registers.about("system", mine, rows=rows)
        return found

    def _project_facts(self, code: str, project: Combined) -> dict[str, Fact]:
        names = (
            "name",
            "nature",
            "unit_name",
            "unit_uscc",
            "applied_at",
            "end_year",
            "project_type",
            "managed_industry",
        )
        facts = {name: self.registers.fact(project, name) for name in names if project.get(name) is not None}
        first = project.rows[0]
        facts["project_code"] = Fact(code, first["source"], self.registers.readings[first["source"]].read_on)
        facts["is_planned_upgrade"] = self.registers.about("plan_entry", self._joined[code].is_planned_upgrade)
        return facts

    # -- sources --------------------------------------------------------------------------------------------------------------

    @cached_property
    def sources(self) -> FactsBySubject:
        """Return the facts of the sources that the cards name or that were ever read."""
        return source_facts(self.registers, self.day, self.cards)
