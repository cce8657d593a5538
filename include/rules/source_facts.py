"""What is known of the sources themselves: how far each was read, so that one cause stands for thousands of missing facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select

from include.ledger.tables import ENTITIES
from include.rules.register_facts import Registers
from include.rules.verdict import Fact


@dataclass(frozen=True, slots=True)
class Sources:
    """What the cards say of the sources: group, title and entity, by source; only enabled ones."""

    groups: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    entities: Mapping[str, str] = field(default_factory=dict)


def source_facts(registers: Registers, day: date, cards: Sources) -> dict[str, dict[str, Fact]]:
    """Return the facts of the sources that cards name or that were ever read, in order.

    `kind` is register or series; `read_on` the day of the newest complete batch of a source that was read in full; of a series
    `trusted_until` the newest day that was read whole and believed, `doubts` what speaks against the newest day looked at.
    """
    seen = _seen(registers, day)
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
