"""The truth table of the interconnection state, case by case, through the whole rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.rules.engine import facts_needed, judge
from include.rules.facts import Calls, Exemption, Listing, Probes
from include.rules.interconnection import Evidence, interconnection
from include.rules.law.chapter_2 import STATES
from include.rules.parameters import ParameterBook
from include.rules.rule_book import load_rules
from include.rules.verdict import Fact

TABLE = yaml.safe_load((Path(__file__).parents[1] / "cases" / "interconnection.yaml").read_text("utf-8"))
ON: date = TABLE["as_of"]
LIVE = {"old": date(2020, 5, 1), "new": date(2025, 5, 1), "first": date(2024, 9, 9), "before": date(2024, 9, 8)}
LISTED = {
    "services": Listing(("s_1",), is_application=True), "application": Listing((), is_application=True),
    "none": Listing((), is_application=False),
}  # fmt: skip
RULE = next(r for r in load_rules() if r.id == "interconnected-with-exchange")
BOOK = ParameterBook.load()


def calls(case: dict[str, Any]) -> Calls | None:
    seen, observed = case["calls"], case.get("observed", 30)
    if seen == "unread":
        return None
    if seen in ("never", "none"):
        return Calls(30, observed, 7 if seen == "none" else 0, 0, 0, 0, None, None, None, is_flat=False)
    if seen == "own":
        return Calls(30, observed, 0, 4, 4, 0, ON - timedelta(days=1), 0, None, is_flat=False)
    in_window = 9 if seen < 30 else 0
    return Calls(30, observed, in_window, in_window, 0, 3, ON - timedelta(days=seen + 1), seen, None, is_flat=False)


def probes(case: dict[str, Any]) -> Probes | None:
    seen = case["probes"]
    if seen == "absent":
        return None
    if seen == "failed":
        return Probes(30, 30, 90, 0, 90, 0, None, None, "down")
    return Probes(30, 30, 90, 1, 89, 0, ON - timedelta(days=seen + 1), seen, "up")


def given(case: dict[str, Any]) -> dict[str, Fact]:
    exempt: tuple[Exemption, ...] | None = None if case.get("exempt") == "unread" else ()
    if "exempt_until" in case:
        exempt = (
            Exemption(
                "E1",
                "interconnection",
                "专网",
                None,
                case.get("granted_by", "市数据局"),
                case.get("exempt_from"),
                case["exempt_until"],
            ),
        )
    values = {
        "system_code": "SYS-1", "name": "甲系统", "status": "in_use", "exemptions": exempt, "went_live_on": LIVE.get(case["live"]),
        "declared_connection": {True: "connected", False: "not_connected"}.get(case["declared"]),
        "listing": LISTED.get(case["listed"]), "connection_calls": calls(case), "connection_probes": probes(case),
    }  # fmt: skip
    return {name: Fact(value, "test") for name, value in values.items() if value is not None}


def test_the_table_is_large_enough_and_names_every_state_and_reason() -> None:
    assert len(TABLE["cases"]) >= 40
    assert len({c["name"] for c in TABLE["cases"]}) == len(TABLE["cases"])
    assert {c["expect"][0] for c in TABLE["cases"]} == {state.value for state in STATES}
    assert {c["expect"][1] for c in TABLE["cases"]} == set(RULE.messages)


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda c: c["name"])
def test_state_reason_and_outcome(case: dict[str, Any]) -> None:
    state, reason, outcome = case["expect"]
    facts = given(case)
    verdict = judge(RULE, facts, BOOK, ON)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert set(verdict.facts_used) <= facts_needed([RULE]), "the card names what its function looks at"
    values = {
        name: facts[name].value if name in facts else None
        for name in ("declared_connection", "listing", "connection_calls", "connection_probes")
    }
    is_known = "exemptions" in facts and case.get("granted_by", "somebody") is not None
    found = interconnection(Evidence(*values.values(), is_exempt=state == "exempt" if is_known else None), 30, 80)
    assert (found.state, found.reason) == (state, reason)
    assert any("单位申报" in step for step in verdict.steps)
    assert any("实际调用" in step for step in verdict.steps)
    for name in ("connection_calls", "connection_probes"):
        if name in facts:
            assert f"最近成功 {facts[name].value.last_success_on or '无'}" in " ".join(verdict.steps)


def test_the_steps_say_since_when_it_is_asked_for_and_what_is_listed() -> None:
    said = set()
    for case in TABLE["cases"]:
        steps = " ".join(judge(RULE, given(case), BOOK, ON).steps)
        if "要求逐步联通" in steps or "验收前应联通" in steps:
            assert ("办法施行后上线" in steps) is (case["live"] in ("new", "first")), case["name"]
            said.add(case["live"])
        for listed, words in (("application", "仅登记应用,无服务"), ("none", "交换平台登记:未列出")):
            assert (words in steps) is (case["listed"] == listed), case["name"]
    assert said >= {"old", "new", "first", "before"}


def test_a_day_that_could_not_be_observed_ages_nothing() -> None:
    """The exchange down for a day: the same age in observed days, so the same state."""
    before = Calls(30, 30, 9, 9, 0, 0, ON - timedelta(days=30), 29, None, is_flat=False)
    after = Calls(30, 29, 9, 9, 0, 0, ON - timedelta(days=30), 29, None, is_flat=False)
    states = [interconnection(Evidence(None, LISTED["services"], c, None), 30, 80).state for c in (before, after)]
    assert states == ["connected", "connected"]


def test_no_fact_is_inferred_from_another() -> None:
    """Declaring changes nothing where the exchange can be seen; probes never make up for a missing listing."""
    for declared in ("connected", "not_connected", None):
        found = interconnection(Evidence(declared, LISTED["services"], calls({"calls": 3}), None), 30, 80)
        assert found.state == "connected"
    unlisted = interconnection(Evidence(None, LISTED["none"], None, probes({"probes": 0})), 30, 80)
    assert unlisted.state == "none"


@pytest.mark.parametrize("case", TABLE["cases"], ids=[c["name"] for c in TABLE["cases"]])
def test_what_looks_at_a_window_holds_for_the_day(case: dict[str, Any]) -> None:
    assert judge(RULE, given(case), BOOK, ON).holds_until == ON


def test_an_exemption_that_nobody_signed_is_told_where_no_other_excuses() -> None:
    case = next(c for c in TABLE["cases"] if c["expect"][0] == "exempt")
    facts = given(case)
    signed: Exemption = facts["exemptions"].value[0]
    blank = replace(signed, exemption_id="E0", granted_by=None)
    for exemptions, is_told in (((blank,), True), ((blank, signed), False)):
        verdict = judge(RULE, {**facts, "exemptions": Fact(exemptions, "test")}, BOOK, ON)
        assert any("未载明批准单位" in step and "E0" in step for step in verdict.steps) is is_told
        assert (verdict.reason == "exempt") is not is_told
