"""A small city with something in every data set, judged for two days, and names that try to break whoever shows them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import Engine, insert

from include.datasets.compliance import append_day
from include.findings.door import settle
from include.findings.judging import judge
from include.findings.rule_titles import sync_rule_titles
from include.ledger.snapshot import FINDINGS, snapshot
from include.ledger.tables import probe_state, project_alias
from include.rules import timeline
from tests.findings.deciding import said
from tests.rules.city import City
from tests.rules.evidence import DAY, at

HOSTILE = "=1+1'\"</td><script>𠮷\n,;:{json}\\@all\u202e"
"""A name with a formula, quotes, markup, a line break, separators, a backslash, a character beyond 16 bits, and a bidi mark."""
PROJECT, FORMER = "2611-230500-04-04-000018", "2511-230500-04-04-908767"
SCOPES = ("interconnection", "systems", "catalogues", "regulation")


def planted(engine: Engine) -> City:
    """Return the city after its first judged day, `DAY`."""
    city = City(engine)
    register = city.batch("second_register", "system", at(DAY, 2), authority=2)
    city.put("system", register, [
        {"system_code": "hostile", "name": HOSTILE, "unit_name": HOSTILE, "status": "in_use", "deployment": "own_room",
         "project_codes": f"{FORMER},2607-230500-04-04-123459", "protection_level": 3},
        {"system_code": "busy", "name": "第二台账里的名字", "purpose": "seasonal", "protection_level": 2},
        {"system_code": "unowned", "name": "无单位系统", "status": "in_use", "deployment": "own_room"},
    ])  # fmt: skip
    platform = city.last["provincial_approval"]
    city.put(
        "project",
        platform,
        [{"project_code": FORMER, "name": "旧代码项目", "code_form": "gb40058", "code_check": "ok"}],
    )
    city.put("approval_item", platform, [
        {"item_id": f"SX{n}", "project_code": code, "item_name": HOSTILE, "state": state, "submitted_at": at(DAY, 0, 30)}
        for n, (code, state) in enumerate([(PROJECT, "approved"), (FORMER, "in_review"), (PROJECT, "rejected"), (PROJECT, None)])
    ])  # fmt: skip
    city.put("plan_entry", city.last["annual_plan"], [
        {"plan_year": year, "project_code": FORMER, "name": "旧代码项目", "unit_name": "市教育局"} for year in (2025, 2026)
    ])  # fmt: skip
    for source, entity, rows in _papers():
        city.put(entity, city.batch(source, entity, at(DAY, 2)), rows)
    city.probed("s1", DAY, successes=3, failures=1)
    with engine.begin() as connection:
        connection.execute(
            insert(project_alias).values(
                source="provincial_approval", former_code=FORMER, project_code=PROJECT, batch_id=platform
            )
        )
        connection.execute(
            insert(probe_state).values(
                service_code="s1", state="up", since_at=at(DAY), failures_in_a_row=0, successes_in_a_row=3, sweep_id="w"
            )
        )
        sync_rule_titles(connection)
    judge_all(engine, DAY)
    return city


def _papers() -> list[tuple[str, str, list[dict[str, object]]]]:
    """Return what is kept beside the platforms: contracts, payments, acceptances, reports, entries of catalogues."""
    soon = DAY + timedelta(days=100)
    return [
        ("contracts", "contract", [{"contract_no": HOSTILE, "project_code": PROJECT, "name": "合同", "amount_yuan": "1285600.55",
                                     "signed_on": date(2025, 1, 9), "procurement_method": "open_tender"}]),
        ("project_dossiers", "project_dossier", [
            {"project_code": FORMER, "name": "繁忙项目", "unit_name": "市教育局", "track": "unit", "fund_scope": "city",
             "content_class": "information_system", "construction_started_on": date(2025, 1, 1), "has_responsible_person": False,
             "has_management_system": False, "went_live_on": date(2025, 3, 1), "is_public_service": False}
        ]),
        ("payments", "payment", [
            {"payment_no": f"F{n}", "project_code": PROJECT, "kind": "progress", "paid_on": DAY, "amount_yuan": "0.10"}
            for n in range(3)
        ]),
        ("acceptances", "acceptance", [
            {"acceptance_no": "Y1", "project_code": PROJECT, "held_on": date(2025, 4, 9), "result": "passed"},
            {"acceptance_no": "Y2", "project_code": PROJECT, "held_on": date(2026, 4, 9), "result": "failed"},
        ]),
        ("assessments", "assessment", [
            {"report_no": "P1", "kind": "protection", "system_code": "busy", "issued_on": DAY, "valid_until": soon},
            {"report_no": "C1", "kind": "cipher", "project_code": FORMER, "issued_on": DAY, "valid_until": None},
        ]),
        ("catalogue", "resource", [
            {"resource_id": HOSTILE, "kind": "data", "title": HOSTILE, "system_code": "busy", "share_type": "none",
             "update_cycle": "other", "state": "published", "collection": "not_required", "open_type": "closed"},
            {"resource_id": "r2", "kind": "component", "title": "组件", "system_code": "busy", "distribution_count": 2},
        ]),
    ]  # fmt: skip


def judge_all(engine: Engine, day: date) -> None:
    """Judge every scope for a day in the morning."""
    for scope in SCOPES:
        judge(engine, scope, day, at=at(day, 7))


def appended(engine: Engine, day: date, hour: int = 8, **how: bool) -> int:
    """Append a day as the publication does; return how many rows were written."""
    with snapshot(engine, "datasets") as connection:
        return append_day(connection, day, at(day, hour), **how).written


def lead_by_hand(engine: Engine, day: date = DAY) -> None:
    """Find two things wrong with a project, and under its former code with a contract and an entry of the plan."""
    papers = (
        ("no-final-payment-before-acceptance", "project", PROJECT, "high"), ("tender-result-filed", "contract", HOSTILE, "low"),
        ("reported-on-provincial-platform", "plan_entry", FORMER, "medium"),
        ("county-report-filed-first", "project", PROJECT, "high"),
    )  # fmt: skip
    with snapshot(engine, FINDINGS) as connection:
        for rule, subject_type, subject, severity in papers:
            reason = "filed_late" if rule.startswith("county") else "r"
            made = said("fail", subject, rule, reason, severity=severity, day=day)
            verdict = replace(made, subject_type=subject_type)
            timeline.record(connection, "regulation", [rule], [verdict], day, None)
            settle(connection, [verdict], [rule], day, at(day, 7), None, "regulation")
