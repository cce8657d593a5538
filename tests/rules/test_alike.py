"""What subjects have alike is decided once: no verdict is another one for it, whichever subjects were judged before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from include.rules import engine
from include.rules.engine import Bench
from include.rules.facts import Load
from include.rules.parameters import Parameters
from include.rules.rule import Facts, Judgement
from include.rules.verdict import Fact, Outcome
from tests.depth import deep
from tests.rules.test_engine import BOOK, IDLE, ON
from tests.rules.test_engine import facts as given
from tests.rules.test_law_cases import CASES, RULES, laid_over, shape

Given = dict[str, Fact]


def _named(facts: Given, code: str) -> Given:
    """Return another subject with the very same facts but its code and name."""
    own = {name: Fact(code, "source_a") for name in ("system_code", "name")}
    return facts | own


def test_subjects_with_the_same_facts_are_decided_once_and_each_has_its_own_sentence() -> None:
    asked: list[str] = []

    def counting(facts: Facts, p: Parameters, on: date) -> Judgement:
        asked.append(facts.status)
        return IDLE.function(facts, p, on)

    rule, facts, bench = replace(IDLE, function=counting), given(), Bench(BOOK, ON)
    found = [bench.judge(rule, _named(facts, code)) for code in ("甲", "乙", "丙")]
    assert asked == ["in_use"]
    assert [(v.subject, f"“{v.subject}”" in v.message) for v in found] == [("甲", True), ("乙", True), ("丙", True)]
    assert found[0].facts_used is found[2].facts_used
    other = bench.judge(rule, _named(facts, "丁") | {"idle_load": Fact(Load(30, 30, 9000, 9000, 9000), "source_a")})
    assert (other.reason, len(asked)) == ("cpu_busy", 2)
    assert bench.judge(replace(rule, id="another"), _named(facts, "甲")).rule == "another"
    assert len(asked) == 3, "each rule decides for itself"


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


@pytest.mark.parametrize("most", [1, 2, 10_000])
def test_every_case_of_the_law_says_the_same_behind_others(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_MOST_ALIKE", most)
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
