"""An excerpt of the ledger: all that the facts of some projects and systems rest on, so that a day costs what changed in it.

Facts are made of an excerpt by the same code as of the whole. Who names whom, batches, and the small registers of years are whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, FromClause, false, or_, select

from include.ledger.as_known import AsKnown
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

    def covers(self, subject_type: str, subject: str) -> bool:
        """Return whether a subject is looked at, if only to find that it is there no more; registers of years always are."""
        if subject_type in ("project", "system"):
            return subject in (self.projects if subject_type == "project" else self.systems)
        if subject_type == "plan_entry":
            return subject in self.projects or subject.partition(":")[2] in self.lines
        return subject_type not in _KEYS or subject in self.keys.get(subject_type, ())

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
        mine = self._entries(table) if entity == "resource" else self._owned(table)
        key = "code" if entity == "resource" else _KEYS.get(entity)
        if key:
            same = select(table.c[key]).where(mine, table.c[key].is_not(None))
            mine = or_(mine, table.c[key].in_(same), table.c[key].in_(sorted(self._looked.keys.get(entity, ()))))
        return select(table).where(mine).subquery(entity)

    def _owned(self, table: FromClause) -> ColumnElement[bool]:
        codes = dict(zip(_OWNERS, (self._looked.projects, self._looked.systems), strict=True))
        return or_(false(), *(table.c[name].in_(sorted(codes[name])) for name in _OWNERS if name in table.c))

    def _entries(self, table: FromClause) -> ColumnElement[bool]:
        """Return which entries of the catalogues bear on the systems: theirs, and those of their units that name no system."""
        looked, systems = self._looked, self._ledger.rows("system")
        here = systems.c.tombstoned_at.is_(None), systems.c.system_code.is_not(None)
        nobody = table.c.system_code.is_(None) | table.c.system_code.not_in(select(systems.c.system_code).where(*here))
        # What several sources list under one code is one entry, and nobody's if the one that goes first says so.
        nobodys = nobody | table.c.code.in_(select(table.c.code).where(nobody, table.c.code.is_not(None)))
        of_unit = or_(
            table.c.provider_uscc.in_(sorted(looked.usccs)), table.c.provider_name.in_(sorted(looked.providers))
        )
        by_project = table.c.project_codes.is_not(None) if looked.systems else false()
        return or_(table.c.system_code.in_(sorted(looked.systems)), nobodys & or_(of_unit, by_project))
