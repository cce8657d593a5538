"""An entry that turns classified leaves no trace, under none of the identifiers that it ever had."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from include.landing.store import LandingStore
from include.ledger.decide import decide_identity
from include.ledger.expunge import expunge
from include.sources.card import Card
from tests.depth import MOSTLY_SQLITE
from tests.ledger.catalogue import entry, item, living, write_catalogue_card
from tests.ledger.rows import sync
from tests.ledger.test_expunge import left
from tests.traces import traces

TITLE, OLD, NEW = "深蓝工程支撑数据", "urn:deep-blue:1", "urn:deep-blue:2"
WORDS = [TITLE, OLD, NEW, "深蓝信息项"]
OTHERS = [entry(n) for n in range(9)]
BEFORE = entry(77, id=OLD, title=TITLE, items=[item("深蓝信息项")])
AFTER = BEFORE | {"id": NEW}


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return write_catalogue_card(tmp_path / "cards")


@MOSTLY_SQLITE
@pytest.mark.parametrize("refused", [OLD, NEW])
def test_a_renamed_record_goes_with_items_decision_and_pages_under_both_names(
    engine: Engine, store: LandingStore, card: Card, tmp_path: Path, refused: str
) -> None:
    sync(engine, store, card, [BEFORE, *OTHERS])
    sync(engine, store, card, [AFTER, *OTHERS])
    decide_identity(engine, store, card, OLD, is_same=True, by="张三", reason="电话核实")
    sync(engine, store, card, [AFTER | {"about": "改过"}, *OTHERS])
    named = {name for _, _, name in traces([OLD], left(engine, tmp_path))}
    assert any("identity_decision" in n for n in named) and any("resource_change" in n for n in named), named
    assert expunge(engine, store, card, {refused}) >= 1
    assert traces(WORDS, left(engine, tmp_path)) == []
    assert len(living(engine)) == 9


@MOSTLY_SQLITE
@pytest.mark.parametrize("refused", [OLD, NEW])
def test_a_held_record_goes_whichever_of_the_two_is_refused(
    engine: Engine, store: LandingStore, card: Card, tmp_path: Path, refused: str
) -> None:
    sync(engine, store, card, [BEFORE, *OTHERS])
    assert sync(engine, store, card, [AFTER, *OTHERS]).held == 1
    expunge(engine, store, card, {refused})
    gone = [refused] if refused == NEW else [OLD]
    assert traces(gone, left(engine, tmp_path)) == []
    assert len(living(engine)) == (10 if refused == NEW else 9)
    for _ in range(2):
        result = sync(engine, store, card, OTHERS if refused == NEW else [AFTER, *OTHERS])
        assert result.held == 0, result


def test_notes_of_repeated_records_go_as_well(engine: Engine, store: LandingStore, card: Card, tmp_path: Path) -> None:
    sync(engine, store, card, [BEFORE, BEFORE, *OTHERS])
    assert any("batch_record" in name for _, _, name in traces([OLD], left(engine, tmp_path)))
    expunge(engine, store, card, {OLD})
    assert traces(WORDS, left(engine, tmp_path)) == []
