"""Every fact of a day, and every one that is absent: three evidences apart, sources put together, zeros and gaps told apart."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from include.ledger.as_known import AsKnown
from include.rules.facts import Calls, Exemption, Listing, Load, Probes, Project, Use
from include.rules.facts_of_day import FactsOfDay
from include.rules.parameters import ParameterBook
from include.rules.source_facts import Sources
from include.rules.verdict import Fact
from include.rules.window_facts import ROLES, Flatness
from tests.depth import MOSTLY_SQLITE
from tests.rules.city import BATCHES, DAYS, City, planted
from tests.rules.evidence import DAY, Evidence, at, days_before

CARDS = Sources(
    {"exchange_systems": "exchange", "exchange_services": "exchange", "exchange_calls": "exchange", "system_register": "systems"},
    {"exchange_calls": "调用日志"}, {"never_read": "system"},
)  # fmt: skip
YESTERDAY = DAY - timedelta(days=1)


@pytest.fixture
def city(engine: Engine) -> City:
    return planted(engine)


def _facts(engine: Engine, day: date = DAY, subject: str = "system", **how: Any) -> dict[str, dict[str, Fact]]:
    with engine.connect() as connection:
        parameters = ParameterBook.load().on(day)
        return FactsOfDay(AsKnown(connection, how.pop("known", None)), day, parameters, CARDS, **how).of(subject)


def _value(facts: dict[str, Fact], name: str) -> Any:
    return facts[name].value if name in facts else "absent"


def test_declared_registered_and_observed_stay_apart(engine: Engine, city: City) -> None:
    facts = _facts(engine)
    assert list(facts) == ["away", "busy", "gone", "idle", "spare"]
    busy = facts["busy"]
    assert busy["declared_connection"] == Fact("connected", "system_register", DAY, (city.last["system_register"],))
    assert _value(busy, "listing") == Listing(("s1",), True)
    assert _value(facts["idle"], "listing") == Listing(("s2",), False)
    assert _value(facts["away"], "listing") == Listing((), False), "known to be empty"
    assert "declared_connection" not in facts["idle"], "nobody said anything"
    calls = busy["connection_calls"]
    assert (calls.source, calls.seen_until, calls.evidence) == (
        "exchange_calls",
        YESTERDAY,
        (city.last["exchange_calls"],),
    )
    days = days_before(DAY, 30)
    total = sum(10 + d.day for d in days)
    assert calls.value == Calls(30, 30, total, total - 30, 0, 0, YESTERDAY, 0, YESTERDAY, False)
    assert _value(facts["away"], "connection_calls") == Calls(
        30, 30, 0, total - 30, total, 0, YESTERDAY, 0, YESTERDAY, False
    )
    assert _value(facts["spare"], "connection_calls") == Calls(30, 30, 0, 0, 0, 0, None, None, None, False)


def test_each_field_comes_from_the_best_source_that_has_it(engine: Engine, city: City) -> None:
    busy = _facts(engine)["busy"]
    assert (_value(busy, "name"), _value(busy, "status")) == ("繁忙系统", "in_use")
    batch_id = city.read_again("system_register", at(DAY, 3))
    city.change("system", batch_id, {"system_code": "busy"}, at(DAY, 3), status=None)
    busy = _facts(engine)["busy"]
    assert busy["name"].source == "system_register"
    assert busy["name"].evidence == (batch_id,)
    assert (busy["status"].value, busy["status"].source) == ("trial", "exchange_systems"), (
        "an absent value falls through"
    )


def test_windows_are_what_the_days_say(engine: Engine, city: City) -> None:
    facts = _facts(engine)
    assert _value(facts["busy"], "idle_load") == Load(30, 30, 3000, 7000, 6000)
    assert _value(facts["idle"], "zombie_load") == Load(90, 90, 100, 300, 6000)
    assert _value(facts["idle"], "idle_use") == Use(30, 30, 0, 0, 0, 100), "zero is a value"
    assert _value(facts["away"], "low_use") == Use(90, 90, 2700, 90, 30, 100)
    assert "idle_load" not in facts["away"], "it has no host to show any load"
    assert "low_use" not in facts["gone"]
    assert facts["idle"]["zombie_load"].seen_until == YESTERDAY
    assert not [name for name in ("connection_probes",) if name in facts["busy"]]
    assert set(ROLES) - set(facts["busy"]) == {"connection_probes"}


def test_a_day_nobody_read_is_a_gap_and_ages_nothing(engine: Engine, city: City) -> None:
    for _ in range(5):
        city.next_day(without=["exchange_calls", "cloud_metrics"])
    facts = _facts(engine, city.day)
    calls = _value(facts["busy"], "connection_calls")
    assert (calls.observed, calls.days_since_success, calls.last_success_on) == (25, 0, YESTERDAY)
    assert _value(facts["busy"], "idle_load").observed == 25
    assert _value(facts["busy"], "idle_use").observed == 30


def test_a_success_before_a_long_gap_is_still_found(engine: Engine, city: City) -> None:
    late = DAY + timedelta(days=25)
    calls = _value(_facts(engine, late)["busy"], "connection_calls")
    assert (calls.observed, calls.days_since_success, calls.last_success_on) == (5, 0, YESTERDAY)
    gone_by = _facts(engine, DAY + timedelta(days=61))["busy"]
    assert "connection_calls" not in gone_by, "two windows without a single day are no evidence at all"


def test_probe_calls_and_our_own_prober_are_no_business(engine: Engine, city: City) -> None:
    rows = [
        {"day": YESTERDAY, "service_code": "s2", "caller_code": "x", "calls": 40, "failures": 0, "is_probe": True},
        {"day": YESTERDAY, "service_code": "s2", "caller_code": "us", "calls": 2, "failures": 0},
        {"day": YESTERDAY, "service_code": "s2", "caller_code": "idle", "calls": 9, "failures": 0},
    ]
    city.put("exchange_call_day", city.last["exchange_calls"], rows)
    calls = _value(_facts(engine, probers=["us"])["idle"], "connection_calls")
    assert (calls.calls, calls.successes, calls.own_calls, calls.probe_calls, calls.last_success_on) == (
        0,
        0,
        0,
        42,
        None,
    )


def test_own_probes_are_their_own_evidence(engine: Engine, city: City) -> None:
    city.probed("s1", DAY - timedelta(days=3), successes=20, failures=4)
    city.probed("s1", DAY - timedelta(days=2), inconclusive=24)
    city.probed("s1", YESTERDAY, failures=24)
    city.probed("s1", DAY, successes=24)  # today is not over
    fact = _facts(engine)["busy"]["connection_probes"]
    assert (fact.source, fact.seen_until) == ("probes", YESTERDAY)
    assert fact.value == Probes(30, 2, 72, 20, 28, 24, DAY - timedelta(days=3), 1, "down")


STALE = {
    "system_register": ("name", "status", "deployment", "project_codes"),
    "exchange_services": ("listing",),
    "exchange_systems": ("listing",),
    "city_cloud": ("cloud_resources",),
    "exemptions": ("exemptions",),
    "provincial_approval": ("projects",),
}


@MOSTLY_SQLITE
def test_a_register_not_read_lately_says_nothing(engine: Engine, city: City) -> None:
    first, late = dict(city.last), DAY + timedelta(days=8)
    for source, _, _ in BATCHES:
        city.read_again(source, at(late, 1))
    for source, names in STALE.items():
        known = city.last | {source: first[source]}  # all the others were read again
        for day, is_known in ((DAY + timedelta(days=7), True), (late, False)):
            facts = _facts(engine, day, known=known, wanted=names)["idle"]
            assert {name: name in facts for name in names} == dict.fromkeys(names, is_known), source
            assert "system_code" in facts


def test_a_degraded_read_does_not_make_a_register_fresh(engine: Engine, city: City) -> None:
    late = DAY + timedelta(days=8)
    city.read_again("exchange_services", at(late, 1), complete=False)
    city.read_again("exchange_systems", at(late, 1))
    assert "listing" not in _facts(engine, late)["idle"]


def test_a_source_read_in_part_only_was_never_read(engine: Engine) -> None:
    evidence = Evidence(engine)
    evidence.put("system", evidence.batch("system_register", "system", at(DAY)), [{"system_code": "A", "name": "甲"}])
    evidence.batch("exchange_services", "exchange_service", at(DAY), complete=False)
    evidence.batch("exchange_systems", "system", at(DAY), full=False)
    evidence.batch("city_cloud", "cloud_resource", at(DAY), full=False)
    facts = _facts(engine)["A"]
    assert set(facts) == {"system_code", "name", "project_codes"}
    assert facts["project_codes"].value == ()


def test_resources_on_the_cloud_are_the_running_ones(engine: Engine, city: City) -> None:
    rows = [
        {"resource_code": "r1", "system_code": "away", "status": "stopped"},
        {"resource_code": "r2", "system_code": "away", "status": "released"},
        {"resource_code": "r0", "system_code": "idle", "status": "running", "resource_type": "storage"},
    ]  # fmt: skip
    city.put("cloud_resource", city.last["city_cloud"], rows)
    facts = _facts(engine)
    assert _value(facts["away"], "cloud_resources") == ()
    assert _value(facts["idle"], "cloud_resources") == ("h-idle", "r0")
    assert _value(facts["idle"], "idle_load") == Load(30, 30, 100, 300, 6000), (
        "what never shows a load is not waited for"
    )


@MOSTLY_SQLITE
def test_exemptions_come_whole_and_withdrawn_ones_not_at_all(engine: Engine, city: City) -> None:
    row = {"exemption_id": "E1", "system_code": "idle", "kind": "idle", "ground": "依据", "expires_on": date(2027, 1, 1),
           "valid_from": date(2026, 1, 1), "document_no": "双数〔2026〕1号", "granted_by": "市数据局"}  # fmt: skip
    city.put("exemption", city.last["exemptions"], [row, row | {"exemption_id": "E2"}])
    city.change(
        "exemption",
        city.read_again("exemptions", at(DAY, 3)),
        {"exemption_id": "E2"},
        at(DAY, 3),
        tombstoned_at=at(DAY, 3),
    )
    facts = _facts(engine)
    expected = Exemption("E1", "idle", "依据", "双数〔2026〕1号", "市数据局", date(2026, 1, 1), date(2027, 1, 1))
    assert _value(facts["idle"], "exemptions") == (expected,)
    assert _value(facts["busy"], "exemptions") == ()


def test_projects_are_joined_by_code_and_former_code_never_by_name(engine: Engine, city: City) -> None:
    present, former = "2611-230500-04-04-000018", "2019-330391-47-03-831266"
    register = city.read_again("system_register", at(DAY, 3))
    rows = [
        {"system_code": "old", "name": "繁忙项目", "project_codes": former},
        {"system_code": "lost", "name": "繁忙项目", "project_codes": "2511-230500-04-04-908767"},
        {"system_code": "none", "name": "繁忙项目"},
    ]
    city.put("system", register, rows)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO project_alias (source, former_code, project_code, batch_id) VALUES "
            f"('provincial_approval', '{former}', '{present}', '{city.last['provincial_approval']}')"
        )
    plan = {
        "plan_year": 2027,
        "project_code": former,
        "nature": "extended",
        "name": "升级",
        "code_form": "legacy",
        "code_check": "none",
    }
    city.put("plan_entry", city.last["annual_plan"], [plan])
    facts = _facts(engine)
    project = Project(present, "繁忙项目", "new", True)
    assert _value(facts["old"], "projects") == _value(facts["busy"], "projects") == (project,)
    assert _value(facts["lost"], "projects") == ()
    assert _value(facts["none"], "project_codes") == ()
    projects = _facts(engine, subject="project")
    assert _value(projects[present], "systems") == ("busy", "old")
    assert _value(projects["2607-230500-04-04-123459"], "systems") == ()
    assert (_value(projects[present], "end_year"), _value(projects[present], "managed_industry")) == (
        2024,
        "informatization",
    )


def test_projects_of_other_trades_are_no_subjects_but_can_be_named(engine: Engine, city: City) -> None:
    road, bridge, shared = "2511-230500-04-04-908767", "2611-330109-04-01-789813", "2607-230500-04-04-123459"
    rows = [
        {"project_code": c, "name": c, "managed_industry": "other", "code_form": "gb40058", "code_check": "ok"}
        for c in (road, bridge)
    ]
    city.put("project", city.last["provincial_approval"], rows)
    second = city.batch("zj_projects", "project", at(DAY), authority=20)
    city.put(
        "project",
        second,
        [{"project_code": c, "name": c, "code_form": "gb40058", "code_check": "ok"} for c in (road, shared)],
    )
    city.change(
        "system",
        city.read_again("system_register", at(DAY, 3)),
        {"system_code": "busy"},
        at(DAY, 3),
        project_codes=bridge,
    )
    assert [p.code for p in _value(_facts(engine)["busy"], "projects")] == [bridge]
    assert set(_facts(engine, subject="project")) == {shared, bridge, "2611-230500-04-04-000018"}


def test_where_nobody_counts_active_users_few_is_not_known(engine: Engine, city: City) -> None:
    rows = [{"day": d, "system_code": "gone", "logins": 1} for d in days_before(DAY, 90)]
    city.put("system_usage_day", city.last["usage_statistics"], rows)
    facts = _facts(engine)["gone"]
    assert "low_use" not in facts
    assert _value(facts, "idle_use") == Use(30, 30, 30, 30, 0, None)


def test_use_comes_from_the_source_that_knows_the_system(engine: Engine, city: City) -> None:
    files = city.batch("usage_files", "system_usage_day", at(DAY), authority=10)
    days = days_before(DAY, 30)
    rows = [{"day": d, "system_code": c, "logins": 7, "active_users": 7} for d in days for c in ("gone", "busy")]
    city.put("system_usage_day", files, rows)
    city.observed(files, days)
    facts = _facts(engine)
    assert (facts["gone"]["idle_use"].source, facts["gone"]["idle_use"].value.logins) == ("usage_files", 210)
    assert (facts["busy"]["idle_use"].source, facts["busy"]["idle_use"].value.logins) == ("usage_statistics", 1800)


def test_sources_say_how_far_they_were_read(engine: Engine, city: City) -> None:
    bad = city.read_again("exchange_calls", at(DAY, 5), complete=False)
    city.observed(bad, [DAY], trusted=False)
    late = DAY + timedelta(days=1)
    facts = _facts(engine, late, "source")
    calls = {name: fact.value for name, fact in facts["exchange_calls"].items()}
    assert calls == {
        "source_code": "exchange_calls", "name": "调用日志", "entity": "exchange_call_day", "group": "exchange", "kind": "series",
        "read_on": DAY, "trusted_until": YESTERDAY, "doubts": "read_incomplete",
    }  # fmt: skip
    assert _value(facts["system_register"], "kind") == "register"
    assert _value(facts["system_register"], "read_on") == DAY
    assert set(facts["never_read"]) == {"source_code", "name", "entity", "kind"}


@MOSTLY_SQLITE
def test_only_what_a_scope_wants_is_worked_out(engine: Engine, city: City) -> None:
    facts = _facts(engine, wanted=["connection_calls", "listing"])["busy"]
    assert set(facts) & set(ROLES) == {"connection_calls"}


PARAMETERS = ParameterBook.load().on(DAY)


def _flatness(calls: dict[date, int], days: list[date]) -> bool:
    seen = [calls.get(d, 0) for d in days]
    row = {"flat_days": sum(n > 0 for n in seen), "flat_sum": sum(seen), "flat_squares": sum(n * n for n in seen),
           "flat_weekend": sum(calls.get(d, 0) for d in days if d.weekday() >= 5)}  # fmt: skip
    return Flatness(days, PARAMETERS).is_flat(row)


def test_flat_is_many_even_and_without_weekends() -> None:
    days = days_before(DAY, 28)
    even = dict.fromkeys(days, 100)
    assert _flatness(even, days)
    assert _flatness({d: 95 if n % 2 else 105 for n, d in enumerate(days)}, days), (
        "a deviation of five percent is still flat"
    )
    assert not _flatness({d: 94 if n % 2 else 106 for n, d in enumerate(days)}, days)
    assert _flatness({d: 90 if d.weekday() >= 5 else 100 for d in days}, days)
    assert not _flatness({d: 899 if d.weekday() >= 5 else 1000 for d in days}, days), "it rests at weekends"
    assert _flatness(dict.fromkeys(days, 20), days)
    assert not _flatness(dict.fromkeys(days, 19), days), "too few to tell"
    assert not _flatness({d: 100 for d in days[:13]}, days[:13])
    assert _flatness({d: 100 for d in days[:14]}, days[:14])
    assert not _flatness({}, days)


def test_flat_traffic_is_seen_in_the_ledger(engine: Engine, city: City) -> None:
    rows = [
        {"day": d, "service_code": "s2", "caller_code": c, "calls": 50, "failures": 0}
        for d in days_before(DAY, DAYS)
        for c in "xy"
    ]
    city.put("exchange_call_day", city.last["exchange_calls"], rows)
    facts = _facts(engine)
    assert _value(facts["idle"], "connection_calls").is_flat
    assert not _value(facts["busy"], "connection_calls").is_flat
