"""A verdict holds as long as it says: judged again on any day until then, with unchanged facts, it is the same to the byte."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest

from include.rules.engine import Bench
from include.rules.verdict import Fact, Verdict
from tests.depth import deep
from tests.rules.test_law_cases import BOOK, CASES, RULES, laid_over, shape

DAY = timedelta(days=1)
FAR = 40
"""Days for which a verdict is followed that nothing but new facts can change, and one that holds for longer."""
STEP = deep(5, 1)
"""Days from one look to the next, the first and the last day aside."""


@cache
def bench(on: date) -> Bench:
    return Bench(BOOK, on)


def judged(case: dict[str, Any], given: dict[str, Any], on: date) -> Verdict:
    """Return the verdict of a day; the sources were read the day before it, so that no evidence grows old."""
    facts = {n: Fact(shape(n, v), "test", on - DAY, ("b1",)) for n, v in given.items() if v is not None}
    return bench(on).judge(RULES[case["rule"]], facts)


@pytest.mark.parametrize(("case", "block"), CASES, ids=[f"{c['rule']}: {c['name']}" for c, _ in CASES])
def test_a_verdict_is_the_same_until_the_day_it_names(case: dict[str, Any], block: dict[str, Any]) -> None:
    first = case.get("as_of", block["as_of"])
    given = laid_over(block["given"], case.get("given", {}))
    verdict = judged(case, given, first)
    last = min(verdict.holds_until or date.max, first + FAR * DAY)
    assert last >= first
    days = (last - first).days
    for ahead in sorted({*range(1, days + 1, STEP), days} - {0}):
        again = judged(case, given, first + ahead * DAY)
        assert again.said() == verdict.said(), (again.as_of, again.steps, verdict.steps)
    if verdict.holds_until and verdict.holds_until > first + FAR * DAY:
        at_last = judged(case, given, verdict.holds_until)
        assert at_last.said() == verdict.said(), (at_last.as_of, at_last.steps, verdict.steps)


def test_a_verdict_that_ends_is_another_one_on_the_day_after() -> None:
    """Nothing ends early for no reason: all but a few verdicts on projects and plans change when they said they would."""
    ended = changed = 0
    for case, block in CASES:
        if RULES[case["rule"]].scope != "regulation":
            continue
        given = laid_over(block["given"], case.get("given", {}))
        verdict = judged(case, given, case.get("as_of", block["as_of"]))
        if verdict.holds_until:
            ended += 1
            changed += judged(case, given, verdict.holds_until + DAY).said() != verdict.said()
    assert ended >= 40
    assert changed >= ended * 0.9
