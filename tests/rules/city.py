"""A small city in the ledger: systems connected, idle, elsewhere, exempt, with all the sources that speak of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from copy import copy
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from tests.rules.evidence import DAY, Evidence, at, days_before

DAYS = 100
"""How many days of each series the city has."""

REGISTER = {
    "unit_name": "市教育局", "status": "in_use", "deployment": "city_cloud", "went_live_on": date(2023, 5, 1),
    "last_released_on": date(2026, 9, 1), "registered_users": 100,
}  # fmt: skip

SYSTEMS: dict[str, dict[str, Any]] = {
    "busy": REGISTER
    | {"name": "繁忙系统", "declared_connection": "connected", "project_codes": "2611-230500-04-04-000018"},
    "idle": REGISTER | {"name": "空闲系统"},
    "away": REGISTER | {"name": "自建系统", "deployment": "own_room"},
    "spare": REGISTER | {"name": "灾备系统", "purpose": "disaster_recovery"},
    "gone": REGISTER | {"name": "停用系统", "status": "stopped"},
}
BATCHES = (
    ("system_register", "system", 1), ("exchange_systems", "system", 50), ("exchange_services", "exchange_service", 1),
    ("exchange_calls", "exchange_call_day", 1), ("city_cloud", "cloud_resource", 1), ("cloud_metrics", "cloud_usage_day", 1),
    ("usage_statistics", "system_usage_day", 1), ("exemptions", "exemption", 1), ("provincial_approval", "project", 1),
    ("annual_plan", "plan_entry", 1),
)  # fmt: skip


class City(Evidence):
    """The city; `read` as of a day, later days are added with `next_day`."""

    def __init__(self, engine: Engine, day: date = DAY) -> None:
        super().__init__(engine)
        self.day = day
        self.last: dict[str, str] = {}
        with self.together():
            for source, entity, authority in BATCHES:
                self.last[source] = self.batch(source, entity, at(day, 2), authority=authority)
            self._registers()
            self.show(days_before(day, DAYS))

    def _registers(self) -> None:
        self.put("system", self.last["system_register"], [{"system_code": c} | row for c, row in SYSTEMS.items()])
        self.put(
            "system",
            self.last["exchange_systems"],
            [{"system_code": "busy", "name": "交换平台里的名字", "status": "trial"}],
        )
        self.put("exchange_service", self.last["exchange_services"], [
            {"service_code": "s1", "name": "查询", "system_code": "busy", "kind": "api", "state": "published"},
            {"service_code": "s2", "name": "库表", "system_code": "idle", "kind": "table", "state": "published"},
        ])  # fmt: skip
        self.put("cloud_resource", self.last["city_cloud"], [
            {"resource_code": f"h-{c}", "system_code": c, "status": "running", "vcpu": 4, "resource_type": "host"}
            for c in ("busy", "idle", "spare")
        ])  # fmt: skip
        self.put("project", self.last["provincial_approval"], [
            {"project_code": "2611-230500-04-04-000018", "name": "繁忙项目", "managed_industry": "informatization", "nature": "new",
             "end_year": 2024, "code_form": "gb40058", "code_check": "ok"},
            {"project_code": "2607-230500-04-04-123459", "name": "没有系统的项目", "managed_industry": "informatization",
             "end_year": 2024, "code_form": "gb40058", "code_check": "ok"},
        ])  # fmt: skip

    def show(self, days: Sequence[date], *, without: Iterable[str] = ()) -> None:
        """Add days of every series, of a life that goes on as it was; sources `without` were not read on them."""
        rows: dict[str, tuple[str, list[dict[str, Any]]]] = {
            "exchange_calls": ("exchange_call_day", [
                {"day": d, "service_code": "s1", "caller_code": "away", "calls": 10 + d.day, "failures": 1} for d in days
            ]),
            "cloud_metrics": ("cloud_usage_day", [
                {"day": d, "resource_code": f"h-{c}", "cpu_mean_bp": mean, "cpu_max_bp": top, "memory_max_bp": 6000}
                for d in days for c, mean, top in (("busy", 3000, 7000), ("idle", 100, 300), ("spare", 50, 60))
            ]),
            "usage_statistics": ("system_usage_day", [
                {"day": d, "system_code": c, "logins": n, "active_users": n, "registered_users": 100}
                for d in days for c, n in (("busy", 60), ("idle", 0), ("away", 30), ("spare", 0))
            ]),
        }  # fmt: skip
        for source, (entity, found) in rows.items():
            if source not in set(without):
                self.put(entity, self.last[source], found)
                self.observed(self.last[source], days)

    def read_again(self, source: str, when: datetime, **how: Any) -> str:
        """Record one more batch of a source."""
        entity = next(e for s, e, _ in BATCHES if s == source)
        self.last[source] = self.batch(source, entity, when, **how)
        return self.last[source]

    def next_day(self, *, without: Iterable[str] = ()) -> date:
        """Let a day pass: all sources but some are read, and show the day that is over."""
        over, self.day = self.day, self.day + timedelta(days=1)
        with self.together():
            for source, _, _ in BATCHES:
                if source not in set(without):
                    self.read_again(source, at(self.day, 2))
            self.show([over], without=without)
        return self.day


Then = Callable[[Engine], object]

_MADE: dict[tuple[date, Then | None], tuple[bytes, City]] = {}
"""The files of ledgers with nothing but the city, as SQLite left them."""


def planted(engine: Engine, day: date = DAY, then: Then | None = None) -> City:
    """Return the city, alone in an empty ledger, after something was done there. On SQLite both are done once, and copied."""
    name = engine.url.database
    if engine.dialect.name == "sqlite" and name and (day, then) in _MADE:
        content, made = _MADE[day, then]
        engine.dispose()
        Path(name).write_bytes(content)
    else:
        made = City(engine, day)
        if then:
            then(engine)
        if engine.dialect.name == "sqlite" and name:
            engine.dispose()
            with closing(sqlite3.connect(name)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            _MADE[day, then] = Path(name).read_bytes(), made
    city = copy(made)
    city.engine, city.last = engine, dict(made.last)
    return city
