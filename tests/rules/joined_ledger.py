"""A ledger in which projects, systems, records and catalogue entries hang together in ways that are known one by one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from copy import copy
from datetime import date
from typing import Any

from sqlalchemy import Engine, insert

from include.ledger.as_known import AsKnown, frontier
from include.ledger.tables import project_alias
from include.rules.excerpt import Looked
from include.rules.parameters import ParameterBook
from include.rules.register_facts import Registers
from include.rules.touched import what_to_look_at
from include.rules.verdict import Subject
from tests.rules.evidence import DAY, Evidence, at

P = [f"2605-230500-04-04-{n:06d}" for n in range(10)]
"""Codes of projects: 1 has system X1, 2 and 3 share X2, 4 upgrades X3, 5 and 6 share a contract, 9 was re-issued as 1."""

SOURCES = {
    "provincial_approval": "project", "annual_plan": "plan_entry", "project_dossiers": "project_dossier", "contracts": "contract",
    "own_workbook": "contract", "assessments": "assessment", "rectifications": "rectification", "system_register": "system",
    "exchange_catalogue": "resource", "open_portal": "resource",
}  # fmt: skip
THURSDAY = date(2026, 11, 26)

Change = Callable[["JoinedLedger"], None]

ENTRY = {
    "kind": "data", "state": "published", "update_cycle": "weekly", "data_updated_on": DAY, "provider_name": "市民政局",
}  # fmt: skip


class JoinedLedger(Evidence):
    """All that stands in it was read at two on `DAY`; changes come later and are taken back."""

    def __init__(self, engine: Engine, *, catalogues: tuple[str, ...] = ("exchange_catalogue", "open_portal")) -> None:
        super().__init__(engine)
        self.last: dict[str, str] = {}
        self.catalogues = catalogues
        with self.together():
            for source, entity in SOURCES.items():
                if entity != "resource" or source in catalogues:
                    self.read_again(source, at(DAY, 2))
            self._projects()
            self._records()
            self._systems()
            self._entries()

    def _projects(self) -> None:
        for code in P[1:9]:
            self.new("project", "provincial_approval", project_code=code, managed_industry="informatization")
            upgraded = "X3" if code == P[4] else None
            self.new("project_dossier", "project_dossiers", project_code=code, upgrades_system_code=upgraded)
        row = {"source": "provincial_approval", "former_code": P[9], "project_code": P[1]}
        with self._writing() as connection:
            connection.execute(insert(project_alias).values(row | {"batch_id": self.last["provincial_approval"]}))
        self.new("plan_entry", "annual_plan", plan_year=2026, project_code=P[7])
        self.new("plan_entry", "annual_plan", plan_year=2026, project_code=None)

    def _records(self) -> None:
        self.new("contract", "contracts", contract_no="C5", project_code=P[5])
        self.new("contract", "own_workbook", contract_no="C5", project_code=P[6])
        self.new("contract", "contracts", contract_no="C7", project_code=P[7])
        self.new("assessment", "assessments", report_no="R4", system_code="X4", kind="risk", issued_on=DAY)
        self.new("assessment", "assessments", report_no="R8", project_code=P[8], kind="risk", issued_on=DAY)
        self.new("rectification", "rectifications", notice_no="N7", project_code=P[7], issued_on=DAY, due_on=THURSDAY)

    def _systems(self) -> None:
        for code, projects in (("X1", P[1]), ("X2", f"{P[2]},{P[3]}"), ("X3", None), ("X4", None), ("X5", None)):
            self.new("system", "system_register", system_code=code, project_codes=projects, unit_name=f"单位{code}")

    def _entries(self) -> None:
        if "exchange_catalogue" in self.catalogues:
            self.new("resource", "exchange_catalogue", resource_id="e1", code="K1", system_code="X4", **ENTRY)
            self.new("resource", "exchange_catalogue", resource_id="e2", project_codes=P[2], **ENTRY)
            self.new("resource", "exchange_catalogue", resource_id="e3", **ENTRY)
        if "open_portal" in self.catalogues:
            self.new("resource", "open_portal", resource_id="o1", code="K1", **ENTRY | {"update_cycle": None})

    def read_again(self, source: str, when: Any, **how: Any) -> None:
        """Record one more batch of a source."""
        authority = 200 if source in ("own_workbook", "open_portal") else 100
        self.last[source] = self.batch(source, SOURCES[source], when, authority=authority, **how)

    def new(self, entity: str, source: str, **row: Any) -> None:
        """Add a record by the last batch of a source."""
        self.put(entity, self.last[source], [row])

    def later(self, entity: str, source: str, key: dict[str, Any], **fields: Any) -> None:
        """Change a record by a new batch of its source."""
        self.read_again(source, at(DAY, 4))
        self.change(entity, self.last[source], key, at(DAY, 4), **fields)

    def elsewhere(self, engine: Engine) -> JoinedLedger:
        """Return it on a copy of its database."""
        other = copy(self)
        other.engine, other.last = engine, dict(self.last)
        return other

    def looked(self, *changes: Change, due: Iterable[Subject] = (), wanted: Collection[str] = ()) -> Looked | None:
        """Return what is to be looked at after some changes, and for what is due; the changes are taken back."""
        last = dict(self.last)
        with self.engine.connect() as self._open:
            try:
                before = frontier(self._open)
                for change in changes:
                    change(self)
                registers = Registers(AsKnown(self._open), DAY, 7, {})
                return what_to_look_at(registers, before, ParameterBook.load().on(DAY), due, wanted)
            finally:
                self._open, self.last = None, last

    def owners(
        self, *changes: Change, due: Iterable[Subject] = (), wanted: Collection[str] = ()
    ) -> tuple[set[str], set[str]]:
        """Return the projects and systems to be looked at, in short: 1 for project 1."""
        found = self.looked(*changes, due=due, wanted=wanted)
        assert found
        return {str(P.index(code)) for code in found.projects}, found.systems
