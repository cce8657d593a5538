"""A term has as many days as counted on the day it began, whatever the figure is on the day judged."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from include.rules.engine import judge
from include.rules.parameters import ParameterBook
from include.rules.records import Dossier
from include.rules.regulation_files import REGULATION
from include.rules.rule_book import load_rules
from include.rules.verdict import Fact

RULE = next(r for r in load_rules() if r.id == "review-within-15-working-days")


@pytest.mark.parametrize(
    ("requested", "given", "reason"), [("2026-04-27", "2026-05-20", "in_time"), ("2026-05-06", "2026-05-20", "late")]
)
def test_a_shorter_term_counts_only_for_what_began_after_it(
    requested: str, given: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = yaml.safe_load((REGULATION / "parameters.yaml").read_text("utf-8"))["parameters"]["review_working_days"]
    own["values"].append({"from": "2026-05-06", "value": 9, "source": "双数发〔2026〕9号", "status": "confirmed"})
    text = yaml.safe_dump({"parameters": {"review_working_days": own}}, allow_unicode=True)
    (tmp_path / "parameters.yaml").write_text(text)
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    dossier = Dossier(
        "2607-230500-04-04-123459", "甲项目",
        review_requested_on=date.fromisoformat(requested), review_opinion_on=date.fromisoformat(given),
    )  # fmt: skip
    values = {
        "project_code": dossier.project_code,
        "level": "city",
        "track": "unit",
        "dossier": dossier,
        "suspensions": (),
    }
    facts = {name: Fact(value, "test") for name, value in values.items()}
    verdict = judge(RULE, facts, ParameterBook.load(), date(2026, 6, 1))
    assert verdict.reason == reason
