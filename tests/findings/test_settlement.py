"""处理结案: what nobody can mend any more is handled for good by two people, and wakes as soon as it is no longer that."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from include.decision_tasks import RESULTS as FORM_RESULTS
from include.errors import DecisionRefused
from include.findings.settlement import RESULTS, STILL_MENDABLE, settleable, unfounded
from include.findings.story import Kind
from include.findings.watch_report import _standing
from include.rules.rule_book import load_articles, load_rules
from tests.depth import BOTH, MOSTLY_SQLITE
from tests.findings.deciding import (
    FOR_GOOD,
    GROUND,
    PAID,
    assert_whole,
    everything,
    handled,
    id_of,
    judge_by_hand,
    kinds,
    standing,
    story,
    taken,
)
from tests.findings.deciding import said as _said
from tests.rules.evidence import DAY

pytestmark = MOSTLY_SQLITE

SEEN = "未通过验收后仍支付款项:2026-10-08 支付进度款"


def days(count: int) -> date:
    return DAY + timedelta(days=count)


def said(outcome: str = "fail", subject: str = "S", reason: str = FOR_GOOD, message: str = SEEN, **how: Any) -> Any:
    return _said(outcome, subject, PAID, reason, message=message, **how)


def settled(engine: Engine, *subjects: str, **how: Any) -> None:
    taken(engine, Kind.SETTLED, *subjects, rule=PAID, **how)


def now(engine: Engine, subject: str = "S") -> tuple[str, str, date | None]:
    return handled(engine, subject, PAID)


@BOTH
def test_a_settled_finding_keeps_what_was_seen_and_is_counted_apart(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said(), said(subject="T"))
    settled(engine, ground="双数通报〔2026〕3号", reason="已通报,款项已收回")
    row = standing(engine, "S", PAID)
    assert (row["state"], row["handling"], row["handled_until"], row["outcome"]) == ("open", "settled", None, "fail")
    event = story(engine, "S", PAID)[-1]
    assert (event.kind, event.by, event.reason) == (Kind.SETTLED, "engineer", FOR_GOOD)
    assert event.message == (
        "处理结案;处理结果:通报批评;engineer 提出;ops 批准;依据 双数通报〔2026〕3号;理由:已通报,款项已收回"
    )
    (kept,) = everything(engine)["decision"]
    assert (kept["kind"], kept["result"], kept["until"]) == ("settled", "criticised", None)
    judged = judge_by_hand(engine, days(400), said(), said(subject="T"))
    assert not judged.changes
    assert (judged.open, judged.handled, judged.waived) == (1, 1, 0)
    assert "现有线索和提示 1 条" in _standing(type("J", (), {"settled": judged})())
    assert _standing(type("J", (), {"settled": judged})()).endswith(";另有已处理结案 1 条")
    assert assert_whole(engine) == 2


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"result": None}, "处理结案须选处理结果:通报批评"),
        ({"result": "罚款"}, "处理结案须选处理结果"),
        ({"ground": None}, "须写处理文号"),
        ({"ground": "领导同意"}, "须写处理文号"),
        ({"reason": " "}, "处理结案须写理由"),
        ({"until": days(90)}, "处理结案没有期限"),
        ({"approved_by": None}, "approval of a second person"),
        ({"approved_by": "ENGINEER "}, "a second person must"),
    ],
)
def test_a_settlement_names_result_document_reason_and_two_people(
    engine: Engine, how: dict[str, Any], why: str
) -> None:
    judge_by_hand(engine, DAY, said())
    before = everything(engine)
    with pytest.raises(DecisionRefused, match=why):
        settled(engine, **how)
    assert everything(engine) == before


@pytest.mark.parametrize("ground", [GROUND, "局务会纪要第12期", "局务会纪要第十二期", "2026-11-20 约谈笔录"])
def test_a_reference_may_be_of_a_document_or_of_minutes(engine: Engine, ground: str) -> None:
    judge_by_hand(engine, DAY, said())
    settled(engine, ground=ground)
    assert now(engine) == ("open", "settled", None)


@pytest.mark.parametrize("outcome", ["fail", "warn"])
def test_what_can_still_be_mended_cannot_be_settled_and_the_refusal_says_so(engine: Engine, outcome: str) -> None:
    judge_by_hand(engine, DAY, said(outcome, reason="paid_without_acceptance"))
    with pytest.raises(DecisionRefused, match=rf"仍可补正\({STILL_MENDABLE}\).*不能处理结案;请整改,或申请有期限的豁免"):
        settled(engine)
    assert now(engine) == ("open", "new", None)


def test_what_is_not_proven_now_or_of_no_rule_or_over_cannot_be_settled(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said())
    judge_by_hand(engine, days(1), said("unknown", reason="evidence_missing"))
    with pytest.raises(DecisionRefused, match=f"自 {days(1)} 起证据不足"):
        settled(engine, day=days(1))
    judge_by_hand(engine, days(2), said("pass", reason="paid_after_acceptance"))
    with pytest.raises(DecisionRefused, match="it is resolved"):
        settled(engine, day=days(2))
    judge_by_hand(engine, DAY, _said("fail", rule="once-a-rule"), rules=["once-a-rule"])
    with pytest.raises(DecisionRefused, match="不在现行规则中"):
        taken(engine, Kind.SETTLED, rule="once-a-rule")


def test_no_other_decision_has_a_result(engine: Engine) -> None:
    judge_by_hand(engine, DAY, _said("fail"))
    with pytest.raises(DecisionRefused, match="只有处理结案才填处理结果"):
        taken(engine, Kind.WAIVED, result="criticised")


@BOTH
def test_what_two_people_settled_one_can_only_withdraw(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said())
    settled(engine)
    for kind in (Kind.ACKNOWLEDGED, Kind.RECTIFYING, Kind.DISPUTED):
        with pytest.raises(DecisionRefused, match="it is settled; withdraw that first"):
            taken(engine, kind, rule=PAID, until=days(5))
    settled(engine, decision_id="corrected", result="transferred")
    taken(engine, Kind.WITHDRAWN, rule=PAID)
    assert now(engine) == ("open", "new", None)
    assert kinds(engine, "S", PAID) == ["opened", "settled", "settled", "withdrawn"]
    assert_whole(engine)


WOKEN: list[tuple[dict[str, Any], list[str]]] = [
    ({"message": "未通过验收后仍支付款项:两笔"}, ["reason_changed", "settlement_ended"]),
    ({"reason": "paid_without_acceptance"}, ["reason_changed", "settlement_ended"]),
    ({"outcome": "warn", "reason": "paid_early"}, ["eased", "settlement_ended"]),
]


@pytest.mark.parametrize(("changed", "events"), WOKEN)
def test_a_settled_finding_wakes_when_it_is_no_longer_what_was_settled(
    engine: Engine, changed: dict[str, Any], events: list[str]
) -> None:
    judge_by_hand(engine, DAY, said())
    settled(engine)
    woken = judge_by_hand(engine, days(1), said(**changed))
    assert [c.kind.value for c in woken.changes] == events
    assert woken.changes[-1].message.startswith("情况与处理结案时不同,结案终止,线索恢复为未处置:")
    assert (now(engine), woken.handled) == (("open", "new", None), 0)
    assert standing(engine, "S", PAID)["message"] == changed.get("message", SEEN)
    assert not judge_by_hand(engine, days(2), said(**changed)).changes
    assert_whole(engine)


def test_a_settled_hint_that_becomes_a_lead_wakes(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said("warn", reason="paid_early"))
    settled(engine)
    woken = judge_by_hand(engine, days(1), said())
    assert [c.kind.value for c in woken.changes] == ["worsened", "settlement_ended"]
    assert now(engine) == ("open", "new", None)


def test_evidence_that_is_missing_for_a_while_wakes_nothing(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said())
    settled(engine)
    judge_by_hand(engine, days(1), said("unknown", reason="evidence_missing", message="证据不足"))
    judge_by_hand(engine, days(2), said())
    assert kinds(engine, "S", PAID) == ["opened", "settled", "unverified", "verified"]
    assert now(engine) == ("open", "settled", None)
    judge_by_hand(engine, days(3), said("unknown", reason="evidence_missing", message="证据不足"))
    judge_by_hand(engine, days(4), said(message="另一笔付款"))
    assert kinds(engine, "S", PAID)[-4:] == ["unverified", "verified", "reason_changed", "settlement_ended"]
    assert_whole(engine)


@pytest.mark.parametrize(
    ("facts", "events", "handling"),
    [
        ({"payments": 1}, ["rule_changed"], "settled"),
        ({"payments": 2}, ["reason_changed", "settlement_ended"], "new"),
    ],
)
def test_a_new_wording_of_the_rule_over_the_same_facts_wakes_nothing(
    engine: Engine, facts: dict[str, Any], events: list[str], handling: str
) -> None:
    judge_by_hand(engine, DAY, said(facts={"payments": 1}))
    settled(engine)
    changed = judge_by_hand(engine, days(1), said(facts=facts, version="v2", message="新写法"))
    assert [c.kind.value for c in changed.changes] == events
    assert now(engine)[1] == handling
    assert not judge_by_hand(engine, days(2), said(facts=facts, version="v2", message="新写法")).changes
    assert_whole(engine)


@pytest.mark.parametrize(("severity", "handling"), [("critical", "new"), ("high", "settled"), ("low", "settled")])
def test_a_rule_that_weighs_more_wakes_what_weighed_less(engine: Engine, severity: str, handling: str) -> None:
    judge_by_hand(engine, DAY, said(severity="high"))
    settled(engine)
    judge_by_hand(engine, days(1), said(severity=severity, version="v2"))
    assert now(engine)[1] == handling


def test_what_resolves_is_settled_no_more_and_comes_back_as_new(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said())
    settled(engine)
    judge_by_hand(engine, days(1), said("not_applicable", reason="before_measures"))
    assert now(engine) == ("resolved", "new", None)
    judge_by_hand(engine, days(2), said())
    assert now(engine) == ("open", "new", None)
    assert_whole(engine)


def test_a_subject_that_is_gone_ends_its_settlement(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said())
    settled(engine)
    judge_by_hand(engine, days(1), gone={("system", "S"): "withdrawn_at_source"})
    assert now(engine) == ("resolved", "new", None)
    assert kinds(engine, "S", PAID) == ["opened", "settled", "resolved"]


@BOTH
def test_what_only_a_settlement_can_end_is_listed_and_what_its_card_no_longer_allows(engine: Engine) -> None:
    judge_by_hand(
        engine, DAY, said(), said(subject="T"), said(subject="U"), said(subject="V", reason="paid_without_acceptance")
    )
    settled(engine, "S")
    rules = {rule.id: rule for rule in load_rules()}
    with engine.connect() as connection:
        assert settleable(connection, rules) == [(PAID, 2)]
        assert unfounded(connection, rules) == []
        without = {name: rule for name, rule in rules.items() if name != PAID}
        assert settleable(connection, without) == []
        assert unfounded(connection, without) == [(PAID, 1)]
        assert unfounded(connection, {}) == [(PAID, 1)]
    assert id_of("S", PAID)


def test_the_form_offers_the_results_that_can_be_recorded_each_with_a_clause_that_is_there() -> None:
    assert {result.value: title for result, (title, _) in RESULTS.items()} == FORM_RESULTS
    clauses = {clause for _, clause in RESULTS.values() if clause}
    assert clauses == {"art33", "art35", "art37"}
    assert clauses <= load_articles().keys()
