"""Labels → receivers: every rule and every route of the shipped routing is reached by a case."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.alerts.routing import Labels, Routing, load_routing
from tests.alerts.town import rules

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "routing_cases.yaml").read_text("utf-8"))


@cache
def _routing() -> Routing:
    return load_routing(rules().values())


def _labels(case: dict[str, Any]) -> Labels:
    rule, outcome = rules()[case["rule"]], case["outcome"]
    topic = _routing().topic_of[rule.id]
    return Labels(topic, rule.id, rule.severity[outcome], outcome, "某局", rule.subject, rule.scope)


def _told(routing: Routing, case: dict[str, Any]) -> list[str]:
    return list(routing.receivers_of(_labels(case), rules()[case["rule"]].told))


@pytest.mark.parametrize("case", CASES, ids=[f"{c['rule']}-{c['outcome']}" for c in CASES])
def test_a_finding_is_told_to(case: dict[str, Any]) -> None:
    assert _told(_routing(), case) == case["receivers"]


def test_every_rule_has_a_case_and_every_case_is_another() -> None:
    assert len(CASES) >= 25
    assert {case["rule"] for case in CASES} == set(rules())
    assert len({_labels(case) for case in CASES}) == len(CASES)


def test_without_any_route_some_case_would_fail() -> None:
    """A route that no case notices could be wrong without anybody seeing it."""
    routes = _routing().routes
    assert routes
    for index in range(len(routes)):
        without = replace(_routing(), routes=routes[:index] + routes[index + 1 :])
        assert [c for c in CASES if _told(without, c) != c["receivers"]], routes[index]


def test_everybody_told_can_be_reached_and_is_called_what_the_reports_call_them() -> None:
    from include.findings.titles import ROLES

    named = {name for case in CASES for name in case["receivers"]}
    assert {"unit", "finance", "operator", "section_head", "bureau_office"} <= named
    for name in named:
        assert [card.id for card, _ in _routing().ways_to(name, "某局")] == ["spool"]
    assert {r.title for r in _routing().receivers.values() if r.id in ROLES} == {zh for zh, _ in ROLES.values()}
