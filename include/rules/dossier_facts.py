"""The records of the projects' lives, read from the ledger as the classes of `records`, each with its owner and its batches.

Only the columns that a class has are read. Where several sources tell of one record, each field comes from the source with the best
authority that has it; a dossier under a former project code fills what the one under the present code leaves blank.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Row, select

from include.rules.records import (
    Acceptance,
    Assessment,
    Attestation,
    Contract,
    Dossier,
    Payment,
    PlanPlace,
    PlanYear,
    Rectification,
    Review,
    Suspension,
)
from include.rules.register_facts import Registers
from include.rules.verdict import Fact


@dataclass(frozen=True, slots=True)
class Shape:
    """How an entity is read: its class, the column that tells its records apart, and the day they are ordered by."""

    entity: str
    make: Callable[..., Any]
    key: str
    day: str | None = None


SHAPES = {
    "dossier": Shape("project_dossier", Dossier, "project_code"),
    "plan_places": Shape("plan_entry", PlanPlace, "record_key"),
    "contracts": Shape("contract", Contract, "contract_no"),
    "payments": Shape("payment", Payment, "payment_no", "paid_on"),
    "acceptances": Shape("acceptance", Acceptance, "acceptance_no", "held_on"),
    "assessments": Shape("assessment", Assessment, "report_no", "issued_on"),
    "reviews": Shape("performance_review", Review, "review_no", "done_on"),
    "suspensions": Shape("suspension", Suspension, "suspension_no", "begun_on"),
    "attestations": Shape("attestation", Attestation, "attestation_no", "attested_on"),
    "rectifications": Shape("rectification", Rectification, "notice_no"),
    "plan_years": Shape("plan_year", PlanYear, "plan_year"),
}
"""Name of the fact → what it is read from; the key of a record is its `key` column."""

_OWNERS = ("project_code", "system_code")
_TRACE = ("changed_batch", "source", "record_key")


@dataclass(slots=True)
class Kept:
    """A record with its key, the project (by its present code) and system that it names, and the batches it last changed in."""

    record: Any
    key: Any
    project: str | None
    system: str | None
    batches: tuple[str, ...]


class Dossiers:
    """The records, by the names of their facts; every entity is read and grouped once, when first asked for."""

    def __init__(self, registers: Registers, aliases: Mapping[str, str]) -> None:
        self._registers, self._aliases = registers, aliases
        self._kept: dict[str, list[Kept]] = {}
        self._by_owner: dict[tuple[str, str], dict[str, list[Kept]]] = {}
        self._nothing: dict[str, Fact] = {}

    def are_known(self, name: str) -> bool:
        """Return whether what is not there is not there."""
        return self._registers.are_known(SHAPES[name].entity)

    def kept(self, name: str) -> list[Kept]:
        """Return the living records in order of their days and keys."""
        if name not in self._kept:
            self._kept[name] = _Reading(self._registers, SHAPES[name], self._aliases).records()
        return self._kept[name]

    def by_project(self, name: str) -> dict[str, list[Kept]]:
        """Return the records of each project."""
        return self._grouped(name, "project")

    def by_system(self, name: str) -> dict[str, list[Kept]]:
        """Return the records of each system."""
        return self._grouped(name, "system")

    def _grouped(self, name: str, owner: str) -> dict[str, list[Kept]]:
        if (name, owner) not in self._by_owner:
            self._by_owner[name, owner] = grouped((getattr(one, owner), one) for one in self.kept(name))
        return self._by_owner[name, owner]

    def several(self, name: str, kept: Sequence[Kept] = ()) -> Fact:
        """Return the fact of some records; of the many that have none each has the same one."""
        if kept:
            return self.fact(name, tuple([one.record for one in kept]), kept)
        return self._nothing.get(name) or self._nothing.setdefault(name, self.fact(name, ()))

    def fact(self, name: str, value: Any, kept: Sequence[Kept] = ()) -> Fact:
        """Return a fact that rests on all the sources of an entity and on some records."""
        return Fact(value, *self._registers.reach(SHAPES[name].entity), batches_of(kept))


def rectification_facts(dossiers: Dossiers) -> dict[str, dict[str, Fact]]:
    """Return the facts of the notices to put something right, by their number: name and, where they are known, the notice."""
    are_known, found = dossiers.are_known("rectifications"), {}
    for one in dossiers.kept("rectifications"):
        notice = dossiers.fact("rectifications", one.record, [one])
        found[one.key] = {"rectification_code": notice.like(one.key), "name": notice.like(one.record.topic or one.key)}
        if are_known:
            found[one.key]["rectification"] = notice
    return found


def grouped(pairs: Iterable[tuple[str | None, Kept]]) -> dict[str, list[Kept]]:
    """Return records by their owner; those without one are nobody's."""
    found: dict[str, list[Kept]] = {}
    for owner, one in pairs:
        if owner is not None:
            found.setdefault(owner, []).append(one)
    return found


def batches_of(kept: Sequence[Kept]) -> tuple[str, ...]:
    """Return the batches that some records last changed in, in order."""
    if len(kept) == 1:
        return kept[0].batches
    found = {one.batches for one in kept}
    return found.pop() if len(found) == 1 else tuple(sorted({batch for batches in found for batch in batches}))


def together(value: object, *facts: Fact) -> Fact:
    """Return a fact that rests on several others: it reaches as far as all of them do."""
    days = [fact.seen_until for fact in facts if fact.seen_until]
    source = "+".join(dict.fromkeys(name for fact in facts for name in fact.source.split("+")))
    evidence = tuple(sorted({batch for fact in facts for batch in fact.evidence}))
    return Fact(value, source, min(days, default=None), evidence)


class _Reading:
    """One entity being read: where its columns stand, and what makes a record of its rows."""

    def __init__(self, registers: Registers, shape: Shape, aliases: Mapping[str, str]) -> None:
        self._registers, self._shape, self._aliases = registers, shape, aliases
        self._table = registers.known.rows(shape.entity)
        own = tuple(field.name for field in fields(cast(Any, shape.make)))
        owners = tuple(name for name in _OWNERS if name in self._table.c and name not in own)
        self._count, self._columns = len(own), (*own, *owners, *_TRACE)
        self._key = self._columns.index(shape.key)
        self._project, self._system = (self._columns.index(name) if name in self._columns else None for name in _OWNERS)

    def records(self) -> list[Kept]:
        """Return the living records in order of their days and keys, rows of one key put together."""
        rows: list[Any] = list(self._rows())
        batches = {row[-3]: (row[-3],) for row in rows}
        if len({self._code(row[self._key]) for row in rows}) == len(rows):
            return [self._record(row, batches[row[-3]]) for row in sorted(rows, key=self._place)]
        of_key: dict[Any, list[Row[Any]]] = {}
        for row in rows:
            of_key.setdefault(self._code(row[self._key]), []).append(row)
        blended = [(self._blend(same), tuple(sorted({row[-3] for row in same}))) for same in of_key.values()]
        return [self._record(*one) for one in sorted(blended, key=lambda one: self._place(one[0]))]

    def _rows(self) -> Sequence[Row[Any]]:
        columns = [self._table.c[name] for name in self._columns]
        query = select(*columns).where(self._table.c.tombstoned_at.is_(None))
        return self._registers.known.connection.execute(query).all()

    @cached_property
    def _place(self) -> Callable[[Sequence[Any]], Any]:
        """Return what tells the place of a record among the others: its day, where it has one, and its key."""
        day = [self._columns.index(self._shape.day)] if self._shape.day else []
        return itemgetter(*day, self._key)

    def _code(self, value: Any) -> Any:
        """Return the present code where records are told apart by their project."""
        return self._aliases.get(value, value) if self._key == self._project else value

    def _record(self, values: Sequence[Any], batches: tuple[str, ...]) -> Kept:
        own, project = values[: self._count], None
        if self._project is not None and (named := values[self._project]) is not None:
            project = self._aliases.get(named, named)
            if project != named and self._project < self._count:
                own = [project if at == self._project else value for at, value in enumerate(own)]
        system = values[self._system] if self._system is not None else None
        return Kept(self._shape.make(*own), self._code(values[self._key]), project, system, batches)

    def _blend(self, rows: list[Row[Any]]) -> Sequence[Any]:
        """Return of each column the value of the best source that has one; a present code goes before a former one."""
        if len(rows) == 1:
            return rows[0]

        def rank(row: Row[Any]) -> tuple[Any, ...]:
            return self._code(row[self._key]) != row[self._key], self._registers.authority(row[-2]), row[-2], row[-1]

        ordered = sorted(rows, key=rank)
        return [next((value for value in column if value is not None), None) for column in zip(*ordered, strict=True)]
