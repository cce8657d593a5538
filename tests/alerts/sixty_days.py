"""The script of the sixty days: read, and lived step by step, each in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine, select, text

from include.alerts.holds import release
from include.clock import SHANGHAI
from include.errors import DecisionRefused
from include.findings.decisions import Decision, decide
from include.findings.story import Kind
from include.ledger.alert_tables import alert_hold
from include.ledger.snapshot import FINDINGS, snapshot
from include.rules.workdays import Workdays
from tests.alerts.town import Town, id_of, moment, said, telling

HERE = Path(__file__).parent
NOTICES = HERE / "sixty_days_notices.txt"
PASS = 9
"""The hour of the daily pass."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens at a moment; a daily pass has nothing else."""

    at: datetime
    what: Mapping[str, Any]

    def live(self, engine: Engine) -> None:
        """Let it happen."""
        town = Town(engine)
        if "decides" in self.what:
            self._decide(engine, self.what["decides"])
        elif "releases" in self.what:
            self._release(town)
        elif "moves" in self.what:
            self._move(engine)
        elif "says" in self.what:
            town.judge(self.at, *self._verdicts())
        else:
            town.tell(self.at)

    def _verdicts(self) -> Iterator[Any]:
        version = self.what.get("version", "v1")
        for rule, outcomes in self.what["says"].items():
            for subject, outcome in outcomes.items():
                for one in many() if subject == "many" else [subject]:
                    yield said(outcome, one, rule, version=version, reason=outcome, x=1)

    def _decide(self, engine: Engine, what: Mapping[str, Any]) -> None:
        kind = Kind(what["kind"])
        findings = tuple(id_of(subject, what["rule"]) for subject in what["subjects"])
        approved = "ops" if kind in (Kind.WAIVED, Kind.ATTESTED) else None
        name = f"{kind.value}-{self.at.isoformat()}"
        decision = Decision(
            name, kind, findings, "engineer", self.at, approved, "第二十条", "说明", None, what.get("until")
        )
        decide(engine, decision, tell=telling)

    def _move(self, engine: Engine) -> None:
        with snapshot(engine, FINDINGS) as connection:
            for code, unit in self.what["moves"].items():
                moved = text("UPDATE system SET unit_name = :unit WHERE system_code = :code")
                connection.execute(moved, {"unit": unit, "code": code})
            telling(connection, self.at)

    def _release(self, town: Town) -> None:
        with snapshot(town.engine, FINDINGS) as connection:
            mine = alert_hold.c.scope == self.what["releases"]
            holds = list(connection.execute(select(alert_hold.c.hold_id).where(mine)).scalars())
            if not holds:
                raise DecisionRefused("there is nothing to release")
            for hold in holds:
                release(connection, hold, "engineer", "ops", "属实", self.at)
            telling(connection, self.at)


@cache
def script() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load((HERE / "sixty_days.yaml").read_text("utf-8"))
    return found


@cache
def many() -> list[str]:
    what = script()["many"]
    return [f"{what['prefix']}{number:02}" for number in range(what["count"])]


def plant(engine: Engine) -> Town:
    """Return the town before its first day."""
    town = Town(engine)
    systems = script()["systems"] | dict.fromkeys(many(), script()["many"]["department"])
    town.plant(systems, script()["projects"])
    return town


def steps() -> list[Step]:
    """Return all that happens, in order: the script, and a pass on every working day."""
    first, last = script()["first"], script()["last"]
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    calendar = Workdays.load()
    passes = [Step(moment(day, PASS), {}) for day in days if calendar.is_workday(day)]
    return sorted([*passes, *(Step(_moment(one["at"]), one) for one in script()["steps"])], key=lambda step: step.at)


def _moment(given: str | date) -> datetime:
    return datetime.strptime(str(given)[:16], "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)
