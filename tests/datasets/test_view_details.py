"""What the views work out by themselves: present codes, lengths of months, whose a service is, and a ledger of before."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, insert, inspect, text

from include.ledger.database import MIGRATIONS, migrate, open_ledger
from include.ledger.tables import project_alias
from include.rules.project_register import ProjectRegister
from tests.rules.evidence import DAY, Evidence, at

CHAINS = {
    "one step": [("A", "B")], "a chain": [("A", "B"), ("B", "C"), ("C", "D")], "back to itself": [("A", "B"), ("B", "A")],
    "itself": [("A", "A"), ("B", "A")], "two into one": [("A", "C"), ("B", "C")],
    "a long chain": [(f"{n:02d}", f"{n + 1:02d}") for n in range(30)],
}  # fmt: skip


def rows(engine: Engine, query: str) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(query)).mappings()]


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_present_codes_are_those_of_the_rules(engine: Engine, chain: list[tuple[str, str]]) -> None:
    with engine.begin() as connection:
        for former, code in chain:
            values = {"source": "s", "former_code": former, "project_code": code, "batch_id": "b"}
            connection.execute(insert(project_alias).values(**values))
    by_view = {r["former_code"]: r["project_code"] for r in rows(engine, "SELECT * FROM present_project_code")}
    by_rules = _aliases(engine)
    assert by_view == {former: code for former, code in by_rules.items() if former != code}


def _aliases(engine: Engine) -> dict[str, str]:
    """Return what the rules make of the aliases, from nothing but the table."""

    class Known:
        def __init__(self, connection: Any) -> None:
            self.connection = connection

        def aliases(self) -> Any:
            return text("SELECT former_code, project_code FROM project_alias")

    class Registers:
        def __init__(self, known: Known) -> None:
            self.known = known

    with engine.connect() as connection:
        return ProjectRegister(Registers(Known(connection))).aliases  # type: ignore[arg-type]


def test_months_are_as_long_as_the_calendar_says(engine: Engine) -> None:
    months = [(year, month) for year in (1900, 2000, 2023, 2024, 2026, 2100) for month in range(1, 13)]
    evidence = Evidence(engine)
    batch = evidence.batch("usage", "system_usage_day", at(DAY))
    evidence.put(
        "system_usage_day", batch, [{"day": date(y, m, 1), "system_code": "S", "logins": 1} for y, m in months]
    )
    found = {r["month"]: r["days"] for r in rows(engine, "SELECT month, days FROM usage_monthly")}
    assert found == {f"{year}-{month:02d}": monthrange(year, month)[1] for year, month in months}


def test_calls_of_a_service_that_is_listed_no_more_were_calls_of_its_system(engine: Engine) -> None:
    evidence = Evidence(engine)
    listed, called = (
        evidence.batch(s, e, at(DAY)) for s, e in (("list", "exchange_service"), ("log", "exchange_call_day"))
    )
    evidence.put("system", evidence.batch("register", "system", at(DAY)), [{"system_code": "S", "name": "系统"}])
    services = [
        {"service_code": code, "name": "服务", "system_code": "S", "state": "published"} for code in ("old", "new")
    ]
    evidence.put("exchange_service", listed, services)
    evidence.change("exchange_service", listed, {"service_code": "old"}, at(DAY), state="withdrawn")
    calls = [
        ("old", "T", 5, 0, False),
        ("new", "T", 3, 3, False),
        ("new", "S", 70, 0, False),
        ("old", "P", 90, 0, True),
    ]
    evidence.put("exchange_call_day", called, [
        {"day": DAY, "service_code": s, "caller_code": c, "calls": n, "failures": f, "is_probe": p} for s, c, n, f, p in calls
    ])  # fmt: skip
    row = rows(engine, "SELECT * FROM interconnection")[0]
    assert (row["services"], int(row["calls_30d"]), int(row["failures_30d"]), row["observed"]) == (1, 8, 3, "called"), (
        "neither probes nor a system's calls of itself count"
    )
    assert float(row["success_percent_30d"]) == 62.5


def test_a_ledger_from_before_the_data_sets_keeps_its_days(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'before.db'}"
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    counts = "passed, warned, failed, unknown, not_applicable, waived, opened, resolved, reopened"
    with create_engine(url).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        assert not inspect(connection).has_table("rule_title")
        connection.execute(
            text(
                f"INSERT INTO compliance_day (day, rule, department, {counts}, appended_at) "
                "VALUES ('2026-11-20', 'r', '市教育局', 1, 0, 2, 0, 0, 0, 0, 0, 0, '2026-11-20T08:00:00+08:00')"
            )
        )
    migrate(url)
    row = rows(open_ledger(url), "SELECT * FROM compliance_daily")[0]
    assert (row["department"], row["failed"], bool(row["is_replay"]), row["pass_percent"]) == (
        "市教育局",
        2,
        False,
        33.33,
    )


def test_postgresql_does_not_compile_the_plans_of_views(engine: Engine) -> None:
    if engine.dialect.name == "postgresql":
        assert rows(engine, "SHOW jit") == [{"jit": "off"}], "compiling takes longer than any view"
    assert engine.dialect.name in ("sqlite", "postgresql")
