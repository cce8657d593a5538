"""How many living records have each canonical field, and how far what a card does not map reaches."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from include.landing.store import LandingStore
from include.ledger.coverage import FieldCoverage, coverage
from include.ledger.summary import open_questions
from include.sources.card import Card
from include.sources.card_files import load_card
from tests.depth import MOSTLY_SQLITE
from tests.ledger.rows import item, row, sync


@pytest.fixture
def card() -> Card:
    return load_card("provincial_approval")


def test_each_field_is_counted_over_the_living_records(engine: Engine, store: LandingStore, card: Card) -> None:
    rows = [row(n) for n in range(1, 21)]
    rows[0]["DIVISION_CODE"] = rows[1]["DIVISION_CODE"] = ""
    for _ in range(2):
        sync(engine, store, card, rows)
    for _ in range(2):
        sync(engine, store, card, rows[1:])
    found = coverage(engine, card.source)
    fields = {(c.entity, c.field): c for c in found}
    assert fields["project", "name"] == FieldCoverage("project", "name", "项目名称", 19, 19)
    assert fields["project", "division_code"].filled == 18
    assert fields["project", "former_code"].filled == 0
    assert fields["approval_item", "item_name"] == FieldCoverage("approval_item", "item_name", "审批事项", 38, 38)
    assert coverage(engine, "nothing") == []


@MOSTLY_SQLITE
def test_what_is_not_mapped_comes_with_its_share_of_the_records(
    engine: Engine, store: LandingStore, card: Card
) -> None:
    rows = [row(n) for n in range(8)]
    rows[0]["DATA_BATCH_NO"] = rows[1]["DATA_BATCH_NO"] = "x"
    rows[2]["PROJECT_NATURE"] = "9"
    rows[3]["ITEMS"] = [item(3, 1, DEAL_STATE="ITEM_XX")]
    sync(engine, store, card, rows)
    asked = {q["subject"]: q for q in open_questions(engine)}
    assert asked["DATA_BATCH_NO"]["detail"] == {"records": 2, "of": 8, "share": 0.25}
    assert asked["DATA_BATCH_NO"]["text"].endswith("(8 条记录中出现 2 次,占 25.0%)")
    assert asked["PROJECT_NATURE=9"]["detail"]["share"] == 1 / 8
    assert asked["ITEMS.DEAL_STATE=ITEM_XX"]["detail"] == {"records": 1, "of": 15, "share": 1 / 15}


@MOSTLY_SQLITE
def test_a_few_changed_records_do_not_replace_what_many_said(engine: Engine, store: LandingStore, card: Card) -> None:
    rows = [row(n, DATA_BATCH_NO="x") if n < 2 else row(n) for n in range(8)]
    sync(engine, store, card, rows)
    first = open_questions(engine)
    sync(engine, store, card, [row(0, DATA_BATCH_NO="y"), *rows[1:]])
    assert open_questions(engine) == first
    assert [q["detail"]["of"] for q in first] == [8]
