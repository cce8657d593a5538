"""An excerpt of the ledger: all that the facts of some projects and systems rest on, so that a day costs what changed in it.

Facts are made of an excerpt by the same code as of the whole. Who names whom, batches, and the small registers of years are whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, false, or_, select, union, union_all

from include.ledger.as_known import AsKnown
from include.ledger.identity import SEVERAL
from include.ledger.portions import among, among_those
from include.ledger.tables import ENTITIES
from include.rules.plan_facts import line_hash

_WHOLE = ("plan_year", "department_year")
"""Registers of some dozens of rows, which nobody looks at in part."""

_KEYS = {
    "plan_entry": "record_key", "contract": "contract_no", "payment": "payment_no", "acceptance": "acceptance_no",
    "assessment": "report_no", "performance_review": "review_no", "suspension": "suspension_no", "attestation": "attestation_no",
    "rectification": "notice_no", "exchange_service": "service_code", "cloud_resource": "resource_code",
    "exemption": "exemption_id",
}  # fmt: skip
"""Entity → the column by whose value rows of several sources are one record, where that is not the code of its owner."""

_OWNERS = ("project_code", "system_code")


def key_of(entity: str) -> str | None:
    """Return the column by whose value rows of several sources are one record; None where that is the code of the owner."""
    return _KEYS.get(entity)


@dataclass(slots=True)
class Looked:
    """What is looked at: projects by every code that they ever had, systems, and single records by entity and key.

    `usccs` and `providers` are the units of the systems in the catalogues' words, `lines` the hashes of single lines of the plan.
    """

    projects: set[str] = field(default_factory=set)
    systems: set[str] = field(default_factory=set)
    keys: dict[str, set[str]] = field(default_factory=dict)
    usccs: set[str] = field(default_factory=set)
    providers: set[str] = field(default_factory=set)
    lines: set[str] = field(default_factory=set)

    def named(self) -> Iterator[tuple[str, str]]:
        """Yield the subjects that are looked at by name: lines of the plan without a project are not told by theirs."""
        for subject_type, codes in (
            ("project", self.projects),
            ("system", self.systems),
            ("plan_entry", self.projects),
        ):
            yield from ((subject_type, code) for code in codes)
        for entity in ("contract", "rectification"):
            yield from ((entity, key) for key in self.keys.get(entity, ()))

    def of(self, field: str) -> set[str]:
        """Return the codes that a field of rows names: those of the projects, or of the systems."""
        return self.projects if field == "project_code" else self.systems

    def note(self, entity: str, keys: set[str]) -> None:
        """Add single records of an entity."""
        self.keys.setdefault(entity, set()).update(keys)
        if entity == "plan_entry":
            self.lines |= {line_hash(key) for key in keys}


class Excerpt(AsKnown):
    """The tables of the ledger with only the rows that bear on what is looked at."""

    def __init__(self, known: AsKnown, looked: Looked) -> None:
        super().__init__(known.connection, known.frontier)
        self._ledger, self._looked = known, looked

    @property
    def whole(self) -> AsKnown:
        """Return the ledger that this is an excerpt of."""
        return self._ledger

    def rows(self, entity: str) -> FromClause:
        """Return what stands for the table of an entity: rows of those looked at, and all other rows of the same records."""
        table = self._ledger.rows(entity)
        if entity in _WHOLE:
            return table
        if entity == "resource":
            return self._entries(table)
        mine = self._owned(table)
        if not (key := _KEYS.get(entity)):
            return select(table).where(mine).subquery(entity)
        # In two parts, for as one condition both would be held against every row.
        same = select(table.c[key]).where(mine, table.c[key].is_not(None))
        listed = select(table.c[key]).where(among(table.c[key], self._looked.keys.get(entity, ())))
        both, has_index = union(same, listed), any(key in index.columns for index in ENTITIES[entity][0].indexes)
        theirs = among_those(table.c[key], both) if has_index else table.c[key].in_(both)
        parts = [theirs, mine & table.c[key].is_(None)]
        return union_all(*(select(table).where(part) for part in parts)).subquery(entity)

    def _owned(self, table: FromClause) -> ColumnElement[bool]:
        codes = dict(zip(_OWNERS, (self._looked.projects, self._looked.systems), strict=True))
        owned = (among(table.c[name], codes[name]) for name in _OWNERS if name in table.c)
        # What is about a year is few, and nobody's: years are looked at whole.
        of_years = [table.c.plan_year.is_not(None)] if "matter" in table.c else []
        return or_(false(), *owned, *of_years)

    def _entries(self, table: FromClause) -> FromClause:
        """Return the entries of the catalogues that bear on the systems: theirs, and those of their units that name no system.

        In parts, each of which is one join: as conditions of one query they would be looked into for each entry.
        """
        systems = self._ledger.rows("system")
        this = "source", "record_key", "code"
        bearing = select(*(table.c[name] for name in (*this, "system_code"))).where(self._bears(table)).cte("bearing")
        arms = [
            select(*(table.c[name] for name in this)).where(among(table.c.system_code, self._looked.systems)),
            _nobodys(select(*(bearing.c[name] for name in this)), bearing, bearing, systems),
        ]
        if len({source for _, source, _ in self._ledger.listed}) > 1:
            # What several sources list under one code is one entry, and nobody's if the one that goes first says so.
            both = bearing.join(table, table.c.code == bearing.c.code)
            arms.append(_nobodys(select(*(bearing.c[name] for name in this)), both, table, systems))
        mine = union(*arms).cte("mine")
        keys = union(
            select(mine.c.source, mine.c.record_key),
            select(table.c.source, table.c.record_key).join(mine, mine.c.code == table.c.code),
        ).cte("keys")
        same = (keys.c.source == table.c.source) & (keys.c.record_key == table.c.record_key)
        return select(table).join(keys, same).subquery("resource")

    def _bears(self, entry: FromClause) -> ColumnElement[bool]:
        """Return whether an entry that is nobody's can be of a unit or a project that is looked at."""
        looked, projects = self._looked, entry.c.project_codes
        return or_(
            among(entry.c.provider_uscc, looked.usccs), among(entry.c.provider_name, looked.providers),
            among(projects, looked.projects), projects.contains(SEVERAL),
        )  # fmt: skip


def _nobodys(query: Select[Any], rows: FromClause, entry: FromClause, systems: FromClause) -> Select[Any]:
    """Return a query over rows narrowed to those whose entry names no system that stands in a register."""
    its = (systems.c.system_code == entry.c.system_code) & systems.c.tombstoned_at.is_(None)
    return query.select_from(rows.outerjoin(systems, its)).where(systems.c.source.is_(None))
