"""What `doctor` says of alerts, retention, spool and data sets: what is broken, what is noted, and that one hides no other."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from include.checkup import Check, check_all
from include.clock import now
from include.landing.store import LandingStore
from include.ledger.alert_tables import incident
from include.ledger.database import open_ledger
from tests.command import command
from tests.house.household import Household


@pytest.fixture
def home(migrated_sqlite: Path, tmp_path: Path) -> Household:
    shutil.copy(migrated_sqlite, tmp_path / "ledger.db")
    return Household(open_ledger(), LandingStore(str(tmp_path / "landing")), tmp_path)


def looked(*words: str) -> list[Check]:
    """Return what is said of each of some things, all looked at once."""
    checks = check_all()
    found = [[check for check in checks if word in check.name] for word in words]
    assert [len(of_word) for of_word in found] == [1] * len(words)
    return [check for (check,) in found]


def test_a_fresh_home_is_in_order(home: Household) -> None:
    checks = looked("routing", "coverage", "retention", "spool", "dead letters", "incidents", "data sets")
    for found in checks:
        assert (found.is_ok, found.is_noted) == (True, False), found
    assert [p for p in home.spool.iterdir()] == []  # the trial file is gone again
    assert "spool" in checks[0].text


def test_messages_that_lead_nowhere_are_named_so(home: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUBLIC_URL", raising=False)
    assert looked("links") == [
        Check("看板地址 links", True, "PUBLIC_URL is not set: messages name no page with the rest", False)
    ]
    monkeypatch.setenv("PUBLIC_URL", "https://airflow.example.gov.cn/")
    assert looked("links") == [Check("看板地址 links", True, "messages lead to https://airflow.example.gov.cn", False)]


def test_dead_letters_open_incidents_and_old_data_sets_are_noted(home: Household) -> None:
    home.message(1, now().date(), state="dead")
    at = now()
    row = {"incident_id": "i", "pipeline": "sync_projects", "cause": "failed", "part": "", "detail": "d", "opened_at": at,
           "last_seen_at": at, "times": 1}  # fmt: skip
    closed = row | {"incident_id": "j", "pipeline": "watch_systems", "resolved_at": at}
    with home.engine.begin() as connection:
        connection.execute(insert(incident).values(**row))
        connection.execute(insert(incident).values(**closed))
    home.datasets.mkdir()
    as_of = (at - timedelta(days=9)).isoformat()
    (home.datasets / "current.json").write_text(json.dumps({"projects": {"as_of": as_of}}), "utf-8")
    letters, incidents, published = looked("dead letters", "incidents", "data sets")
    assert letters == Check("未送达消息 dead letters", True, "messages that could not be delivered: spool 1", True)
    assert incidents.text == "open: sync_projects failed"
    assert incidents.is_noted
    assert published == Check("数据集 data sets", True, "1 published, the oldest 9 days ago", True)
    done = command("doctor")
    assert "! 未送达消息" in done.stdout
    assert "! 运行事件" in done.stdout


def test_what_is_broken_is_named_and_hides_nothing(
    home: Household, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "retention.yaml").write_text("last_releases: 0\n", "utf-8")
    (tmp_path / "config" / "coverage.yaml").write_text("clauses: {art99: {manual: x, by: y}}\n", "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path / "config"))
    (tmp_path / "spool").write_text("a file stands here", "utf-8")
    checks = looked("retention", "coverage", "spool", "routing")
    assert "retention.yaml:1" in checks[0].text
    assert "art99" in checks[1].text
    assert [check.is_ok for check in checks] == [False, False, False, True]
