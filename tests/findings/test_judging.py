"""Days judged, judged again, replayed, judged late: evaluation, verdicts and findings stay one truth."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from include.errors import ConfigurationError
from tests.depth import BOTH, MOSTLY_SQLITE
from tests.findings.ledger_state import SCOPES, assert_folds, judge_day, ledger_rows, says
from tests.rules.city import City
from tests.rules.evidence import DAY, at

pytestmark = MOSTLY_SQLITE


@BOTH
def test_a_city_is_judged_as_it_is(engine: Engine, city: City) -> None:
    systems, connected = judge_day(engine, DAY), judge_day(engine, DAY, "interconnection")
    assert not systems.crashed
    assert not connected.crashed
    assert says(engine, "interconnected-with-exchange") == {
        "busy": ("pass", "called"), "idle": ("warn", "never_called"), "away": ("unknown", "called_but_not_listed"),
        "spare": ("warn", "not_listed"), "gone": ("not_applicable", "does_not_apply"),
    }  # fmt: skip
    assert says(engine, "resources-not-idle") == {
        "busy": ("pass", "cpu_busy"), "idle": ("fail", "idle"), "away": ("pass", "has_logins"),
        "spare": ("not_applicable", "standby"), "gone": ("not_applicable", "does_not_apply"),
    }  # fmt: skip
    assert says(engine, "deployed-on-city-cloud")["away"] == ("warn", "not_on_city_cloud")
    assert says(engine, "not-a-zombie-candidate")["idle"] == ("warn", "zombie_candidate")
    assert says(engine, "project-has-system") == {
        "2611-230500-04-04-000018": ("pass", "joined"), "2607-230500-04-04-123459": ("warn", "no_system"),
    }  # fmt: skip
    assert says(engine, "evidence-current")["exchange_calls"] == ("pass", "current")
    opened = {(c.rule, c.subject) for c in systems.settled.changes}
    assert ("resources-not-idle", "idle") in opened
    assert {c.kind.value for c in systems.settled.changes} == {"opened"}
    cloud = next(r for r in systems.rates if r.name == "cloud_rate")
    assert (cloud.numerator, cloud.denominator, cloud.unknown) == (3, 4, 0)
    text = "\n".join(systems.lines() + connected.lines())
    assert "空闲系统" in text
    assert "上云率" in text
    assert "违规" not in text
    json.dumps(systems.summary())
    assert_folds(engine)


@BOTH
@pytest.mark.parametrize("scope", SCOPES)
def test_the_same_day_twice_is_the_same_to_the_byte_and_writes_nothing(engine: Engine, city: City, scope: str) -> None:
    first = judge_day(engine, DAY, scope)
    before = ledger_rows(engine)
    second = judge_day(engine, DAY, scope, at=at(DAY, 9))
    assert second.digest == first.digest
    assert (first.is_new, first.revision) == (True, 1)
    assert (second.is_new, second.revision, second.settled.changes) == (False, 1, [])
    assert ledger_rows(engine) == before
    assert before["evaluation"][0]["verdicts"] == first.tally.verdicts > 8


def test_new_evidence_on_the_same_day_makes_the_next_revision(engine: Engine, city: City) -> None:
    first = judge_day(engine, DAY)
    batch_id = city.read_again("usage_statistics", at(DAY, 8))
    for n in range(1, 10):
        city.change(
            "system_usage_day",
            batch_id,
            {"day": DAY - timedelta(days=n), "system_code": "idle"},
            at(DAY, 8),
            logins=3,
            active_users=50,
        )
    second = judge_day(engine, DAY, at=at(DAY, 9))
    assert (second.is_new, second.revision) == (True, 2)
    assert second.digest != first.digest
    assert says(engine, "resources-not-idle")["idle"] == ("pass", "has_logins")
    rows = [r for r in ledger_rows(engine)["verdict"] if (r["rule"], r["subject"]) == ("resources-not-idle", "idle")]
    assert [(r["from_day"], r["until_day"], r["outcome"]) for r in rows] == [(DAY, None, "pass")]
    assert {c.kind.value for c in second.settled.changes} == {"resolved"}
    assert_folds(engine)


def test_a_new_batch_that_says_nothing_new_writes_nothing(engine: Engine, city: City) -> None:
    judge_day(engine, DAY, "interconnection")
    before = ledger_rows(engine)
    batch_id = city.read_again("exchange_calls", at(DAY, 8))
    city.observed(batch_id, [DAY - timedelta(days=n) for n in (1, 2, 3)])
    city.read_again("exchange_services", at(DAY, 8))
    again = judge_day(engine, DAY, "interconnection", at=at(DAY, 9))
    assert not again.is_new
    assert ledger_rows(engine) == before


def _later_life(city: City) -> None:
    """Correct the past, change and withdraw systems, and let days pass."""
    city.next_day()
    batch_id = city.read_again("exchange_calls", at(city.day, 3))
    for n in range(2, 40):
        key = {"day": DAY - timedelta(days=n), "service_code": "s1", "caller_code": "away"}
        city.change("exchange_call_day", batch_id, key, at(city.day, 3), calls=0, failures=0, last_success_at=None)
    worse = city.read_again("exchange_calls", at(city.day, 4), complete=False)
    city.observed(worse, [DAY - timedelta(days=1)], trusted=False)
    batch_id = city.read_again("cloud_metrics", at(city.day, 3))
    for n in range(1, 60):
        key = {"day": DAY - timedelta(days=n), "resource_code": "h-idle"}
        city.change("cloud_usage_day", batch_id, key, at(city.day, 3), cpu_mean_bp=9000, memory_max_bp=None)
    batch_id = city.read_again("system_register", at(city.day, 3))
    city.change(
        "system",
        batch_id,
        {"system_code": "away"},
        at(city.day, 3),
        deployment="city_cloud",
        went_live_on=None,
        name="新名",
    )
    city.change("system", batch_id, {"system_code": "spare"}, at(city.day, 3), tombstoned_at=at(city.day, 3))
    city.put("system", batch_id, [{"system_code": "new", "name": "新系统", "status": "in_use"}])
    city.read_again("exemptions", at(city.day, 3))
    row = {
        "exemption_id": "E1",
        "system_code": "idle",
        "kind": "idle",
        "ground": "依据",
        "expires_on": date(2027, 1, 1),
    }
    city.put("exemption", city.last["exemptions"], [row])
    city.probed("s1", city.day, failures=3)


@BOTH
def test_a_past_day_replayed_after_later_data_gives_what_it_gave_then(engine: Engine, city: City) -> None:
    then = {scope: judge_day(engine, DAY, scope) for scope in SCOPES}
    _later_life(city)
    for scope in SCOPES:
        now = judge_day(engine, city.day, scope)
        assert now.digest != then[scope].digest
    assert says(engine, "deployed-on-city-cloud")["away"][0] == "unknown"
    before = ledger_rows(engine)
    for scope in SCOPES:
        replayed = judge_day(engine, DAY, scope, at=at(city.day, 9))
        assert replayed.is_replay
        assert replayed.is_equal
        assert replayed.digest == then[scope].digest
        assert "重放结果与当时逐字节一致" in replayed.lines()
    assert ledger_rows(engine) == before


def test_a_replay_under_other_rules_says_so_and_writes_nothing(
    engine: Engine, city: City, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_day(engine, DAY)
    city.next_day()
    judge_day(engine, city.day)
    before = ledger_rows(engine)
    entry = '{from: "2024-09-09", value: 1, source: 测试, status: unconfirmed}'
    (tmp_path / "parameters.yaml").write_text(
        f"parameters:\n  idle_cpu_mean_bp: {{unit: basis_points, title: 空闲, values: [{entry}]}}\n", "utf-8"
    )
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    replayed = judge_day(engine, DAY, at=at(city.day, 9))
    assert not replayed.is_equal
    assert replayed.rules_version != replayed.stored_version
    assert any("规则或参数已变" in line for line in replayed.lines())
    assert ledger_rows(engine) == before


def test_evidence_that_was_expunged_makes_a_replay_differ_openly(engine: Engine, city: City) -> None:
    judge_day(engine, DAY)
    city.next_day()
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM system WHERE system_code = 'away'")
    replayed = judge_day(engine, DAY, at=at(city.day, 9))
    assert not replayed.is_equal
    assert replayed.rules_version == replayed.stored_version
    assert any("规则未变" in line for line in replayed.lines())


@BOTH
def test_a_day_judged_late_is_kept_and_leaves_the_findings_alone(engine: Engine, city: City) -> None:
    judge_day(engine, DAY)
    city.next_day()
    batch_id = city.read_again("system_register", at(city.day, 5))
    city.change("system", batch_id, {"system_code": "away"}, at(city.day, 5), deployment="city_cloud")
    middle = city.day
    city.next_day()
    judge_day(engine, city.day)
    before = ledger_rows(engine)
    late = judge_day(engine, middle, at=at(city.day, 9))
    after = ledger_rows(engine)
    assert (late.is_backfill, late.is_new, late.revision) == (True, True, 1)
    assert (after["finding"], after["finding_event"]) == (before["finding"], before["finding_event"])
    assert len(after["evaluation"]) == len(before["evaluation"]) + 1
    known = json.loads(next(r for r in after["evaluation"] if r["day"] == middle)["known"])
    assert known["batches"]["system_register"] == batch_id, "what was known at the end of that day, not now"
    rows = [r for r in after["verdict"] if (r["rule"], r["subject"]) == ("deployed-on-city-cloud", "away")]
    assert [(r["from_day"], r["until_day"], r["outcome"]) for r in rows] == [
        (DAY, middle, "warn"), (middle, city.day, "unknown"), (city.day, None, "unknown")
    ]  # fmt: skip
    replayed = judge_day(engine, middle, at=at(city.day, 9))
    assert replayed.is_equal


def test_a_day_before_all_reading_is_judged_from_what_is_known_now(engine: Engine, city: City) -> None:
    past = DAY - timedelta(days=5)
    late = judge_day(engine, past, at=at(DAY, 9))
    assert late.known.batches["cloud_metrics"] == city.last["cloud_metrics"]
    assert says(engine, "resources-not-idle")["idle"] == ("fail", "idle")


def test_what_cannot_be_judged_is_refused(engine: Engine, city: City) -> None:
    with pytest.raises(ConfigurationError, match="has not begun"):
        judge_day(engine, DAY + timedelta(days=1), at=at(DAY, 23))
    with pytest.raises(ConfigurationError, match="no rule has the scope"):
        judge_day(engine, DAY, "weather")
    with pytest.raises(ConfigurationError, match="never judged"):
        judge_day(engine, DAY, replay=True)
    assert not ledger_rows(engine)["evaluation"]


def test_the_exchange_down_for_a_day_changes_no_system_and_is_one_finding(engine: Engine, city: City) -> None:
    judge_day(engine, DAY, "interconnection")
    before = says(engine, "interconnected-with-exchange")
    exchange = ("exchange_calls", "exchange_services", "exchange_systems")
    day = city.next_day(without=exchange)
    down = judge_day(engine, day, "interconnection")
    assert says(engine, "interconnected-with-exchange") == before
    assert [(c.kind.value, c.rule, c.subject) for c in down.settled.changes] == [
        ("opened", "evidence-current", "exchange_calls")
    ]
    day = city.next_day(without=exchange)
    assert not judge_day(engine, day, "interconnection").settled.changes
    city.day = day
    day = city.next_day()
    city.observed(city.last["exchange_calls"], [day - timedelta(days=2), day - timedelta(days=3)])
    back = judge_day(engine, day, "interconnection")
    assert [(c.kind.value, c.rule, c.subject) for c in back.settled.changes] == [
        ("resolved", "evidence-current", "exchange_calls")
    ]
    assert_folds(engine)


def test_weeks_without_the_exchange_leave_unknown_and_no_finding_is_settled_by_it(engine: Engine, city: City) -> None:
    judge_day(engine, DAY, "interconnection")
    late = DAY + timedelta(days=20)
    judged = judge_day(engine, late, "interconnection")
    outcomes = {outcome for outcome, _ in says(engine, "interconnected-with-exchange").values()}
    assert outcomes == {"unknown"}
    kinds = {c.kind.value for c in judged.settled.changes if c.rule == "interconnected-with-exchange"}
    assert kinds == {"unverified"}
    open_before = [r for r in ledger_rows(engine)["finding"] if r["rule"] == "interconnected-with-exchange"]
    assert all(r["state"] == "open" and r["unverified_since"] == late for r in open_before)


@BOTH
def test_a_withdrawn_system_resolves_its_findings_and_a_missing_one_does_not(engine: Engine, city: City) -> None:
    judge_day(engine, DAY)
    day = city.next_day()
    city.read_again("system_register", at(day, 3), complete=False)  # degraded: the system is not among what came
    judge_day(engine, day)
    assert [r["state"] for r in ledger_rows(engine)["finding"] if r["subject"] == "idle"].count("resolved") == 0
    day = city.next_day()
    city.change("system", city.last["system_register"], {"system_code": "idle"}, at(day, 2), tombstoned_at=at(day, 2))
    judged = judge_day(engine, day)
    mine = [r for r in ledger_rows(engine)["finding"] if r["subject"] == "idle"]
    assert mine
    assert {(r["state"], r["reason"]) for r in mine} == {("resolved", "withdrawn_at_source")}
    assert "idle" not in says(engine, "resources-not-idle")
    assert {c.kind.value for c in judged.settled.changes} == {"resolved"}
    day = city.next_day()
    city.change("system", city.last["system_register"], {"system_code": "idle"}, at(day, 2), tombstoned_at=None)
    assert {c.kind.value for c in judge_day(engine, day).settled.changes} == {"reopened"}
    assert_folds(engine)


def test_a_project_that_is_no_digital_one_any_more_or_void_resolves_its_finding(engine: Engine, city: City) -> None:
    code = "2607-230500-04-04-123459"
    for changed in ({"managed_industry": "other"}, {"managed_industry": "informatization", "is_void": True}):
        judge_day(engine, city.day)
        assert says(engine, "project-has-system")[code] == ("warn", "no_system")
        day = city.next_day()
        city.change("project", city.last["provincial_approval"], {"project_code": code}, at(day, 2), **changed)
        resolved = [c for c in judge_day(engine, day).settled.changes if c.subject == code]
        assert [(c.kind.value, c.reason) for c in resolved] == [("resolved", "does_not_apply")]
        assert code not in says(engine, "project-has-system")
        day = city.next_day()
        city.change(
            "project",
            city.last["provincial_approval"],
            {"project_code": code},
            at(day, 2),
            managed_industry="informatization",
            is_void=None,
        )


def test_the_report_says_in_chinese_why_something_is_unknown(engine: Engine, city: City) -> None:
    """Every reason of the law for `unknown` has its words, and a report shows no code."""
    from include.findings.watch_report import UNKNOWN
    from tests.rules.test_interconnection import TABLE
    from tests.rules.test_law_cases import CASES

    reasons = {c["expect"][1] for c, _ in CASES if c["expect"][0] == "unknown"}
    reasons |= {c["expect"][1] for c in TABLE["cases"] if c["expect"][2] == "unknown"}
    assert len(reasons) >= 5
    assert reasons <= set(UNKNOWN)
    lines = judge_day(engine, DAY).lines()
    assert any("未知原因" in line for line in lines)
    assert not [line for line in lines if any(reason in line for reason in UNKNOWN)]
