"""Merging what was landed once more: quarantine after a card was mended, and a batch under a new card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include.errors import BatchSuperseded, LandingCorrupt
from include.landing.store import LandingStore
from include.ledger.replay import open_quarantine, replay_batch, replay_quarantine
from include.ledger.tables import batch, project, quarantine, watermark
from include.sources.card import Card
from include.sources.card_files import load_card
from tests.depth import MOSTLY_SQLITE
from tests.ledger.rows import code, item, land, pages_of, row, sync
from tests.platform import overlay_card


@pytest.fixture
def card() -> Card:
    return load_card("provincial_approval")


@pytest.fixture
def mended(card: Card, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Card:
    """Return the card with the name read from where the platform has moved it."""
    overlay_card(monkeypatch, tmp_path / "config", card.source, fields={"name": {"from": ["PROJECT_NAME", "XMMC"]}})
    changed = load_card(card.source)
    assert changed.digest != card.digest
    return changed


def moved(number: int) -> dict[str, Any]:
    """Return a record whose name stands where the shipped card does not look."""
    return row(number, PROJECT_NAME=None, XMMC=f"搬家的名称{number}")


def _states(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return dict(connection.execute(select(quarantine.c.record_key, quarantine.c.state)).tuples().all())


def _names(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return dict(connection.execute(select(project.c.record_key, project.c.name)).tuples().all())


@MOSTLY_SQLITE
def test_open_quarantine_is_listed_by_source_with_every_problem(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    sync(engine, store, card, [row(1), moved(2), moved(3)])
    sync(
        engine,
        store,
        load_card("annual_plan"),
        [{"计划年度": "2027", "项目名称": "某某平台", "建设单位": "市数据局", "计划投资(万元)": "很多"}],
    )
    assert {r["record_key"] for r in open_quarantine(engine, card.source)} == {code(2), code(3)}
    assert [r["source"] for r in open_quarantine(engine)].count("annual_plan") == 1
    assert len(open_quarantine(engine)) == 3
    assert open_quarantine(engine, "zj_projects") == []
    assert '"field": "name"' in open_quarantine(engine, card.source)[0]["problems"]


def test_quarantined_records_come_in_after_the_card_was_mended(
    engine: Engine, store: LandingStore, card: Card, mended: Card
) -> None:
    sync(engine, store, card, [row(1), moved(2), moved(3)])
    result = replay_quarantine(engine, store, mended)
    assert result
    assert (result.created, result.quarantined, result.tombstoned, result.absent) == (2, 0, 0, 0), result
    assert _names(engine) == {code(1): "测试系统1", code(2): "搬家的名称2", code(3): "搬家的名称3"}
    assert set(_states(engine).values()) == {"healed"}
    assert open_quarantine(engine) == []
    assert replay_quarantine(engine, store, mended) is None


@MOSTLY_SQLITE
def test_what_is_still_wrong_stays_in_quarantine(engine: Engine, store: LandingStore, card: Card, mended: Card) -> None:
    sync(engine, store, card, [row(1), moved(2), row(3, TOTAL_MONEY="-5")])
    result = replay_quarantine(engine, store, mended)
    assert result
    assert (result.created, result.quarantined) == (1, 1), result
    assert _states(engine)[code(2)] == "healed"
    assert {r["record_key"] for r in open_quarantine(engine)} == {code(3)}


@MOSTLY_SQLITE
def test_replaying_quarantine_under_the_same_card_changes_nothing(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    sync(engine, store, card, [row(1), moved(2)])
    before = open_quarantine(engine)
    result = replay_quarantine(engine, store, card)
    assert result
    assert (result.writes, result.quarantined) == (0, 1), result
    assert open_quarantine(engine) == before


@MOSTLY_SQLITE
def test_replaying_quarantine_claims_nothing_about_the_rest(
    engine: Engine, store: LandingStore, card: Card, mended: Card
) -> None:
    sync(engine, store, card, [*(row(n) for n in range(20)), moved(30)])
    for _ in range(3):
        replay_quarantine(engine, store, mended)
    with engine.connect() as connection:
        assert connection.execute(select(project.c.record_key).where(project.c.tombstoned_at.is_not(None))).all() == []
        assert connection.execute(select(watermark)).all() == []
        latest = connection.execute(select(batch).order_by(batch.c.started_at.desc())).mappings().first()
    assert latest
    assert (latest["is_complete"], latest["is_full"]) == (False, False)
    assert '"replay"' in latest["reasons"]


@MOSTLY_SQLITE
def test_nothing_in_quarantine_is_nothing_to_replay(engine: Engine, store: LandingStore, card: Card) -> None:
    sync(engine, store, card, [row(1)])
    assert replay_quarantine(engine, store, card) is None


def test_a_landed_batch_is_read_anew_under_the_card_as_it_is_now(
    engine: Engine, store: LandingStore, card: Card, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = sync(engine, store, card, [row(n) for n in range(12)])
    overlay_card(
        monkeypatch,
        tmp_path / "config",
        card.source,
        fields={"total_investment_yuan": {"from": "TOTAL_MONEY", "as": "yuan"}},
    )
    result = replay_batch(engine, store, load_card(card.source), first.batch_id)
    assert (result.changed, result.created, result.tombstoned) == (12, 0, 0), result
    assert not result.is_complete
    with engine.connect() as connection:
        amounts = set(connection.execute(select(project.c.total_investment_yuan)).scalars())
    assert {str(a) for a in amounts} == {"123.45"}


@MOSTLY_SQLITE
def test_replaying_a_batch_again_writes_nothing(engine: Engine, store: LandingStore, card: Card) -> None:
    first = sync(engine, store, card, [row(n) for n in range(12)])
    result = replay_batch(engine, store, card, first.batch_id)
    assert (result.writes, result.unchanged) == (0, 12), result


@MOSTLY_SQLITE
def test_a_batch_that_was_landed_and_never_merged_can_be_merged_by_hand(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    landed = land(store, card, pages_of([row(n, ITEMS=[item(n, 1)]) for n in range(12)]))
    result = replay_batch(engine, store, card, landed.batch_id)
    assert (result.created, result.children["approval_item"]["created"]) == (12, 12), result


@MOSTLY_SQLITE
def test_an_older_batch_is_not_replayed_over_a_newer_one(engine: Engine, store: LandingStore, card: Card) -> None:
    old = sync(engine, store, card, [row(1, PROJECT_NAME="旧名称")])
    new = sync(engine, store, card, [row(1)])
    with pytest.raises(BatchSuperseded, match=f"{new.batch_id}.*{old.batch_id}.*read the source again"):
        replay_batch(engine, store, card, old.batch_id)
    assert _names(engine) == {code(1): "测试系统1"}


@MOSTLY_SQLITE
def test_a_batch_that_is_not_there_is_said_by_name(engine: Engine, store: LandingStore, card: Card) -> None:
    with pytest.raises(LandingCorrupt, match="no batch nothing-of-this-name of provincial_approval"):
        replay_batch(engine, store, card, "nothing-of-this-name")
