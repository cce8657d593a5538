"""Every row of every data set is as its schema says, on both databases, whatever stands in the names."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import jsonschema
import pytest
from sqlalchemy import Engine

from include.datasets.compliance import UNREGISTERED
from include.datasets.definitions import DATASETS
from include.findings.decisions import decide
from include.findings.story import Kind, identity
from include.ledger.snapshot import glance
from tests.datasets.planted import FORMER, HOSTILE, PROJECT, appended, lead_by_hand, planted
from tests.datasets.schema_rows import json_rows
from tests.findings.deciding import id_of, wanted
from tests.rules.evidence import DAY, at

SETTLED = identity("county-report-filed-first", "project", PROJECT, "")

Rows = dict[str, list[dict[str, Any]]]


def read(engine: Engine) -> Rows:
    with glance(engine) as connection:
        return {name: list(json_rows(connection, dataset)) for name, dataset in DATASETS.items()}


def one(rows: list[dict[str, Any]], **named: Any) -> dict[str, Any]:
    found = [row for row in rows if named.items() <= row.items()]
    assert len(found) == 1, (named, len(found))
    return found[0]


@pytest.fixture
def rows(engine: Engine) -> Rows:
    planted(engine)
    lead_by_hand(engine)
    waiver = wanted(Kind.WAIVED, "away", rule="deployed-on-city-cloud", until=date(2026, 12, 1), decided_at=at(DAY, 9))
    decide(engine, waiver)
    decide(engine, wanted(Kind.SETTLED, findings=(SETTLED,), decided_at=at(DAY, 9)))
    appended(engine, DAY)
    return read(engine)


def test_every_data_set_is_as_its_schema_says_and_says_what_was_planted(rows: Rows) -> None:
    for name, dataset in DATASETS.items():
        assert rows[name], f"nothing was planted for {name}"
        validator = jsonschema.Draft202012Validator(dataset.schema, format_checker=jsonschema.FormatChecker())
        problems = [f"{name}: {list(e.path)} {e.message}" for row in rows[name] for e in validator.iter_errors(row)]
        assert not problems, problems[:5]
        keys = [tuple(row[part] for part in dataset.key) for row in rows[name]]
        assert keys == sorted(set(keys), key=lambda key: [str(part).encode() for part in key])
    _projects(rows)
    _systems(rows)
    _observed(rows)
    _findings(rows)
    _dossier(rows)


def _projects(rows: Rows) -> None:
    assert FORMER not in {row["project_code"] for row in rows["projects"]}, "a re-issued code is no project of its own"
    assert one(rows["projects"], project_code=PROJECT).items() >= {
        "is_digital": True, "is_void": False, "plan_year": 2026, "approvals": 4, "approvals_approved": 1, "approvals_pending": 2,
        "approvals_refused": 1, "contracts": 1, "contracts_yuan": "1285600.55", "paid_yuan": "0.30", "accepted_on": "2025-04-09",
        "systems": 2, "total_investment_yuan": None,
    }.items()  # fmt: skip
    item = one(rows["approval_items"], item_id="SX1")
    assert (item["project_code"], item["project_name"], item["submitted_at"]) == (
        PROJECT, "繁忙项目", "2026-11-20T00:30:00+08:00",
    )  # fmt: skip
    project = one(rows["projects"], project_code=PROJECT)
    weights = [project[f"leads_{severity}"] for severity in ("critical", "high", "medium", "low")]
    assert (project["leads"], weights) == (3, [0, 1, 1, 1]), "its own, its contract's, its plan entry's"
    assert project["leads_settled"] == 1


def _systems(rows: Rows) -> None:
    assert [row["system_code"] for row in rows["systems"]] == [
        "away", "busy", "gone", "hostile", "idle", "spare", "unowned",
    ]  # fmt: skip
    busy = one(rows["systems"], system_code="busy")
    assert busy.items() >= {"name": "繁忙系统", "purpose": "seasonal", "protection_level": 2, "sources": 3}.items(), (
        "each field comes from the best authority that has it"
    )
    assert one(rows["systems"], system_code="hostile").items() >= {"name": HOSTILE, "projects": 2}.items()
    assert one(rows["systems"], system_code="away").items() >= {"leads_settled": 1}.items()
    entry = one(rows["resources"], resource_key=HOSTILE)
    assert (entry["share_type_label"], entry["update_cycle_label"], entry["system_name"]) == (
        "不予共享", "其他", "繁忙系统",
    )  # fmt: skip


def _observed(rows: Rows) -> None:
    busy = one(rows["interconnection"], system_code="busy")
    days = range(21, 32), range(1, 20)
    calls = sum(10 + day for part in days for day in part)
    assert busy.items() >= {
        "declared": "connected", "registered": "service", "observed": "called", "services": 1, "last_called_on": "2026-11-19",
        "calls_30d": calls, "failures_30d": 30, "calls_until_on": "2026-11-19", "probe_state": "up", "probed_on": "2026-11-20",
        "outcome": "pass", "since": "2026-11-20",
    }.items()  # fmt: skip
    assert busy["success_percent_30d"] == f"{(calls - 30) * 100 / calls:.2f}"
    assert one(rows["interconnection"], system_code="away").items() >= {
        "observed": "calling", "calls_made_30d": calls, "registered": "none", "success_percent_30d": None,
    }.items()  # fmt: skip
    october = one(rows["usage_monthly"], system_code="busy", month="2026-10")
    assert october.items() >= {
        "days": 31, "observed_days": 31, "is_complete": True, "logins": 31 * 60, "login_days": 31, "active_users": 60,
        "calls": sum(range(11, 42)), "failures": 31, "host_days": 31, "cpu_mean_percent": "30.00", "cpu_max_percent": "70.00",
        "memory_max_percent": "60.00",
    }.items()  # fmt: skip
    november = one(rows["usage_monthly"], system_code="busy", month="2026-11")
    assert (november["days"], november["observed_days"], november["is_complete"]) == (30, 19, False)


def _findings(rows: Rows) -> None:
    waived = one(rows["findings"], finding_id=id_of("away", "deployed-on-city-cloud"))
    assert waived.items() >= {
        "rule_title": "系统部署在全市云平台", "clause": "art13.2", "article": "第十三条第三款第二项", "modality": "in_principle",
        "subject_name": "自建系统", "department": "市教育局", "state": "open", "handling": "waived", "handled_until": "2026-12-01",
        "opened_on": "2026-11-20", "since": "2026-11-20", "age_days": 0, "as_of": "2026-11-20", "due_on": None, "resolved_on": None,
    }.items()  # fmt: skip
    assert waived["responsible"]
    unowned = [row for row in rows["findings"] if row["subject"] == "unowned"]
    assert unowned
    assert {row["department"] for row in unowned} == {UNREGISTERED}
    settled = one(rows["findings"], finding_id=SETTLED)
    assert settled.items() >= {
        "state": "open", "handling": "acknowledged", "handled_until": None, "age_days": None, "settled_on": "2026-11-20",
        "settled_result": "criticised",
    }.items()  # fmt: skip
    assert {row["settled_on"] for row in rows["findings"] if row is not settled} == {None}
    filed = [row for row in rows["compliance_daily"] if row["rule"] == "county-report-filed-first"]
    assert [(row["settled"], row["open_age_p50"]) for row in filed if row["settled"]] == [(1, None)]
    cloud = one(rows["compliance_daily"], rule="deployed-on-city-cloud", department="市教育局")
    judged = cloud["passed"] + cloud["warned"] + cloud["failed"]
    assert cloud["waived"] == 1
    assert cloud["pass_percent"] == f"{cloud['passed'] * 100 / judged:.2f}"


def _dossier(rows: Rows) -> None:
    busy = one(rows["dossier"], system_code="busy")
    assert busy.items() >= {
        "projects": 1, "project_codes": PROJECT, "project_names": "繁忙项目", "plan_years": "2025,2026", "approvals_done": 1,
        "approvals_pending": 2, "exchange_outcome": "pass", "cloud_outcome": "pass", "catalogue_data": 1, "catalogue_components": 1,
        "catalogue_cloud": 0, "protection_on": "2026-11-20", "protection_until": "2027-02-28", "cipher_on": "2026-11-20",
        "cipher_until": None,
    }.items()  # fmt: skip
    hostile = one(rows["dossier"], system_code="hostile")
    assert hostile["project_codes"] == f"2607-230500-04-04-123459,{PROJECT}"
    assert hostile["project_names"] == "没有系统的项目、繁忙项目"
    checked = 0
    for row in rows["dossier"]:
        holes = json.loads(row["holes_json"])
        assert len(holes) == row["holes"]
        assert (row["holes_text"] or "").startswith(holes[0]["article"] + ":" if holes else "")
        assert all(hole["article"] and hole["clause"] and hole["since"] == "2026-11-20" for hole in holes)
        checked += len(holes)
    assert checked > 10
    assert one(rows["dossier"], system_code="away")["holes_settled"] == 1
    subjects = {hole["subject"] for hole in json.loads(hostile["holes_json"])}
    assert {HOSTILE, FORMER, PROJECT} <= subjects, "what its projects lack, whatever the number of the contract"
    assert hostile["funding_leads"] >= 1, "art. 30"
    assert hostile["approvals_missing"] == 1, "art. 18"
