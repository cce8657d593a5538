"""A ledger for the benchmark of the board: systems and projects, verdicts on each, open findings, messages, daily figures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, Table, insert

from benchmarks.made_ledger import note_batch

DAY = date(2026, 11, 20)
UNITS = 60
TREND_DAYS = 90
USE_DAYS = 60
MESSAGES = 5_000
AT_ONCE = 20_000
OUTCOMES = ("pass", "fail", "warn", "unknown", "not_applicable")
STEP = "近 30 天 CPU 均值 2.28%,无登录、无业务调用,窗口 30 天,观测 29 天,覆盖 96%"


def fill(engine: Engine, systems: int, findings: int) -> None:
    """Make it: as many projects as systems, each named by one; findings are spread over both."""
    from include.ledger import alert_tables, tables
    from include.rules.rule_book import load_rules

    rules = load_rules()
    of = {kind: [r for r in rules if r.subject == kind and not r.parts] for kind in ("system", "project")}
    codes = {"system": [f"SYS{n:06d}" for n in range(systems)]}
    codes["project"] = [f"2505-230500-04-04-{n:06d}" for n in range(systems)]
    with engine.begin() as connection:
        for source, entity in (("system_register", "system"), ("exchange_systems", "system"), ("provincial_approval", "project"),
                               ("approval_frontdb", "project"), ("usage_statistics", "system_usage_day")):  # fmt: skip
            note_batch(connection, source, entity, DAY, f"{source}-1")
            connection.execute(tables.source_authority.insert().values(source=source, authority=1))
        _put(connection, tables.system, _records("system", codes))
        _put(connection, tables.project, _records("project", codes))
        _put(connection, tables.system_usage_day, _use(codes["system"]))
        _put(connection, tables.judged_subject, _judged(codes["project"]))
        verdicts = list(_verdicts(of, codes))
        _put(connection, tables.verdict, verdicts)
        bad = [v for v in verdicts if v["outcome"] in ("fail", "warn")]
        share = max(1, len(bad) // findings)
        chosen = bad[::share][:findings]
        _put(connection, tables.finding, _findings(chosen))
        _put(connection, tables.finding_event, _events(chosen))
        _put(connection, tables.evaluation, _evaluations(of))
        _put(connection, alert_tables.outbox, _messages())
        _put(connection, alert_tables.compliance_day, _daily([r.id for r in rules]))


def _put(connection: Connection, table: Table, rows: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> None:
    more = iter(rows)
    while some := list(islice(more, AT_ONCE)):
        connection.execute(insert(table), some)


def _at(hour: int) -> datetime:
    from include.clock import SHANGHAI

    return datetime(DAY.year, DAY.month, DAY.day, hour, tzinfo=SHANGHAI)


def _unit(n: int) -> str:
    return f"市第{n % UNITS}局"


def _stamp(source: str, n: int) -> dict[str, Any]:
    batch = f"{source}-1"
    return {
        "source": source,
        "created_batch": batch,
        "changed_batch": batch,
        "tombstoned_at": None,
        "source_hash": f"{n:032x}",
    }


def _records(entity: str, codes: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    """Yield every record twice, as two sources have it."""
    from include.ledger.entity_tables import kinds

    sources = {
        "system": ("system_register", "exchange_systems"),
        "project": ("provincial_approval", "approval_frontdb"),
    }
    blank = dict.fromkeys(kinds(entity))
    for n, code in enumerate(codes[entity]):
        row = blank | {f"{entity}_code": code, "name": f"{_unit(n)}业务系统{n}号", "unit_name": _unit(n)}
        if entity == "system":
            row |= {"project_codes": codes["project"][n], "status": "in_use", "deployment": "city_cloud"}
        else:
            row |= {"managed_industry": "informatization", "nature": "new", "is_void": False}
        for source in sources[entity]:
            yield row | _stamp(source, n) | {"record_key": code}


def _use(codes: list[str]) -> Iterator[dict[str, Any]]:
    for back in range(USE_DAYS, 0, -1):
        day = DAY - timedelta(days=back)
        for n, code in enumerate(codes):
            row = {"day": day, "system_code": code, "logins": n % 500, "active_users": n % 90, "registered_users": 100}
            yield row | _stamp("usage_statistics", n) | {"record_key": f"{day}|{code}"}


def _judged(codes: list[str]) -> Iterator[dict[str, Any]]:
    for code in codes:
        yield {
            "scope": "regulation", "subject_type": "project", "subject": code, "facts_hash": "f", "rules_version": "v",
            "holds_until": None, "outcomes": "{}", "said": "s",
        }  # fmt: skip


def _verdicts(of: dict[str, Any], codes: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    for kind, rules in of.items():
        for k, rule in enumerate(rules):
            for n, code in enumerate(codes[kind]):
                outcome = OUTCOMES[(n * 7 + k * 3) % 5] if (n + k) % 4 else "pass"
                message = f"“{_unit(n)}业务系统{n}号”近 30 天 CPU 均值 2.28%,请核实"
                fact = {
                    "value": {"days": 30, "observed": 29, "calls": n},
                    "source": "usage_statistics",
                    "seen_until": str(DAY),
                }
                facts = {f"f{i}": fact for i in range(4)}
                body = {
                    "message": message, "outcome": outcome, "steps": [STEP] * 3, "facts_used": facts, "parameters_used": {},
                    "clause": rule.article.id, "severity": None,
                }  # fmt: skip
                yield {
                    "rule": rule.id, "subject_type": kind, "subject": code, "occurrence": "", "from_day": DAY, "until_day": None,
                    "outcome": outcome, "reason": "r", "scope": rule.scope, "body": orjson.dumps(body).decode(),
                }  # fmt: skip


def _id(row: dict[str, Any]) -> str:
    from include.findings.story import identity

    return identity(row["rule"], row["subject_type"], row["subject"], row["occurrence"])


def _findings(chosen: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for n, row in enumerate(chosen):
        yield {
            "finding_id": _id(row), "rule": row["rule"], "subject_type": row["subject_type"], "subject": row["subject"],
            "occurrence": "", "state": "open", "outcome": row["outcome"], "reason": "r",
            "message": orjson.loads(row["body"])["message"], "first_seen_on": DAY - timedelta(days=n % 200), "judged_on": DAY,
            "unverified_since": None, "reopened": 0, "severity": ("low", "medium", "high", "critical")[n % 4],
            "rule_version": "v", "handling": "waived" if n % 50 == 0 else "new", "handled_until": None, "handled_by": None,
            "decision_id": None, "overdue_since": None,
        }  # fmt: skip


def _events(chosen: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in chosen:
        yield {
            "finding_id": _id(row), "number": 1, "kind": "opened", "day": DAY, "recorded_at": _at(7), "reason": "r",
            "outcome": row["outcome"], "detail": '{"message": "出现"}',
        }  # fmt: skip


def _evaluations(of: dict[str, Any]) -> Iterator[dict[str, Any]]:
    from include.rules.evaluation import SCOPES

    outcomes = orjson.dumps({"outcomes": {r.id: {"pass": 9} for rules in of.values() for r in rules}}).decode()
    rate = {
        "name": "cloud_rate",
        "title": "上云率",
        "numerator": 9,
        "denominator": 10,
        "unknown": 1,
        "exempt": 0,
        "share_bp": 9000,
    }
    for scope in SCOPES:
        yield {
            "scope": scope, "day": DAY, "revision": 1, "known": '{"batches": {}, "sweep": null}', "rules_version": "v",
            "digest": "d", "verdicts": 1, "outcomes": outcomes, "rates": orjson.dumps([rate]).decode(), "evaluated_at": _at(8),
        }  # fmt: skip


def _messages() -> Iterator[dict[str, Any]]:
    for n in range(MESSAGES):
        yield {
            "message_id": f"{n:032x}", "channel": ("mail", "dingtalk")[n % 2], "receiver": "unit", "department": _unit(n),
            "reasons": "opened,reminder", "is_urgent": False, "title": f"新线索 {n} 条", "body": "{}", "finding_ids": "[]",
            "body_hash": "h", "decided_at": _at(9) - timedelta(minutes=n), "state": ("sent", "sent", "pending", "dead")[n % 4],
            "attempts": 1, "next_try_at": _at(9),
        }  # fmt: skip


def _daily(rules: list[str]) -> Iterator[dict[str, Any]]:
    names = ("passed", "warned", "failed", "unknown", "not_applicable", "waived", "opened", "resolved", "reopened")
    for back in range(TREND_DAYS):
        for k, rule in enumerate(rules):
            for n in range(UNITS):
                counts = {name: (back + k + n) % 9 for name in names}
                yield {"day": DAY - timedelta(days=back), "rule": rule, "department": _unit(n), "appended_at": _at(9),
                       "open_age_p50": 5, "open_age_p90": 50, **counts}  # fmt: skip
