"""The law's cases: every rule with its passes, findings and unknowns, and every threshold on both sides of its step."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.rules.engine import facts_needed, judge
from include.rules.facts import Calls, Catalogued, Exemption, Load, PendingProject, Probes, Project, Use
from include.rules.parameters import ParameterBook
from include.rules.records import (
    Acceptance,
    Approval,
    Assessment,
    Attestation,
    Contract,
    Dossier,
    Payment,
    PlanPlace,
    PlanYear,
    Rectification,
    Review,
    Suspension,
    UpgradeTarget,
)
from include.rules.rule_book import load_rules
from include.rules.verdict import Fact, Verdict

FOLDER = Path(__file__).parents[1] / "cases"
FILES = sorted(p for p in FOLDER.glob("*.yaml") if p.stem != "interconnection")
CASES = [
    (c | {"rule": b["rule"]}, b)
    for f in FILES
    for b in yaml.load_all(f.read_text("utf-8"), yaml.CSafeLoader)
    for c in b["cases"]
]
RULES = {r.id: r for r in load_rules()}
BOOK = ParameterBook.load()
RECORDS: dict[str, Any] = {
    "dossier": Dossier, "contract": Contract, "rectification": Rectification, "plan_year": PlanYear,
    "upgrade_target": UpgradeTarget,
}  # fmt: skip
LISTS: dict[str, Any] = {
    "exemptions": Exemption, "projects": Project, "approvals": Approval, "plan_places": PlanPlace, "contracts": Contract,
    "siblings": Contract, "payments": Payment, "acceptances": Acceptance, "assessments": Assessment, "reviews": Review,
    "suspensions": Suspension, "attestations": Attestation, "pending_projects": PendingProject,
}  # fmt: skip
SHAPES: dict[str, Any] = {"load": Load, "use": Use, "calls": Calls, "probes": Probes, "entries": Catalogued}


def shape(name: str, value: Any) -> Any:
    """Return a fact's value: windows and lists of things as their dataclasses, the rest as written."""
    role = name.rpartition("_")[2]
    if role in SHAPES and isinstance(value, dict):
        return SHAPES[role](**value)
    if name in RECORDS:
        return RECORDS[name](**money(value))
    if name in LISTS:
        return tuple(LISTS[name](**money(one)) for one in value)
    return tuple(value) if isinstance(value, list) else value


def money(row: dict[str, Any]) -> dict[str, Any]:
    """Return a record with its amounts as Decimal; they are written as texts."""
    return {n: Decimal(v) if n.endswith("_yuan") and v is not None else v for n, v in row.items()}


def laid_over(given: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a block with those of a case over them; of one record only the fields that the case names."""
    found = dict(given)
    for name, value in other.items():
        both = name in RECORDS and isinstance(value, dict) and isinstance(found.get(name), dict)
        found[name] = {**found[name], **value} if both else value
    return found


def judged(case: dict[str, Any], block: dict[str, Any], book: ParameterBook = BOOK) -> Verdict:
    given = laid_over(block["given"], case.get("given", {}))
    seen = case.get("seen", {})
    facts = {
        n: Fact(shape(n, v), "test", seen.get(n, date(2026, 11, 22)), ("b1",))
        for n, v in given.items()
        if v is not None
    }
    return judge(RULES[case["rule"]], facts, book, case.get("as_of", block["as_of"]))


def hold(case: dict[str, Any], verdict: Verdict) -> None:
    """Fail unless a verdict is what the case expects."""
    outcome, reason = case["expect"]
    assert (verdict.outcome.value, verdict.reason) == (outcome, reason), verdict.steps
    said = verdict.message + " ".join(verdict.steps)
    for words in case.get("says", []):
        assert words in said
    for words in case.get("unsaid", []):
        assert words not in said
    if "until" in case:
        assert verdict.holds_until == case["until"]


@pytest.mark.parametrize(("case", "block"), CASES, ids=[f"{c['rule']}: {c['name']}" for c, _ in CASES])
def test_case(case: dict[str, Any], block: dict[str, Any]) -> None:
    verdict = judged(case, block)
    hold(case, verdict)
    said = verdict.message + " ".join(verdict.steps)
    assert "违规" not in said
    assert "None" not in said
    assert judged(case, block).canonical() == verdict.canonical()
    assert set(verdict.facts_used) <= facts_needed([RULES[case["rule"]]]), "the card names what its function looks at"


FOR_EVERYBODY = {
    "system-has-project", "applications-within-unit-count", "plan-ready-by-october", "reported-on-provincial-platform",
    "evidence-current",
}  # fmt: skip
"""Rules that bear on every subject of theirs, at any time: their cards leave none out, and their functions have no such answer."""


def test_every_rule_has_its_cases_and_every_case_its_rule() -> None:
    assert len(CASES) >= 1200
    outcomes: dict[str, set[str]] = {}
    for case, _ in CASES:
        outcomes.setdefault(case["rule"], set()).add(case["expect"][0])
    assert set(outcomes) == set(RULES) - {"interconnected-with-exchange"}  # has a table of its own
    for rule, found in outcomes.items():
        assert "pass" in found, rule
        assert found & {"fail", "warn"}, rule
        assert "unknown" in found or rule == "evidence-current", rule  # that rule is what tells unknown evidence
        assert ("not_applicable" in found) == (rule not in FOR_EVERYBODY), rule
        card = RULES[rule]
        assert rule not in FOR_EVERYBODY or not (card.applies or card.excludes or card.exceptions), rule


def test_every_sentence_of_a_card_is_reached_by_a_case() -> None:
    said = {(c["rule"], c["expect"][1]) for c, _ in CASES}
    unsaid = [(r.id, reason) for r in RULES.values() for reason in r.messages if (r.id, reason) not in said]
    assert not [x for x in unsaid if x[0] != "interconnected-with-exchange"]


def test_soft_clauses_never_weigh_more_than_medium_and_say_so() -> None:
    for rule in RULES.values():
        if rule.article.modality == "in_principle":
            assert set(rule.severity.values()) <= {"medium", "low"}, rule.id
