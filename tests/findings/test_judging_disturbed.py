"""Judging disturbed: a rule that breaks, two at once, kill -9 at any statement; the ledger is that of one calm run."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine

from include.findings import judging as judging_module
from include.rules.rule_book import load_rules
from tests.depth import BOTH, MOSTLY_SQLITE
from tests.findings.at_once import at_once
from tests.findings.killed import killed_before
from tests.findings.ledger_state import assert_folds, judge_day, ledger_rows, says
from tests.rules.city import City
from tests.rules.evidence import DAY, at

pytestmark = MOSTLY_SQLITE


def test_a_rule_that_breaks_takes_no_other_with_it(engine: Engine, city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = judge_day(engine, DAY)
    findings = [r for r in ledger_rows(engine)["finding"] if r["rule"] == "resources-not-idle"]
    assert findings
    day = city.next_day()
    city.change("system", city.last["system_register"], {"system_code": "idle"}, at(day, 2), status="stopped")

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("half way")

    rules = [replace(r, function=broken) if r.id == "resources-not-idle" else r for r in load_rules()]
    monkeypatch.setattr(judging_module, "load_rules", lambda book: rules)
    judged = judge_day(engine, day)
    assert list(judged.crashed) == ["resources-not-idle"]
    assert "ZeroDivisionError" in judged.crashed["resources-not-idle"]
    assert judged.summary()["crashed"] == ["resources-not-idle"]
    assert set(judged.tally.outcomes) == set(whole.tally.outcomes) - {"resources-not-idle"}
    assert [r for r in ledger_rows(engine)["finding"] if r["rule"] == "resources-not-idle"] == findings
    assert says(engine, "resources-not-idle")["idle"] == ("fail", "idle")
    assert says(engine, "system-in-regular-use")["idle"] == ("not_applicable", "does_not_apply")
    assert any("规则异常" in line for line in judged.lines())


@BOTH
def test_two_judgings_at_once_leave_the_ledger_of_one(engine: Engine, city: City) -> None:
    assert not at_once(*[lambda: judge_day(engine, DAY)] * 3)
    found = ledger_rows(engine)
    assert [r["revision"] for r in found["evaluation"]] == [1]
    assert {r["number"] for r in found["finding_event"]} == {1}
    assert_folds(engine)


@BOTH
def test_killed_at_any_statement_the_next_run_leaves_what_an_undisturbed_one_leaves(
    engine: Engine, ledger_url: str, city: City
) -> None:
    judge_day(engine, DAY)
    before = ledger_rows(engine)
    day = city.next_day()
    city.change("system", city.last["system_register"], {"system_code": "away"}, at(day, 2), deployment="city_cloud")
    work = partial(judge_day, day=day)
    for after in (0, 29, 54, 69):
        assert killed_before(ledger_url, after, work), after
        assert ledger_rows(engine) == before
    assert not killed_before(ledger_url, 10**6, work)
    after_all = ledger_rows(engine)
    assert [(r["day"], r["revision"]) for r in after_all["evaluation"]] == [(DAY, 1), (day, 1)]
    assert not judge_day(engine, day, at=at(day, 8)).is_new
    assert ledger_rows(engine) == after_all
    assert_folds(engine)
