"""The whole way on a city of planted systems: read, judge, and find exactly what was planted, twice, and a day later again."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from include import tasks
from include.clock import now
from include.findings.judging import Judged, judge
from include.ledger.database import migrate, open_ledger
from include.ledger.tables import evaluation, finding, finding_event, verdict
from include.sandbox.server import SandboxServer
from tests.depth import deep
from tests.findings.ledger_state import count, standing
from tests.platform import connect

RULES = {
    "idle": "resources-not-idle", "low_use": "system-in-regular-use", "oversized": "resources-fit-load", "stale": "system-kept-up",
    "zombie": "not-a-zombie-candidate", "cloud": "deployed-on-city-cloud",
}  # fmt: skip
NOT_PROVEN = ("last_success_too_old", "never_called", "never_succeeded", "application_only")
STATES = {
    "CONNECTED": {("pass", "called"), ("pass", "calls_others"), ("pass", "probe_answered")},
    "REGISTERED": {(o, r) for o in ("warn", "fail") for r in NOT_PROVEN},
    "CLAIMED": {("warn", "only_declared"), ("fail", "only_declared")}, "NONE": {("warn", "not_listed"), ("fail", "not_listed")},
    "UNKNOWN": {("unknown", r) for r in ("register_unread", "calls_unread", "called_but_not_listed")},
    "EXEMPT": {("not_applicable", "exempt")},
}  # fmt: skip
BAD = {"warn", "fail"}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    with SandboxServer(projects=deep(200, 600), seed=11, systems=120, home=tmp_path_factory.mktemp("city")) as server:
        yield server


@dataclass(frozen=True)
class Read:
    """What reading and probing the city once has left, to copy: the folder of ledger and landing zone, and the round's counts."""

    folder: Path
    swept: dict[str, Any]


@pytest.fixture(scope="module")
def read(city: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Read:
    folder = tmp_path_factory.mktemp("read")
    with pytest.MonkeyPatch.context() as patch:
        connect(patch, city)
        patch.setenv("LEDGER_URL", f"sqlite:///{folder / 'ledger.db'}")
        patch.setenv("LANDING_URL", str(folder / "landing"))
        migrate()
        sync("projects", "exchange", "register", "systems")
        (shard,) = tasks.plan_probes("test")
        return Read(folder, tasks.probe_shard(shard))


@pytest.fixture
def ledger(read: Read, city: SandboxServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    connect(monkeypatch, city)
    shutil.copytree(read.folder, tmp_path, dirs_exist_ok=True)
    return open_ledger()


def sync(*groups: str) -> None:
    for source in tasks.choose_sources(*groups):
        tasks.merge_source(tasks.land_source(source, "auto"))


def judge_on(engine: Any, scope: str, day: date) -> Judged:
    """Judge a day as if it were today."""
    at = datetime.combine(day, now().timetz())
    return judge(engine, scope, day, at=at)


def test_every_planted_system_is_judged_as_it_was_planted(ledger: Any, read: Read, city: SandboxServer) -> None:
    assert read.swept["succeeded"] > 10
    days = {
        "interconnection": now().date() + timedelta(days=1),
        "systems": now().date(),
    }  # probes of today count from tomorrow
    first = {scope: judge_on(ledger, scope, day) for scope, day in days.items()}
    truth = city.truth()["systems"]
    found = standing(ledger)
    looked_at: Counter[str] = Counter()
    wrong = []
    for code, planted in truth["systems"].items():
        for name, want in planted["expected"].items():
            looked_at[name] += 1
            if name == "interconnection":
                is_right = (
                    planted["profile"] in ("building", "stopped")
                    or found.get(("interconnected-with-exchange", code)) in STATES[want]
                )
            else:
                outcome = found.get((RULES[name], code), ("none", ""))[0]
                is_right = outcome == want or (want == "fail" and outcome in BAD)
            if not is_right:
                rule = RULES.get(name, "interconnected-with-exchange")
                wrong.append((planted["profile"], name, want, found.get((rule, code))))
    assert not wrong
    assert min(looked_at.values()) > 60 and set(looked_at) == {*RULES, "interconnection"}
    _nothing_of_the_classified(ledger, truth)
    _again_writes_nothing(ledger, first)
    _a_past_day_is_replayed(ledger)


def _nothing_of_the_classified(engine: Any, truth: dict[str, Any]) -> None:
    names = [name for kind in ("codes", "names", "units") for name in truth["classified"][kind]]
    assert len(names) >= 6
    with engine.connect() as connection:
        said = "".join(
            str(r) for t in (verdict, finding, finding_event, evaluation) for r in connection.execute(select(t))
        )
    assert "SYS2305" in said
    assert not [name for name in names if name in said]


def _again_writes_nothing(engine: Any, first: dict[str, Any]) -> None:
    before = count(engine, verdict, finding, finding_event, evaluation)
    for scope, was in first.items():
        again = judge_on(engine, scope, was.day)
        assert (again.digest, again.revision, again.is_new) == (was.digest, was.revision, False)
    assert count(engine, verdict, finding, finding_event, evaluation) == before
    assert before[1] > 20


def _a_past_day_is_replayed(engine: Any) -> None:
    """Days that were never judged are, from kept evidence; then they give the same bytes again, whatever comes in later."""
    past = now().date() - timedelta(days=3)
    before = judge(engine, "systems", past)
    findings = count(engine, finding, finding_event)
    sync("systems")
    again = judge(engine, "systems", past)
    assert again.is_replay and again.is_equal
    assert again.digest == before.digest
    assert count(engine, finding, finding_event) == findings


def test_the_exchange_down_changes_no_connected_system_and_is_one_cause(ledger: Any) -> None:
    today = now().date()
    judge(ledger, "interconnection", today)
    connected = {
        k
        for k, (outcome, _) in standing(ledger).items()
        if k[0] == "interconnected-with-exchange" and outcome == "pass"
    }
    assert len(connected) > 40
    with ledger.connect() as connection:
        opened = set(
            connection.execute(select(finding.c.rule, finding.c.subject).where(finding.c.state == "open")).all()
        )
    later = judge_on(ledger, "interconnection", today + timedelta(days=1))  # nothing was read of today
    assert later.tally.outcomes["interconnected-with-exchange"]["pass"] >= len(connected)
    after = standing(ledger)
    assert not [k for k in connected if after[k][0] != "pass"]
    with ledger.connect() as connection:
        causes = (
            set(connection.execute(select(finding.c.rule, finding.c.subject).where(finding.c.state == "open")).all())
            - opened
        )
    assert ("evidence-current", "exchange_calls") in causes
    assert not [c for c in causes if c[0] == "interconnected-with-exchange"]


def test_the_availability_of_endpoints_is_of_conclusive_probes_before_the_day(ledger: Any, read: Read) -> None:
    today = now().date()
    before, after = (judge_on(ledger, "interconnection", day).rates[-1] for day in (today, today + timedelta(days=1)))
    assert (before.title, before.denominator, before.share_bp) == ("接口可用率", 0, None)
    assert after.numerator == read.swept["succeeded"] > 10
    assert after.denominator == read.swept["succeeded"] + read.swept["failed"] > after.numerator
    assert after.unknown == read.swept["inconclusive"]
