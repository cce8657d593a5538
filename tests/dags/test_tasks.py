"""What the tasks do, called as the tasks call it: ids and counts come back, and one failing source stops no other."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from include import tasks
from include.errors import ConfigurationError, SourceRefused
from tests.platform import platform

pytestmark = pytest.mark.usefixtures("own_ledger")


def test_landing_merging_and_reporting_hand_on_counts_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with platform(monkeypatch, projects=60, seed=2, home=tmp_path / "sandbox") as server:
        chosen = tasks.choose_sources("projects")
        results = [tasks.merge_source(tasks.land_source(s, "auto", dry_run=False)) for s in chosen]
        total = tasks.report_run(chosen, tasks.flatten([results, None]))
        truth = server.truth()
    assert total["created"] == sum(truth[p]["good"] for p in ("provincial", "zj", "frontdb")) + (
        truth["plan"]["entries"] - truth["plan"]["refused"]
    )
    assert total["refused"] > 0
    assert all(isinstance(v, int | float | bool | str | list | dict | None) for r in results for v in r.values())
    assert "sample" not in results[0]
    reconciled = tasks.reconcile_plan()
    assert sum(reconciled["open"].values()) > 0


def test_a_dry_run_leaves_the_ledger_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    with platform(monkeypatch, projects=60, seed=2):
        would = tasks.merge_source(tasks.land_source("provincial_approval", "full", dry_run=True))
        assert would["created"] > 40
        done = tasks.merge_source(tasks.land_source("provincial_approval", "full", dry_run=False))
    assert done["created"] == would["created"]


def test_the_report_fails_naming_the_sources_without_a_result() -> None:
    with pytest.raises(tasks.SourcesFailed, match="zj_projects"):
        tasks.report_run(["zj_projects"], [])


def test_a_refused_signature_raises_what_no_retry_can_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    with platform(monkeypatch, projects=60, seed=2) as server:
        wrong = '{{"conn_type": "http", "host": "{}", "login": "x", "password": "wrong", "extra": {{"networks": ["127.0.0.0/8"]}}}}'
        monkeypatch.setenv("AIRFLOW_CONN_PROVINCIAL_APPROVAL", wrong.format(server.url))
        with pytest.raises(SourceRefused) as refused:
            tasks.land_source("provincial_approval", "full", dry_run=False)
    assert "wrong" not in str(refused.value)


def test_naming_one_source_chooses_only_that_one() -> None:
    assert tasks.choose_sources("projects", source="annual_plan") == ["annual_plan"]
    assert set(tasks.choose_sources("projects")) == {
        "provincial_approval",
        "zj_projects",
        "approval_frontdb",
        "annual_plan",
    }


def test_a_moment_that_is_none_is_a_named_error() -> None:
    with pytest.raises(ConfigurationError, match="起始时间 since is 'yesterday'"):
        tasks.land_source("provincial_approval", "incremental", "yesterday", dry_run=False)


def test_results_of_lanes_come_as_one_list_however_airflow_hands_them_over() -> None:
    one, two = {"source": "a"}, {"source": "b"}
    assert tasks.flatten([one, [two], None, [None], []]) == [one, two]


def test_a_batch_that_another_run_overtook_gives_the_result_of_the_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two DAGs read the register; the slower of two reads has nothing left to say and is no failure."""
    with platform(monkeypatch, projects=60, seed=2):
        slow, fast = (tasks.land_source("provincial_approval", "full") for _ in range(2))
        newer = tasks.merge_source(fast)
        overtaken = tasks.merge_source(slow)
    assert newer["created"] > 40
    assert overtaken["batch_id"] == newer["batch_id"]
    assert overtaken["was_merged_before"] is True


def test_the_day_of_a_run_is_the_forms_or_the_backfills_in_shanghai_or_today() -> None:
    def run(day: str | None, run_type: str) -> dict[str, Any]:
        logical = datetime(2026, 11, 3, 20, tzinfo=UTC)  # four in the morning of the 4th in Shanghai
        return {"params": {"day": day}, "dag_run": SimpleNamespace(run_type=run_type, logical_date=logical)}

    assert tasks.day_of_run(run(None, "backfill")) == date(2026, 11, 4)
    assert tasks.day_of_run(run("2026-11-01", "backfill")) == date(2026, 11, 1)
    assert tasks.day_of_run(run("2026-11-01", "manual")) == date(2026, 11, 1)
    assert tasks.is_today(tasks.day_of_run(run(None, "scheduled")))
    with pytest.raises(ConfigurationError, match="still to come"):
        tasks.day_of_run(run("2999-01-01", "manual"))
    with pytest.raises(ConfigurationError, match="write it as 2026-11-01"):
        tasks.day_of_run(run("yesterday", "manual"))


def _by(run_type: str) -> dict[str, Any]:
    return {"params": {"day": None}, "dag_run": SimpleNamespace(run_type=run_type, logical_date=None)}


def test_where_data_came_in_only_the_scope_without_a_dag_of_its_own_is_judged() -> None:
    assert tasks.is_by_assets(_by("asset_triggered"))
    assert not any(tasks.is_by_assets(_by(kind)) for kind in ("scheduled", "manual", "backfill"))
    scopes = ["interconnection", "systems", "regulation"]
    assert tasks.scopes_of_run(scopes, "all", is_by_assets=True) == ["regulation"]
    assert tasks.scopes_of_run(scopes, "all", is_by_assets=False) == scopes
    assert tasks.scopes_of_run(scopes, "systems", is_by_assets=False) == ["systems"]


def test_a_scope_that_was_not_judged_or_a_rule_that_broke_fails_the_run_by_name() -> None:
    good = {"scope": "systems", "crashed": []}
    assert tasks.report_evaluated([], [], ["systems"], [good]) == {"judged": [good]}
    with pytest.raises(tasks.NotJudged, match="not judged: regulation;"):
        tasks.report_evaluated([], [], ["regulation", "systems"], [good])
    with pytest.raises(tasks.NotJudged, match="not judged: anything;"):
        tasks.report_evaluated([], [], None, [])
    with pytest.raises(tasks.NotJudged, match="broke and gave no verdict: a-rule;"):
        tasks.report_evaluated([], [], ["systems"], [good | {"crashed": ["a-rule"]}])
    with pytest.raises(tasks.SourcesFailed, match="contracts"):
        tasks.report_evaluated(["contracts"], [], ["systems"], [good])
