"""What the legal holds of a day come to in the ledger: the batches and findings that must be kept for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import orjson
from sqlalchemy import ColumnElement, Connection, select, true

from include.house.retention import LegalHold
from include.ledger.tables import ENTITIES, finding, verdict


@dataclass(frozen=True, slots=True)
class Held:
    """One hold with what it is about; `findings` and `batches` are None where it is about all of them."""

    hold: LegalHold
    findings: frozenset[str] | None
    batches: frozenset[str] | None

    def keeps_batch(self, source: str, batch_id: str, day: date) -> bool:
        """Return whether a batch, or a sweep of the source `probe`, of a day must be kept."""
        if self.hold.source not in (None, source) or not self.hold.spans(day):
            return False
        return self.batches is None or batch_id in self.batches

    def keeps_message(self, finding_ids: Iterable[str], day: date) -> bool:
        """Return whether a message of a day about some findings must be kept; a hold of a source alone says nothing of it."""
        if not self.hold.spans(day):
            return False
        return self.hold.source is None if self.findings is None else not self.findings.isdisjoint(finding_ids)

    def keeps_day(self, day: date) -> bool:
        """Return whether what a day brought as a whole must be kept."""
        return self.hold.spans(day) and self.findings is None and self.hold.source is None


def resolve(connection: Connection, holds: Iterable[LegalHold]) -> list[Held]:
    """Return the holds with what the ledger knows of their subjects."""
    return [_resolve(connection, hold) for hold in holds]


def _resolve(connection: Connection, hold: LegalHold) -> Held:
    if hold.finding is None and hold.subject is None:
        return Held(hold, None, None)
    mine: ColumnElement[bool] = true()
    if hold.finding is not None:
        mine &= finding.c.finding_id == hold.finding
    if hold.subject is not None:
        mine &= finding.c.subject == hold.subject
    found = frozenset(connection.execute(select(finding.c.finding_id).where(mine)).scalars())
    if hold.finding is not None and hold.subject is None:
        found |= {hold.finding}  # messages may name what the ledger has no more
    batches = set(evidence_of(connection, mine))
    if hold.subject is not None:
        bodies = select(verdict.c.body).where(verdict.c.subject == hold.subject)
        batches |= set(_evidence(connection.execute(bodies).scalars())) | _read_in(connection, hold.subject)
    return Held(hold, found, frozenset(batches))


def evidence_of(connection: Connection, findings: ColumnElement[bool]) -> Iterator[str]:
    """Yield the batches and sweeps that the verdicts behind some findings name, those that stood before among them."""
    same = (
        (verdict.c.rule == finding.c.rule)
        & (verdict.c.subject_type == finding.c.subject_type)
        & (verdict.c.subject == finding.c.subject)
        & (verdict.c.occurrence == finding.c.occurrence)
    )
    query = select(verdict.c.body).join(finding, same).where(findings)
    yield from _evidence(connection.execution_options(yield_per=1000).execute(query).scalars())


def _evidence(bodies: Iterable[str]) -> Iterator[str]:
    for body in bodies:
        for fact in orjson.loads(body)["facts_used"].values():
            yield from fact.get("evidence", ())


def _read_in(connection: Connection, subject: str) -> set[str]:
    """Return the batches that created or changed the records of a subject."""
    found: set[str] = set()
    for table, change in ENTITIES.values():
        query = select(table.c.created_batch, table.c.changed_batch).where(table.c.record_key == subject)
        for row in connection.execute(query):
            found.update(b for b in row if b)
        changed = select(change.c.batch_id).where(change.c.record_key == subject)
        found.update(connection.execute(changed).scalars())
    return found
