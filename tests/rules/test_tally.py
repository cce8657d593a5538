"""What was judged before and still holds counts as what is judged now: the same counts, the same digest."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from include.rules.tally import RuleVerdicts, Tally, mark, written
from include.rules.verdict import Fact, Outcome, Subject, Used, Verdict
from tests.rules.test_law_cases import RULES

ONE, OTHER = RULES["resources-not-idle"], RULES["system-kept-up"]
SAID = Verdict(
    ONE.id, "system", "s1", "", Outcome.FAIL, "idle", "空闲", (), Used(), {}, "art13", None, "v1", date(2026, 11, 20), None
)  # fmt: skip
FIRST = [SAID, replace(SAID, subject="s2"), replace(SAID, subject="s3", outcome=Outcome.PASS, reason="busy")]
SECOND = [replace(SAID, rule=OTHER.id, outcome=Outcome.PASS, reason="kept_up")]
SUBJECTS: list[Subject] = [("system", f"s{n}") for n in (1, 2, 3)]


def judged(first: list[Verdict], second: list[Verdict]) -> Tally:
    tally = Tally()
    tally.add(RuleVerdicts(ONE, first))
    tally.add(RuleVerdicts(OTHER, second))
    return tally


def test_verdicts_are_counted_by_rule_outcome_and_reason() -> None:
    tally = judged(FIRST, SECOND)
    tally.add(RuleVerdicts(RULES["records-steady"], FIRST, "KeyError: x"))
    assert (tally.verdicts, tally.judged) == (4, 4)
    assert tally.outcomes == {ONE.id: {"fail": 2, "pass": 1}, OTHER.id: {"pass": 1}}
    assert tally.reasons == {ONE.id: {"fail:idle": 2, "pass:busy": 1}, OTHER.id: {"pass:kept_up": 1}}
    assert tally.crashed == {"records-steady": "KeyError: x"}


def test_what_holds_counts_as_what_is_judged() -> None:
    whole = judged(FIRST, SECOND)
    assert {len(whole.said(subject)) for subject in SUBJECTS} == {40}, "of one verdict as of several, and of none"
    assert len(whole.said(("system", "nobody"))) == 40
    part = judged(FIRST[1:2], [])
    kept = sum(mark(subject, whole.said(subject)) for subject in SUBJECTS if subject != ("system", "s2"))
    counts = {(ONE.id, "fail", "idle"): 1, (ONE.id, "pass", "busy"): 1, (OTHER.id, "pass", "kept_up"): 1}
    part.hold(kept, counts)
    assert (part.verdicts, part.judged) == (4, 1)
    assert (part.outcomes, part.reasons) == (whole.outcomes, whole.reasons)
    assert part.said(("system", "s2")) == whole.said(("system", "s2"))
    assert part.digest == whole.digest
    assert judged(FIRST, []).digest != whole.digest
    assert judged([replace(FIRST[0], reason="else"), *FIRST[1:]], SECOND).digest != whole.digest
    assert judged([replace(FIRST[0], subject="s9"), *FIRST[1:]], SECOND).digest != whole.digest


def test_a_verdict_on_other_facts_says_something_else() -> None:
    fact = Fact(1, "a", None, ("b1",))
    first = replace(SAID, facts_used=Used(logins=fact))
    others = [
        {"calls": fact}, {"logins": replace(fact, value=2)}, {"logins": replace(fact, source="z")},
        {"logins": replace(fact, evidence=("b2",))}, {},
    ]  # fmt: skip
    assert len({first.said(), *(replace(SAID, facts_used=Used(facts)).said() for facts in others)}) == 6
    reaching = replace(SAID, facts_used=Used(logins=replace(fact, seen_until=SAID.as_of)))
    assert reaching.said() == first.said(), "how far it reaches is no part of it"


def test_a_sum_of_marks_has_forty_signs_and_tells_type_name_and_words_apart() -> None:
    most = 1 << 160
    assert [written(marks) for marks in (0, 1, most - 1, most, most + 16)] == [
        "0" * 40, "0" * 39 + "1", "f" * 40, "0" * 40, "0" * 38 + "10",
    ]  # fmt: skip
    marks = {mark(("a", "b"), "c"), mark(("x", "b"), "c"), mark(("a", "x"), "c"), mark(("a", "b"), "x")}
    assert len(marks) == 4
    assert all(0 < one < most for one in marks)
