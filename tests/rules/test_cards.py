"""What a card says of whom its rule bears on, how fresh evidence must be and how much it weighs, each held by what is judged.

The page of rules shows every change of a card; here stands which of them would be against the law or against what was agreed.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from include.rules.rule_book import load_rules
from include.rules.verdict import Verdict
from tests.rules.own_config import shipped_card
from tests.rules.test_interconnection import BOOK, RULE, TABLE, given, judge
from tests.rules.test_law_cases import CASES, RULES, judged, laid_over

DAY = timedelta(days=1)
PASSING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    case["rule"]: (case, block) for case, block in reversed(CASES) if case["expect"][0] == "pass"
}
"""The first passing case of each rule; interconnection has a table of its own."""

LEFT_OUT = {"content_class": ["office_terminal", "packaged_software", "consultancy", "testing", "upkeep"]}
"""What the measures do not bear on (art. 38)."""

SUBJECT_TO_ALL = {
    "project-has-system", "demand-collected-in-july", "applications-within-unit-count", "plan-ready-by-october",
    "reported-on-provincial-platform", "guide-deliberated", "applications-jointly-reviewed", "rectified-in-time-or-funds-paused",
}  # fmt: skip
"""Rules on registers, plans and notices: no kind of project is left out."""

IN_TRIAL = {
    "deployed-on-city-cloud", "traffic-not-machine-made", "component-catalogue-compiled", "cloud-catalogue-compiled",
    "data-collected", "data-catalogue-compiled",
}  # fmt: skip
"""Rules that bear on a system while it is tried out; interconnection, too."""

BUILT_BY_UNIT = {"review-within-15-working-days", "review-opinion-before-approval", "approvals-filed-with-bureau"}
"""Rules on what the bureau does not build itself."""

AGEING = {
    "system-has-project", "project-has-system", "deployed-on-city-cloud", "resources-not-idle", "system-in-regular-use",
    "resources-fit-load", "system-kept-up", "not-a-zombie-candidate", "upgrade-target-not-idle", "shareable-data-shared",
    "security-duties-current", "component-catalogue-compiled", "cloud-catalogue-compiled", "data-collected",
    "catalogue-and-data-delivered", "data-catalogue-compiled", "shared-entries-mounted", "om-funding-eligible",
    "procedures-completed", "entries-updated-in-time", "no-new-project-while-not-eligible",
}  # fmt: skip
"""Rules that take no evidence older than a week."""

HIGH = {
    "plan-ready-by-october", "not-started-before-approval", "review-opinion-before-approval", "security-duties-current",
    "assessments-before-acceptance", "third-party-test-if-million", "acceptance-held", "data-catalogue-compiled",
    "rectified-in-time-or-funds-paused", "county-report-filed-first", "evidence-current", "calendar-loaded",
}  # fmt: skip
CRITICAL = {"no-final-payment-before-acceptance"}
WARNED_OF_IN_EARNEST = {
    "not-a-zombie-candidate", "contracts-within-approved-investment", "tender-result-filed", "trial-run-one-month",
    "no-new-project-while-not-eligible",
}  # fmt: skip
NEVER_FAILING = {
    "traffic-not-machine-made", "system-has-project", "project-has-system", "shared-across-levels-considered", "resources-fit-load",
    "not-a-zombie-candidate", "merged-approval-has-ground", "approvals-filed-with-bureau",
    "contracts-within-approved-investment", "tender-result-filed", "contract-split-avoided", "trial-run-one-month", "archive-kept",
    "om-funding-eligible", "records-steady", "entries-updated-in-time", "no-new-project-while-not-eligible",
    "ex-ante-evaluation-made", "guide-deliberated", "applications-jointly-reviewed", "acceptance-supervised",
    "post-evaluation-commissioned",
}  # fmt: skip
NEVER_WARNING = {
    "system-in-regular-use", "system-kept-up", "applications-within-unit-count", "upgrade-target-alive", "not-duplicating-existing",
    "review-opinion-before-approval", "responsible-person-named", "evidence-current",
}  # fmt: skip


def with_facts(rule: str, seen: date | None = None, **facts: Any) -> Verdict:
    """Judge the passing case of a rule with some facts changed, all of them seen on a day."""
    case, block = PASSING[rule]
    merged = laid_over(case.get("given", {}), facts)
    aged = {"seen": dict.fromkeys(laid_over(block["given"], merged), seen)} if seen else {}
    return judged(case | {"given": merged} | aged, block)


def leaves_out(rule: str, **facts: Any) -> bool:
    return with_facts(rule, **facts).reason == "does_not_apply"


def of_subject(*subjects: str) -> set[str]:
    return {rule for rule in PASSING if RULES[rule].subject in subjects}


def test_every_rule_has_a_case_that_passes() -> None:
    assert set(PASSING) == set(RULES) - {RULE.id}


@pytest.mark.parametrize("kind", LEFT_OUT["content_class"])
def test_what_the_measures_do_not_bear_on_is_left_out_by_every_rule_on_projects(kind: str) -> None:
    bears = of_subject("project", "contract", "plan_entry") - SUBJECT_TO_ALL
    assert len(bears) == 32
    assert {rule for rule in PASSING if leaves_out(rule, content_class=kind)} == bears


def test_what_costs_the_city_nothing_is_left_out_but_for_the_county_that_pays_itself() -> None:
    bears = of_subject("project", "contract", "plan_entry") - SUBJECT_TO_ALL
    assert {rule for rule in PASSING if leaves_out(rule, fund_scope="none")} == bears - {"county-report-filed-first"}


def test_city_and_county_are_judged_by_their_own_rules() -> None:
    bears = of_subject("project", "contract", "plan_entry") - SUBJECT_TO_ALL
    assert {rule for rule in PASSING if leaves_out(rule, level="county")} == bears - {"county-report-filed-first"}
    assert {rule for rule in PASSING if leaves_out(rule, level="city")} == {"county-report-filed-first"}
    assert {rule for rule in PASSING if leaves_out(rule, track="bureau")} == BUILT_BY_UNIT


def test_a_system_is_judged_in_use_by_all_and_tried_out_by_some() -> None:
    bears = of_subject("system") - {"system-has-project"}
    assert len(bears) == 18
    assert {rule for rule in PASSING if leaves_out(rule, status="trial")} == bears - IN_TRIAL
    for status in ("building", "stopped"):
        assert {rule for rule in PASSING if leaves_out(rule, status=status)} == bears
    assert not {rule for rule in bears if leaves_out(rule, status="in_use")}


@pytest.mark.parametrize(("status", "is_left_out"), [("in_use", False), ("trial", False), ("building", True)])
def test_interconnection_is_judged_in_use_and_tried_out(status: str, is_left_out: bool) -> None:
    facts = given(TABLE["cases"][0])
    verdict = judge(RULE, facts | {"status": with_status(facts, status)}, BOOK, TABLE["as_of"])
    assert (verdict.reason == "does_not_apply") is is_left_out


def with_status(facts: dict[str, Any], status: str) -> Any:
    return type(facts["status"])(status, "test")


def test_evidence_of_a_week_counts_and_what_is_older_does_not_where_it_ages() -> None:
    aged = {}
    for rule, (case, block) in PASSING.items():
        on = case.get("as_of", block["as_of"])
        assert with_facts(rule, seen=on - 7 * DAY).outcome.value == "pass", rule
        aged[rule] = with_facts(rule, seen=on - 8 * DAY).outcome.value
    assert {rule for rule, outcome in aged.items() if outcome == "unknown"} == AGEING
    assert {rule for rule, outcome in aged.items() if outcome == "pass"} == set(PASSING) - AGEING


def test_each_rule_weighs_what_was_agreed() -> None:
    for rule in RULES.values():
        fail = "critical" if rule.id in CRITICAL else "high" if rule.id in HIGH else "medium"
        warn = "medium" if rule.id in WARNED_OF_IN_EARNEST else "low"
        agreed = {
            **({} if rule.id in NEVER_FAILING else {"fail": fail}),
            **({} if rule.id in NEVER_WARNING else {"warn": warn}),
        }
        assert rule.severity == agreed, rule.id


def test_only_what_is_critical_is_never_waived() -> None:
    assert {rule.id for rule in RULES.values() if not rule.is_waivable} == CRITICAL


def test_what_a_card_says_nothing_of_may_be_waived_and_counts_no_working_days() -> None:
    silent = shipped_card("resources-not-idle")
    assert not {"waivable", "counts_workdays"} & set(silent)
    rule = next(rule for rule in load_rules() if rule.id == "resources-not-idle")
    assert (rule.is_waivable, rule.counts_workdays) == (True, False)
