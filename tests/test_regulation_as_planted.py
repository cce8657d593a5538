"""The whole way on a city of planted projects: read, judge, find what was planted, and leave the healthy alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from include import tasks
from include.clock import now
from include.findings.judging import judge
from include.ledger.database import migrate, open_ledger
from include.ledger.tables import finding, finding_event, judged_subject, verdict
from include.sandbox.server import SandboxServer
from tests.findings.ledger_state import count, standing
from tests.platform import connect

NO_GRADE = ("unknown", "evidence_missing")
"""Of a project without a system of known grade nobody knows whether its protection was to be tested."""

OF_PROJECTS: dict[str, tuple[str, set[tuple[str, str]]]] = {
    "review_late": ("review-within-15-working-days", {("warn", "late")}),
    "reply_running": ("reply-within-8-working-days", {("pass", "running"), ("warn", "due_soon"), ("fail", "overdue")}),
    "design_reply_late": ("design-reply-within-20-working-days", {("warn", "late")}),
    "suspended_correction": ("review-within-15-working-days", {("pass", "in_time")}),
    "suspended_third_party": ("design-reply-within-20-working-days", {("pass", "in_time")}),
    "merged_with_ground": ("merged-approval-has-ground", {("pass", "merged_on_ground")}),
    "merged_without_ground": ("merged-approval-has-ground", {("warn", "no_ground")}),
    "not_filed": ("approvals-filed-with-bureau", {("warn", "not_filed")}),
    "started_before_approval": ("not-started-before-approval", {("fail", "started_early")}),
    "off_plan_approved": ("in-annual-plan-or-approved", {("pass", "off_plan_approved"), ("pass", "approved_off_plan")}),
    "third_party_test_missing": ("third-party-test-if-million", {("fail", "not_tested")}),
    "amount_exactly_a_million": ("third-party-test-if-million", {("fail", "not_tested")}),
    "amount_just_below_a_million": ("third-party-test-if-million", {("not_applicable", "below_limit")}),
    "trial_too_short": ("trial-run-one-month", {("warn", "trial_short")}),
    "protection_missing": ("assessments-before-acceptance", {("fail", "not_assessed")}),
    "protection_expired": ("assessments-before-acceptance", {("fail", "not_assessed"), NO_GRADE}),
    "cipher_missing": ("assessments-before-acceptance", {("fail", "not_assessed")}),
    "failed_then_paid": ("no-final-payment-before-acceptance", {("fail", "paid_after_failure")}),
    "self_evaluation_early": ("self-evaluated-in-6-to-12-months", {("warn", "early"), ("warn", "only_early")}),
    "self_evaluation_late": ("self-evaluated-in-6-to-12-months", {("warn", "late")}),
    "self_evaluation_missing": ("self-evaluated-in-6-to-12-months", {("fail", "overdue")}),
    "ex_ante_evaluation_missing": ("ex-ante-evaluation-made", {("warn", "not_made")}),
    "own_machine_room": ("no-own-data-centre", {("warn", "centre_renewed"), ("fail", "own_centre")}),
    "unit_built_without_approval": ("built-by-bureau-or-approved", {("fail", "self_build_unapproved")}),
    "excluded_class": ("built-by-bureau-or-approved", {("not_applicable", "does_not_apply")}),
    "blank_dossier": ("built-by-bureau-or-approved", {("unknown", "evidence_missing")}),
}
OF_CONTRACTS = {
    "contract_without_ip": ("contract-carries-required-terms", ("fail", "term_absent")),
    "warranty_12_months": ("contract-carries-required-terms", ("warn", "warranty_short")),
}
QUIET = (
    "review-within-15-working-days", "reply-within-8-working-days", "design-reply-within-20-working-days",
    "merged-approval-has-ground",
    "approvals-filed-with-bureau", "not-started-before-approval", "review-opinion-before-approval", "third-party-test-if-million",
    "trial-run-one-month", "no-final-payment-before-acceptance", "self-evaluated-in-6-to-12-months", "no-own-data-centre",
    "built-by-bureau-or-approved", "users-tested-public-service", "responsible-person-named",
    "contracts-within-approved-investment", "ex-ante-evaluation-made",
)  # fmt: skip
"""Rules that must leave a healthy project alone."""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    with SandboxServer(projects=2000, seed=7, systems=200, home=tmp_path_factory.mktemp("planted")) as server:
        yield server


@pytest.fixture
def ledger(city: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    connect(monkeypatch, city)
    migrate()
    for source in [*tasks.choose_sources("projects", "register", "dossiers")]:
        tasks.merge_source(tasks.land_source(source, "auto"))
    return open_ledger()


def test_what_was_planted_is_found_and_the_healthy_are_left_alone(ledger: Any, city: SandboxServer) -> None:
    day = now().date()
    first = judge(ledger, "regulation", day)
    assert not first.crashed
    truth, found = city.truth()["dossiers"], standing(ledger)
    planted, wrong, looked = truth["planted"], [], set()
    for plant, (rule, wanted) in OF_PROJECTS.items():
        for code in planted[plant]:
            looked.add(plant)
            if found.get((rule, code)) not in wanted:
                wrong.append((plant, code, found.get((rule, code))))
    for plant, (rule, said) in OF_CONTRACTS.items():
        for number in truth["contracts"][plant]:
            looked.add(plant)
            if found.get((rule, number)) != said:
                wrong.append((plant, number, found.get((rule, number))))
    assert not wrong
    assert looked >= {*OF_PROJECTS, *OF_CONTRACTS} - {"blank_dossier"}
    false = [
        (rule, code, found.get((rule, code)))
        for code in truth["healthy"]
        for rule in QUIET
        if found[rule, code][0] in ("warn", "fail")
    ]
    assert not false
    assert len(truth["healthy"]) > 25
    left_out = {code: found["in-annual-plan-or-approved", code] for code in truth["not_in_plan"]}
    assert left_out
    assert set(left_out.values()) == {("fail", "not_in_plan")}
    counties = {case: {found["county-report-filed-first", c] for c in codes} for case, codes in truth["county"].items()}
    assert counties == {
        "late": {("fail", "filed_late")}, "after_submission": {("warn", "filed_after_submission")},
        "in_time": {("pass", "filed_first")},
    }  # fmt: skip
    assert len(truth["county"]["late"]) > 3
    _again_writes_nothing(ledger, day, first.digest)


def _again_writes_nothing(ledger: Any, day: Any, digest: str) -> None:
    tables = (verdict, finding, finding_event, judged_subject)
    before = count(ledger, *tables)
    again, full = judge(ledger, "regulation", day), judge(ledger, "regulation", day, full=True)
    assert again.digest == full.digest == digest
    assert again.tally.judged == 0
    assert full.tally.judged == full.tally.verdicts > 3000
    assert count(ledger, *tables) == before
