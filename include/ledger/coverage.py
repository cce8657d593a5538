"""How many of a source's living records have each canonical field: what a card really brings. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, and_, func, select

from include.ledger.tables import ENTITIES
from include.sources.card import canonical_schema


@dataclass(frozen=True, slots=True)
class FieldCoverage:
    """`filled` of `of` living records of an entity have a value in a field; `title` is Chinese."""

    entity: str
    field: str
    title: str
    filled: int
    of: int


def coverage(engine: Engine, source: str) -> list[FieldCoverage]:
    """Return every canonical field of every entity that the source has living records of, in the order of the schemas."""
    found = []
    with engine.connect() as connection:
        for entity, (table, _) in ENTITIES.items():
            fields = canonical_schema(entity)["properties"]
            is_living = and_(table.c.source == source, table.c.tombstoned_at.is_(None))
            counts = [func.count(), *(func.count(table.c[name]) for name in fields)]
            of, *filled = connection.execute(select(*counts).select_from(table).where(is_living)).one()
            if of:
                found += [
                    FieldCoverage(entity, name, spec["title"], n, of)
                    for (name, spec), n in zip(fields.items(), filled, strict=True)
                ]
    return found
