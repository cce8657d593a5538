"""Every table of the ledger, in SQLAlchemy Core.

The fields of an entity come from its canonical schema, so that schema and table cannot drift apart; migrations are written out
and a test compares them with this file.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
)

from include.ledger.types import Moment, Yuan
from include.sources.card import canonical_schema

metadata = MetaData()

KIND_TYPES: dict[str, Any] = {
    "text": Text, "enum": lambda: String(40), "integer": Integer, "year": Integer, "flag": Boolean, "yuan": Yuan,
    "date": Date, "datetime": Moment, "project_code": lambda: String(30), "uscc": lambda: String(18), "document_no": Text,
}  # fmt: skip

DERIVED: dict[str, tuple[str, ...]] = {
    "project": ("code_form", "code_check"),
    "approval_item": (),
    "plan_entry": ("code_form", "code_check"),
}
"""Columns of an entity that the ledger works out itself (`ledger/identity.py`)."""


def kinds(entity: str) -> dict[str, str]:
    """Return the kind of every canonical and derived column of an entity, in order."""
    found = {name: spec["x-kind"] for name, spec in canonical_schema(entity)["properties"].items()}
    return found | dict.fromkeys(DERIVED[entity], "enum")


def _entity(entity: str) -> Table:
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


def _changes(entity: str) -> Table:
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


project = _entity("project")
project_change = _changes("project")
approval_item = _entity("approval_item")
approval_item_change = _changes("approval_item")
plan_entry = _entity("plan_entry")
plan_entry_change = _changes("plan_entry")
Index("project_by_code", project.c.project_code)
Index("approval_item_by_project", approval_item.c.source, approval_item.c.project_code)

project_alias = Table(
    "project_alias",
    metadata,
    Column("source", String(50), primary_key=True),
    Column("former_code", String(30), primary_key=True),
    Column("project_code", String(30), primary_key=True),
    Column("batch_id", String(100), nullable=False),
)

batch = Table(
    "batch",
    metadata,
    Column("batch_id", String(100), primary_key=True),
    Column("source", String(50), nullable=False),
    Column("entity", String(40), nullable=False),
    Column("is_full", Boolean, nullable=False),
    Column("is_complete", Boolean, nullable=False),
    Column("filter_digest", String(32), nullable=False),
    Column("card_digest", String(32), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("sealed_at", Moment, nullable=False),
    Column("merged_at", Moment, nullable=False),
    Column("rows_received", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("unchanged", BigInteger, nullable=False),
    Column("repeated", BigInteger, nullable=False),
    Column("quarantined", BigInteger, nullable=False),
    Column("restored", BigInteger, nullable=False),
    Column("absent", BigInteger, nullable=False),
    Column("tombstoned", BigInteger, nullable=False),
    Column("children", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("notes", Text, nullable=False),
)
Index("batch_by_source", batch.c.source, batch.c.started_at)

absence = Table(
    "absence",
    metadata,
    Column("source", String(50), primary_key=True),
    Column("entity", String(40), primary_key=True),
    Column("record_key", String(800), primary_key=True),
    Column("first_batch", String(100), nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("source", String(50), primary_key=True),
    Column("record_hash", String(32), primary_key=True),
    Column("record_key", String(800)),
    Column("entity", String(40), nullable=False),
    Column("batch_id", String(100), nullable=False),
    Column("page", Integer, nullable=False),
    Column("line", Integer, nullable=False),
    Column("problems", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("state", String(20), nullable=False),
    Column("closed_batch", String(100)),
)

watermark = Table(
    "watermark",
    metadata,
    Column("source", String(50), primary_key=True),
    Column("changed_until", Moment, nullable=False),
    Column("filter_digest", String(32), nullable=False),
    Column("batch_id", String(100), nullable=False),
)

question = Table(
    "question",
    metadata,
    Column("kind", String(50), primary_key=True),
    Column("source", String(50), primary_key=True),
    Column("subject", String(800), primary_key=True),
    Column("text", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("opened_batch", String(100), nullable=False),
    Column("closed_at", Moment),
    Column("closed_batch", String(100)),
)

source_authority = Table(
    "source_authority",
    metadata,
    Column("source", String(50), primary_key=True),
    Column("authority", Integer, nullable=False),
)

ENTITIES: dict[str, tuple[Table, Table]] = {
    "project": (project, project_change),
    "approval_item": (approval_item, approval_item_change),
    "plan_entry": (plan_entry, plan_entry_change),
}
