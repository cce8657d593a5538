"""The facts of projects and contracts: what the platforms say of them, and the records of their lives.

A list is known where every source of its entity was read whole and lately: a project without a row then has an empty one. A project
without a dossier has no such fact, for nobody has told its steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import asdict
from functools import cached_property

from include.rules.approval_facts import ApprovalKinds, approvals
from include.rules.catalogue_facts import KINDS, Catalogues
from include.rules.dossier_facts import Dossiers, Kept, batches_of, together
from include.rules.facts import Catalogued
from include.rules.project_register import FRESH_FIELDS, PROJECT_FIELDS, ProjectRegister
from include.rules.records import UpgradeTarget
from include.rules.register_facts import Combined, Registers
from include.rules.report_facts import Reports
from include.rules.verdict import Fact

SCALARS = ("track", "fund_scope", "content_class", "is_public_service")
"""Fields of a dossier that are facts of their own where they are filled."""

LISTS = ("plan_places", "contracts", "payments", "acceptances", "reviews", "suspensions", "attestations")
"""Facts of a project that are all its records of an entity."""

DOSSIER = ("dossier", "upgrade_target", *SCALARS)
FACTS = frozenset({*DOSSIER, *LISTS, *KINDS, "approvals", "assessments", "level", *FRESH_FIELDS})
"""Facts that want the projects read."""

_OF_CONTRACT = ("unit_name", "level", "track", "fund_scope", "content_class")
"""Facts of its project that a contract is judged by."""


class ProjectFacts:
    """The facts of the projects that are judged; beside those of the platforms only what `wanted` names is worked out."""

    def __init__(
        self,
        registers: Registers,
        projects: ProjectRegister,
        dossiers: Dossiers,
        city: int,
        wanted: Collection[str],
        catalogues: Callable[[], Catalogues],
    ) -> None:
        self._registers, self._projects, self._dossiers = registers, projects, dossiers
        self._city, self._wanted, self._catalogues = str(city), set(wanted), catalogues

    @cached_property
    def of_projects(self) -> dict[str, dict[str, Fact]]:
        """Return the facts of the living projects, a re-issued code under its present one."""
        lists, dossiers = self._lists(), self._of_dossiers
        found = {}
        for code, project in self._projects.judged.items():
            facts = found[code] = self._of_platform(code, project)
            if self._are_systems_known:
                facts |= self._systems(code)
            facts |= {name: by_project.get(code, none) for name, (by_project, none) in lists.items()}
            facts |= dossiers.get(code, {})
            if self._wanted & set(KINDS):
                facts |= self._entries(code)
        return found

    @cached_property
    def _are_systems_known(self) -> bool:
        return self._registers.are_known("system")

    # -- platforms ------------------------------------------------------------------------------------------------------------

    def _of_platform(self, code: str, project: Combined) -> dict[str, Fact]:
        facts = self._registers.facts(project, PROJECT_FIELDS)
        first = project.rows[0]
        facts["project_code"] = Fact(code, first["source"], self._registers.readings[first["source"]].read_on)
        facts["is_planned_upgrade"] = self._planned_upgrade[self._projects.joined[code].is_planned_upgrade]
        return facts | self._of_fresh(project)

    @cached_property
    def _planned_upgrade(self) -> dict[bool, Fact]:
        return {is_one: self._registers.about("plan_entry", is_one) for is_one in (True, False)}

    def _of_fresh(self, project: Combined) -> dict[str, Fact]:
        """Return what only fresh sources tell: the investment, the division, and whose project it is by that."""
        fresh = project
        if not all(self._fresh_sources[row["source"]] for row in project.rows):
            fresh = Combined(tuple(row for row in project.rows if self._fresh_sources[row["source"]]))
        facts = self._registers.facts(fresh, FRESH_FIELDS)
        if division := facts.get("division_code"):
            level = _level(division.value, self._city)
            if level:
                facts["level"] = division.like(level)
        return facts

    @cached_property
    def _fresh_sources(self) -> dict[str, bool]:
        return {source: self._registers.is_fresh(source) for source in self._registers.readings}

    def _systems(self, code: str) -> dict[str, Fact]:
        """Return the systems of a project, and their grades in the same order; None stands for a grade that nobody stated."""
        mine = tuple(self._projects.naming.get(code, ()))
        rows = [self._registers.systems[s].rows[0] for s in mine]
        found = {"systems": self._registers.about("system", mine, rows=rows)}
        if "protection_levels" in self._wanted:
            levels = tuple([self._registers.systems[s].get("protection_level") for s in mine])
            found["protection_levels"] = self._registers.about("system", levels, rows=rows)
        return found

    def _entries(self, code: str) -> dict[str, Fact]:
        """Return what the catalogues hold of a project's systems together; nothing where none of them is known."""
        mine = self._projects.naming.get(code, ()) if self._are_systems_known else ()
        found: dict[str, list[tuple[str, Fact]]] = {}
        for system in mine:
            for name, fact in self._catalogues().of(system).items():
                found.setdefault(name, []).append((system, fact))
        return {name: self._summed(facts) for name, facts in found.items()}

    def _summed(self, facts: list[tuple[str, Fact]]) -> Fact:
        """Return the sum over systems; unlinked entries of a unit are counted once however many of its systems there are."""
        if len(facts) == 1:
            return facts[0][1]
        total: Counter[str] = Counter()
        unlinked = {}
        for system, fact in facts:
            total.update(asdict(fact.value))
            row = self._registers.systems[system]
            unlinked[row.get("unit_uscc") or row.get("unit_name")] = fact.value.unlinked
        evidence = tuple(sorted({batch for _, fact in facts for batch in fact.evidence}))
        value = Catalogued(**{**total, "unlinked": sum(unlinked.values())})
        return Fact(value, facts[0][1].source, facts[0][1].seen_until, evidence)

    # -- records --------------------------------------------------------------------------------------------------------------

    def _lists(self) -> dict[str, tuple[dict[str, Fact], Fact]]:
        """Return by name the fact of each project that has records, and the fact of those that have none."""
        dossiers, found = self._dossiers, {}
        for name in LISTS:
            if name in self._wanted and dossiers.are_known(name):
                by_project = dossiers.by_project(name)
                facts = {code: dossiers.several(name, kept) for code, kept in by_project.items()}
                found[name] = (facts, dossiers.several(name))
        if "approvals" in self._wanted and self._registers.are_known("project"):
            found["approvals"] = self._approvals()
        if "assessments" in self._wanted and dossiers.are_known("assessments") and self._are_systems_known:
            found["assessments"] = Reports(self._registers, self._projects, dossiers).of_projects()
        return found

    def _approvals(self) -> tuple[dict[str, Fact], Fact]:
        reach = self._registers.reach("project")
        by_project = approvals(self._registers, self._projects.aliases, ApprovalKinds.load())
        facts = {
            code: Fact(tuple([one.record for one in kept]), *reach, batches_of(kept))
            for code, kept in by_project.items()
        }
        return facts, Fact((), *reach)

    @cached_property
    def _of_dossiers(self) -> dict[str, dict[str, Fact]]:
        """Return what the dossiers tell, by project: whole, and field by field where one is a fact of its own."""
        if not self._wanted & set(DOSSIER) or not self._dossiers.are_known("dossier"):
            return {}
        found = {}
        for kept in self._dossiers.kept("dossier"):
            fact = self._dossiers.fact("dossier", kept.record, [kept])
            facts = {"dossier": fact}
            for name in SCALARS:
                value = getattr(kept.record, name)
                if value is not None:
                    facts[name] = fact.like(value)
            target = self._target(kept, fact)
            found[kept.key] = facts | ({"upgrade_target": target} if target else {})
        return found

    def _target(self, kept: Kept, dossier: Fact) -> Fact | None:
        """Return the system that a project upgrades, where one is named and stands in the register."""
        system = self._registers.systems.get(kept.record.upgrades_system_code or "")
        if system is None or not self._are_systems_known:
            return None
        names = ("status", "last_released_on", "went_live_on")
        value = UpgradeTarget(kept.record.upgrades_system_code, *(system.get(name) for name in names))
        about = self._registers.about("system", value, rows=system.rows)
        return together(value, dossier, about)

    # -- contracts ------------------------------------------------------------------------------------------------------------

    @cached_property
    def of_contracts(self) -> dict[str, dict[str, Fact]]:
        """Return the facts of the contracts: itself, the other ones of its project, and what of the project bears on it."""
        dossiers, found = self._dossiers, {}
        are_known = dossiers.are_known("contracts")
        by_project = dossiers.by_project("contracts")
        of_project = {code: self._bearing(code) for code in by_project}
        for one in sorted(dossiers.kept("contracts"), key=lambda kept: kept.key):
            contract = dossiers.fact("contracts", one.record, [one])
            facts = dict(of_project[one.record.project_code])
            facts["contract_code"] = contract.like(one.key)
            facts["name"] = contract.like(one.record.name)
            if are_known:
                facts["contract"] = contract
                siblings = [other for other in by_project[one.record.project_code] if other is not one]
                facts["siblings"] = dossiers.several("contracts", siblings)
            found[one.key] = facts
        return found

    def _bearing(self, code: str) -> dict[str, Fact]:
        facts = dict(self._of_dossiers.get(code, {}))
        if project := self._projects.ours.get(code):
            facts |= self._of_fresh(project)
            facts |= self._registers.facts(project, ("unit_name",))
        return {name: facts[name] for name in _OF_CONTRACT if name in facts}


def _level(division: str, city: str) -> str | None:
    """Return whose project it is by its division: the city's own, one of its counties', or nobody's that we know of."""
    if division[:6] == city:
        return "city"
    return "county" if division[:4] == city[:4] else None
