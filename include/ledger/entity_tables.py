"""How the tables of an entity are made: its fields come from its canonical schema, so that schema and table cannot drift apart."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, MetaData, String, Table, Text, Uuid

from include.ledger.identity import DERIVED
from include.ledger.types import Moment, Yuan
from include.sources.card import canonical_schema

KIND_TYPES: dict[str, Any] = {
    "text": Text, "enum": lambda: String(40), "integer": Integer, "year": Integer, "flag": Boolean, "yuan": Yuan,
    "date": Date, "datetime": Moment, "project_code": lambda: String(30), "uscc": lambda: String(18), "document_no": Text,
    "project_codes": Text, "season": Text, "hourly_rate": Integer, "basis_points": Integer,
    "count": BigInteger, "partial_date": Date, "identifier": lambda: String(800), "names": Text, "objects": Text,
}  # fmt: skip


def kinds(entity: str) -> dict[str, str]:
    """Return the kind of every canonical and derived column of an entity, in order."""
    found = {name: spec["x-kind"] for name, spec in canonical_schema(entity)["properties"].items()}
    return found | DERIVED.get(entity, {})


def entity_table(metadata: MetaData, entity: str) -> Table:
    """Return the table of an entity: key, canonical and derived columns, and which batch wrote what."""
    return Table(
        entity,
        metadata,
        Column("source", String(50), primary_key=True),
        Column("record_key", String(800), primary_key=True),
        *(Column(name, KIND_TYPES[kind]()) for name, kind in kinds(entity).items()),
        Column("source_hash", Uuid(as_uuid=False), nullable=False),
        Column("created_batch", String(100), nullable=False),
        Column("changed_batch", String(100), nullable=False),
        Column("tombstoned_at", Moment),
    )


def changes_table(metadata: MetaData, entity: str) -> Table:
    """Return the table with every field of an entity that a batch changed."""
    return Table(
        f"{entity}_change",
        metadata,
        Column("source", String(50), primary_key=True),
        Column("record_key", String(800), primary_key=True),
        Column("batch_id", String(100), primary_key=True),
        Column("field", String(60), primary_key=True),
        Column("old", Text),
        Column("new", Text),
        Column("changed_at", Moment, nullable=False),
    )
