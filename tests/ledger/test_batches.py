"""Several batches in a row: narrowed questions, gaps, damaged pages, mended cards, sources that waver."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from include.clock import now
from include.errors import LandingCorrupt
from include.landing.batch import Manifest
from include.landing.store import LandingStore
from include.ledger.summary import open_questions
from include.ledger.sync import choose_window, merge_batch
from include.ledger.tables import absence, project, watermark
from include.sources.card import Card
from include.sources.card_files import load_card, read_card
from tests.depth import MOSTLY_SQLITE
from tests.ledger.rows import code, land, pages_of, row, sync


@pytest.fixture
def card() -> Card:
    return load_card("provincial_approval")


def alive(engine: Engine) -> set[str]:
    query = select(project.c.record_key).where(project.c.tombstoned_at.is_(None))
    with engine.connect() as connection:
        return set(connection.execute(query).scalars())


def merge_window(engine: Engine, store: LandingStore, card: Card, since: datetime, high_water: str) -> Any:
    """Merge an incremental batch of one row with the window and the latest change given."""
    manifest: Manifest = land(store, card, pages_of([row(1)]), full=False)
    manifest.since, manifest.high_water = since.isoformat(), high_water
    store.put_manifest(card.source, manifest.batch_id, manifest.to_dict())
    return merge_batch(engine, store, card, manifest.batch_id)


def mark(engine: Engine) -> datetime | None:
    with engine.connect() as connection:
        return connection.execute(select(watermark.c.changed_until)).scalar()


def test_what_a_narrower_question_leaves_out_is_not_gone(engine: Engine, store: LandingStore, card: Card) -> None:
    assert card.request is not None
    narrow = replace(card, request=replace(card.request, parameters={"division": "230500"}))
    sync(engine, store, card, [row(n) for n in range(10)])
    for _ in range(4):
        result = sync(engine, store, narrow, [row(n) for n in range(5)])
        assert result.is_complete, result.reasons
        assert (result.absent, result.tombstoned) == (0, 0)
    assert len(alive(engine)) == 10


@MOSTLY_SQLITE
def test_a_record_inside_the_narrower_question_can_still_vanish(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    assert card.request is not None
    narrow = replace(card, request=replace(card.request, parameters={"division": "230500"}))
    sync(engine, store, card, [row(n) for n in range(30)])
    sync(engine, store, narrow, [row(n) for n in range(25)])
    for expected in ((1, 0), (1, 1)):
        result = sync(engine, store, narrow, [row(n) for n in range(24)])
        assert (result.absent, result.tombstoned) == expected, result
    assert code(24) not in alive(engine)
    assert code(29) in alive(engine)


@MOSTLY_SQLITE
def test_asking_widely_again_forgets_what_lay_outside(engine: Engine, store: LandingStore, card: Card) -> None:
    assert card.request is not None
    narrow = replace(card, request=replace(card.request, parameters={"division": "230500"}))
    everything = [row(n) for n in range(10)]
    sync(engine, store, card, everything)
    sync(engine, store, narrow, everything[:5])
    sync(engine, store, card, everything)
    with engine.connect() as connection:
        assert list(connection.execute(select(absence))) == []


@MOSTLY_SQLITE
def test_a_window_behind_the_watermark_does_not_move_it_over_the_gap(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    start = datetime.fromisoformat("2026-11-01T00:00:00+08:00")
    merge_window(engine, store, card, start, "2026-11-05T00:00:00+08:00")
    assert mark(engine) is None  # nothing was read before the window
    first = land(store, card, pages_of([row(1)]))
    first.high_water = "2026-11-05T00:00:00+08:00"
    store.put_manifest(card.source, first.batch_id, first.to_dict())
    merge_batch(engine, store, card, first.batch_id)
    merge_window(engine, store, card, start + timedelta(days=9), "2026-11-12T00:00:00+08:00")
    assert mark(engine) == start + timedelta(days=4)
    merge_window(engine, store, card, start + timedelta(days=3), "2026-11-13T00:00:00+08:00")
    assert mark(engine) == start + timedelta(days=12)


@MOSTLY_SQLITE
def test_the_next_window_begins_an_overlap_before_the_watermark(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    with engine.connect() as connection:
        assert choose_window(connection, card, "auto", now()).is_full
    first = land(store, card, pages_of([row(1)]))
    first.high_water = "2026-11-05T00:00:00+08:00"
    store.put_manifest(card.source, first.batch_id, first.to_dict())
    merge_batch(engine, store, card, first.batch_id)
    with engine.connect() as connection:
        window = choose_window(connection, card, "auto", now())
        assert window.since == datetime.fromisoformat("2026-11-04T23:50:00+08:00")
        assert choose_window(connection, card, "full", now()).is_full
        assert choose_window(connection, card, "auto", now() + timedelta(days=8)).is_full


@MOSTLY_SQLITE
def test_a_damaged_page_is_named_put_aside_and_landed_anew(
    engine: Engine, store: LandingStore, card: Card, tmp_path: Path
) -> None:
    manifest = land(store, card, pages_of([row(1)]))
    (page,) = (tmp_path / "landing").glob("*/pages/*/*.zst")
    page.write_bytes(page.read_bytes()[:-7] + b"damaged")
    with pytest.raises(LandingCorrupt, match="read the source again"):
        merge_batch(engine, store, card, manifest.batch_id)
    assert sync(engine, store, card, [row(1)]).created == 1
    assert len(list((tmp_path / "landing").glob("*/pages/*/*.damaged"))) == 1


@MOSTLY_SQLITE
def test_questions_about_unmapped_values_close_when_the_card_maps_them(
    engine: Engine, store: LandingStore, card: Card, tmp_path: Path
) -> None:
    rows = [row(n, PROJECT_NATURE="9") for n in range(3)]
    sync(engine, store, card, rows)
    assert [q["subject"] for q in open_questions(engine)] == ["PROJECT_NATURE=9"]
    text = Path(card.file).read_text("utf-8").replace('"3": continued}', '"3": continued, "9": rebuilt}')
    mended_file = tmp_path / "provincial_approval.yaml"
    mended_file.write_text(text, "utf-8")
    mended = read_card(mended_file)
    assert mended.digest != card.digest
    result = sync(engine, store, mended, rows)
    assert (result.changed, open_questions(engine)) == (3, [])


def test_records_that_come_and_go_keep_their_history_and_ask_nothing(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    everything, less = [row(n) for n in range(25)], [row(n) for n in range(24)]
    for rows in (everything, less, less, everything, less, less, everything):
        sync(engine, store, card, rows)
    assert open_questions(engine) == []  # that they do is a finding of the source (records-steady)
    with engine.connect() as connection:
        query = text("SELECT record_key, old FROM project_change WHERE field = 'tombstoned_at'")
        told = Counter((key, old is None) for key, old in connection.execute(query))
    assert told == {(code(24), True): 2, (code(24), False): 2}


def test_a_great_loss_is_asked_about_until_it_is_over(engine: Engine, store: LandingStore, card: Card) -> None:
    everything, less = [row(n) for n in range(25)], [row(n) for n in range(10)]
    sync(engine, store, card, everything)
    assert not sync(engine, store, card, less).is_complete
    (asked,) = open_questions(engine)
    assert (asked["kind"], "accept-vanished" in asked["text"]) == ("vanishing_held", True)
    sync(engine, store, card, everything)
    assert open_questions(engine) == []


@MOSTLY_SQLITE
def test_a_person_can_confirm_a_great_loss(engine: Engine, store: LandingStore, card: Card) -> None:
    believed = replace(card, max_vanishing_share=1.0, max_vanishing_count=10**9)
    sync(engine, store, card, [row(n) for n in range(25)])
    for expected in (0, 15):
        result = sync(engine, store, believed, [row(n) for n in range(10)])
        assert result.tombstoned == expected, result
    assert len(alive(engine)) == 10
