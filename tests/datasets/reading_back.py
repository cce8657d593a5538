"""Our own export harvested as any catalogue is: by its card, through reader and gate, landed and merged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include.landing.store import LandingStore
from include.ledger.merge import MergeResult
from include.ledger.sync import land, merge_batch
from include.ledger.tables import ENTITIES, resource
from include.sources.card import canonical_schema
from include.sources.card_files import load_card

Row = dict[str, Any]


class Harvester:
    """Harvests an export with the shipped card, as a run of the DAG does."""

    def __init__(self, store: LandingStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self._store, self._patch = store, monkeypatch

    def __call__(self, engine: Engine, folder: Path) -> MergeResult:
        connection = json.dumps({"conn_type": "fs", "extra": {"path": str(folder)}})
        self._patch.setenv("AIRFLOW_CONN_OWN_EXPORT", connection)
        card = load_card("own_export")
        return merge_batch(engine, self._store, card, land(engine, self._store, card, "full").batch_id)


def held(engine: Engine, source: str, entity: str = "resource") -> list[Row]:
    """Return the living records of a source: canonical fields but the identity."""
    table = ENTITIES[entity][0]
    names = [name for name in canonical_schema(entity)["properties"] if name != "resource_id"]
    query = select(*(table.c[name] for name in names)).where(table.c.source == source, table.c.tombstoned_at.is_(None))
    with engine.connect() as connection:
        found = [dict(row) for row in connection.execute(query).mappings()]
    assert found
    return sorted(found, key=lambda row: repr(sorted(row.items())))


def identities(engine: Engine, source: str) -> set[str]:
    """Return the identities of the living entries of a source."""
    query = select(resource.c.resource_id).where(resource.c.source == source, resource.c.tombstoned_at.is_(None))
    with engine.connect() as connection:
        return set(connection.execute(query).scalars())
