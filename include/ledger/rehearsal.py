"""Look at a source without keeping anything of it: a whole read judged (validate), or its first records mapped (preview)."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, Engine

from include.landing.store import LandingStore
from include.ledger.batch_merge import Progress
from include.ledger.batch_record import HELD, QUARANTINED, REPEATED, WARNED, RecordOutcome, records_of_batch
from include.ledger.merge import MergeResult
from include.ledger.page_mapper import PageMapper
from include.ledger.sync import land, merge_batch
from include.sources.card import Card
from include.sources.page import PageFault, Window
from include.sources.read import read_pages

FIRST = 20
"""So many records a preview shows."""


@dataclass(slots=True)
class Report:
    """What a batch would do, and every record about which there is something to say."""

    result: MergeResult
    records: list[RecordOutcome] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PreviewRecord:
    """One record as it would be taken: canonical, with what is wrong with it, what is doubtful, and what stands in it."""

    record_key: str | None
    record: dict[str, Any]
    problems: list[dict[str, str]]
    warnings: list[str]
    children: list[tuple[str, dict[str, Any]]]


def validate(engine: Engine, store: LandingStore, card: Card, progress: Progress | None = None) -> Report:
    """Read the whole of a source, map and judge every record of it, and roll everything back."""
    how: dict[str, Any] = {"progress": progress} if progress else {}
    found: list[RecordOutcome] = []
    told = {QUARANTINED, HELD, WARNED, REPEATED}
    manifest = land(engine, store, card, "full", dry_run=True, force=True, **how)

    def look(connection: Connection) -> None:
        outcomes = records_of_batch(connection, card.source, manifest.batch_id, card.entity)
        found.extend(o for o in outcomes if o.outcome in told)

    return Report(merge_batch(engine, store, card, manifest.batch_id, force=True, look=look, **how), found)


def preview(card: Card, most: int = FIRST) -> list[PreviewRecord]:
    """Map the first records of a source; reading stops there, and nothing is stored anywhere."""
    rows: list[dict[str, Any]] = []
    with closing(read_pages(card, Window(), set(), {})) as pages:  # type: ignore[type-var]
        for page in pages:
            if isinstance(page, PageFault):
                if rows:
                    break
                raise page.error
            rows += (
                [orjson.loads(line) for line in page.lines.packed.unpack().splitlines()] if page.lines else page.rows
            )
            if len(rows) >= most:
                break
    mapper = PageMapper(card, as_text=False)
    return [_previewed(mapper, card, row) for row in rows[:most]]


def _previewed(mapper: PageMapper, card: Card, row: dict[str, Any]) -> PreviewRecord:
    mapped = mapper.card_mapper.map(row)
    is_judged = card.entity == "resource" and not mapped.problems
    warnings = (mapper.warnings_of(mapped) or "").split(",") if is_judged else []
    children = [(entity, child) for entity, _, child in mapped.children]
    problems = [asdict(p) for p in mapped.problems]
    return PreviewRecord(mapped.key, mapped.record, problems, [w for w in warnings if w], children)
