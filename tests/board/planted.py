"""A city to look at: judged on all scopes, with hostile names, messages, a hold, an incident, decisions and daily figures."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import Engine, insert, select, update

from include.alerts import outbox
from include.alerts.incidents import beat
from include.alerts.message import Item, Message, Reason, Section, message_id
from include.alerts.watchdog import WATCH
from include.findings.judging import judge
from include.ledger.alert_tables import (
    alert_hold,
    channel_state,
    compliance_day,
    delivery_attempt,
    held_finding,
    incident,
    told,
)
from include.ledger.alert_tables import outbox as messages
from include.ledger.tables import decision, finding
from include.rules.evaluation import SCOPES
from tests.rules.city import REGISTER, City
from tests.rules.evidence import DAY, at

HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(1)>=cmd|'/C calc'!A0 𠮷\u202e{{7*7}}"""
"""A name that every page must show as it is."""
ODD_CODE = 'a/b?c%2F#"<x>'
"""A code that addresses must quote."""
PROJECT = "2511-230500-04-04-908767"
"""The project with dossier, contract, notice and a term that runs."""
HOLD, INCIDENT = "a" * 32, "b" * 32


def plant(engine: Engine) -> City:
    """Fill an empty ledger."""
    city = City(engine)
    _register(city)
    for scope in SCOPES:
        judge(engine, scope, DAY)
    with engine.begin() as connection:
        ids = list(connection.execute(select(finding.c.finding_id).order_by(finding.c.finding_id)).scalars())
    assert len(ids) > 10
    _alerts(engine, ids)
    _decisions(engine, ids)
    _figures(engine)
    return city


def _register(city: City) -> None:
    """Add what the small city has not: hostile systems, dossiers, contracts, a notice, plans."""
    city.put("system", city.last["system_register"], [
        REGISTER | {"system_code": ODD_CODE, "name": HOSTILE, "unit_name": "局<b>&", "deployment": "own_room",
                    "project_codes": PROJECT},
        REGISTER | {"system_code": "nobody", "name": "没有单位的系统", "unit_name": None, "deployment": "own_room"},
    ])  # fmt: skip
    rows: dict[str, tuple[str, list[dict[str, Any]]]] = {
        "project_dossiers": ("project_dossier", [{
            "project_code": PROJECT, "name": "在办项目", "unit_name": "市教育局", "track": "unit", "fund_scope": "city",
            "content_class": "information_system", "review_requested_on": date(2026, 11, 2),
            "design_submitted_on": date(2026, 9, 1), "design_reply_on": date(2026, 9, 10),
            "construction_started_on": date(2026, 9, 1),
        }]),
        "contracts": ("contract", [{
            "contract_no": "HT-1", "project_code": PROJECT, "name": HOSTILE, "amount_yuan": Decimal("1200000.50"),
            "signed_on": date(2026, 9, 20), "states_ip": False, "warranty_months": 6,
        }]),
        "payments": ("payment", [{
            "payment_no": f"FK-{n}", "project_code": PROJECT, "contract_no": "HT-1", "kind": "progress",
            "paid_on": date(2026, 9, 25), "amount_yuan": Decimal(1000 * n),
        } for n in range(1, 6)]),
        "rectifications": ("rectification", [{
            "notice_no": "ZG-1", "project_code": PROJECT, "topic": "限期补充", "issued_on": date(2026, 9, 1),
            "due_on": date(2026, 10, 1), "issued_by": "市审计局",
        }]),
        "department_years": ("department_year", [
            {"plan_year": 2027, "unit_name": "市教育局", "unit_uscc": None, "budget_units": 1, "applications": 9},
        ]),
        "plan_years": ("plan_year", [
            {"plan_year": 2027, "needs_called_on": date(2026, 8, 5), "drafted_on": date(2026, 11, 2)}
        ]),
    }  # fmt: skip
    for source, (entity, lines) in rows.items():
        city.put(entity, city.batch(source, entity, at(DAY, 2)), lines)
    city.batch("suspensions", "suspension", at(DAY, 2))
    city.put("project", city.last["provincial_approval"], [{
        "project_code": PROJECT, "name": "在办项目", "managed_industry": "informatization", "nature": "new",
        "unit_name": "市教育局",
        "division_code": "230500", "code_form": "gb40058", "code_check": "ok", "total_investment_yuan": Decimal("1234567.80"),
    }])  # fmt: skip
    plan = {"plan_year": 2027, "project_code": "2607-230500-04-04-999999", "name": "平台没有", "unit_name": "市公安局"}
    city.put("plan_entry", city.last["annual_plan"], [plan])


def _alerts(engine: Engine, ids: list[str]) -> None:
    when = at(DAY, 9)
    made = []
    for number, (channel, department) in enumerate(
        [("mail", "市教育局"), ("mail", "局<b>&"), ("spool", ""), ("dingtalk", "")]
    ):
        item = Item(HOSTILE, ids[number], "busy", "第八条第三款", "low", str(DAY), "请于 2026-12-01 前核实", "补齐")
        section = Section(Reason.OPENED, "互联互通", 3, (item,), HOSTILE)
        number_of = message_id("unit", department, channel, when, str(number))
        made.append(
            Message(number_of, channel, "unit", "建设(使用)单位", department, HOSTILE, HOSTILE, (section,), when)
        )
    with engine.begin() as connection:
        assert outbox.put(connection, made, when) == 4
        for message, state in zip(made, ("sent", "dead", "pending", "sent"), strict=True):
            body = "" if message.channel == "dingtalk" else message.dumps()
            change = {"state": state, "attempts": 1, "sent_at": when if state == "sent" else None, "body": body}
            connection.execute(update(messages).where(messages.c.message_id == message.message_id).values(**change))
            tries = {"message_id": message.message_id, "number": 1, "channel": message.channel, "started_at": when}
            connection.execute(insert(delivery_attempt).values(**tries))
        connection.execute(insert(told).values(
            receiver="unit", finding_id=ids[0], department="市教育局", topic="cloud", state="open", outcome="warn", reopened=0,
            first_told_on=DAY - timedelta(days=2), last_told_on=DAY, message_id=made[0].message_id,
        ))  # fmt: skip
        connection.execute(insert(channel_state).values(channel="mail", failing_since=when, last_error=HOSTILE))
        connection.execute(insert(alert_hold).values(
            hold_id=HOLD, scope="systems", day=DAY, raised_at=when, findings=90, allowed=20, subjects=5, state="held",
            by_rule=orjson.dumps({"resources-not-idle": 90}).decode(),
        ))  # fmt: skip
        connection.execute(insert(held_finding).values(finding_id=ids[1], hold_id=HOLD))
        connection.execute(insert(incident).values(
            incident_id=INCIDENT, pipeline="sync_projects", cause="failed", part="zj_projects", detail=HOSTILE, opened_at=when,
            last_seen_at=when, times=2,
        ))  # fmt: skip
        for pipeline, hours in (("keep_house", 2), ("sync_projects", 1), ("own_pipeline", 1), (WATCH, 1)):
            beat(connection, pipeline, when - timedelta(days=9))
            beat(connection, pipeline, when - timedelta(hours=hours))


def _decisions(engine: Engine, ids: list[str]) -> None:
    with engine.begin() as connection:
        for number, kind in enumerate(("acknowledged", "waived", "rectifying", "settled")):
            mine = finding.c.finding_id == ids[number]
            late = DAY if kind == "rectifying" else None
            until = None if kind == "settled" else DAY + timedelta(days=3)
            change = {"handling": kind, "handled_until": until, "overdue_since": late}
            connection.execute(update(finding).where(mine).values(**change))
            connection.execute(insert(decision).values(
                decision_id=f"run-{number}", finding_id=ids[number], kind=kind, requested_by=HOSTILE, approved_by="ops",
                ground="第二十条", reason=HOSTILE, decided_at=at(DAY, 10), result="criticised" if kind == "settled" else None,
            ))  # fmt: skip


def _figures(engine: Engine) -> None:
    counts = {"warned": 1, "not_applicable": 0, "waived": 1, "settled": 2, "opened": 0, "resolved": 0, "reopened": 0}
    with engine.begin() as connection:
        connection.execute(insert(compliance_day), [
            {"day": DAY - timedelta(days=n), "rule": rule, "department": unit, "passed": 5, "failed": n % 3, "unknown": n % 2,
             "appended_at": at(DAY, 11), **counts}
            for n in range(120) for rule in ("resources-not-idle", "evidence-current") for unit in ("市教育局", "局<b>&")
        ])  # fmt: skip
