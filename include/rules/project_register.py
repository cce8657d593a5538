"""The projects of the approval platforms: which of them concern us, under which code they go now, and which systems name them.

A project concerns us if it is a digital one as far as its managed industry is known, or if a system or a dossier names it. Names
join nothing; a re-issued code is followed to its present one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any

from sqlalchemy import or_, select

from include.ledger.identity import SEVERAL, codes_in
from include.ledger.portions import among
from include.rules.facts import Project
from include.rules.register_facts import Combined, Registers

PROJECT_FIELDS = (
    "name", "nature", "unit_name", "unit_uscc", "applied_at", "end_year", "project_type", "managed_industry",
)  # fmt: skip
FRESH_FIELDS = ("division_code", "total_investment_yuan")
"""Fields that a source tells only while it is fresh."""

_DIGITAL = (None, "informatization")
"""Managed industry of the projects that are judged, as far as it is known."""

_UPGRADES = ("extended", "rebuilt")
"""Natures of a planned project that build on what is there (art. 13 (3) to (5))."""


class ProjectRegister:
    """The projects as known at the frontier of the registers."""

    def __init__(self, registers: Registers) -> None:
        self._registers = registers
        self._known = registers.known

    def present(self, code: str) -> str:
        """Return the code that a project goes by now."""
        return self.aliases.get(code, code)

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Return the present code of each re-issued one, chains followed; a code that leads back to itself stays."""
        step = {old: new for old, new in self._known.connection.execute(self._known.aliases())}
        found = {}
        for code in step:
            seen, last = {code}, code
            while last in step and step[last] not in seen:
                last = step[last]
                seen.add(last)
            found[code] = last
        return found

    # -- systems --------------------------------------------------------------------------------------------------------------

    @cached_property
    def named(self) -> dict[str, tuple[str, ...]]:
        """Return the project codes that each system names."""
        return _named(self._registers.systems)

    @cached_property
    def naming(self) -> dict[str, list[str]]:
        """Return the systems that name each project, by its present code, each once and in order."""
        return self._grouped(self.named)

    def _grouped(self, named: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
        found: dict[str, dict[str, None]] = {}
        for system, codes in named.items():
            for code in codes:
                found.setdefault(self.present(code), {})[system] = None
        return {code: list(systems) for code, systems in found.items()}

    def naming_of(self, codes: Collection[str]) -> dict[str, list[str]]:
        """Return of some projects, by any code of theirs, the systems that name them, whichever an excerpt is of."""
        if not codes:
            return {}
        naming = self.naming if self._registers.whole is self._registers else self._naming_beside(codes)
        return {code: naming.get(self.present(code), []) for code in codes}

    def _naming_beside(self, codes: Collection[str]) -> dict[str, list[str]]:
        wanted = {self.present(code) for code in codes}
        systems = self._registers.whole.known.rows("system")
        living = systems.c.tombstoned_at.is_(None)
        names = or_(among(systems.c.project_codes, self.every_code(wanted)), systems.c.project_codes.contains(SEVERAL))
        query = select(systems.c.system_code, systems.c.project_codes).where(
            living, systems.c.system_code.is_not(None), names
        )
        found = self._known.connection.execute(query)
        mine = {system for system, text in found if any(self.present(code) in wanted for code in codes_in(text))}
        rows = self._registers.whole.combined(
            "system", "system_code", ("system_code", "project_codes"), of=tuple(sorted(mine))
        )
        return self._grouped(_named(rows))

    def every_code(self, projects: Collection[str]) -> set[str]:
        """Return projects by every code that they ever had; they are given by their present ones."""
        return {*projects, *(former for former, code in self.aliases.items() if code in projects)}

    # -- projects -------------------------------------------------------------------------------------------------------------

    @cached_property
    def ours(self) -> dict[str, Combined]:
        """Return the projects that concern us, by code, in order."""
        return self._read[0]

    @cached_property
    def others(self) -> dict[str, bool]:
        """Return of every other project of the platforms whether it is void."""
        return self._read[1]

    @cached_property
    def living(self) -> set[str]:
        """Return the codes of all projects that a platform lists."""
        return {*self.ours, *self.others}

    @cached_property
    def judged(self) -> dict[str, Combined]:
        """Return the projects that are judged: neither void nor re-issued under another code."""
        return {c: p for c, p in self.ours.items() if self.present(c) == c and not p.get("is_void")}

    def is_void(self, code: str) -> bool | None:
        """Return whether a project is void; None for one that no platform lists."""
        return bool(self.ours[code].get("is_void")) if code in self.ours else self.others.get(code)

    @cached_property
    def _read(self) -> tuple[dict[str, Combined], dict[str, bool]]:
        named = {self.present(code) for codes in self.named.values() for code in codes} | set(self.aliases)
        named |= {self.present(code) for code in self._with_dossier()}
        others: dict[str, bool] = {}

        def keep(row: Mapping[str, Any]) -> bool:
            code = row["project_code"]
            if code in named or row["managed_industry"] in _DIGITAL:
                return True
            if row["tombstoned_at"] is None:
                others[code] = others.get(code, False) or bool(row["is_void"])
            return False

        columns = ("project_code", "is_void", *PROJECT_FIELDS, *FRESH_FIELDS)
        found = self._registers.combined("project", "project_code", columns, keep)
        return {code: found[code] for code in sorted(found) if code not in others}, others

    def _with_dossier(self) -> list[str]:
        rows = self._known.rows("project_dossier")
        query = select(rows.c.project_code).where(rows.c.tombstoned_at.is_(None))
        return list(self._known.connection.execute(query).scalars())

    @cached_property
    def joined(self) -> dict[str, Project]:
        """Return the projects by every code they are known under."""
        plans = self._registers.combined("plan_entry", "project_code", ("project_code", "nature"))
        upgrades = {
            self.present(code) for code, plan in plans.items() if any(row["nature"] in _UPGRADES for row in plan.rows)
        }
        found = {
            code: Project(code, p.get("name") or "", p.get("nature"), code in upgrades) for code, p in self.ours.items()
        }
        return found | {old: found[new] for old, new in self.aliases.items() if new in found}


def _named(systems: Mapping[str, Combined]) -> dict[str, tuple[str, ...]]:
    return {code: codes_in(systems[code].get("project_codes")) for code in sorted(systems)}
