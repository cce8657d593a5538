"""What happened to a project, day by day: every dated field of what platforms and dossiers say of it, in their own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from include.board.dossier_models import TimelineEntry
from include.board.looking import Look
from include.board.words import field
from include.ledger.tables import OF_PROJECTS, approval_item, project
from include.sources.card import canonical_schema

MOST = 300
"""Records of one kind that are read for a project."""

KINDS = {
    "project": "申报", "approval_item": "审批", "project_dossier": "建设", "suspension": "时限中止", "contract": "合同",
    "payment": "资金", "acceptance": "验收", "assessment": "测评", "performance_review": "绩效", "rectification": "整改",
    "attestation": "认定",
}  # fmt: skip
"""What people read, by entity."""

_SAYS = {
    "approval_item": ("item_name", "state", "document_no", "dept_name"), "suspension": ("kind", "reason", "decided_by"),
    "contract": ("name", "contract_no", "amount_yuan"), "payment": ("kind", "amount_yuan", "contract_no"),
    "acceptance": ("result", "organised_by"), "assessment": ("kind", "conclusion", "report_no", "issuer"),
    "performance_review": ("kind", "conclusion"), "rectification": ("topic", "result", "issued_by"),
    "attestation": ("matter", "conclusion", "attested_by"),
}  # fmt: skip
"""The fields that tell what a record is about."""

_LEFT_OUT = ("updated_at", "recorded_at", "expires_on", "valid_until")
"""Days on which nothing happens to the project."""

_DATED = ("date", "datetime", "partial_date")


def timeline_of(look: Look, code: str) -> list[TimelineEntry]:
    """Return all that is known of a project, in the order of days."""
    found: list[TimelineEntry] = []
    for entity in (project, approval_item, *OF_PROJECTS):
        query = select(entity).where(entity.c.project_code == code, entity.c.tombstoned_at.is_(None))
        for row in look.connection.execute(query.order_by(*entity.primary_key).limit(MOST)).mappings():
            found += _entries(look, entity.name, row)
    seen = {(entry.day, entry.kind, entry.title, entry.text): entry for entry in reversed(found)}
    order = list(KINDS.values())
    return sorted(seen.values(), key=lambda entry: (entry.day, order.index(entry.kind), entry.title, entry.text))


def _entries(look: Look, entity: str, row: Mapping[Any, Any]) -> Iterator[TimelineEntry]:
    text = "、".join(field(row[name], name) for name in _SAYS.get(entity, ()) if row[name] is not None)
    for name, spec in canonical_schema(entity)["properties"].items():
        if spec["x-kind"] in _DATED and name not in _LEFT_OUT and row[name] is not None:
            yield TimelineEntry(
                day=_day(row[name]), kind=KINDS[entity], title=spec["title"], text=text,
                source=look.reference.sources.get(row["source"], row["source"]),
            )  # fmt: skip


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value
