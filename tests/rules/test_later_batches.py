"""By its own counts a batch has written what it wrote; one that received and counts nothing may have been noted by hand."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import Engine, update

from include.ledger.as_known import AsKnown, frontier
from include.ledger.identity import OWNERS
from include.ledger.tables import ENTITIES, batch
from include.rules.later_batches import LaterBatches
from tests.rules.evidence import DAY, Evidence, at

NESTED = "approval_item"
BY_HAND = {"project", *OWNERS}
"""What is searched for where nothing tells: the entity of the batch, and all that are nested in records."""

COUNTS: dict[str, tuple[int, dict[str, int], dict[str, int], set[str]]] = {
    "nothing received": (0, {}, {}, BY_HAND),
    "nothing received, of the nested one nothing written": (0, {}, {"created": 0}, BY_HAND),
    "nothing received, but all are gone": (0, {"tombstoned": 2}, {}, {"project"}),
    "nothing received, but a nested one is gone": (0, {}, {"tombstoned": 1}, {NESTED}),
    "received and nothing written": (1, {}, {"created": 0}, set()),
    "received and written": (1, {"restored": 1}, {}, {"project"}),
    "received and a nested one written": (1, {}, {"changed": 1}, {NESTED}),
    "received and both written": (1, {"created": 1}, {"created": 1}, {"project", NESTED}),
}


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("case", COUNTS)
def test_a_batch_has_written_what_it_counts(engine: Engine, case: str) -> None:
    received, own, nested, wrote = COUNTS[case]
    evidence = Evidence(engine)
    evidence.batch("provincial_approval", "project", at(DAY, 2))
    with engine.connect() as connection:
        before = frontier(connection)
    later = evidence.batch("provincial_approval", "project", at(DAY + timedelta(days=1), 2))
    with engine.begin() as connection:
        children = json.dumps({NESTED: nested} if nested else {})
        values = {"rows_received": received, "children": children} | own
        connection.execute(update(batch).where(batch.c.batch_id == later).values(values))
        batches = LaterBatches(connection, AsKnown(connection, before))
        assert (batches.count, {entity for entity in ENTITIES if batches.wrote(entity)}) == (1, wrote)
