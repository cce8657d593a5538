"""What a card calls past mending: the reason is there, says that a thing was done, and nothing done later makes it pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.errors import CardError
from include.rules.deadlines import STILL_RUNNING
from include.rules.engine import judge
from include.rules.law.chapter_5 import OTHER_METHOD
from include.rules.records import Assessment, Review
from include.rules.rule_book import load_rules
from include.rules.verdict import Fact, Verdict
from tests.rules.own_config import own_card
from tests.rules.test_law_cases import BOOK, CASES, RULES, laid_over, shape

FOR_GOOD = {(rule.id, reason) for rule in RULES.values() for reason in rule.past_mending}
SHORT = ("fail", "warn")
Facts = dict[str, Any]


def test_every_reason_that_is_past_mending_is_one_of_its_card_and_none_is_of_a_thing_that_was_not_done() -> None:
    assert len(FOR_GOOD) >= 25
    for rule, reason in FOR_GOOD:
        assert reason in RULES[rule].messages
        assert reason not in STILL_RUNNING
        assert not reason.startswith(("no_", "not_", "un", "over", "evidence", "due", "suspended")), (rule, reason)
        assert "未见" not in RULES[rule].messages[reason], (rule, reason)
    assert OTHER_METHOD in RULES["tender-result-filed"].past_mending  # so `procedures-completed` takes it


def test_what_is_not_done_yet_is_past_mending_on_no_card() -> None:
    undone = {(r.id, reason) for r in RULES.values() for reason in r.messages if reason in STILL_RUNNING}
    assert len(undone) >= 40
    assert not undone & FOR_GOOD


@pytest.mark.parametrize(
    ("reasons", "why"),
    [
        (["late", "no_such_reason"], "past_mending: there is no 'no_such_reason'"),
        (["overdue"], "what is overdue can still be done"),
        (["late", "overdue", "due_soon"], "what is due_soon, overdue can still be done"),
    ],
)
def test_a_card_that_would_let_settle_what_is_none_or_can_still_be_done_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reasons: list[str], why: str
) -> None:
    folder = own_card(tmp_path, "demand-collected-in-july", lambda card: card.update(past_mending=reasons))
    monkeypatch.setenv("SHUHENG_CONFIG", str(folder))
    with pytest.raises(CardError, match=why):
        load_rules()


# -- nothing that is done later makes it pass -----------------------------------------------------------------------------------

LATER = timedelta(days=1)
KINDS = ("protection", "cipher", "risk", "acceptance_test")


def _filled(record: Any, day: date) -> Any:
    """Return a record in which all that was blank was done, decided or stated on a day."""
    blank = {f.name: f.type for f in fields(record) if getattr(record, f.name) is None}
    done = {n: day for n, kind in blank.items() if kind.startswith("date")}
    done |= {n: True for n, kind in blank.items() if kind.startswith("bool")}
    return replace(record, **done, **{n: "补〔2026〕1号" for n in blank if n.endswith("_no")})


def _do_what_was_left(facts: Facts, day: date) -> Facts:
    """Fill all but the items of approval, whose earlier steps cannot follow their later ones."""
    left = facts.keys() - {"approvals"}
    return facts | {name: _each(facts[name], lambda record: _filled(record, day)) for name in left}


def _report(facts: Facts, day: date) -> Facts:
    new = tuple(Assessment(f"新-{k}", k, day, day + 365 * LATER, "conform", has_major_risk=False) for k in KINDS)
    return facts | {"assessments": (*facts.get("assessments", ()), *new)}


def _review(facts: Facts, day: date) -> Facts:
    new = tuple(Review(f"新-{kind}", kind, day) for kind in ("ex_ante", "self", "post"))
    return facts | {"reviews": (*facts.get("reviews", ()), *new)}


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, tuple):
        return tuple(_each(one, change) for one in value)
    return change(value) if is_dataclass(value) else value


def _all(facts: Facts, day: date) -> Facts:
    return _review(_report(_do_what_was_left(facts, day), day), day)


ACTS = (_do_what_was_left, _report, _review, _all)


def _later(case: dict[str, Any], block: dict[str, Any], act: Callable[[Facts, date], Facts]) -> Verdict:
    """Judge a case some days after an act that came the day after it was judged."""
    given = laid_over(block["given"], case.get("given", {}))
    on = case.get("as_of", block["as_of"])
    facts = act({name: shape(name, value) for name, value in given.items() if value is not None}, on + LATER)
    day = on + 3 * LATER
    return judge(RULES[case["rule"]], {n: Fact(v, "test", day, ("b1",)) for n, v in facts.items()}, BOOK, day)


def _short(*, is_for_good: bool) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for case, block in CASES:
        outcome, reason = case["expect"]
        if outcome in SHORT and ((case["rule"], reason) in FOR_GOOD) is is_for_good:
            yield case, block


@pytest.mark.parametrize("act", ACTS)
def test_nothing_done_later_makes_pass_what_is_past_mending(act: Callable[[Facts, date], Facts]) -> None:
    cases = list(_short(is_for_good=True))
    assert {(case["rule"], case["expect"][1]) for case, _ in cases} == FOR_GOOD
    mended = [
        (case["rule"], case["name"], verdict.outcome.value, verdict.reason)
        for case, block in cases
        if (verdict := _later(case, block, act)).outcome.value in ("pass", "not_applicable")  # what resolves
    ]
    assert not mended


def test_the_same_acts_mend_much_of_what_is_not() -> None:
    of_rules = {rule for rule, _ in FOR_GOOD}
    mended = {
        (case["rule"], case["expect"][1])
        for case, block in _short(is_for_good=False)
        if case["rule"] in of_rules and _later(case, block, _all).outcome.value == "pass"
    }
    assert len(mended) >= 5, mended
