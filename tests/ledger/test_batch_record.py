"""What a batch did, record by record; that it adds up; and what is asked where it does not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from include.landing.store import LandingStore
from include.ledger.batch_record import records_of_batch, unchanged_of_batch
from include.ledger.merge import MergeResult
from include.ledger.summary import open_questions
from include.ledger.sync import merge_batch
from include.sources.card import Card
from include.sources.page import Page
from tests.depth import MOSTLY_SQLITE
from tests.ledger.catalogue import entry, renamed, write_catalogue_card
from tests.ledger.rows import land, sync

ENTRIES = [entry(n) for n in range(12)]


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return write_catalogue_card(tmp_path / "cards")


def told(engine: Engine, result: MergeResult) -> dict[str, tuple[str, dict[str, Any]]]:
    with engine.connect() as connection:
        found = list(records_of_batch(connection, result.source, result.batch_id))
    return {o.record_key: (o.outcome, o.detail) for o in found if o.outcome != "warned"}


@MOSTLY_SQLITE
def test_every_record_of_a_batch_has_its_outcome(engine: Engine, store: LandingStore, card: Card) -> None:
    first = sync(engine, store, card, ENTRIES)
    assert Counter(outcome for outcome, _ in told(engine, first).values()) == {"created": 12}
    second = [
        *ENTRIES[:6], ENTRIES[5], entry(6, about="改过"), renamed(ENTRIES[7]), entry(8, rows="若干"), entry(99), entry(99),
        *ENTRIES[9:11],
    ]  # fmt: skip
    result = sync(engine, store, card, second, size=100)
    found = told(engine, result)
    assert found["R5"] == found["R99"] == ("repeated", {})
    assert found["R6"] == ("updated", {"description": ["许可结果", "改过"]})
    assert found["new-R7"] == ("held", {"known": "R7"})
    outcome, detail = found["R8"]
    assert (outcome, detail["problems"][0]["field"]) == ("quarantined", "record_count")
    assert set(found) == {"R5", "R6", "new-R7", "R8", "R99"}
    with engine.connect() as connection:
        unchanged = [o.record_key for o in unchanged_of_batch(connection, store, card, result.batch_id)]
    assert sorted(unchanged) == ["R0", "R1", "R10", "R2", "R3", "R4", "R9"]
    assert result.account() == {
        "refused": 0, "created": 1, "changed": 1, "restored": 0, "unchanged": 8, "repeated": 2, "quarantined": 1, "held": 1,
    }  # fmt: skip
    assert (result.rows_received, result.declared) == (14, 14)


@MOSTLY_SQLITE
def test_gone_and_back_are_told_of_the_batch_that_saw_it(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, ENTRIES)
    sync(engine, store, card, ENTRIES[1:])
    assert told(engine, sync(engine, store, card, ENTRIES[1:])) == {"R0": ("tombstoned", {})}
    assert told(engine, sync(engine, store, card, ENTRIES)) == {"R0": ("restored", {})}


@MOSTLY_SQLITE
def test_a_batch_that_repeats_another_tells_the_same_of_what_was_set_aside(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    rows = [*ENTRIES, entry(50, rows="若干"), ENTRIES[11]]
    results = [sync(engine, store, card, rows, size=100) for _ in range(3)]
    assert [(r.quarantined, r.repeated) for r in results] == [(1, 1)] * 3
    assert [told(engine, r)["R50"][0] for r in results] == ["quarantined"] * 3
    assert [told(engine, r)["R11"][0] for r in results[1:]] == ["repeated"] * 2


@MOSTLY_SQLITE
def test_of_two_rows_of_one_record_the_same_one_counts_every_time(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    rows = [*ENTRIES, entry(3, about="另一版本")]
    assert sync(engine, store, card, rows, size=100).repeated == 1
    for order in (rows[::-1], rows, rows[::-1]):
        result = sync(engine, store, card, order, size=100)
        assert (result.writes, result.repeated, result.is_complete) == (0, 1, True), result


@MOSTLY_SQLITE
def test_a_total_that_is_not_what_came_is_asked_about_until_it_is_right(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    wrong = land(store, card, [Page(1, list(ENTRIES), 12, 0, 13, is_last=True)])
    result = merge_batch(engine, store, card, wrong.batch_id)
    (asked,) = open_questions(engine)
    assert (result.is_complete, asked["kind"], asked["detail"]["declared"]) == (False, "count_mismatch", 13)
    assert "收到 12 条" in asked["text"] and "来源声明 13 条" in asked["text"]
    sync(engine, store, card, ENTRIES)
    assert open_questions(engine) == []


@MOSTLY_SQLITE
def test_a_landed_page_that_lost_a_row_does_not_add_up(engine: Engine, store: LandingStore, card: Card) -> None:
    manifest = land(store, card, [Page(1, list(ENTRIES), 12, 0, 12, is_last=True)])
    data = manifest.to_dict()
    data["pages"][0]["sha256"] = store.put_page(card.source, ENTRIES[:11])
    store.put_manifest(card.source, manifest.batch_id, data)
    assert sum(merge_batch(engine, store, card, manifest.batch_id).account().values()) == 11
    (asked,) = open_questions(engine)
    assert (asked["kind"], asked["detail"]["rows_received"]) == ("count_mismatch", 12)


@MOSTLY_SQLITE
def test_one_code_of_two_owners_is_asked_about_until_it_is_settled(
    engine: Engine, store: LandingStore, card: Card, tmp_path: Path
) -> None:
    other = write_catalogue_card(tmp_path / "cards", source="county_catalogue", title="区县目录")
    sync(
        engine,
        store,
        card,
        [*ENTRIES, entry(20, code="307010/1", unit="甲局"), entry(21, code="307010/1", unit="乙局")],
    )
    (asked,) = open_questions(engine, "two_owners")
    assert (asked["source"], asked["detail"]) == ("city_catalogue", {"count": 1, "codes": ["307010/1"]})
    sync(engine, store, other, [entry(0, unit="区市监局"), *ENTRIES[1:]])
    assert [q["source"] for q in open_questions(engine, "two_owners")] == ["city_catalogue", "county_catalogue"]
    sync(engine, store, other, ENTRIES)
    sync(
        engine,
        store,
        card,
        ENTRIES + [entry(20, code="307010/1", unit="甲局"), entry(21, code="307010/1", unit="甲局")],
    )
    assert open_questions(engine, "two_owners") == []


@MOSTLY_SQLITE
def test_names_do_not_matter_where_unified_codes_say_who_it_is(engine: Engine, store: LandingStore, card: Card) -> None:
    uscc, another = "11230500MB1234567C", "11230500MB7654321C"
    same = [entry(1, id="a", uscc=uscc), entry(1, id="b", uscc=uscc, unit="市市监局", title="别的")]
    sync(engine, store, card, same)
    assert open_questions(engine, "two_owners") == []
    sync(engine, store, card, [same[0], same[1] | {"uscc": another}])
    assert len(open_questions(engine, "two_owners")) == 1
