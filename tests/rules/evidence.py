"""A ledger filled by hand: batches with rows, later corrections and tombstones, as merges leave them behind."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from include.clock import SHANGHAI
from include.ledger.entity_tables import kinds
from include.ledger.tables import ENTITIES, batch, observed_day, probe_day, source_authority

KEYS = {
    "system": ("system_code",), "exchange_service": ("service_code",), "cloud_resource": ("resource_code",),
    "exemption": ("exemption_id",), "project": ("project_code",), "plan_entry": ("plan_year", "project_code"),
    "exchange_call_day": ("day", "service_code", "caller_code"), "cloud_usage_day": ("day", "resource_code"),
    "system_usage_day": ("day", "system_code"), "resource": ("resource_id",), "approval_item": ("item_id",),
    "project_dossier": ("project_code",), "suspension": ("suspension_no",), "contract": ("contract_no",),
    "payment": ("payment_no",), "acceptance": ("acceptance_no",), "assessment": ("report_no",),
    "performance_review": ("review_no",), "rectification": ("notice_no",), "plan_year": ("plan_year",),
    "department_year": ("plan_year", "unit_name"), "attestation": ("attestation_no",),
}  # fmt: skip
DAY = date(2026, 11, 20)
"""The day that most tests judge."""


def at(day: date, hour: int = 6, minute: int = 0) -> datetime:
    """Return a moment of a day in Shanghai."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI)


def days_before(day: date, count: int) -> list[date]:
    """Return so many days that end the day before."""
    return [day - timedelta(days=n) for n in range(count, 0, -1)]


class Evidence:
    """Writes what merges would have written; every method is one committed transaction, unless several are put together."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._number = 0
        self._open: Connection | None = None

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write all that follows in one transaction: a connection of its own for every row would take most of the time."""
        if self._open is not None:
            yield
            return
        with self.engine.begin() as self._open:
            try:
                yield
            finally:
                self._open = None

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self.together():
            assert self._open is not None
            yield self._open

    def batch(
        self,
        source: str,
        entity: str,
        when: datetime,
        *,
        complete: bool = True,
        full: bool = True,
        authority: int = 100,
        restored: int = 0,
    ) -> str:
        """Record a merged batch and return its id."""
        self._number += 1
        batch_id = f"{source}-{when:%Y%m%dT%H%M%S}{self._number:06d}-0"
        zero = dict.fromkeys(
            ("refused", "created", "changed", "unchanged", "repeated", "quarantined", "absent", "tombstoned"), 0
        )  # fmt: skip
        with self._writing() as connection:
            connection.execute(
                insert(batch).values(
                    batch_id=batch_id, source=source, entity=entity, is_full=full, is_complete=complete, filter_digest="f",
                    card_digest="c", started_at=when, sealed_at=when, merged_at=when, children="{}", reasons="[]", notes="[]",
                    restored=restored, rows_received=1, **zero,
                )
            )  # fmt: skip
            if not connection.execute(select(source_authority).where(source_authority.c.source == source)).first():
                connection.execute(insert(source_authority).values(source=source, authority=authority))
        return batch_id

    def put(self, entity: str, batch_id: str, rows: Iterable[dict[str, Any]]) -> None:
        """Insert new records of a batch."""
        table, source = ENTITIES[entity][0], batch_id.rsplit("-", 2)[0]
        blank = dict.fromkeys(kinds(entity))
        values = [
            blank | row | {"source": source, "record_key": _key(entity, row), "source_hash": str(uuid.uuid4()),
                           "created_batch": batch_id, "changed_batch": batch_id, "tombstoned_at": None}
            for row in rows
        ]  # fmt: skip
        if values:
            with self._writing() as connection:
                connection.execute(insert(table), values)
                _count(connection, batch_id, entity, "created", len(values))

    def change(self, entity: str, batch_id: str, key: dict[str, Any], when: datetime, **fields: Any) -> None:
        """Change fields of a record as a later batch would, with the lines of the history."""
        table, change = ENTITIES[entity]
        this = (table.c.source == batch_id.rsplit("-", 2)[0]) & (table.c.record_key == _key(entity, key))
        with self._writing() as connection:
            old = connection.execute(select(table).where(this)).mappings().one()
            for name, new in fields.items():
                connection.execute(
                    insert(change).values(
                        source=old["source"], record_key=old["record_key"], batch_id=batch_id, field=name,
                        old=_text(old[name]), new=_text(new), changed_at=when,
                    )
                )  # fmt: skip
            connection.execute(update(table).where(this).values(changed_batch=batch_id, **fields))
            _count(connection, batch_id, entity, "changed", 1)

    def observed(self, batch_id: str, days: Iterable[date], *, trusted: bool = True, rows: int = 1) -> None:
        """Record that a batch read days of a series."""
        source = batch_id.rsplit("-", 2)[0]
        doubts = "" if trusted else "read_incomplete"
        values = [
            {"source": source, "day": day, "batch_id": batch_id, "is_trusted": trusted, "rows": rows, "doubts": doubts}
            for day in days
        ]
        with self._writing() as connection:
            connection.execute(insert(observed_day), values)

    def probed(
        self, service_code: str, day: date, *, successes: int = 0, failures: int = 0, inconclusive: int = 0
    ) -> None:
        """Record the probes of a service on a day."""
        noon = at(day, 12)
        with self._writing() as connection:
            connection.execute(
                insert(probe_day).values(
                    service_code=service_code, day=day, probes=successes + failures + inconclusive, successes=successes,
                    failures=failures, inconclusive=inconclusive, total_ms_sum=10, total_ms_max=10,
                    last_success_at=noon if successes else None, last_failure_at=noon if failures else None,
                    last_outcome="succeeded" if successes else "refused",
                )
            )  # fmt: skip

    def read(self, entity: str) -> list[dict[str, Any]]:
        """Return every row of an entity's table."""
        with self.engine.connect() as connection:
            return rows_of(connection, ENTITIES[entity][0])


def rows_of(connection: Connection, table: Any) -> list[dict[str, Any]]:
    """Return every row of a table in order of its key."""
    return [dict(r) for r in connection.execute(select(table).order_by(*table.primary_key)).mappings()]


def _count(connection: Connection, batch_id: str, entity: str, what: str, count: int) -> None:
    """Add to what a batch counts as written: its own records, or those nested in them."""
    this = batch.c.batch_id == batch_id
    own, children = connection.execute(select(batch.c.entity, batch.c.children).where(this)).one()
    if own == entity:
        connection.execute(update(batch).where(this).values({what: batch.c[what] + count}))
        return
    nested = json.loads(children)
    counts = nested.setdefault(entity, {})
    counts[what] = counts.get(what, 0) + count
    connection.execute(update(batch).where(this).values(children=json.dumps(nested)))


def _key(entity: str, row: dict[str, Any]) -> str:
    return "|".join(str(row[name]) for name in KEYS[entity])


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).isoformat()
    return None if value is None else str(value)
