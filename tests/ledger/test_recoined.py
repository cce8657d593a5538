"""Identifiers coined anew: held, asked about, decided, let in; what a person said holds ever after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include.errors import Permanent
from include.landing.store import LandingStore
from include.ledger.batch_record import records_of_batch
from include.ledger.decide import decide_identity, held_records
from include.ledger.merge import MergeResult
from include.ledger.summary import open_questions
from include.ledger.tables import absence, identity_decision, quarantine, resource, resource_change
from include.sources.card import Card
from tests.depth import MOSTLY_SQLITE
from tests.ledger.catalogue import entry, item, living, living_items, renamed, write_catalogue_card
from tests.ledger.rows import sync

ENTRIES = [entry(n) for n in range(8)]
MOVED = [renamed(ENTRIES[0]), *ENTRIES[1:]]


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return write_catalogue_card(tmp_path / "cards")


def decide(engine: Engine, store: LandingStore, card: Card, known: str | None, *, is_same: bool) -> MergeResult | None:
    return decide_identity(engine, store, card, known, is_same=is_same, by="张三", reason="电话核实")


def sync_decided(engine: Engine, store: LandingStore, card: Card) -> None:
    """Read the entries, then one of them under a new identifier, and let a person say that it is the same."""
    sync(engine, store, card, ENTRIES)
    sync(engine, store, card, MOVED)
    decide(engine, store, card, "R0", is_same=True)


def history(engine: Engine, key: str) -> dict[str, tuple[Any, Any]]:
    query = select(resource_change).where(resource_change.c.record_key == key).order_by(resource_change.c.changed_at)
    with engine.connect() as connection:
        return {r["field"]: (r["old"], r["new"]) for r in connection.execute(query).mappings()}


def outcomes(engine: Engine, batch_id: str) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        return [(o.record_key, o.outcome) for o in records_of_batch(connection, "city_catalogue", batch_id)]


def count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return len(connection.execute(select(table)).all())


@MOSTLY_SQLITE
def test_a_record_under_a_new_identifier_is_held_and_the_known_one_is_not_gone(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    sync(engine, store, card, ENTRIES)
    before = living(engine), living_items(engine)
    for _ in range(4):
        result = sync(engine, store, card, MOVED)
        assert (result.held, result.created, result.absent, result.tombstoned) == (1, 0, 0, 0), result
        assert (result.is_complete, result.unchanged, result.quarantined) == (True, 7, 0), result
        assert sum(result.account().values()) == result.rows_received == 8
        assert outcomes(engine, result.batch_id) == [("new-R0", "held")]
    assert (living(engine), living_items(engine)) == before
    (asked,) = open_questions(engine)
    assert (asked["kind"], asked["detail"]) == ("recoined_identifier", {"count": 1, "pairs": [["R0", "new-R0"]]})
    with engine.connect() as connection:
        (held,) = connection.execute(select(quarantine)).mappings()
    assert (held["record_key"], held["new_key"], held["state"]) == ("R0", "new-R0", "open")
    assert "疑似重编标识" in held["problems"] and "同名同单位" in held["problems"]


@MOSTLY_SQLITE
def test_names_are_compared_as_people_read_them(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, [entry(0, title="行政许可(A类)信息"), *ENTRIES[1:]])
    assert sync(engine, store, card, [entry(0, id="x", title="行政许可（ａ类） 信息"), *ENTRIES[1:]]).held == 1


@MOSTLY_SQLITE
def test_another_title_or_owner_or_two_like_it_is_a_new_record(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, ENTRIES)
    fresh = [entry(0, id="x", title="别的"), entry(0, id="y", unit="市公安局"), entry(1, id="z1"), entry(1, id="z2")]
    result = sync(engine, store, card, [*ENTRIES[2:], *fresh])
    assert (result.held, result.created, result.absent) == (0, 4, 2), result


@MOSTLY_SQLITE
def test_where_the_known_record_shows_again_the_new_one_comes_in_by_itself(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    sync(engine, store, card, ENTRIES)
    sync(engine, store, card, MOVED)
    result = sync(engine, store, card, [*ENTRIES, MOVED[0]])
    assert (result.created, result.held, result.unchanged) == (1, 0, 8), result
    assert len(living(engine)) == 9
    assert (open_questions(engine), held_records_of(engine)) == ([], [])


def held_records_of(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return held_records(connection, "city_catalogue")


@MOSTLY_SQLITE
def test_a_held_record_that_the_source_takes_back_is_gone_from_quarantine(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    sync(engine, store, card, ENTRIES)
    sync(engine, store, card, MOVED)
    result = sync(engine, store, card, ENTRIES[1:])
    assert (result.held, result.absent) == (0, 1), result
    assert (held_records_of(engine), open_questions(engine)) == ([], [])


@MOSTLY_SQLITE
def test_decided_to_be_the_same_it_keeps_key_history_and_items(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, [entry(0, about="旧说明"), *ENTRIES[1:]])
    sync(engine, store, card, ENTRIES)
    sync(engine, store, card, MOVED)
    result = decide(engine, store, card, "R0", is_same=True)
    assert result and (result.changed, result.created, result.held) == (1, 0, 0), result
    assert living(engine)["R0"] == "new-R0"
    assert len(living(engine)) == 8
    assert history(engine, "R0") == {"description": ("旧说明", "许可结果"), "resource_id": ("R0", "new-R0")}
    items = living_items(engine)
    assert (items["R0|名称"], items["R0|日期"], len(items)) == ("new-R0", "new-R0", 16)
    for _ in range(3):
        again = sync(engine, store, card, MOVED)
        assert (again.writes, again.unchanged, again.held, again.absent) == (0, 8, 0, 0), again
    changed = sync(engine, store, card, [MOVED[0] | {"rows": 5, "items": [item("名称"), item("新项")]}, *MOVED[1:]])
    assert (changed.changed, changed.created) == (1, 0), changed
    assert changed.children["resource_item"]["created"] == 1
    assert set(living_items(engine)) >= {"R0|名称", "R0|新项"} and "R0|日期" not in living_items(engine)
    assert (open_questions(engine), count(engine, absence)) == ([], 0)


def bad_keys(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        query = select(quarantine.c.record_key).where(quarantine.c.state == "open", quarantine.c.new_key.is_(None))
        return list(connection.execute(query).scalars())


def test_a_bad_row_under_the_decided_identifier_is_the_record_that_is_there(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    sync_decided(engine, store, card)
    for _ in range(3):
        result = sync(engine, store, card, [MOVED[0] | {"rows": "若干"}, *MOVED[1:]])
        assert (result.is_complete, result.quarantined, result.absent, result.tombstoned) == (True, 1, 0, 0), result
    assert (living(engine)["R0"], count(engine, absence), bad_keys(engine)) == ("new-R0", 0, ["new-R0"])
    right = sync(engine, store, card, [MOVED[0] | {"rows": 7}], full=False)
    assert (right.changed, bad_keys(engine)) == (1, []), right


@pytest.mark.parametrize("known", ["R0", "new-R0"])
def test_a_bad_row_between_two_absences_shows_that_the_record_is_there(
    engine: Engine, store: LandingStore, card: Card, known: str
) -> None:
    """Under its first identifier, and under the one that a person decided to be its."""
    sync(engine, store, card, ENTRIES)
    if known == "new-R0":
        sync(engine, store, card, MOVED)
        decide(engine, store, card, "R0", is_same=True)
    assert sync(engine, store, card, ENTRIES[1:]).absent == 1
    assert sync(engine, store, card, [entry(0, id=known, rows="若干")], full=False).quarantined == 1
    again = sync(engine, store, card, ENTRIES[1:])
    assert (again.absent, again.tombstoned) == (1, 0), again
    assert sync(engine, store, card, ENTRIES[1:]).tombstoned == 1


@MOSTLY_SQLITE
def test_a_second_new_identifier_can_be_decided_as_well(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, ENTRIES)
    for name in ("a", "b"):
        sync(engine, store, card, [entry(0, id=name), *ENTRIES[1:]])
        decide(engine, store, card, "R0", is_same=True)
        assert living(engine)["R0"] == name
        assert sync(engine, store, card, [entry(0, id=name), *ENTRIES[1:]]).writes == 0
    assert count(engine, resource) == 8


@MOSTLY_SQLITE
def test_decided_to_be_another_it_comes_in_and_the_known_one_needs_two_absences(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    sync(engine, store, card, ENTRIES)
    sync(engine, store, card, MOVED)
    result = decide(engine, store, card, "R0", is_same=False)
    assert result and (result.created, result.held) == (1, 0), result
    assert [sync(engine, store, card, MOVED).tombstoned for _ in range(3)] == [0, 1, 0]
    assert set(living(engine)) == {"new-R0", *(f"R{n}" for n in range(1, 8))}
    assert "new-R0|名称" in living_items(engine) and "R0|名称" not in living_items(engine)


def test_all_of_a_source_are_decided_at_once_and_twice_is_once(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, ENTRIES)
    everything = [renamed(e) for e in ENTRIES]
    assert sync(engine, store, card, everything).held == 8
    result = decide(engine, store, card, None, is_same=True)
    assert result and result.changed == 8
    assert decide(engine, store, card, None, is_same=True) is None
    assert decide(engine, store, card, "R3", is_same=True) is None
    assert (living(engine)["R3"], count(engine, resource), count(engine, identity_decision)) == ("new-R3", 8, 8)
    assert sync(engine, store, card, everything).writes == 0


@MOSTLY_SQLITE
def test_what_nobody_asked_or_what_was_decided_otherwise_is_refused_with_words(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    sync(engine, store, card, ENTRIES)
    with pytest.raises(Permanent, match="no record of city_catalogue is held against 'R0'"):
        decide(engine, store, card, "R0", is_same=True)
    sync(engine, store, card, MOVED)
    decide(engine, store, card, "R0", is_same=True)
    with pytest.raises(Permanent, match="decided by 张三 before"):
        decide(engine, store, card, "R0", is_same=False)


@MOSTLY_SQLITE
def test_a_source_that_shows_both_identifiers_overrules_what_was_decided(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    sync_decided(engine, store, card)
    for _ in range(2):
        sync(engine, store, card, [*ENTRIES, MOVED[0]])
    found = living(engine)
    assert (found["R0"], found["new-R0"], len(found)) == ("R0", "new-R0", 9)
    assert len(living_items(engine)) == 18
    assert sync(engine, store, card, [*ENTRIES, MOVED[0]]).writes == 0


@MOSTLY_SQLITE
def test_a_portal_that_goes_back_to_its_old_identifiers_keeps_its_records(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    sync_decided(engine, store, card)
    for _ in range(3):
        sync(engine, store, card, [entry(0, items=[item("名称")]), *ENTRIES[1:]])
    assert (living(engine)["R0"], count(engine, resource)) == ("R0", 8)
    assert "R0|日期" not in living_items(engine)
    assert living_items(engine)["R0|名称"] == "R0"


@MOSTLY_SQLITE
def test_in_a_window_a_new_identifier_is_held_as_well(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, ENTRIES)
    result = sync(engine, store, card, [MOVED[0]], full=False)
    assert (result.held, result.created, result.repeated) == (1, 0, 0), result


@MOSTLY_SQLITE
def test_a_forced_read_holds_it_too(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, ENTRIES)
    result = sync(engine, store, card, MOVED, force=True)
    assert (result.held, result.created, result.absent, result.unchanged, result.writes) == (1, 0, 0, 7, 0), result
