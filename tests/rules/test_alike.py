"""What subjects have alike is decided once: no verdict is another one for it, whichever subjects were judged before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from include.rules import engine
from include.rules.engine import Bench
from include.rules.parameters import Parameters
from include.rules.rule import Facts, Judgement, Rule
from include.rules.verdict import Fact, Outcome
from tests.depth import deep
from tests.rules.test_engine import BOOK, IDLE, ON
from tests.rules.test_engine import facts as given
from tests.rules.test_law_cases import CASES, RULES, laid_over, shape

Given = dict[str, Fact]


def _named(facts: Given, code: str) -> Given:
    """Return another subject with the very same facts but its code and name."""
    return facts | {"system_code": Fact(code, "source_a"), "name": Fact(f"{code}名", "source_a")}


KEPT_UP = RULES["system-kept-up"]
"""A rule that looks at all that its card names."""


def _counting(rule: Rule) -> tuple[Rule, list[Any]]:
    """Return the rule with a function that notes by which release days it was asked."""
    asked: list[Any] = []

    def counting(facts: Facts, p: Parameters, on: date) -> Judgement:
        asked.append(facts.went_live_on)
        return rule.function(facts, p, on)

    return replace(rule, function=counting), asked


@pytest.mark.parametrize("rule", [IDLE, KEPT_UP], ids=lambda rule: rule.id)
def test_subjects_with_the_same_facts_are_decided_once_and_each_has_its_own_sentence(rule: Rule) -> None:
    (counted, asked), bench = _counting(rule), Bench(BOOK, ON)
    facts, later = given(), Fact(date(2025, 12, 1), "source_a", ON)
    kinds = [facts, facts | {"went_live_on": later}]
    found = [bench.judge(counted, _named(facts, code)) for code in ("甲", "乙", "丙") for facts in kinds]
    assert asked == [date(2020, 5, 1), date(2025, 12, 1)]
    assert [(v.subject, f"“{v.subject}名”" in v.message) for v in found] == [(c, True) for c in "甲甲乙乙丙丙"]
    assert found[0].facts_used is found[4].facts_used
    assert bench.judge(replace(counted, id="another"), _named(facts, "甲")).rule == "another"
    assert len(asked) == 3, "each rule decides for itself"


def test_what_was_decided_is_let_go_when_it_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_MOST_ALIKE", 2)
    (counted, asked), bench, facts = _counting(IDLE), Bench(BOOK, ON), given()
    kinds = [facts | {"went_live_on": Fact(date(2020, 1, n), "source_a", ON)} for n in (1, 2, 3)]
    for at in (0, 1, 0, 1, 2, 2, 0, 1):
        bench.judge(counted, kinds[at])
    assert [day.day for day in asked] == [1, 2, 3, 1, 2]


def test_where_many_are_unlike_each_is_decided_by_itself_but_scope_and_exceptions_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "_MOST_UNLIKE", 2)
    (counted, asked), bench, facts, borne = _counting(IDLE), Bench(BOOK, ON), given(), list[Any]()
    real = engine._bearing
    monkeypatch.setattr(engine, "_bearing", lambda *given: borne.append(given) or real(*given))
    kinds = [facts | {"idle_use": Fact(None, "source_a", ON, (f"b{n}",))} for n in range(3)]
    found = [bench.judge(counted, _named(kinds[at], "甲")) for at in (0, 0, 1, 2, 2, 2)]
    assert [len(asked), len(borne)] == [5, 4], "the first two are alike; behind two that are not, nobody looks"
    assert [v.canonical() for v in found] == [
        Bench(BOOK, ON).judge(counted, _named(kinds[at], "甲")).canonical() for at in (0, 0, 1, 2, 2, 2)
    ]


def test_projects_are_decided_each_by_itself() -> None:
    rule = replace(IDLE, subject="project")
    (counted, asked), bench = _counting(rule), Bench(BOOK, ON)
    for _ in range(2):
        bench.judge(counted, given() | {"project_code": Fact("甲", "source_a")})
    assert len(asked) == 2


def test_a_fact_that_no_card_names_tells_subjects_apart_once_it_is_looked_at() -> None:
    def looking(facts: Facts, p: Parameters, on: date) -> Judgement:
        is_old = facts.idle_use is not None and facts.unheard_of == "old"
        return Judgement(
            Outcome.FAIL if is_old else Outcome.PASS, "idle" if is_old else "has_calls", (), {"cpu": "0", "days": 1}
        )

    rule, facts, bench = replace(IDLE, function=looking), given(), Bench(BOOK, ON)
    kinds: list[Given] = [{}, {"unheard_of": Fact("old", "s")}, {"unheard_of": Fact("new", "s")}]
    for _ in range(2):
        found = [bench.judge(rule, _named(facts, "甲") | more).outcome for more in kinds]
        assert found == [Outcome.PASS, Outcome.FAIL, Outcome.PASS]


def test_facts_that_are_gone_lend_their_place_to_no_others() -> None:
    """One fact of each subject is made, judged and let go, so that the next one's stands where it stood; old ones say nothing."""
    bench, same = Bench(BOOK, ON), given(purpose=None)
    for n in range(deep(100, 1000)):
        read_on = ON - timedelta(days=1 if n % 2 else 400)
        verdict = bench.judge(IDLE, same | {"went_live_on": Fact(date(2020, 5, 1), "source_a", read_on)})
        assert verdict.outcome is (Outcome.FAIL if n % 2 else Outcome.UNKNOWN)


@pytest.mark.parametrize(("most", "unlike"), [(1, 1000), (2, 1000), (10_000, 1000), (1, 0), (10_000, 0), (10_000, 2)])
def test_every_case_of_the_law_says_the_same_behind_others(
    most: int, unlike: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_MOST_ALIKE", most)
    monkeypatch.setattr(engine, "_MOST_UNLIKE", unlike)
    benches: dict[date, Bench] = {}
    kept: dict[Any, Fact] = {}
    judged = 0
    for case, block in CASES:
        on, rule = case.get("as_of", block["as_of"]), RULES[case["rule"]]
        bench = benches.setdefault(on, Bench(BOOK, on))
        values = laid_over(block["given"], case.get("given", {}))
        facts: Given = {}
        for name, value in values.items():
            if value is not None:  # of equal facts there is one, as registers give them
                fact = Fact(shape(name, value), "test", on - timedelta(days=1), ("b1",))
                facts[name] = kept.setdefault((name, repr(fact)), fact)
        for code in ("甲", "乙"):
            mine = facts | {f"{rule.subject}_code": Fact(code, "test"), "name": Fact(f"{code}名", "test")}
            assert bench.judge(rule, mine).canonical() == Bench(BOOK, on).judge(rule, mine).canonical()
            judged += 1
    assert judged > 2 * len(RULES)
