"""Every fact of a project's life: what was recorded, what was read and left blank, what nobody has told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from include.rules.dossier_facts import Kept, batches_of
from include.rules.engine import NOT_SUBJECT
from include.rules.facts_of_day import WITHDRAWN
from include.rules.records import (
    Acceptance,
    Approval,
    Assessment,
    Attestation,
    Contract,
    Dossier,
    Payment,
    PlanPlace,
    Review,
    Suspension,
    UpgradeTarget,
)
from include.rules.verdict import Fact
from tests.depth import MOSTLY_SQLITE
from tests.rules.evidence import DAY, at
from tests.rules.lives import BARE, FORMER, FULL, ROAD, SOURCES, STANDING, Lives, values

MAY, JUNE, LATE = date(2026, 5, 4), date(2026, 6, 4), DAY + timedelta(days=8)
LISTS = {
    "approvals": "platform", "plan_places": "annual_plan", "contracts": "contracts", "payments": "payments",
    "acceptances": "acceptances", "assessments": "assessments", "reviews": "reviews", "suspensions": "suspensions",
    "attestations": "attestations",
}  # fmt: skip
"""Fact of a project → the source it rests on."""


@pytest.fixture
def lives(engine: Engine) -> Lives:
    return Lives(engine)


def _yuan(number: int) -> Decimal:
    return Decimal(number).quantize(Decimal("0.01"))


RECORDS: dict[str, tuple[dict[str, Any], Any]] = {
    "plan_places": (
        {"plan_year": 2026, "name": "全项目", "unit_name": "市教育局", "nature": "new", "track": "unit",
         "planned_yuan": _yuan(9), "note": "备注", **STANDING},
        PlanPlace(2026, "new", "unit", _yuan(9), "市教育局"),
    ),
    "contracts": (
        {"contract_no": "HT1", "name": "建设合同", "amount_yuan": _yuan(5), "signed_on": MAY, "states_ip": False,
         "warranty_months": 24},
        Contract("HT1", FULL, "建设合同", _yuan(5), MAY, states_ip=False, warranty_months=24),
    ),
    "payments": (
        {"payment_no": "FK1", "contract_no": "HT1", "kind": "final", "paid_on": MAY, "amount_yuan": _yuan(4)},
        Payment("FK1", "final", MAY, _yuan(4), "HT1"),
    ),
    "acceptances": (
        {"acceptance_no": "YS1", "held_on": MAY, "result": "failed", "rectify_by": JUNE},
        Acceptance("YS1", MAY, "failed", JUNE),
    ),
    "assessments": (
        {"report_no": "CP1", "kind": "cipher", "issued_on": MAY, "conclusion": "conform", "has_major_risk": False},
        Assessment("CP1", "cipher", MAY, None, "conform", False, None, FULL),
    ),
    "reviews": (
        {"review_no": "PJ1", "kind": "self", "done_on": MAY, "conclusion": "良好"}, Review("PJ1", "self", MAY, "良好")
    ),
    "suspensions": (
        {"suspension_no": "ZZ1", "clock": "review", "kind": "correction", "begun_on": MAY},
        Suspension("ZZ1", "review", "correction", MAY),
    ),
    "attestations": (
        {"attestation_no": "RD1", "matter": "archive_kept", "conclusion": "met", "ground": "查验", "attested_by": "王某",
         "attested_on": MAY, "expires_on": JUNE},
        Attestation("RD1", "archive_kept", "met", "查验", "王某", MAY, JUNE),
    ),
}  # fmt: skip


def test_records_come_as_their_class_with_blanks_as_none(lives: Lives) -> None:
    for name, (row, _) in RECORDS.items():
        lives.add(LISTS[name], [row | {"project_code": FULL}])
    projects = lives.of("project")
    for name, (_, record) in RECORDS.items():
        source = f"{LISTS[name]}+system_register" if name == "assessments" else LISTS[name]
        assert projects[FULL][name] == Fact((record,), source, DAY, (lives.last[LISTS[name]],))
        assert projects[BARE][name] == Fact((), source, DAY), "read, and nothing there"


def test_a_list_is_in_order_of_days_and_then_of_numbers(lives: Lives) -> None:
    row = {"project_code": FULL, "kind": "advance", "amount_yuan": _yuan(1)}
    days = {"P3": MAY, "P1": JUNE, "P2": JUNE}
    lives.add("payments", [row | {"payment_no": number, "paid_on": day} for number, day in days.items()])
    assert [p.payment_no for p in lives.of("project")[FULL]["payments"].value] == ["P3", "P1", "P2"]


def test_records_rest_on_the_batches_of_all_of_them() -> None:
    later, earlier, both = (Kept(None, None, None, None, b) for b in (("b2",), ("b1",), ("b1", "b2")))
    asked = [(), (later,), (later, later), (later, earlier), (later, later, earlier), (both, later)]
    assert [batches_of(kept) for kept in asked] == [(), ("b2",), ("b2",), ("b1", "b2"), ("b1", "b2"), ("b1", "b2")]


@MOSTLY_SQLITE
def test_a_source_that_is_stale_or_was_read_in_part_says_nothing(lives: Lives) -> None:
    first = dict(lives.last)
    for source in SOURCES:
        lives.again(source, at(LATE, 1))
    for name, source in LISTS.items():
        known = lives.last | {source: first[source]}
        rest = set(LISTS) - {name}
        assert set(LISTS) & set(lives.of("project", DAY + timedelta(days=7), known, LISTS)[BARE]) == set(LISTS)
        assert set(LISTS) & set(lives.of("project", LATE, known, LISTS)[BARE]) == rest, name
        in_part = lives.batch(f"second_{name}", SOURCES[source], at(LATE, 2), full=False)
        known = lives.last | {f"second_{name}": in_part}
        assert set(LISTS) & set(lives.of("project", LATE, known, LISTS)[BARE]) == rest, name


def test_reports_on_projects_rest_on_the_register_of_systems(lives: Lives) -> None:
    first = lives.last["system_register"]
    for source in SOURCES:
        lives.again(source, at(LATE, 1))
    facts = lives.of("project", LATE, lives.last | {"system_register": first})[FULL]
    assert values(facts, "assessments", "payments") == ["absent", ()]


def test_only_what_is_wanted_is_worked_out(lives: Lives) -> None:
    facts = lives.of("project", wanted=["payments"])[FULL]
    assert set(facts) & {"dossier", "approvals", *LISTS} == {"payments"}


# -- dossiers ---------------------------------------------------------------------------------------------------------------------


def test_a_dossier_comes_whole_and_is_absent_where_nobody_keeps_one(lives: Lives) -> None:
    row = {"project_code": FULL, "name": "全项目", "track": "unit", "fund_scope": "partly", "is_public_service": False,
           "approved_investment_yuan": _yuan(7), "trial_started_on": MAY}  # fmt: skip
    lives.add("dossiers", [row])
    projects = lives.of("project")
    full = projects[FULL]
    record = Dossier(FULL, "全项目", track="unit", fund_scope="partly", is_public_service=False,
                     approved_investment_yuan=_yuan(7), trial_started_on=MAY)  # fmt: skip
    assert full["dossier"] == Fact(record, "dossiers", DAY, (lives.last["dossiers"],))
    assert full["fund_scope"] == Fact("partly", "dossiers", DAY, (lives.last["dossiers"],))
    assert values(full, "track", "content_class", "is_public_service") == ["unit", "absent", False]
    assert values(projects[BARE], "dossier", "track") == ["absent", "absent"]


def test_a_stale_dossier_tells_nothing(lives: Lives) -> None:
    lives.add("dossiers", [{"project_code": FULL, "name": "全项目", "track": "unit"}])
    assert values(lives.of("project", LATE)[FULL], "dossier", "track") == ["absent", "absent"]


def test_what_two_sources_and_two_codes_tell_of_a_dossier_is_put_together(lives: Lives) -> None:
    lives.reissue()
    second = lives.batch("workbook", "project_dossier", at(DAY, 2), authority=1)
    row = {"project_code": FULL, "name": "全项目", "content_class": "testing"}
    lives.add("dossiers", [row, {"project_code": FORMER, "name": "旧名", "track": "bureau", "went_live_on": MAY}])
    lives.put("project_dossier", second, [{"project_code": FULL, "name": "好名", "content_class": "upkeep"}])
    projects = lives.of("project")
    fact = projects[FULL]["dossier"]
    assert (fact.value.project_code, fact.value.name, fact.value.content_class) == (FULL, "好名", "upkeep")
    assert (fact.value.track, fact.value.went_live_on) == ("bureau", MAY), "the former code fills what is blank"
    assert (fact.source, fact.evidence) == ("dossiers+workbook", tuple(sorted([lives.last["dossiers"], second])))
    assert FORMER not in projects


def test_the_present_code_goes_before_a_better_source_that_knows_a_former_one(lives: Lives) -> None:
    newest = "2999-330391-47-03-831266"
    for former in (newest, FORMER):
        lives.reissue(former, BARE)
    better = lives.batch("workbook", "project_dossier", at(DAY, 2), authority=1)
    digital = {"managed_industry": "informatization", **STANDING}
    lives.add("platform", [{"project_code": c, "name": "旧码", **digital} for c in (newest, FORMER)])
    lives.add("dossiers", [{"project_code": c, "name": name} for c, name in ((BARE, "现名"), (FULL, "全项目"))])
    lives.put("project_dossier", better, [
        {"project_code": newest, "name": "曾用名", "track": "unit"}, {"project_code": FORMER, "name": "原名", "track": "bureau"},
    ])  # fmt: skip
    projects = lives.of("project")
    assert set(projects) == {FULL, BARE}
    assert values(projects[FULL], "track") == ["absent"], "nobody else tells of it"
    dossier = projects[BARE]["dossier"].value
    assert (dossier.project_code, dossier.name) == (BARE, "现名")
    assert dossier.track == "bureau", "of two former codes the first in order"
    lives.add("contracts", [RECORDS["contracts"][0] | {"project_code": newest}])
    assert [c.project_code for c in lives.of("project")[BARE]["contracts"].value] == [BARE]


def test_of_what_two_sources_keep_each_record_is_one_in_order_of_its_day(lives: Lives) -> None:
    second = lives.batch("workbook", "payment", at(DAY, 2), authority=1)
    row = RECORDS["payments"][0] | {"project_code": FULL}
    days = {"P1": JUNE, "P2": MAY, "P3": date(2026, 7, 1)}
    lives.add("payments", [row | {"payment_no": number, "paid_on": day} for number, day in days.items()])
    lives.put("payment", second, [row | {"payment_no": "P1", "paid_on": MAY - timedelta(days=1)}])
    fact = lives.of("project")[FULL]["payments"]
    assert [p.payment_no for p in fact.value] == ["P1", "P2", "P3"]
    assert fact.evidence == tuple(sorted([lives.last["payments"], second]))


def test_a_project_of_another_trade_with_a_dossier_is_judged(lives: Lives) -> None:
    assert ROAD not in lives.of("project")
    assert lives.gone()["project", ROAD] == NOT_SUBJECT
    lives.add("dossiers", [{"project_code": ROAD, "name": "道路监控"}])
    assert values(lives.of("project")[ROAD], "name", "managed_industry") == ["道路", "other"]
    assert ("project", ROAD) not in lives.gone()


def test_the_system_that_is_upgraded_is_looked_up(lives: Lives) -> None:
    lives.add(
        "system_register", [{"system_code": "S1", "name": "旧系统", "status": "stopped", "last_released_on": MAY}]
    )
    rows = [{"project_code": c, "name": "升级", "upgrades_system_code": s} for c, s in ((FULL, "S1"), (BARE, "S9"))]
    lives.add("dossiers", rows)
    projects = lives.of("project")
    evidence = tuple(sorted([lives.last["dossiers"], lives.last["system_register"]]))
    target = UpgradeTarget("S1", "stopped", MAY)
    assert projects[FULL]["upgrade_target"] == Fact(target, "dossiers+system_register", DAY, evidence)
    assert "upgrade_target" not in projects[BARE], "no register has it"


# -- platforms --------------------------------------------------------------------------------------------------------------------

ITEM = {"project_code": FULL, "state": "approved"}


@MOSTLY_SQLITE
def test_approvals_are_told_by_the_names_of_the_items(lives: Lives) -> None:
    names = {
        "1": "政府投资项目可行性研究报告审批",
        "2": "初步设计及概算审批",
        "3": "节能审查",
        "4": "可研与初步设计合并审批",
        "5": None,
    }
    lives.add("platform", [ITEM | {"item_id": i, "item_name": name} for i, name in names.items()], "approval_item")
    projects = lives.of("project")
    found = [(a.kind, a.item_id) for a in projects[FULL]["approvals"].value]
    assert found == [("design", "2"), ("design", "4"), ("feasibility", "1"), ("feasibility", "4")]
    assert projects[FULL]["approvals"].evidence == (lives.last["platform"],)


def test_times_of_approvals_are_days_in_shanghai(lives: Lives) -> None:
    moments = {"submitted_at": datetime(2026, 5, 3, 16, 0, tzinfo=UTC), "accepted_at": at(JUNE, 23, 59)}
    row = ITEM | {"item_id": "1", "item_name": "可研批复", "document_no": "双发改〔2026〕1号"} | moments
    lives.add("platform", [row], "approval_item")
    expected = Approval("1", "feasibility", "approved", MAY, JUNE, None, "双发改〔2026〕1号")
    assert values(lives.of("project")[FULL], "approvals") == [(expected,)]


def test_an_item_that_two_platforms_list_is_one_approval_of_the_better_one(lives: Lives) -> None:
    better = lives.batch("city_platform", "project", at(DAY, 2), authority=1)
    row = ITEM | {"item_id": "1", "item_name": "可研审批"}
    lives.add("platform", [row], "approval_item")
    lives.put("approval_item", better, [row | {"state": "in_review"}])
    assert [a.state for a in lives.of("project")[FULL]["approvals"].value] == ["in_review"]


def test_a_project_and_its_system_rest_on_the_better_of_two_sources(lives: Lives) -> None:
    better = {e: lives.batch(f"better_{e}", e, at(DAY, 2), authority=1) for e in ("project", "system")}
    lives.put("project", better["project"], [{"project_code": FULL, "name": "全项目", **STANDING}])
    row = {"system_code": "S1", "name": "系统", "project_codes": FULL}
    lives.add("system_register", [row])
    lives.put("system", better["system"], [row])
    facts = lives.of("project")[FULL]
    assert facts["project_code"].source == "better_project"
    assert facts["systems"] == Fact(("S1",), "better_system+system_register", DAY, (better["system"],))


@MOSTLY_SQLITE
def test_the_division_says_whether_a_project_is_the_citys_or_a_countys(lives: Lives) -> None:
    divisions = {
        "230500": "city",
        "230500001002": "city",
        "230521": "county",
        "230600": "absent",
        "110108": "absent",
        None: "absent",
    }
    codes = [f"2611-230500-04-05-{n:06d}" for n in range(len(divisions))]
    rows = [
        {"project_code": c, "name": "项目", "division_code": d, **STANDING}
        for c, d in zip(codes, divisions, strict=True)
    ]
    lives.add("platform", rows)
    projects = lives.of("project")
    assert [values(projects[c], "level")[0] for c in codes] == list(divisions.values())
    assert projects[codes[0]]["level"] == Fact("city", "platform", DAY, (lives.last["platform"],))
    assert "level" not in lives.of("project", LATE)[codes[0]], "nobody has read it lately"


def test_the_investment_is_that_of_the_platform(lives: Lives) -> None:
    projects = lives.of("project")
    assert values(projects[FULL], "total_investment_yuan") == [Decimal("1234567.80")]
    assert "total_investment_yuan" not in projects[BARE]


def test_records_under_a_former_code_are_the_projects_own(lives: Lives) -> None:
    lives.reissue()
    lives.add("platform", [ITEM | {"item_id": "1", "item_name": "可研", "project_code": FORMER}], "approval_item")
    for name, (row, _) in RECORDS.items():
        lives.add(LISTS[name], [row | {"project_code": FORMER}])
    projects = lives.of("project")
    assert FORMER not in projects
    assert {name: len(projects[FULL][name].value) for name in LISTS} == dict.fromkeys(LISTS, 1)
    for name, (_, record) in RECORDS.items():
        assert projects[FULL][name].value == (record,), "it bears the present code"


# -- time -------------------------------------------------------------------------------------------------------------------------


def test_a_withdrawn_record_is_none_and_a_later_batch_is_not_seen(lives: Lives) -> None:
    before = dict(lives.last)
    for name, (row, _) in RECORDS.items():
        lives.again(LISTS[name], at(DAY, 2, 30))
        lives.add(LISTS[name], [row | {"project_code": FULL}])
    with_them = dict(lives.last)
    for name, (row, _) in RECORDS.items():
        lives.withdraw(LISTS[name], row | {"project_code": FULL})
    expected = [(record,) for _, record in RECORDS.values()]
    none: list[Any] = [()] * len(RECORDS)
    assert values(lives.of("project", known=before)[FULL], *RECORDS) == none
    assert values(lives.of("project", known=with_them)[FULL], *RECORDS) == expected
    assert values(lives.of("project")[FULL], *RECORDS) == none


def test_a_correction_is_seen_from_its_batch_on(lives: Lives) -> None:
    lives.add("dossiers", [{"project_code": FULL, "name": "全项目", "review_requested_on": MAY}])
    before = dict(lives.last)
    batch_id = lives.again("dossiers", at(DAY, 3))
    lives.change("project_dossier", batch_id, {"project_code": FULL}, at(DAY, 3), review_requested_on=JUNE)
    now, then = lives.of("project")[FULL]["dossier"], lives.of("project", known=before)[FULL]["dossier"]
    assert (now.value.review_requested_on, now.evidence) == (JUNE, (batch_id,))
    assert (then.value.review_requested_on, then.evidence) == (MAY, (before["dossiers"],))


def test_a_project_withdrawn_by_the_platform_is_gone(lives: Lives) -> None:
    lives.withdraw("platform", {"project_code": BARE})
    assert BARE not in lives.of("project")
    assert lives.gone()["project", BARE] == WITHDRAWN
    assert ("project", BARE) not in lives.gone(wanted=["listing"]), "no rule of the scope looks at projects"
