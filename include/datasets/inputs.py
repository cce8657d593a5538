"""How far each source was read: what a manifest says of the inputs of a publication, and what guards go by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, not_, or_, select

from include.clock import SHANGHAI
from include.ledger.last_batch import BY_HAND
from include.ledger.tables import batch
from include.sources.outlines import outline_cards

NOT_READ = (BY_HAND, "replay")
"""Reasons of batches that were made here, by a person or from kept pages: they say nothing of how far a source was read."""


MISSING = {
    "page_failed": "有页未读到", "detail_missing": "有详情未读到", "total_changed": "读取中总数变了",
    "total_mismatch": "总数与收到的不符", "total_missing": "未声明总数",
    "page_repeated": "页重复", "no_last_page": "未到末页", "empty": "全量为空", "repeated_rows": "同一记录在两页出现",
    "keyless_rows": "有记录无标识", "rows_left_out": "库表有行无法读取", "vanishing_held": "缺失过多,未注销",
}  # fmt: skip
"""Why a batch is not complete, for people."""


@dataclass(frozen=True, slots=True)
class Input:
    """One enabled source. `age_days` counts from the day of the last complete reading; None where there was none."""

    source: str
    group: str
    title: str
    entity: str
    is_complete: bool
    missing: tuple[str, ...]
    last_batch: str | None
    last_read_at: datetime | None
    complete_batch: str | None
    complete_at: datetime | None
    age_days: int | None

    def summary(self) -> dict[str, Any]:
        """Return it for the manifest."""
        return {
            "source": self.source, "title": self.title, "group": self.group, "entity": self.entity,
            "is_complete": self.is_complete, "missing": list(self.missing), "age_days": self.age_days,
            "last_batch": _named(self.last_batch, self.last_read_at),
            "last_complete_batch": _named(self.complete_batch, self.complete_at),
        }  # fmt: skip


def read_inputs(connection: Connection, at: datetime) -> list[Input]:
    """Return every enabled source in order, as of a moment."""
    last, complete = _newest(connection), _newest(connection, complete=True)
    return [
        _input(card.source, card.group, card.title, card.entity, last.get(card.source), complete.get(card.source), at)
        for card in sorted((c for c in outline_cards() if c.is_enabled), key=lambda c: (c.group, c.source))
    ]


def _newest(connection: Connection, *, complete: bool = False) -> Mapping[str, RowMapping]:
    made_here = or_(*(batch.c.reasons.contains(f'"{code}"') for code in NOT_READ))
    query = select(batch.c.source, batch.c.batch_id, batch.c.started_at, batch.c.is_complete, batch.c.reasons)
    query = query.where(not_(made_here)).order_by(batch.c.started_at)
    if complete:
        query = query.where(batch.c.is_complete)
    return {row["source"]: row for row in connection.execute(query).mappings()}


def _input(
    source: str, group: str, title: str, entity: str, last: RowMapping | None, complete: RowMapping | None, at: datetime
) -> Input:
    missing = (
        tuple(dict.fromkeys(r["code"] for r in json.loads(last["reasons"]))) if last and not last["is_complete"] else ()
    )
    age = (at.astimezone(SHANGHAI).date() - complete["started_at"].date()).days if complete else None
    return Input(
        source, group, title, entity, bool(last and last["is_complete"]), missing, last["batch_id"] if last else None,
        last["started_at"] if last else None, complete["batch_id"] if complete else None,
        complete["started_at"] if complete else None, age,
    )  # fmt: skip


def _named(batch_id: str | None, at: datetime | None) -> dict[str, str] | None:
    return {"batch": batch_id, "read_at": at.isoformat(timespec="seconds")} if batch_id and at else None
