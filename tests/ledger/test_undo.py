"""Deletion only with proof, one command to take it back, and clearing a source on purpose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include.errors import ConfigurationError, Permanent
from include.landing.store import LandingStore
from include.ledger.batch_record import records_of_batch
from include.ledger.summary import open_questions
from include.ledger.sync import filter_digest
from include.ledger.tables import absence, batch, metadata, resource_change, watermark
from include.ledger.undo import clear_source, undo_tombstones
from include.sources.card import Card
from tests.depth import MOSTLY_SQLITE
from tests.ledger.catalogue import entry, living, living_items, write_catalogue_card
from tests.ledger.rows import sync

SOURCE = "city_catalogue"
ENTRIES = [entry(n) for n in range(12)]


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return write_catalogue_card(tmp_path / "cards")


@pytest.fixture
def gone(engine: Engine, store: LandingStore, card: Card) -> str:
    """Return the batch that tombstoned two entries after two complete reads without them."""
    sync(engine, store, card, ENTRIES)
    results = [sync(engine, store, card, ENTRIES[2:]) for _ in range(2)]
    assert [(r.absent, r.tombstoned) for r in results] == [(2, 0), (2, 2)]
    assert len(living(engine)) == 10
    return results[1].batch_id


def dump(engine: Engine) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        return {n: connection.execute(select(t).order_by(*t.primary_key)).all() for n, t in metadata.tables.items()}


@MOSTLY_SQLITE
@pytest.mark.parametrize(("before", "after"), [(20, 0), (1000, 400)])
def test_a_great_loss_stops_and_asks(engine: Engine, store: LandingStore, card: Card, before: int, after: int) -> None:
    sync(engine, store, card, [entry(n) for n in range(before)], size=200)
    for _ in range(3):
        result = sync(engine, store, card, [entry(n) for n in range(after)], size=200)
        assert (result.is_complete, result.tombstoned) == (False, 0), result
        assert [r["code"] for r in result.reasons] == (["vanishing_held"] if after else ["empty"])
    assert len(living(engine)) == before
    assert [q["kind"] for q in open_questions(engine)] == (["vanishing_held"] if after else [])


@MOSTLY_SQLITE
def test_a_document_that_asks_for_less_is_another_question(
    engine: Engine, store: LandingStore, card: Card, tmp_path: Path
) -> None:
    narrow = write_catalogue_card(tmp_path / "narrow", document={"format": "rdf", "types": ["dcat:Dataset"]})
    wide = write_catalogue_card(tmp_path / "wide", document={"format": "rdf"})
    assert len({filter_digest(c) for c in (card, narrow, wide)}) == 3
    sync(engine, store, wide, ENTRIES)
    for _ in range(3):
        result = sync(engine, store, narrow, ENTRIES[:6])
        assert (result.is_complete, result.absent, result.tombstoned) == (True, 0, 0), result
    assert len(living(engine)) == 12


@MOSTLY_SQLITE
def test_the_items_of_what_is_gone_go_with_it(engine: Engine, gone: str) -> None:
    assert not [key for key in living_items(engine) if key.startswith(("R0|", "R1|"))]
    assert len(living_items(engine)) == 20


def test_undo_restores_what_the_batch_tombstoned(engine: Engine, store: LandingStore, card: Card, gone: str) -> None:
    result = undo_tombstones(engine, SOURCE, gone)
    assert (result.restored, result.children["resource_item"]["restored"], result.tombstoned) == (2, 4, 0)
    assert (len(living(engine)), len(living_items(engine))) == (12, 24)
    with engine.connect() as connection:
        mine = select(resource_change).where(resource_change.c.batch_id == result.batch_id)
        lines = connection.execute(mine.order_by(resource_change.c.record_key)).mappings().all()
        said = [(o.record_key, o.outcome) for o in records_of_batch(connection, SOURCE, result.batch_id)]
    assert [(c["record_key"], c["field"], c["new"]) for c in lines] == [
        ("R0", "tombstoned_at", None), ("R1", "tombstoned_at", None),
    ]  # fmt: skip
    assert all(c["old"] for c in lines)
    assert said == [("R0", "restored"), ("R1", "restored")]
    assert sync(engine, store, card, ENTRIES).writes == 0


@MOSTLY_SQLITE
def test_after_an_undo_two_more_complete_reads_without_them_are_needed(
    engine: Engine, store: LandingStore, card: Card, gone: str
) -> None:
    undo_tombstones(engine, SOURCE, gone)
    found = [sync(engine, store, card, ENTRIES[2:]) for _ in range(3)]
    assert [(r.absent, r.tombstoned) for r in found] == [(2, 0), (2, 2), (0, 0)]


@MOSTLY_SQLITE
def test_undo_twice_writes_nothing(engine: Engine, gone: str) -> None:
    undo_tombstones(engine, SOURCE, gone)
    before = dump(engine)
    assert undo_tombstones(engine, SOURCE, gone).writes == 0
    assert dump(engine) == before


def test_what_came_back_since_is_left_alone(engine: Engine, store: LandingStore, card: Card, gone: str) -> None:
    sync(engine, store, card, ENTRIES[1:])
    assert undo_tombstones(engine, SOURCE, gone).restored == 1
    assert len(living(engine)) == 12


@MOSTLY_SQLITE
def test_an_unknown_batch_is_refused_by_name(engine: Engine, gone: str) -> None:
    for source, batch_id in ((SOURCE, "no-such-batch"), ("elsewhere", gone)):
        with pytest.raises(Permanent, match=f"no batch {batch_id} of {source} was merged"):
            undo_tombstones(engine, source, batch_id)


def test_items_restored_against_their_owners_list_are_judged_anew_by_the_next_read(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    shorter = [entry(0, items=[]), *ENTRIES[1:]]
    sync(engine, store, card, ENTRIES)
    result = sync(engine, store, card, shorter)
    assert (result.is_complete, result.children["resource_item"]["tombstoned"]) == (True, 2), result
    assert undo_tombstones(engine, SOURCE, result.batch_id).children["resource_item"]["restored"] == 2
    assert len(living_items(engine)) == 24
    sync(engine, store, card, shorter)
    assert len(living_items(engine)) == 22


@MOSTLY_SQLITE
def test_a_cleared_source_is_restored_by_the_next_harvest(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, ENTRIES)
    cleared = clear_source(engine, SOURCE, SOURCE)
    assert (cleared.tombstoned, cleared.children["resource_item"]["tombstoned"]) == (12, 24)
    assert (living(engine), living_items(engine)) == ({}, {})
    assert clear_source(engine, SOURCE, SOURCE).writes == 0
    result = sync(engine, store, card, ENTRIES)
    assert (result.restored, result.created, result.is_complete) == (12, 0, True), result
    assert (len(living(engine)), len(living_items(engine))) == (12, 24)
    assert sum(result.account().values()) == result.rows_received


def test_a_clearing_is_undone_like_any_tombstones(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, ENTRIES)
    before = living(engine), living_items(engine)
    cleared = clear_source(engine, SOURCE, SOURCE)
    assert undo_tombstones(engine, SOURCE, cleared.batch_id).restored == 12
    assert (living(engine), living_items(engine)) == before
    again = sync(engine, store, card, ENTRIES)
    assert (again.writes, again.unchanged) == (0, 12), again


@MOSTLY_SQLITE
@pytest.mark.parametrize(
    ("source", "confirm", "error", "words"),
    [
        (SOURCE, "", ConfigurationError, "confirm with its name"),
        (SOURCE, "elsewhere", ConfigurationError, "confirm with its name"),
        ("elsewhere", "elsewhere", Permanent, "nothing of elsewhere was ever merged"),
    ],
)
def test_clearing_wants_the_name_of_the_source_twice(
    engine: Engine, store: LandingStore, card: Card, source: str, confirm: str, error: type[Exception], words: str
) -> None:
    sync(engine, store, card, ENTRIES)
    with pytest.raises(error, match=words):
        clear_source(engine, source, confirm)
    assert len(living(engine)) == 12


@MOSTLY_SQLITE
def test_clearing_forgets_how_far_was_read_and_leaves_other_sources_alone(
    engine: Engine, store: LandingStore, card: Card, tmp_path: Path
) -> None:
    other = write_catalogue_card(tmp_path / "cards", source="county_catalogue")
    sync(engine, store, card, ENTRIES)
    sync(engine, store, other, ENTRIES)
    sync(engine, store, card, ENTRIES[1:])
    with engine.begin() as connection:
        at = connection.execute(select(batch.c.started_at).limit(1)).scalar_one()
        connection.execute(watermark.insert().values(source=SOURCE, changed_until=at, filter_digest="x", batch_id="b"))
    clear_source(engine, SOURCE, SOURCE)
    with engine.connect() as connection:
        assert [connection.execute(select(t)).all() for t in (watermark, absence)] == [[], []]
    assert len(living(engine, "county_catalogue")) == 12
