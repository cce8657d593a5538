"""The reports on projects and systems: 等保, 密评, risk, acceptance tests; and what people attested of a system.

A project has the reports that name it and those on its systems. A system has the reports on itself, and those that name only its
project: they are on all that the project built.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

from include.rules.dossier_facts import Dossiers, Kept, together
from include.rules.project_register import ProjectRegister
from include.rules.register_facts import Registers
from include.rules.verdict import Fact


class Reports:
    """The reports, by project and by system."""

    def __init__(self, registers: Registers, projects: ProjectRegister, dossiers: Dossiers) -> None:
        self._registers, self._projects, self._dossiers = registers, projects, dossiers

    def of_projects(self) -> tuple[dict[str, Fact], Fact]:
        """Return the fact of each judged project that has reports, and of one that has none; the caller knows that they are known.

        It rests on the register of systems, too: without it nobody knows which systems a project has.
        """
        found, naming = {}, self._projects.naming
        for code in self._projects.judged:
            if code not in self._of_project and code not in naming:
                continue
            of_systems = (one for system in naming.get(code, ()) for one in self._of_system.get(system, ()))
            found[code] = self._fact([*self._of_project.get(code, ()), *of_systems], "system")
        return found, self._fact([], "system")

    def of_system(self, code: str, wanted: Collection[str]) -> dict[str, Fact]:
        """Return the reports and attestations of a system, as far as they are wanted and known."""
        found = {}
        if "assessments" in wanted and self._dossiers.are_known("assessments"):
            projects = dict.fromkeys(map(self._projects.present, self._projects.named.get(code, ())))
            on_projects = (one for p in projects for one in self._of_project.get(p, ()) if one.system is None)
            found["assessments"] = self._fact([*self._of_system.get(code, ()), *on_projects])
        if "attestations" in wanted and self._dossiers.are_known("attestations"):
            found["attestations"] = self._dossiers.several("attestations", self._attested.get(code, ()))
        return found

    def _fact(self, kept: list[Kept], besides: str | None = None) -> Fact:
        """Return the fact of some reports, each once, in order of their days."""
        if len(kept) > 1:
            each = {one.key: one for one in kept}
            kept = sorted(each.values(), key=lambda one: (one.record.issued_on, one.key))
        fact = self._dossiers.several("assessments", kept)
        return together(fact.value, fact, Fact(None, *self._registers.reach(besides))) if besides else fact

    @cached_property
    def _of_project(self) -> dict[str, list[Kept]]:
        return self._dossiers.by_project("assessments")

    @cached_property
    def _of_system(self) -> dict[str, list[Kept]]:
        return self._dossiers.by_system("assessments")

    @cached_property
    def _attested(self) -> dict[str, list[Kept]]:
        return self._dossiers.by_system("attestations")
