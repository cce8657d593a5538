"""What is known of the sources themselves: how far each was read, so that one cause stands for thousands of missing facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from include.clock import SHANGHAI
from include.ledger.tables import ENTITIES
from include.rules.register_facts import Registers
from include.rules.verdict import Fact


@dataclass(frozen=True, slots=True)
class Sources:
    """What the cards say of the sources: group, title and entity, by source; only enabled ones."""

    groups: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    entities: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flapping:
    """When a record is unsteady: it was tombstoned and came back so many times within so many days before the day."""

    window_days: int
    returns: int


def source_facts(
    registers: Registers, day: date, cards: Sources, flapping: Flapping | None = None
) -> dict[str, dict[str, Fact]]:
    """Return the facts of the sources that cards name or that were ever read, in order.

    `kind` is register or series; `read_on` the day of the newest complete batch of a source that was read in full; of a series
    `trusted_until` the newest day that was read whole and believed, `doubts` what speaks against the newest day looked at.
    `unsteady` is how many records of a register came and went, where somebody asks; unknown while the register is not fresh.
    """
    seen = _seen(registers, day)
    unsteady = _unsteady(registers, day, flapping) if flapping else {}
    found = {}
    for source in sorted({*cards.entities, *registers.readings}):
        reading = registers.readings.get(source)
        entity = reading.entity if reading else cards.entities[source]
        is_series = "day" in ENTITIES[entity][0].c
        trusted, doubts = seen.get(source, (None, None))
        read_on = reading.read_on if reading and (reading.read_in_full or is_series) else None
        values = {
            "source_code": source, "name": cards.titles.get(source, source), "entity": entity,
            "group": cards.groups.get(source), "kind": "series" if is_series else "register",
            "read_on": read_on, "trusted_until": trusted, "doubts": doubts,
            "unsteady": unsteady.get(source),
        }  # fmt: skip
        found[source] = {name: Fact(value, source, read_on) for name, value in values.items() if value is not None}
    return found


def _seen(registers: Registers, day: date) -> dict[str, tuple[date | None, str | None]]:
    """Return of each series the newest trusted day before a day, and what speaks against the newest day looked at."""
    observed = registers.known.observed_days()
    query = select(observed).where(observed.c.day < day).order_by(observed.c.source, observed.c.day)
    found: dict[str, tuple[date | None, str | None]] = {}
    for row in registers.known.connection.execute(query).mappings():
        last, _ = found.get(row["source"], (None, None))
        found[row["source"]] = (row["day"] if row["is_trusted"] else last, row["doubts"] or None)
    return found


def _unsteady(registers: Registers, day: date, flapping: Flapping) -> dict[str, int]:
    """Return of each fresh register how many records are unsteady; only the batches that brought some back are looked into."""
    first = day - timedelta(days=flapping.window_days)
    begin = datetime(first.year, first.month, first.day, tzinfo=SHANGHAI)
    b = registers.known.batches().subquery()
    brought_back = (b.c.restored > 0) & (b.c.started_at >= begin)
    query = select(b.c.source, func.count()).where(brought_back).group_by(b.c.source)
    often = {source: count for source, count in registers.known.connection.execute(query)}
    found = {}
    for source, reading in registers.readings.items():
        table, change = ENTITIES[reading.entity]
        if "day" in table.c or not registers.is_fresh(source):
            continue
        found[source] = 0
        if often.get(source, 0) >= flapping.returns:
            batches = select(b.c.batch_id).where(brought_back, b.c.source == source)
            lines = (change.c.source == source) & (change.c.field == "tombstoned_at") & change.c.old.is_not(None)
            records = select(change.c.record_key).where(lines, change.c.batch_id.in_(batches))
            many = records.group_by(change.c.record_key).having(func.count() >= flapping.returns).subquery()
            found[source] = registers.known.connection.execute(select(func.count()).select_from(many)).scalar_one()
    return found
