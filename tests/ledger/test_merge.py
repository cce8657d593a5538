"""Merging batches: what is written, what is not, what is remembered."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from include.errors import BatchSuperseded, SourceUnreachable
from include.landing.store import LandingStore
from include.ledger.merge import MergeResult
from include.ledger.sync import merge_batch
from include.ledger.tables import (
    absence,
    approval_item,
    approval_item_change,
    batch,
    project,
    project_alias,
    project_change,
    quarantine,
    question,
)
from include.sources.card import Card
from include.sources.card_files import load_card
from include.sources.page import Page, PageFault
from tests.depth import MOSTLY_SQLITE
from tests.ledger.rows import code, item, land, pages_of, row, sync


@pytest.fixture
def card() -> Card:
    return load_card("provincial_approval")


def _all(engine: Engine, table: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key.columns)).mappings())


def _one(engine: Engine, number: int) -> Any:
    with engine.connect() as connection:
        return connection.execute(select(project).where(project.c.record_key == code(number))).mappings().one()


def test_first_batch_creates_projects_and_their_items(engine: Engine, store: LandingStore, card: Card) -> None:
    result = sync(engine, store, card, [row(n) for n in range(25)])
    assert (result.created, result.changed, result.is_complete) == (25, 0, True), result
    assert result.children["approval_item"]["created"] == 50
    found = _one(engine, 7)
    assert str(found["total_investment_yuan"]) == "1234500.00"
    assert found["applied_at"].isoformat() == "2026-03-05T09:12:44+08:00"
    assert (found["code_form"], found["code_check"], found["is_void"]) == ("gb40058", "ok", False)
    items = _all(engine, approval_item)
    assert len(items) == 50
    assert {i["state"] for i in items} == {"approved"}
    assert {i["state_raw"] for i in items} == {"ITEM_BJ"}
    assert {i["document_no"] for i in items} == {"双发改〔2026〕5号"}
    assert _all(engine, project_change) == []


def test_same_records_again_write_nothing(engine: Engine, store: LandingStore, card: Card) -> None:
    rows = [row(n) for n in range(25)]
    sync(engine, store, card, rows)
    before = [_all(engine, t) for t in (project, approval_item, quarantine, question, absence)]
    again = sync(engine, store, card, rows)
    assert (again.writes, again.unchanged) == (0, 25), again
    assert [_all(engine, t) for t in (project, approval_item, quarantine, question, absence)] == before


@MOSTLY_SQLITE
def test_the_order_of_a_records_fields_is_no_change(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, [row(1)])
    assert sync(engine, store, card, [dict(reversed(row(1).items()))]).writes == 0


def test_a_changed_field_is_written_with_its_old_and_new_value(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, [row(n) for n in range(25)])
    changed = row(3, TOTAL_MONEY="200", PROJECT_NAME="新名称", VALIDITY_FLAG="0")
    changed["ITEMS"][1]["DEAL_STATE"] = "ITEM_CX"
    result = sync(engine, store, card, [changed if n == 3 else row(n) for n in range(25)])
    assert (result.created, result.changed, result.unchanged) == (0, 1, 24), result
    assert result.children["approval_item"] == {"created": 0, "changed": 1, "restored": 0, "tombstoned": 0}
    changes = {c["field"]: (c["old"], c["new"]) for c in _all(engine, project_change)}
    assert changes == {
        "total_investment_yuan": ("1234500.00", "2000000.00"),
        "name": ("测试系统3", "新名称"),
        "is_void": ("false", "true"),
    }
    assert {c["field"]: (c["old"], c["new"]) for c in _all(engine, approval_item_change)} == {
        "state": ("approved", "revoked"),
        "state_raw": ("ITEM_BJ", "ITEM_CX"),
    }
    assert _one(engine, 3)["changed_batch"] == result.batch_id
    assert _one(engine, 4)["changed_batch"] != result.batch_id


@MOSTLY_SQLITE
def test_a_difference_that_we_do_not_keep_changes_no_record(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, [row(1)])
    result = sync(engine, store, card, [row(1, TOTAL_MONEY="123.450", SECRET_FLAG=0)])
    assert (result.changed, result.writes) == (0, 0), result
    assert _all(engine, project_change) == []
    assert sync(engine, store, card, [row(1, TOTAL_MONEY="123.450", SECRET_FLAG=0)]).unchanged == 1


@MOSTLY_SQLITE
def test_a_merged_batch_is_not_merged_again(engine: Engine, store: LandingStore, card: Card) -> None:
    first = sync(engine, store, card, [row(1)])
    again = merge_batch(engine, store, card, first.batch_id)
    assert again.was_merged_before
    assert (again.created, again.rows_received) == (1, 1)
    assert len(_all(engine, batch)) == 1


@MOSTLY_SQLITE
def test_an_older_batch_is_refused_after_a_newer_one(engine: Engine, store: LandingStore, card: Card) -> None:
    old = land(store, card, pages_of([row(1, PROJECT_NAME="旧名称")]))
    sync(engine, store, card, [row(1)])
    with pytest.raises(BatchSuperseded, match=old.batch_id):
        merge_batch(engine, store, card, old.batch_id)
    assert _one(engine, 1)["name"] == "测试系统1"


def test_a_record_is_tombstoned_after_two_complete_batches_without_it(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    everything, less = [row(n) for n in range(25)], [row(n) for n in range(24)]
    sync(engine, store, card, everything)
    first = sync(engine, store, card, less)
    assert (first.absent, first.tombstoned) == (1, 0), first
    assert _one(engine, 24)["tombstoned_at"] is None
    second = sync(engine, store, card, less)
    assert (second.absent, second.tombstoned) == (1, 1), second
    assert _one(engine, 24)["tombstoned_at"] is not None
    assert [(c["record_key"], c["field"]) for c in _all(engine, project_change)] == [(code(24), "tombstoned_at")]
    third = sync(engine, store, card, less)
    assert (third.absent, third.tombstoned, third.writes) == (0, 0, 0), third


def test_a_record_that_comes_back_is_restored_with_its_history(engine: Engine, store: LandingStore, card: Card) -> None:
    everything, less = [row(n) for n in range(25)], [row(n) for n in range(24)]
    for rows in (everything, less, less):
        sync(engine, store, card, rows)
    back = sync(engine, store, card, everything)
    assert (back.restored, back.created) == (1, 0), back
    assert _one(engine, 24)["tombstoned_at"] is None
    assert len([c for c in _all(engine, project_change) if c["field"] == "tombstoned_at"]) == 2


@MOSTLY_SQLITE
def test_absences_that_are_not_in_a_row_do_not_add_up(engine: Engine, store: LandingStore, card: Card) -> None:
    everything, less = [row(n) for n in range(25)], [row(n) for n in range(24)]
    for rows in (everything, less, everything):
        sync(engine, store, card, rows)
    result = sync(engine, store, card, less)
    assert (result.absent, result.tombstoned) == (1, 0), result


def _without_last_page(rows: list[dict[str, Any]]) -> list[Page | PageFault]:
    return [*pages_of(rows)[:-1], PageFault(3, SourceUnreachable("connection reset"))]


@MOSTLY_SQLITE
def test_an_incomplete_batch_says_nothing_of_what_it_lacks(engine: Engine, store: LandingStore, card: Card) -> None:
    rows = [row(n) for n in range(25)]
    sync(engine, store, card, rows)
    for _ in range(3):
        result = merge_batch(engine, store, card, land(store, card, _without_last_page(rows)).batch_id)
        assert not result.is_complete
        assert (result.absent, result.tombstoned) == (0, 0)
        assert "page 3" in result.reasons[0]["text"]
    assert _all(engine, absence) == []
    assert all(p["tombstoned_at"] is None for p in _all(engine, project))


def test_an_incomplete_batch_adds_and_updates(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, [row(n) for n in range(5)])
    pages = [*pages_of([row(1, PROJECT_NAME="改名了"), row(99)]), PageFault(2, SourceUnreachable("reset"))]
    result = merge_batch(engine, store, card, land(store, card, pages).batch_id)
    assert (result.created, result.changed) == (1, 1), result


@pytest.mark.parametrize(("had", "has"), [(20, 0), (1000, 400)])
def test_a_great_loss_is_held(engine: Engine, store: LandingStore, card: Card, had: int, has: int) -> None:
    sync(engine, store, card, [row(n) for n in range(had)], size=1000)
    for _ in range(3):
        rows = [row(n) for n in range(has)]
        pages = pages_of(rows, 1000)
        result = merge_batch(engine, store, card, land(store, card, pages).batch_id)
        assert result.tombstoned == 0
        assert {r["code"] for r in result.reasons} & {"vanishing_held", "empty"}, result
    with engine.connect() as connection:
        alive = select(func.count()).select_from(project).where(project.c.tombstoned_at.is_(None))
        assert connection.execute(alive).scalar() == had


def test_bad_records_are_set_aside_with_every_problem_and_their_siblings_go_on(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    bad = row(2, TOTAL_MONEY="-5", APPLY_DATE="2026-02-30", PROJECT_NAME=None)
    result = sync(engine, store, card, [row(1), bad, row(3)])
    assert (result.created, result.quarantined) == (2, 1), result
    (held,) = _all(engine, quarantine)
    assert held["record_key"] == code(2)
    for field in ("total_investment_yuan", "applied_at", "name"):
        assert f'"field": "{field}"' in held["problems"]
    assert sync(engine, store, card, [row(1), bad, row(3)]).quarantined == 1
    assert _all(engine, quarantine) == [held]


def test_a_mended_record_leaves_quarantine(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, [row(1), row(2, TOTAL_MONEY="-5")])
    result = sync(engine, store, card, [row(1), row(2)])
    assert (result.created, result.quarantined) == (1, 0), result
    assert [q["state"] for q in _all(engine, quarantine)] == ["healed"]


@MOSTLY_SQLITE
def test_a_known_record_that_turns_bad_is_neither_changed_nor_absent(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    sync(engine, store, card, [row(1), row(2)])
    for _ in range(3):
        result = sync(engine, store, card, [row(1), row(2, TOTAL_MONEY="-5")])
        assert (result.quarantined, result.absent, result.tombstoned) == (1, 0, 0), result
    assert _one(engine, 2)["tombstoned_at"] is None
    assert str(_one(engine, 2)["total_investment_yuan"]) == "1234500.00"


@MOSTLY_SQLITE
def test_a_listing_that_moves_while_it_is_read_is_not_complete(engine: Engine, store: LandingStore, card: Card) -> None:
    rows = [row(n) for n in range(25)]
    sync(engine, store, card, rows)
    shifted = [*rows[:10], rows[9], *rows[10:24]]
    result = sync(engine, store, card, shifted)
    assert [r["code"] for r in result.reasons] == ["repeated_rows"], result
    assert result.absent == 0


@MOSTLY_SQLITE
def test_a_listing_that_moves_during_the_first_read_is_not_complete(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    rows = [row(n) for n in range(25)]
    result = sync(engine, store, card, [*rows[:10], rows[9], *rows[10:24]])
    assert [r["code"] for r in result.reasons] == ["repeated_rows"], result
    assert (result.created, result.repeated) == (24, 1), result


def test_of_two_versions_in_one_batch_the_newer_is_kept(engine: Engine, store: LandingStore, card: Card) -> None:
    new = row(1, PROJECT_NAME="新版本", UPDATETIME="2026-04-01T00:00:00")
    old = row(1, PROJECT_NAME="旧版本", UPDATETIME="2026-03-01T00:00:00")
    result = sync(engine, store, card, [new, old])
    assert (result.created, result.repeated) == (1, 1), result
    assert _one(engine, 1)["name"] == "新版本"


def test_items_gone_from_their_project_are_tombstoned_and_come_back(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    sync(engine, store, card, [row(1)])
    sync(engine, store, card, [row(1, ITEMS=[item(1, 1)])])
    assert [i["tombstoned_at"] is None for i in _all(engine, approval_item)] == [True, False]
    result = sync(engine, store, card, [row(1)])
    assert result.children["approval_item"]["restored"] == 1, result
    assert [i["tombstoned_at"] is None for i in _all(engine, approval_item)] == [True, True]


@MOSTLY_SQLITE
def test_a_missing_list_of_items_says_nothing(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, [row(1)])
    sync(engine, store, card, [row(1, ITEMS=None, PROJECT_NAME="改名了")])
    assert [i["tombstoned_at"] for i in _all(engine, approval_item)] == [None, None]


def test_a_reissued_code_points_to_the_new_one(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, [row(1)])
    sync(engine, store, card, [row(1, VALIDITY_FLAG="0"), row(2, OLD_PROJECT_CODE=code(1))])
    assert [(a["former_code"], a["project_code"]) for a in _all(engine, project_alias)] == [(code(1), code(2))]
    assert _one(engine, 1)["is_void"] is True


@MOSTLY_SQLITE
def test_what_the_card_does_not_map_is_asked_once(engine: Engine, store: LandingStore, card: Card) -> None:
    rows = [row(n, PROJECT_NATURE="9", DATA_BATCH_NO="x") for n in range(5)]
    sync(engine, store, card, rows)
    first = _all(engine, question)
    assert {(q["kind"], q["subject"]) for q in first} == {
        ("unmapped_field", "DATA_BATCH_NO"),
        ("unmapped_value", "PROJECT_NATURE=9"),
    }
    assert {p["nature_raw"] for p in _all(engine, project)} == {"9"}
    sync(engine, store, card, [*rows[1:], row(7, PROJECT_NATURE="9", DATA_BATCH_NO="y")])
    assert len(_all(engine, question)) == 2


def test_a_dry_run_says_what_would_change_and_writes_nothing(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, [row(1)])
    before = [_all(engine, t) for t in (project, project_change, approval_item, batch, question)]
    result: MergeResult = sync(engine, store, card, [row(1, PROJECT_NAME="改名了"), row(2)], dry_run=True)
    assert (result.created, result.changed) == (1, 1), result
    assert {(s["record_key"], s["field"]) for s in result.sample} == {(code(1), "name"), (code(2), "(new)")}
    assert [_all(engine, t) for t in (project, project_change, approval_item, batch, question)] == before
