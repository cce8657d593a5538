"""What a judging asks of the facts of a day is what its rules look at, and no more."""

from __future__ import annotations

from dataclasses import replace

from include.rules.engine import facts_needed
from include.rules.rule_book import load_rules


def test_the_facts_that_rules_need_are_those_of_cards_exceptions_and_parts() -> None:
    rules = load_rules()
    seasonal = next(r for r in rules if "out_of_season" in r.exceptions)
    other = next(r for r in rules if r.subject == "source")
    needed = facts_needed([replace(seasonal, excludes={"level": ("county",)})])
    assert {*seasonal.needs, *seasonal.weighs, *seasonal.applies, "level"} <= needed
    assert {"purpose", "business_season"} <= needed, "an exception looks at them"
    assert not set(other.needs) & needed
    assert set(other.needs) <= facts_needed([replace(seasonal, parts=(other,))])
    assert facts_needed([]) == set()
