"""Our own export read as any catalogue is, into a ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from include.landing.store import LandingStore
from include.ledger.merge import MergeResult
from include.ledger.tables import ENTITIES, resource
from include.sources.card import canonical_schema
from include.sources.card_files import load_card
from include.sources.documents.rdf import read_rdf
from tests.ledger.rows import sync

Row = dict[str, Any]


def harvest_export(engine: Engine, store: LandingStore, file: Path) -> MergeResult:
    """Harvest an exported file with the shipped card."""
    card = load_card("own_export")
    assert card.document
    document = read_rdf(file.read_bytes(), file.name, card.document, card.limits.page_bytes)
    rows = list(document.rows)
    assert len(rows) == document.described == document.listed
    return sync(engine, store, card, rows, size=20)


def held(engine: Engine, source: str, entity: str = "resource") -> list[Row]:
    """Return the living records of a source: canonical fields but the identity."""
    table = ENTITIES[entity][0]
    names = [name for name in canonical_schema(entity)["properties"] if name != "resource_id"]
    query = select(*(table.c[name] for name in names)).where(table.c.source == source, table.c.tombstoned_at.is_(None))
    with engine.connect() as connection:
        found = [dict(row) for row in connection.execute(query).mappings()]
    assert found
    return sorted(found, key=lambda row: repr(sorted(row.items(), key=lambda pair: pair[0])))


def identities(engine: Engine, source: str) -> set[str]:
    """Return the identities of the living entries of a source."""
    query = select(resource.c.resource_id).where(resource.c.source == source, resource.c.tombstoned_at.is_(None))
    with engine.connect() as connection:
        return set(connection.execute(query).scalars())
