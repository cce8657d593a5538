"""What the cards say of the rules stands in the ledger, and is brought to the cards without needless writes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, select

from include.findings.rule_titles import sync_rule_titles
from include.ledger.alert_tables import rule_title
from include.rules.rule import Rule
from include.rules.rule_book import load_rules

RULES = load_rules()


def synced(engine: Engine, *rules: Rule) -> int:
    with engine.begin() as connection:
        return sync_rule_titles(connection, rules)


def titles(engine: Engine) -> dict[str, dict[str, Any]]:
    with engine.connect() as connection:
        return {row["rule"]: dict(row) for row in connection.execute(select(rule_title)).mappings()}


def test_every_rule_has_its_title_article_and_roles(engine: Engine) -> None:
    with engine.begin() as connection:
        assert sync_rule_titles(connection) == len(RULES)
        assert sync_rule_titles(connection) == 0
    found = titles(engine)
    assert found.keys() == {rule.id for rule in RULES}
    assert found["interconnected-with-exchange"].items() >= {
        "scope": "interconnection", "subject_type": "system", "title": "系统已与市数据共享交换平台互联互通", "clause": "art8.p3",
        "article": "第八条第三款", "article_no": 8, "modality": "in_principle", "told": "unit,bureau_exchange",
        "responsible": "建设(使用)单位、市数据局(共享交换)", "is_in_force": True,
    }.items()  # fmt: skip
    assert found["evidence-current"]["article_no"] is None
    assert not [rule for rule, row in found.items() if not (row["title"] and row["article"] and row["remedy"])]
    numbers = {row["article_no"] for row in found.values()}
    assert {16, 18, 21, 30, 33, 36} <= numbers, "what the dossier counts as approvals and funding"


def test_a_card_that_changed_is_written_and_one_that_is_gone_stays_out_of_force(engine: Engine) -> None:
    first, second, third = RULES[:3]
    assert synced(engine, first, second) == 2
    assert synced(engine, replace(first, title="改写的名称"), third) == 3
    found = titles(engine)
    assert found[first.id]["title"] == "改写的名称"
    assert {rule: row["is_in_force"] for rule, row in found.items()} == {
        first.id: True, second.id: False, third.id: True,
    }  # fmt: skip
    assert synced(engine, replace(first, title="改写的名称"), third) == 0
    assert synced(engine, first, second, third) == 2
