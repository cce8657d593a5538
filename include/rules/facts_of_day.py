"""The facts of a day: for every subject that rules judge what is known of it, with where it comes from.

Declared, registered and observed are three evidences and are never inferred from one another. A fact that is not known is absent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from functools import cached_property

from include.collection import no_collection
from include.ledger.as_known import AsKnown
from include.rules.catalogue_facts import KINDS, Catalogues
from include.rules.dossier_facts import Dossiers, rectification_facts
from include.rules.engine import NOT_SUBJECT
from include.rules.parameters import Parameters
from include.rules.pending_facts import PENDING, PendingProjects
from include.rules.plan_facts import PlanFacts
from include.rules.project_facts import FACTS, ProjectFacts
from include.rules.project_register import ProjectRegister
from include.rules.register_facts import Registers
from include.rules.report_facts import Reports
from include.rules.source_facts import Flapping, Sources, source_facts
from include.rules.verdict import Fact, Subject
from include.rules.window_facts import ROLES, WindowFacts
from include.rules.window_sums import AFRESH, Carrying

WITHDRAWN = "withdrawn_at_source"
"""Why a subject is judged no more: it was missing from two complete reads of its source."""

PROJECTS = "projects"
"""The fact of a system that wants the projects read."""

UNSTEADY = "unsteady"
"""The fact of a source that wants its history read."""

_SUBJECTS = {
    "system": "systems", "project": "projects", "source": "sources", "contract": "contracts", "rectification": "rectifications",
    "plan_year": "plan_years", "department_year": "department_years", "plan_entry": "plan_entries", "calendar": "calendar",
}  # fmt: skip
"""Subject type → the property with its facts."""

_OF_RECORDS = {
    "contract": ("contracts", "contract_no", ("contract", "siblings")),
    "rectification": ("rectifications", "notice_no", ("rectification",)),
}
"""Subject type → its records, their key, and the facts that say that it is judged at all."""

_OF_YEARS = {"department_year": ("budget_units", "applications"), "plan_entry": ("is_on_platform", "is_void")}

FactsBySubject = dict[str, dict[str, Fact]]


class FactsOfDay:
    """The facts of a day as known at a frontier; of the series, projects and records only what `wanted` names is worked out."""

    def __init__(
        self,
        known: AsKnown,
        day: date,
        parameters: Parameters,
        cards: Sources,
        wanted: Collection[str] = (*ROLES, PROJECTS),
        probers: Sequence[str] = (),
        carrying: Carrying = AFRESH,
    ) -> None:
        self.known, self.day, self.parameters, self.cards = known, day, parameters, cards
        self.wanted, self.probers, self._carrying = wanted, probers, carrying
        self.registers = Registers(known, day, int(parameters["register_max_age_days"]), cards.groups)

    def of(self, subject_type: str) -> FactsBySubject:
        """Return the facts of every subject of a type, in order of their codes."""
        with no_collection():  # neither facts nor records hold cycles
            found: FactsBySubject = getattr(self, _SUBJECTS[subject_type])
        return found

    def gone(self) -> dict[Subject, str]:
        """Return the subjects that are judged no more, with the reason: withdrawn by two complete reads, or no concern of ours."""
        found = self._withdrawn("system", "system_code", self.registers.systems)
        if self._wants(PROJECTS, *FACTS):
            found |= self._withdrawn("project", "project_code", self._register.living)
            others = self._register.living - set(self._register.judged)
            found |= {("project", code): NOT_SUBJECT for code in others}
        for subject_type, (name, key, wanted) in _OF_RECORDS.items():
            if self._wants(*wanted):
                living = {one.key for one in self._dossiers.kept(name)}
                found |= self._withdrawn(subject_type, key, living)
        for subject_type, wanted in _OF_YEARS.items():
            if self._wants(*wanted):
                former = self._plans.former(subject_type)
                found |= {(subject_type, code): WITHDRAWN if gone else NOT_SUBJECT for code, gone in former.items()}
        return found

    def _withdrawn(self, entity: str, key: str, living: Iterable[str]) -> dict[Subject, str]:
        return {(entity, code): WITHDRAWN for code in self.registers.withdrawn(entity, key, living)}

    def _wants(self, *names: str) -> bool:
        return not set(names).isdisjoint(self.wanted)

    @cached_property
    def systems(self) -> FactsBySubject:
        """Return the facts of the systems that stand in a register."""
        windows = self._windows()
        joined = self._register.joined if self._wants(PROJECTS) else None
        reports = Reports(self.registers, self._register, self._dossiers)
        # What a unit has applied for is few, and read whole: its systems need not be looked at together with it.
        whole = self.registers.whole
        pending = PendingProjects(whole, ProjectRegister(whole), self.parameters["city_division"])
        found = {}
        for code in self.registers.systems:
            facts = self.registers.system_facts(code, joined)
            facts |= {role: by_system[code] for role, by_system in windows.items() if code in by_system}
            facts |= reports.of_system(code, self.wanted)
            if self._wants(*KINDS):
                facts |= self.catalogues.of(code)
            if self._wants(PENDING):
                facts |= pending.of(self.registers.systems[code])
            found[code] = facts
        return found

    @cached_property
    def catalogues(self) -> Catalogues:
        """Return the entries of the catalogues, joined to systems."""
        return Catalogues(self.registers, int(self.parameters["catalogue_grace_percent"]), self._register.naming_of)

    def _windows(self) -> dict[str, dict[str, Fact]]:
        if not self._wants(*ROLES):
            return {}
        return WindowFacts(self.registers, self.day, self.parameters, self.probers, self._carrying).of(self.wanted)

    # -- projects -------------------------------------------------------------------------------------------------------------

    @cached_property
    def projects(self) -> FactsBySubject:
        """Return the facts of the living projects, a re-issued code under its present one."""
        return self._project_facts.of_projects

    @cached_property
    def contracts(self) -> FactsBySubject:
        """Return the facts of the contracts."""
        return self._project_facts.of_contracts

    @cached_property
    def rectifications(self) -> FactsBySubject:
        """Return the facts of the notices to put something right."""
        return rectification_facts(self._dossiers)

    @cached_property
    def _register(self) -> ProjectRegister:
        return ProjectRegister(self.registers)

    @cached_property
    def _dossiers(self) -> Dossiers:
        return Dossiers(self.registers, self._register.aliases)

    @cached_property
    def _project_facts(self) -> ProjectFacts:
        city = self.parameters["city_division"]
        return ProjectFacts(self.registers, self._register, self._dossiers, city, self.wanted, lambda: self.catalogues)

    # -- years ----------------------------------------------------------------------------------------------------------------

    @cached_property
    def plan_years(self) -> FactsBySubject:
        """Return the facts of the annual plans that the measures ask for."""
        return self._plans.plan_years()

    @cached_property
    def department_years(self) -> FactsBySubject:
        """Return the facts of what departments applied for in a year."""
        return self._plans.department_years()

    @cached_property
    def plan_entries(self) -> FactsBySubject:
        """Return the facts of the lines of the annual plans."""
        return self._plans.plan_entries()

    @cached_property
    def calendar(self) -> FactsBySubject:
        """Return the facts of the next year's calendar."""
        return self._plans.calendar()

    @cached_property
    def _plans(self) -> PlanFacts:
        return PlanFacts(self.registers, self._register, self._dossiers, self.day, self.parameters)

    # -- sources --------------------------------------------------------------------------------------------------------------

    @cached_property
    def sources(self) -> FactsBySubject:
        """Return the facts of the sources that the cards name or that were ever read."""
        flapping = None
        if UNSTEADY in self.wanted:
            flapping = Flapping(int(self.parameters["flapping_window_days"]), int(self.parameters["flapping_returns"]))
        return source_facts(self.registers, self.day, self.cards, flapping)
