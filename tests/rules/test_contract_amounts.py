"""A contract is held against the figures of the day on which it was signed, an acceptance against those of its own day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.rules.engine import judge
from include.rules.parameters import ParameterBook
from include.rules.records import Acceptance, Contract, Dossier
from include.rules.regulation_files import REGULATION
from include.rules.rule_book import load_rules
from include.rules.verdict import Fact, Verdict

RULES = {rule.id: rule for rule in load_rules()}
ON = date(2026, 11, 23)
CHANGED, BEFORE = date(2026, 5, 6), date(2026, 5, 5)


def book_with(name: str, value: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ParameterBook:
    """Return the parameters with another value of one of them from `CHANGED` on."""
    own = yaml.safe_load((REGULATION / "parameters.yaml").read_text("utf-8"))["parameters"][name]
    own["values"].append({"from": f"{CHANGED}", "value": value, "source": "双数发〔2026〕9号", "status": "confirmed"})
    text = yaml.safe_dump({"parameters": {name: own}}, allow_unicode=True)
    (tmp_path / "parameters.yaml").write_text(text)
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    return ParameterBook.load()


def contract(signed: date, **stated: Any) -> Contract:
    return Contract("HT-1", "P", "甲合同", Decimal("500000.00"), signed, **stated)


def judged(rule: str, book: ParameterBook, **facts: Any) -> Verdict:
    given = {"contract_code": "HT-1", "project_code": "P", "level": "city", "track": "unit", **facts}
    return judge(RULES[rule], {name: Fact(value, "test") for name, value in given.items()}, book, ON)


@pytest.mark.parametrize(("signed", "reason"), [(BEFORE, "below_limit"), (CHANGED, "not_filed")])
def test_a_lower_limit_counts_only_for_contracts_signed_since(
    signed: date, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = book_with("procurement_limit_works_yuan", 500_000, tmp_path, monkeypatch)
    found = judged("tender-result-filed", book, contract=contract(signed, procurement_kind="works"))
    assert found.reason == reason


@pytest.mark.parametrize(("signed", "reason"), [(BEFORE, "filed"), (CHANGED, "other_method")])
def test_a_lower_threshold_of_open_tender_counts_only_since(
    signed: date, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = book_with("open_tender_yuan", 500_000, tmp_path, monkeypatch)
    one = contract(signed, procurement_kind="goods", procurement_method="inquiry", award_filed_on=ON)
    assert judged("tender-result-filed", book, contract=one).reason == reason


@pytest.mark.parametrize(("signed", "reason"), [(BEFORE, "terms_stated"), (CHANGED, "warranty_short")])
def test_a_longer_warranty_counts_only_since(
    signed: date, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = book_with("warranty_months", 36, tmp_path, monkeypatch)
    terms = ("states_ip", "states_data_ownership", "states_breach_liability", "states_warranty", "states_termination")
    one = contract(signed, warranty_months=24, **dict.fromkeys(terms, True))
    assert judged("contract-carries-required-terms", book, contract=one).reason == reason


@pytest.mark.parametrize(("signed", "reason"), [(BEFORE, "not_split"), (CHANGED, "not_below")])
def test_a_lower_limit_of_testing_counts_only_for_contracts_signed_since(
    signed: date, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = book_with("third_party_test_yuan", 500_000, tmp_path, monkeypatch)
    assert judged("contract-split-avoided", book, contract=contract(signed), siblings=()).reason == reason


@pytest.mark.parametrize(("held", "reason"), [(BEFORE, "below_limit"), (CHANGED, "not_tested")])
def test_a_lower_limit_of_testing_counts_only_for_acceptances_since(
    held: date, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = book_with("third_party_test_yuan", 500_000, tmp_path, monkeypatch)
    facts = {"acceptances": (Acceptance("Y1", held, "passed"),), "contracts": (contract(BEFORE),), "assessments": ()}
    assert judged("third-party-test-if-million", book, **facts).reason == reason


@pytest.mark.parametrize(("held", "reason"), [(BEFORE, "trial_run"), (CHANGED, "trial_short")])
def test_a_longer_trial_run_counts_only_for_acceptances_since(
    held: date, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = book_with("trial_run_months", 3, tmp_path, monkeypatch)
    dossier = Dossier("P", "甲项目", trial_started_on=date(2026, 4, 1), is_scope_completed=True)
    facts = {"acceptances": (Acceptance("Y1", held, "passed"),), "dossier": dossier}
    assert judged("trial-run-one-month", book, **facts).reason == reason


def test_before_a_figure_has_a_value_that_of_the_day_judged_counts() -> None:
    parameters = ParameterBook.load().on(ON)
    assert parameters.at("trial_run_months", date(2024, 9, 9)) == 1
    assert parameters.at("trial_run_months", date(2024, 9, 8)) == 1
