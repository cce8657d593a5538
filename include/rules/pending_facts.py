"""The projects that units have applied for and nobody has decided: art. 36 bars them while a system of the unit is not in order.

They are a fact of the system, whose rule names them: a rule on the project would hold the facts of all systems of its unit. Items
without a decision are few, however many projects there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Any

from sqlalchemy import or_, select

from include.ledger.portions import portions
from include.rules.approval_facts import ApprovalKinds
from include.rules.facts import PendingProject
from include.rules.project_register import ProjectRegister
from include.rules.recorded import DEAD
from include.rules.register_facts import Combined, Registers
from include.rules.verdict import Fact
from include.sources.folding import plain

PENDING = "pending_projects"
"""The fact of a system that wants the open applications read."""

_COLUMNS = ("project_code", "name", "nature", "unit_name", "unit_uscc", "division_code", "is_void")


class PendingProjects:
    """The city's projects whose feasibility report is handed in and not decided, by unit; `city` is the code of its division.

    Units are told apart by their USCC, and by their name where one of the two registers has none.
    """

    def __init__(self, registers: Registers, projects: ProjectRegister, city: int) -> None:
        self._registers, self._projects, self._city = registers, projects, str(city)

    def of(self, system: Combined) -> dict[str, Fact]:
        """Return the projects of a system's unit; nothing where the platforms were not read whole."""
        if not self._registers.are_known("project"):
            return {}
        uscc, name = system.get("unit_uscc"), plain(system.get("unit_name"))
        mine = [row for row in self._every if _is_same_unit(uscc, name, row)]
        found = tuple(self._pending(row) for row in mine)
        return {PENDING: self._registers.about("project", found, rows=[first for row in mine for first in row.rows])}

    def _pending(self, row: Combined) -> PendingProject:
        code = self._projects.present(row.get("project_code"))
        return PendingProject(code, row.get("name") or code, row.get("nature"), self._applied[code])

    @cached_property
    def _every(self) -> list[Combined]:
        """Return the projects that are applied for, in order of their codes."""
        found: dict[str, Combined] = {}
        for codes in portions(sorted(self._applied)):
            found |= self._registers.combined("project", "project_code", _COLUMNS, of=tuple(codes))
        rows = [found[code] for code in sorted(found)]
        return [r for r in rows if str(r.get("division_code") or "")[:6] == self._city and not r.get("is_void")]

    @cached_property
    def _applied(self) -> dict[str, date]:
        """Return when each project was applied for whose feasibility report nobody has decided on; without any day it is none."""
        open_codes = {self._projects.present(row.project_code) for row in self._items() if _is_open(row)}
        found: dict[str, date] = {}
        decided: set[str] = set()
        for codes in portions(sorted(self._projects.every_code(open_codes))):
            for row in self._items(codes):
                code, begun = self._projects.present(row.project_code), row.submitted_at or row.accepted_at
                if _is_open(row) and begun:
                    found[code] = min(begun.date(), found.get(code, date.max))  # the ledger gives moments in Shanghai
                elif row.state == "approved" or (row.state not in DEAD and row.decided_at):
                    decided.add(code)
        return {code: day for code, day in found.items() if code not in decided}

    def _items(self, of: Sequence[str] | None = None) -> list[Any]:
        """Return the items of feasibility reports: those without a decision, or all of some projects."""
        items, words = self._registers.known.rows("approval_item"), ApprovalKinds.load().words["feasibility"]
        mine = items.c.decided_at.is_(None) if of is None else items.c.project_code.in_(of)
        named = or_(*(items.c.item_name.contains(word, autoescape=True) for word in words))
        query = select(
            items.c.project_code, items.c.state, items.c.submitted_at, items.c.accepted_at, items.c.decided_at
        )
        return list(self._registers.known.connection.execute(query.where(items.c.tombstoned_at.is_(None), mine, named)))


def _is_open(item: Any) -> bool:
    return item.decided_at is None and item.state not in (*DEAD, "approved")


def _is_same_unit(uscc: str | None, name: str | None, project: Combined) -> bool:
    other = project.get("unit_uscc")
    if uscc and other:
        return bool(uscc == other)
    return bool(name) and name == plain(project.get("unit_name"))
