"""Which projects and systems can have other facts than at a former frontier: those that later batches wrote of, and what hangs
together with them. Where that cannot be told from rows of the ledger the answer is None, and everything is looked at.

It errs to the side of too much: what is looked at without need costs time, what is not looked at stays as it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import cached_property
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, func, or_, select, true

from include.errors import Permanent
from include.ledger.as_known import AsKnown, Frontier
from include.ledger.identity import SEVERAL, codes_in
from include.ledger.portions import among
from include.ledger.tables import ENTITIES
from include.rules.excerpt import Looked, key_of
from include.rules.freshness import CYCLE_DAYS, freshness
from include.rules.later_batches import LaterBatches
from include.rules.parameters import Parameters
from include.rules.pending_facts import PENDING
from include.rules.plan_facts import line_hash
from include.rules.project_register import ProjectRegister
from include.rules.register_facts import Registers
from include.rules.verdict import Subject
from include.sources.folding import plain

MOST = 3000
"""So many projects, or systems, are looked at by name; of more the whole ledger is read."""

_WRITTEN = 30_000
"""So many records that were written are asked whose they are; of more the whole ledger is read."""

_OWNED = (
    "project", "approval_item", "plan_entry", "project_dossier", "suspension", "contract", "payment", "acceptance", "assessment",
    "performance_review", "rectification", "attestation", "exchange_service", "cloud_resource", "exemption",
)  # fmt: skip
"""Entities whose rows name the project or the system that they bear on."""

_APPLIED = ("project", "approval_item")
"""Entities that say which projects a unit has applied for."""

_LINKS = ("project_code", "system_code")
_NAMES = ("system_code", "project_codes", "tombstoned_at")
"""Fields of a system by which entries of the catalogues find it."""

_PLACES = (
    "kind", "code", "provider_name", "provider_uscc", "system_code", "project_codes", "state", "tombstoned_at",
)  # fmt: skip
"""Fields of an entry that say whose it is, and whether it is there."""


def what_to_look_at(
    registers: Registers, before: Frontier, parameters: Parameters, due: Iterable[Subject], wanted: Collection[str] = ()
) -> Looked | None:
    """Return what bears on the subjects that are due or were touched since a frontier; None where all must be looked at.

    `wanted` are the facts that rules look at: some join what others do not.
    """
    try:
        return _Search(registers, before, parameters, wanted).run(due)
    except (_CannotTell, Permanent):  # Permanent: a batch of the frontier is no longer in the ledger
        return None


class _CannotTell(Exception):
    """Rows alone do not say whom a change bears on."""


class _Search:
    def __init__(self, registers: Registers, before: Frontier, parameters: Parameters, wanted: Collection[str]) -> None:
        self._registers, self._known, self._parameters = registers, registers.known, parameters
        self._wants_pending = PENDING in wanted
        self._before, self._connection = AsKnown(registers.known.connection, before), registers.known.connection
        self._looked, self._later = Looked(), LaterBatches(self._connection, self._before)
        self._register = ProjectRegister(registers)

    def run(self, due: Iterable[Subject]) -> Looked:
        self._note_due(due)
        if self._later.count > MOST:
            raise _CannotTell
        if self._later.count:
            applied: set[str] = set()
            for entity in filter(self._later.wrote, _OWNED):
                owners = self._note_owned(entity)
                applied |= owners.projects if entity in _APPLIED else set()
            if self._wants_pending:
                self._note_applicants(applied)
            self._note_systems()
            self._note_entries()
            self._note_aged_entries()
        self._join()
        return self._looked

    # -- due ------------------------------------------------------------------------------------------------------------------

    def _note_due(self, due: Iterable[Subject]) -> None:
        of_type: dict[str, set[str]] = {}
        for subject_type, subject in due:
            of_type.setdefault(subject_type, set()).add(subject)
        self._looked.systems |= of_type.get("system", set())
        self._looked.projects |= of_type.get("project", set())
        self._note_lines(of_type.get("plan_entry", set()))
        for entity in ("contract", "rectification"):
            if keys := of_type.get(entity):
                self._looked.note(entity, keys)
                self._note_owners(entity, among(ENTITIES[entity][0].c[str(key_of(entity))], keys), Looked())

    def _note_lines(self, due: set[str]) -> None:
        """Note lines of the plan: by their project, or by a hash of their key where they name none."""
        self._looked.projects |= due
        hashes, lines = {code.partition(":")[2] for code in due}, ENTITIES["plan_entry"][0]
        if any(hashes):
            keys = self._connection.execute(select(lines.c.record_key).where(lines.c.project_code.is_(None))).scalars()
            self._looked.note("plan_entry", {key for key in keys if line_hash(key) in hashes})

    # -- written --------------------------------------------------------------------------------------------------------------

    def _note_owned(self, entity: str) -> Looked:
        """Note whom the rows of an entity that were written bear on, and whom they bore on before; return these."""
        table, key, owners = ENTITIES[entity][0], key_of(entity), Looked()
        wrote = self._later.written(entity)
        before: set[str] = set()
        for field, old in self._later.changes(entity, (*_LINKS, *([key] if key else []))):
            (before if field == key else owners.of(field)).add(old)
        if key:
            written = select(table.c[key]).where(wrote)
            keys = {str(k) for k in self._connection.execute(written).scalars() if k is not None} | before
            if len(keys) > MOST:
                raise _CannotTell
            self._looked.note(entity, keys)
            wrote = among(table.c[key], keys)
        return self._note_owners(entity, wrote, owners)

    def _note_owners(self, entity: str, condition: ColumnElement[bool], owners: Looked) -> Looked:
        table = ENTITIES[entity][0]
        for name in _LINKS:
            if name in table.c:
                found = self._connection.execute(select(table.c[name]).where(condition).distinct()).scalars()
                owners.of(name).update(code for code in found if code is not None)
        self._looked.projects |= owners.projects
        self._looked.systems |= owners.systems
        return owners

    def _note_applicants(self, projects: set[str]) -> None:
        """Note the systems of the units that some projects are or were of: what a unit has applied for is a fact of each."""
        p, s = ENTITIES["project"][0].c, ENTITIES["system"][0].c
        of_projects = (
            select(p.unit_uscc, p.unit_name).where(among(p.project_code, self._every_code(projects))).distinct()
        )
        units = {unit for row in self._connection.execute(of_projects) for unit in row if unit}
        units |= {old for _, old in self._later.changes("project", ("unit_uscc", "unit_name"))}
        names = {plain(unit) for unit in units}
        alike = {name for name in self._all(s.unit_name) if plain(name) in names} if units else set()
        self._looked.systems |= self._all(s.system_code, or_(among(s.unit_uscc, units), among(s.unit_name, alike)))

    def _written(self, entity: str) -> list[Row[Any]]:
        """Return code, system and projects of the records that were written, and whether one is new; no more than can be told."""
        if not self._later.wrote(entity):
            return []
        table, is_new = ENTITIES[entity][0], self._later.created(entity).label("is_new")
        code = table.c.code if entity == "resource" else table.c.system_code
        query = select(code.label("code"), table.c.system_code, table.c.project_codes, is_new)
        found = self._connection.execute(query.where(self._later.written(entity)).limit(_WRITTEN + 1)).all()
        if len(found) > _WRITTEN:
            raise _CannotTell
        return list(found)

    def _note_systems(self) -> None:
        """Note the systems that were written; one that is new, gone or differently named can be found by any entry."""
        written = self._written("system")
        is_moved = any(row.is_new for row in written) or self._later.have_moved("system", _NAMES)
        if is_moved and self._known.whole.listed:
            raise _CannotTell
        for row in written:
            self._note_entry(row.system_code, row.project_codes)
        for field, old in self._later.changes("system", ("system_code", "project_codes")):
            (self._looked.systems if field == "system_code" else self._looked.projects).update(old.split(","))

    def _note_entries(self) -> None:
        """Note whose entries were written; where one has another place than before, its whole unit may count otherwise."""
        written, table = self._written("resource"), ENTITIES["resource"][0]
        if any(row.is_new for row in written) or self._later.have_moved("resource", _PLACES):
            raise _CannotTell
        query = select(table.c.system_code, table.c.project_codes).distinct()
        codes = {row.code for row in written if row.code is not None}
        written += self._connection.execute(query.where(among(table.c.code, codes)))
        for row in written:
            self._note_entry(row.system_code, row.project_codes)

    def _note_entry(self, system: str | None, projects: str | None) -> None:
        self._looked.systems.update(filter(None, [system]))
        self._looked.projects.update(codes_in(projects))

    def _note_aged_entries(self) -> None:
        """Note whose entries have become late, or timely, by the mere day on which their catalogue was read."""
        if not (moved := self._reading_days()):
            return
        table = ENTITIES["resource"][0]
        query = select(
            table.c.source, table.c.record_key, table.c.code, table.c.update_cycle, table.c.data_updated_on, table.c.modified_on,
            table.c.system_code, table.c.project_codes,
        ).where(table.c.tombstoned_at.is_(None))  # fmt: skip
        is_alone = len(self._registers.sources("resource")) == 1
        found = list(
            self._connection.execute(query.where(self._may_have_aged(table, {*moved.values()}, is_alone=is_alone)))
        )
        if not is_alone:
            codes = {row.code for row in found if row.code is not None}
            found += self._connection.execute(query.where(among(table.c.code, codes)))
        entries: dict[object, list[Row[Any]]] = {}
        for row in found:
            entries.setdefault(row.code or (row.source, row.record_key), []).append(row)
        for rows in entries.values():
            if self._have_aged(rows, moved):
                for row in rows:
                    self._note_entry(row.system_code, row.project_codes)

    def _may_have_aged(self, table: Table, moved: set[tuple[date, date]], *, is_alone: bool) -> ColumnElement[bool]:
        """Return whether an entry has a day that another reading day makes late, or timely, or is in the future no more.

        The cycle may stand in another catalogue than the day; where one catalogue `is_alone` it stands in the same row. Which
        catalogue was read on which of the days is not asked: SQLite would look the catalogue up for each cycle.
        """
        grace = int(self._parameters["catalogue_grace_percent"])
        own = table.c.update_cycle
        # Late is what is older than its cycle with grace; what is dated behind the reading day is in the future.
        cycles = [(days * grace // 100, own == cycle if is_alone else true()) for cycle, days in CYCLE_DAYS.items()]
        parts, days, columns = [], set[date](), (table.c.data_updated_on, table.c.modified_on)
        for (was, now), (age, has_cycle) in product(sorted(moved), [(-1, true()), *cycles]):
            first, end = (day - timedelta(days=age) for day in sorted((was, now)))
            days |= {first + timedelta(days=n) for n in range((end - first).days)}
            parts += [(c >= first) & (c < end) & has_cycle for c in columns]
        # One look for the day puts most entries aside, of which each would else be held against every cycle.
        return or_(*(c.in_(sorted(days)) for c in columns)) & or_(*parts)

    def _reading_days(self) -> dict[str, tuple[date, date]]:
        """Return of the catalogues that were read since on which day they were read before, and now."""
        before = Registers(self._before, self._registers.day, 0, {}).readings
        found = {}
        for source in self._registers.sources("resource"):
            earlier, now = before.get(source), self._registers.readings[source].read_on
            was = earlier.read_on if earlier else None
            if was is None or now is None:  # then it is the day judged that counts
                raise _CannotTell
            if was != now:
                found[source] = was, now
        return found

    def _have_aged(self, rows: list[Row[Any]], moved: Mapping[str, tuple[date, date]]) -> bool:
        """Return whether rows that may be one entry make another of it now, whichever gives the cycle and whichever the day."""
        grace = int(self._parameters["catalogue_grace_percent"])
        cycles = {row.update_cycle for row in rows if row.update_cycle}
        for row, cycle in product((r for r in rows if r.source in moved), cycles):
            for day in filter(None, (row.data_updated_on, row.modified_on)):
                was, now = (freshness(cycle, day, seen, grace) for seen in moved[row.source])
                if was != now:
                    return True
        return False

    # -- what hangs together --------------------------------------------------------------------------------------------------

    def _join(self) -> None:
        """Add whatever hangs together with what is noted, until nothing more does, and the units of the systems."""
        looked = self._looked
        projects, systems = self._every_code(looked.projects), set(looked.systems)
        looked.projects, looked.systems = set(), set()
        while projects or systems:
            looked.projects |= projects
            looked.systems |= systems
            if len(looked.projects) + len(looked.systems) > MOST:
                raise _CannotTell
            more, others = self._tied_to_projects(projects), self._tied_to_systems(systems)
            projects = self._every_code(more.projects | others.projects) - looked.projects
            systems = (more.systems | others.systems) - looked.systems
        self._note_units()

    def _every_code(self, projects: set[str]) -> set[str]:
        return self._register.every_code({self._register.present(code) for code in projects}) | projects

    def _all(self, column: ColumnElement[Any], *conditions: ColumnElement[bool]) -> set[str]:
        query = select(column).where(column.is_not(None), *conditions).distinct()
        return set(self._connection.execute(query).scalars())

    def _tied_to_projects(self, projects: set[str]) -> Looked:
        """Return the systems that name some projects or are upgraded by them, and whoever has a contract in common with them."""
        if not projects:
            return Looked()
        d = ENTITIES["project_dossier"][0].c
        found = Looked(systems=set(self._naming(projects)))
        found.systems |= self._all(d.upgrades_system_code, among(d.project_code, projects))
        for codes in self._sharing_a_contract:
            if not projects.isdisjoint(codes):
                found.projects |= codes
        return found

    def _tied_to_systems(self, systems: set[str]) -> Looked:
        """Return the projects that some systems name, and those that upgrade them."""
        if not systems:
            return Looked()
        s, d = ENTITIES["system"][0].c, ENTITIES["project_dossier"][0].c
        named = self._all(s.project_codes, among(s.system_code, systems), s.tombstoned_at.is_(None))
        upgrading = self._all(d.project_code, among(d.upgrades_system_code, systems))
        return Looked(projects={code for text in named for code in codes_in(text)} | upgrading)

    def _naming(self, projects: set[str]) -> Iterator[str]:
        """Yield the systems that name some projects; those that name several, which no single code finds, are looked into here."""
        s = ENTITIES["system"][0].c
        may_name = or_(among(s.project_codes, projects), s.project_codes.contains(SEVERAL))
        query = select(s.system_code, s.project_codes).where(
            may_name, s.tombstoned_at.is_(None), s.system_code.is_not(None)
        )
        for system, text in self._connection.execute(query):
            if not projects.isdisjoint(codes_in(text)):
                yield system

    @cached_property
    def _sharing_a_contract(self) -> list[set[str]]:
        """Return the projects that have one contract number, a set for each number."""
        c = ENTITIES["contract"][0].c
        is_shared = func.min(c.project_code) != func.max(c.project_code)
        several = select(c.contract_no).group_by(c.contract_no).having(is_shared)
        owners: dict[str, set[str]] = {}
        shared = select(c.contract_no, c.project_code).where(c.contract_no.in_(several), c.project_code.is_not(None))
        for number, code in self._connection.execute(shared):
            owners.setdefault(number, set()).add(code)
        return list(owners.values())

    def _note_units(self) -> None:
        """Note the units of the systems, by number and by every name that a catalogue has for them."""
        s = ENTITIES["system"][0].c
        mine = among(s.system_code, self._looked.systems), s.tombstoned_at.is_(None)
        units = self._connection.execute(select(s.unit_uscc, s.unit_name).where(*mine).distinct()).all()
        self._looked.usccs = {uscc for uscc, _ in units if uscc}
        names = {name for _, text in units if (name := plain(text))}
        self._looked.providers = {name for *_, name in self._known.whole.listed if name and plain(name) in names}
