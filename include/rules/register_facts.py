"""What the registers say of systems, services, resources, exemptions and projects, as known at a frontier.

Where several sources describe one thing, each field comes from the source with the best authority that has it. A source that
was never read whole, or not lately, says nothing: what it would have said is unknown, which is not the same as "not there".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from sqlalchemy import case, func, select

from include.clock import SHANGHAI
from include.ledger.as_known import AsKnown
from include.ledger.day_sums import Host
from include.ledger.last_batch import BY_HAND
from include.ledger.portions import among
from include.ledger.tables import source_authority
from include.rules.facts import Exemption, Listing, Project
from include.rules.verdict import Fact

Row = Mapping[str, Any]

SYSTEM_FIELDS = (
    "name", "unit_name", "unit_uscc", "status", "deployment", "purpose", "business_season", "declared_connection",
    "registered_users", "trial_started_on", "went_live_on", "last_released_on", "protection_level",
)  # fmt: skip

_SYSTEM_COLUMNS = ("system_code", "unit_uscc", "project_codes", *SYSTEM_FIELDS)

_SERVICE_COLUMNS = ("service_code", "system_code", "state")
_RESOURCE_COLUMNS = ("resource_code", "system_code", "status", "resource_type", "vcpu", "opened_on")

WITHOUT_CPU = frozenset({"storage", "network", "security", "cipher"})
"""Kinds of resources that have no CPU to be idle; nobody waits for their metrics."""

_MOST_ALIKE = 2000
"""So many different facts of a name are looked through; then it begins anew, for what many have comes again soon."""

_TRACE = ("source", "record_key", "changed_batch", "tombstoned_at")

_HASH = "source_hash"
"""Stands in every row and is asked for by no rule; to read it takes longer than what else a row has."""

_AT_ONCE = 2000
"""Rows that are fetched together: a register may have far more than are kept."""

_UNTOLD = 1_000_000
"""The authority of a source that no card has given one: behind all others."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a source was read: the day of its newest complete batch, and whether it was ever read in full."""

    source: str
    entity: str
    read_on: date | None
    read_in_full: bool
    last_batch: str


@dataclass(frozen=True, slots=True)
class Combined:
    """One thing as its sources describe it together; `rows` are the living ones, the best authority first."""

    rows: tuple[Row, ...]

    def get(self, name: str) -> Any:
        """Return the first value that a source has."""
        for row in self.rows:
            value = row[name]
            if value is not None:
                return value
        return None

    def origin(self, name: str) -> Row | None:
        """Return the row that a value comes from."""
        return next((row for row in self.rows if row[name] is not None), None)


class Registers:
    """The registers of the ledger; `groups` tells which sources belong to the exchange, `most_days` how old a reading may be."""

    def __init__(self, known: AsKnown, day: date, most_days: int, groups: Mapping[str, str]) -> None:
        self.known, self.day, self.most_days, self.groups = known, day, most_days, groups
        self._reaches: dict[tuple[str, str | None], tuple[str, date | None]] = {}
        self._are_known: dict[tuple[str, str | None], bool] = {}
        self._nothing: dict[tuple[str, str | None], Fact] = {}
        self._told: dict[str, dict[tuple[Any, ...], Fact]] = {}

    @cached_property
    def readings(self) -> dict[str, Reading]:
        """Return how far each source was read, by source."""
        b = self.known.batches().subquery()
        query = select(
            b.c.source, b.c.entity,
            func.max(case((b.c.is_complete, b.c.started_at))).label("read_at"),
            func.max(case((b.c.is_complete & b.c.is_full, 1), else_=0)).label("in_full"),
            func.max(case(((b.c.tombstoned > 0) & b.c.reasons.contains(f'"{BY_HAND}"'), b.c.started_at))).label("cleared_at"),
        ).group_by(b.c.source, b.c.entity).order_by(b.c.source)  # fmt: skip
        found = {}
        for source, entity, read_at, in_full, cleared_at in self.known.connection.execute(query):
            if cleared_at and read_at and cleared_at > read_at:
                # A person emptied it: what it would have said is unknown until it is read again.
                read_at, in_full = None, 0
            read_on = read_at.astimezone(SHANGHAI).date() if read_at else None
            last = self.known.frontier.get(source, "")
            found[source] = Reading(source, entity, read_on, bool(in_full), last)
        return found

    def is_fresh(self, source: str) -> bool:
        """Return whether a source was read in full, and last read whole no longer ago than a register may be old."""
        reading = self.readings.get(source)
        if reading is None or reading.read_on is None or not reading.read_in_full:
            return False
        return (self.day - reading.read_on).days <= self.most_days

    def sources(self, entity: str, group: str | None = None) -> list[str]:
        """Return the sources of an entity that were ever read, of one group of cards or of all."""
        mine = [r.source for r in self.readings.values() if r.entity == entity]
        return [s for s in mine if group is None or self.groups.get(s) == group]

    def are_known(self, entity: str, group: str | None = None) -> bool:
        """Return whether an entity has sources and each of them is fresh, so that what is not there is not there."""
        found = self._are_known.get((entity, group))
        if found is None:
            sources = self.sources(entity, group)
            found = self._are_known[entity, group] = bool(sources) and all(map(self.is_fresh, sources))
        return found

    def about(self, entity: str, value: Any, group: str | None = None, rows: Iterable[Row] = ()) -> Fact:
        """Return a fact that rests on all the sources of an entity; its evidence are the batches its rows last changed in.

        Of the many subjects without a row each has the same one.
        """
        if value != ():
            return Fact(value, *self.reach(entity, group), _batches(rows))
        nothing = self._nothing.get((entity, group))
        return nothing or self._nothing.setdefault((entity, group), Fact((), *self.reach(entity, group)))

    def reach(self, entity: str, group: str | None = None) -> tuple[str, date | None]:
        """Return the sources of an entity as facts name them, and the day that they reach to together."""
        found = self._reaches.get((entity, group))
        if found is None:
            sources = self.sources(entity, group)
            days = [self.readings[s].read_on for s in sources]
            found = self._reaches[entity, group] = ("+".join(sources), min((d for d in days if d), default=None))
        return found

    # -- combined -------------------------------------------------------------------------------------------------------------

    def combined(
        self,
        entity: str,
        key: str,
        columns: Sequence[str] = (),
        keep: Callable[[Row], bool] = lambda row: True,
        of: tuple[str, ...] | None = None,
    ) -> dict[str, Combined]:
        """Return the living records of an entity by the value of a field, sources put together.

        Only some columns, the rows to keep, and some values of the field, where they are named: there are far more projects than
        concern us.
        """
        found: dict[str, list[Row]] = {}
        for row in self.rows(entity, columns, keep, None if of is None else (key, of)):
            if row["tombstoned_at"] is None and row[key] is not None:
                found.setdefault(row[key], []).append(row)
        return {value: Combined(tuple(rows)) for value, rows in found.items()}

    def rows(
        self,
        entity: str,
        columns: Sequence[str] = (),
        keep: Callable[[Row], bool] = lambda row: True,
        of: tuple[str, tuple[str, ...]] | None = None,
    ) -> list[Row]:
        """Return the records of an entity, or those with some values of a field, tombstoned ones too, the best authority first."""
        rows = self.known.rows(entity)
        named = (*_TRACE, *columns) if columns else [column.name for column in rows.c if column.name != _HASH]
        query = select(*(rows.c[name] for name in named))
        if of:
            query = query.where(among(rows.c[of[0]], of[1]))
        found = self.known.connection.execute(query).mappings().partitions(_AT_ONCE)
        parts: Iterable[Sequence[Any]] = found
        kept = (row for part in parts for row in part if keep(row))
        return sorted(kept, key=lambda r: (self.authority(r["source"]), r["source"], r["record_key"]))

    def authority(self, source: str) -> int:
        """Return the authority of a source: the lowest number is believed first."""
        return self._authorities.get(source, _UNTOLD)

    @cached_property
    def _authorities(self) -> dict[str, int]:
        return {source: number for source, number in self.known.connection.execute(select(source_authority))}

    @cached_property
    def systems(self) -> dict[str, Combined]:
        """Return the systems that stand in a register, by code, in order."""
        return dict(sorted(self.combined("system", "system_code", _SYSTEM_COLUMNS).items()))

    @cached_property
    def whole(self) -> Registers:
        """Return the registers of the ledger itself, where these are of an excerpt."""
        whole = self.known.whole
        return self if whole is self.known else Registers(whole, self.day, self.most_days, self.groups)

    def standing(self, codes: Iterable[str]) -> set[str]:
        """Return which of some systems stand in a register, whichever an excerpt is of."""
        asked = set(codes)
        mine = asked & self.systems.keys()
        if self.whole is self or mine == asked:
            return mine
        systems = self.whole.known.rows("system")
        others = among(systems.c.system_code, asked - mine)
        query = select(systems.c.system_code).where(others, systems.c.tombstoned_at.is_(None))
        return mine | set(self.known.connection.execute(query).scalars())

    def withdrawn(self, entity: str, key: str, living: Iterable[str]) -> set[str]:
        """Return the keys that stand in no register any more, each gone by two complete reads."""
        rows = self.known.rows(entity)
        gone = select(rows.c[key]).where(rows.c.tombstoned_at.is_not(None)).distinct()
        return set(self.known.connection.execute(gone).scalars()) - set(living)

    @cached_property
    def services(self) -> dict[str, Combined]:
        """Return the services that the exchange lists."""
        return self.combined("exchange_service", "service_code", _SERVICE_COLUMNS)

    @cached_property
    def owners(self) -> list[tuple[str, str]]:
        """Return (service, system): also of services that are listed no more, for their calls were calls of that system."""
        found: dict[str, str] = {}
        for row in sorted(
            self.rows("exchange_service", _SERVICE_COLUMNS), key=lambda r: r["tombstoned_at"] is not None
        ):
            if row["system_code"] is not None:
                found.setdefault(row["service_code"], row["system_code"])
        return sorted(found.items())

    @cached_property
    def running(self) -> dict[str, list[Combined]]:
        """Return the running resources of each system on the city cloud."""
        found: dict[str, list[Combined]] = {}
        for _, resource in sorted(self.combined("cloud_resource", "resource_code", _RESOURCE_COLUMNS).items()):
            if resource.get("status") == "running" and resource.get("system_code"):
                found.setdefault(resource.get("system_code"), []).append(resource)
        return found

    @cached_property
    def hosts(self) -> list[Host]:
        """Return the running resources that have a CPU as weighed hosts; one without a count of vCPU weighs as one."""
        return [
            Host(r.get("resource_code"), system, max(r.get("vcpu") or 1, 1), r.get("opened_on"))
            for system, resources in self.running.items()
            for r in resources
            if r.get("resource_type") not in WITHOUT_CPU
        ]

    # -- facts ----------------------------------------------------------------------------------------------------------------

    def system_facts(self, code: str, projects: Mapping[str, Project] | None) -> dict[str, Fact]:
        """Return what the registers know of one system; what they do not know is absent, and projects where nobody asks."""
        system = Combined(tuple(r for r in self.systems[code].rows if self.is_fresh(r["source"])))
        facts = self.facts(system, SYSTEM_FIELDS, are_many=True)
        first = self.systems[code].rows[0]
        facts["system_code"] = Fact(code, first["source"], self.readings[first["source"]].read_on, _batches([first]))
        if system.rows:
            facts |= self._project_facts(system, projects)
        if self.are_known("exchange_service", "exchange") and self.are_known("system", "exchange"):
            facts["listing"] = self._listing(code)
        if self.are_known("cloud_resource"):
            running = self.running.get(code, [])
            codes = tuple(r.get("resource_code") for r in running)
            facts["cloud_resources"] = self.about("cloud_resource", codes, rows=[r.rows[0] for r in running])
        if self.are_known("exemption"):
            rows = self._exemptions.get(code, [])
            facts["exemptions"] = self.about("exemption", tuple(_exemption(r) for r in rows), rows=rows)
        return facts

    def facts(self, combined: Combined, names: Iterable[str], *, are_many: bool = False) -> dict[str, Fact]:
        """Return those of some values that a source has, with their provenance; one for all alike, where these are many."""
        found: dict[str, Fact] = {}
        for row in combined.rows:
            source, read_on, batches = row["source"], self.readings[row["source"]].read_on, (row["changed_batch"],)
            for name in names:
                value = row[name]
                if value is not None and name not in found:
                    told = value, source, read_on, batches
                    found[name] = self._told_by_many(name, *told) if are_many else Fact(*told)
        return found

    def _told_by_many(self, name: str, value: Any, source: str, read_on: date | None, batches: tuple[str, ...]) -> Fact:
        """Return a fact; one that many have is one object, hashed once, and of which a rule is decided once."""
        alike, told = self._told.setdefault(name, {}), (value, source, read_on, batches)
        fact = alike.get(told)
        if fact is None:
            if len(alike) == _MOST_ALIKE:
                alike.clear()
            fact = alike[told] = Fact(value, source, read_on, batches)
        return fact

    def _project_facts(self, system: Combined, projects: Mapping[str, Project] | None) -> dict[str, Fact]:
        row = system.origin("project_codes") or system.rows[0]
        codes = tuple((row["project_codes"] or "").split(",")) if row["project_codes"] else ()
        read_on, batches = self.readings[row["source"]].read_on, _batches([row])
        facts = {"project_codes": self._told_by_many("project_codes", codes, row["source"], read_on, batches)}
        if projects is not None and self.are_known("project"):
            joined = {p.code: p for code in codes if (p := projects.get(code))}
            sources = "+".join([row["source"], *self.sources("project")])
            named = tuple(joined[c] for c in sorted(joined))
            facts["projects"] = self._told_by_many("projects", named, sources, read_on, batches)
        return facts

    def _listing(self, code: str) -> Fact:
        services = self._services_of.get(code, [])
        is_application = any(self.groups.get(r["source"]) == "exchange" for r in self.systems[code].rows)
        value = Listing(tuple(s.get("service_code") for s in services), is_application)
        batches = _batches(s.rows[0] for s in services)
        return self._told_by_many("listing", value, *self.reach("exchange_service", "exchange"), batches)

    @cached_property
    def _services_of(self) -> dict[str, list[Combined]]:
        found: dict[str, list[Combined]] = {}
        for _, service in sorted(self.services.items()):
            if service.get("system_code") and service.get("state") != "withdrawn":
                found.setdefault(service.get("system_code"), []).append(service)
        return found

    @cached_property
    def _exemptions(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for _, exemption in sorted(self.combined("exemption", "exemption_id").items()):
            found.setdefault(exemption.get("system_code"), []).append(exemption.rows[0])
        return found


def _exemption(row: Row) -> Exemption:
    names = ("exemption_id", "kind", "ground", "document_no", "granted_by", "valid_from", "expires_on")
    return Exemption(**{name: row[name] for name in names})


def _batches(rows: Iterable[Row]) -> tuple[str, ...]:
    found = {row["changed_batch"] for row in rows}
    return tuple(sorted(found)) if len(found) > 1 else tuple(found)
