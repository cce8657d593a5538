"""The DAG run as a whole in Airflow's own test executor: one failing source stops no other, and the run says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from include.ledger.database import open_ledger
from include.ledger.tables import project
from tests.platform import platform

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow"), pytest.mark.filterwarnings("default")]


@pytest.fixture
def dag(dags: Any, own_ledger: None) -> Any:
    return dags["sync_projects"]


def states(run: Any) -> dict[str, str]:
    return {ti.task_id: str(ti.state) for ti in run.get_task_instances()}


def rows_of(source: str) -> int:
    query = select(func.count()).select_from(project).where(project.c.source == source)
    with open_ledger().connect() as connection:
        return int(connection.execute(query).scalar_one())


def test_one_failing_source_fails_the_run_at_once_and_stops_no_other(
    dag: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with platform(monkeypatch, projects=60, seed=4, home=tmp_path / "sandbox") as server:
        monkeypatch.delenv("AIRFLOW_CONN_ZJ_PROJECTS")
        run = dag.test()
        truth = server.truth()
    found = states(run)
    assert str(run.state) == "failed"
    assert found["zj_projects.land"] == "failed"  # at once: no retry mends a missing connection
    assert found["zj_projects.merge"] == "upstream_failed"
    assert {found[f"{p}.merge"] for p in ("provincial_approval", "approval_frontdb", "annual_plan")} == {"success"}
    assert (found["reconcile"], found["report"]) == ("success", "failed")
    assert rows_of("provincial_approval") == truth["provincial"]["good"] > 40
    assert rows_of("zj_projects") == 0


def test_a_dry_run_of_one_source_skips_the_others_and_writes_nothing(dag: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with platform(monkeypatch, projects=60, seed=4):
        run = dag.test(run_conf={"source": "provincial_approval", "mode": "full", "dry_run": True})
    found = states(run)
    assert str(run.state) == "success", found
    assert found["provincial_approval.merge"] == "success"
    assert {found[f"{p}.land"] for p in ("zj_projects", "approval_frontdb", "annual_plan")} == {"skipped"}
    assert (found["reconcile"], found["report"]) == ("skipped", "success")
    assert rows_of("provincial_approval") == 0
