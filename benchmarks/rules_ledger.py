"""A ledger full of projects for the benchmark of the rules: whole lives, most in order, and changes as merges bring them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, insert, update

from benchmarks.made_ledger import note_batch

DAY = date(2026, 11, 20)
SOURCES = {
    "provincial_approval": "project",
    "annual_plan": "plan_entry",
    "system_register": "system",
    "project_dossiers": "project_dossier",
    "suspensions": "suspension",
    "contracts": "contract",
    "payments": "payment",
    "acceptances": "acceptance",
    "assessments": "assessment",
    "performance_reviews": "performance_review",
    "rectifications": "rectification",
    "plan_years": "plan_year",
    "department_years": "department_year",
    "attestations": "attestation",
    "exchange_catalogue": "resource",
}


def fill(engine: Engine, projects: int) -> None:
    """Make a ledger: each project with two approval items, a dossier, contracts, payments, an acceptance, reports."""
    from include.ledger.entity_tables import kinds
    from include.ledger.tables import ENTITIES, source_authority

    with engine.begin() as connection:
        for source, entity in SOURCES.items():
            note_batch(connection, source, entity, DAY, f"{source}-1")
            connection.execute(source_authority.insert().values(source=source, authority=1))
    rows: dict[str, list[dict[str, Any]]] = {}
    for n in range(projects):
        for entity, row in _life(n):
            rows.setdefault(entity, []).append(row)
    rows["plan_year"] = [
        {"plan_year": y, "needs_called_on": date(y - 1, 7, 5), "drafted_on": date(y - 1, 10, 20)} for y in (2026, 2027)
    ]
    rows["department_year"] = [
        {"plan_year": 2027, "unit_name": f"Unit {n}", "unit_uscc": None, "budget_units": 5, "applications": n % 8}
        for n in range(60)
    ]
    of = {entity: source for source, entity in SOURCES.items()} | {"approval_item": "provincial_approval"}
    with engine.begin() as connection:
        for entity, lines in rows.items():
            source, blank = of[entity], dict.fromkeys(kinds(entity))
            stamp = {
                "source": source,
                "created_batch": f"{source}-1",
                "changed_batch": f"{source}-1",
                "tombstoned_at": None,
            }
            values = [
                blank | row | stamp | {"record_key": f"k{i}", "source_hash": f"{i:032x}"} for i, row in enumerate(lines)
            ]
            connection.execute(insert(ENTITIES[entity][0]), values)


def _life(n: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the records of one project, most in order, each seventh or so not."""
    from include.clock import SHANGHAI

    code, begin = f"2505-230500-04-04-{n:06d}", date(2025, 3, 1) + timedelta(days=n % 200)

    def on(days: int) -> date:
        return begin + timedelta(days=days)

    def at(days: int) -> datetime:
        day = on(days)
        return datetime(day.year, day.month, day.day, 10, tzinfo=SHANGHAI)

    yield (
        "project",
        {
            "project_code": code,
            "name": f"Project {n}",
            "unit_name": f"Unit {n % 60}",
            "division_code": "230500",
            "nature": "new",
            "managed_industry": "informatization",
            "project_type": "approval",
            "end_year": 2026,
            "applied_at": at(0),
            "total_investment_yuan": Decimal(2_000_000 + n),
            "code_form": "gb40058",
            "code_check": "ok",
        },
    )
    for kind, name, first in (("f", "可行性研究报告审批", 20), ("d", "初步设计审批", 45)):
        yield (
            "approval_item",
            {
                "item_id": f"{kind}{n}",
                "project_code": code,
                "item_name": name,
                "state": "approved",
                "submitted_at": at(first),
                "accepted_at": at(first + 1),
                "decided_at": at(first + 6 + n % 9),
            },
        )
    yield (
        "plan_entry",
        {
            "plan_year": 2026,
            "project_code": code,
            "name": f"Project {n}",
            "unit_name": f"Unit {n % 60}",
            "track": "unit",
        },
    )
    yield (
        "project_dossier",
        {
            "project_code": code,
            "name": f"Project {n}",
            "unit_name": f"Unit {n % 60}",
            "track": "unit",
            "fund_scope": "city",
            "content_class": "information_system",
            "is_public_service": n % 3 == 0,
            "self_build_approval_no": f"双政函〔2025〕{n}号",
            "self_build_approved_on": on(-30),
            "review_requested_on": on(1),
            "review_opinion_on": on(15 + n % 9),
            "design_submitted_on": on(32),
            "design_reply_on": on(50),
            "approved_investment_yuan": Decimal(2_000_000 + n),
            "feasibility_filed_on": on(33),
            "design_filed_on": on(52) if n % 7 else None,
            "construction_started_on": on(60),
            "implementing_body": "Centre",
            "has_responsible_person": True,
            "has_management_system": True,
            "trial_started_on": on(150),
            "trial_ended_on": on(190),
            "is_scope_completed": True,
            "users_tested_on": on(185),
            "is_improved": True,
            "went_live_on": on(200),
        },
    )
    for part in range(2):
        yield (
            "contract",
            {
                "contract_no": f"C{n}-{part}",
                "project_code": code,
                "name": f"Contract {n}-{part}",
                "amount_yuan": Decimal(800_000 + 300_000 * part),
                "signed_on": on(58),
                "procurement_method": "open_tender",
                "procurement_kind": "services",
                "awarded_on": on(55),
                "award_filed_on": on(57) if n % 5 else None,
                "states_ip": True,
                "states_data_ownership": True,
                "states_breach_liability": True,
                "states_warranty": True,
                "warranty_months": 24 - 12 * (n % 11 == 0),
                "states_termination": True,
            },
        )
    for part, kind in enumerate(("advance", "progress", "final")):
        yield (
            "payment",
            {
                "payment_no": f"P{n}-{part}",
                "project_code": code,
                "contract_no": f"C{n}-0",
                "kind": kind,
                "paid_on": on(70 + 70 * part),
                "amount_yuan": Decimal(100_000),
            },
        )
    yield (
        "acceptance",
        {
            "acceptance_no": f"A{n}",
            "project_code": code,
            "held_on": on(200),
            "result": "passed" if n % 13 else "failed",
        },
    )
    for kind in ("protection", "cipher", "risk", "acceptance_test"):
        yield (
            "assessment",
            {
                "report_no": f"{kind}{n}",
                "kind": kind,
                "project_code": code,
                "system_code": f"X{n:06d}",
                "issued_on": on(180),
                "conclusion": "conform",
            },
        )
    yield "performance_review", {"review_no": f"R{n}", "project_code": code, "kind": "self", "done_on": on(400)}
    yield (
        "system",
        {
            "system_code": f"X{n:06d}",
            "name": f"System {n}",
            "unit_name": f"Unit {n % 60}",
            "project_codes": code,
            "status": "in_use",
            "went_live_on": on(200),
            "protection_level": 3,
        },
    )
    for kind in ("data", "component", "cloud_resource"):
        yield (
            "resource",
            {
                "resource_id": f"{kind}{n}",
                "kind": kind,
                "code": f"{kind}{n}",
                "name": f"Entry {n}",
                "provider_name": f"Unit {n % 60}",
                "system_code": f"X{n:06d}",
                "state": "published",
                "share_type": "unconditional",
                "distribution_count": 1,
                "collection": "delivered",
            },
        )


def change(engine: Engine, count: int, day: date, projects: int) -> None:
    """Let a new batch of the dossiers move the filing day of `count` of the projects, as a merge would."""
    from include.clock import SHANGHAI
    from include.ledger.tables import project_dossier, project_dossier_change

    number = f"project_dossiers-{day:%Y%m%d}"
    when = datetime(day.year, day.month, day.day, 2, tzinfo=SHANGHAI)
    with engine.begin() as connection:
        note_batch(connection, "project_dossiers", "project_dossier", day, number, changed=count)
        keys = [f"k{n * projects // count}" for n in range(count)]
        this = project_dossier.c.record_key.in_(keys)
        connection.execute(update(project_dossier).where(this).values(design_filed_on=day, changed_batch=number))
        lines = [
            {
                "source": "project_dossiers",
                "record_key": k,
                "batch_id": number,
                "field": "design_filed_on",
                "old": None,
                "new": str(day),
                "changed_at": when,
            }
            for k in keys
        ]
        connection.execute(insert(project_dossier_change), lines)
