"""The judging DAGs as a whole in Airflow's own test executor: they read, probe, judge, and replay a past day without reading."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from include.clock import now
from include.ledger.database import open_ledger
from include.ledger.tables import batch, evaluation, finding, probe_sweep
from include.sandbox.server import SandboxServer

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow"), pytest.mark.filterwarnings("default")]


def states(run: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for instance in run.get_task_instances():
        found.setdefault(instance.task_id.rpartition(".")[2], set()).add(str(instance.state))
    return found


def count(table: Any) -> int:
    with open_ledger().connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_interconnection_is_read_probed_and_judged_and_a_past_day_is_not_read(dags: Any, city: SandboxServer) -> None:
    run = dags["check_interconnection"].test()
    assert str(run.state) == "success"
    assert states(run) == {n: {"success"} for n in ("land", "merge", "plan_probes", "probe", "judge", "report")}
    assert (count(batch), count(probe_sweep), count(evaluation)) == (6, 1, 1)
    assert count(finding) > 5

    city.clear_faults()
    calls = sum(city.calls.values())
    past = (now() - timedelta(days=2)).date().isoformat()
    again = dags["check_interconnection"].test(run_conf={"day": past})
    assert str(again.state) == "success"
    found = states(again)
    assert (found["land"], found["merge"], found["probe"]) == ({"skipped"},) * 3
    assert (found["judge"], found["report"]) == ({"success"}, {"success"})
    assert sum(city.calls.values()) == calls  # not one call to the outside
    assert (count(batch), count(probe_sweep), count(evaluation)) == (6, 1, 2)


def test_one_platform_that_cannot_be_read_fails_the_run_and_is_one_finding(
    dags: Any, city: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_USAGE_STATISTICS")  # at once: a platform that is down is tried again for minutes
    run = dags["watch_systems"].test()
    assert str(run.state) == "failed"
    found = states(run)
    assert found["judge"] == {"success"}
    assert found["report"] == {"failed"}
    with open_ledger().connect() as connection:
        rows = connection.execute(select(finding.c.rule, finding.c.subject)).all()
    assert ("evidence-current", "usage_statistics") in rows
    assert not [r for r in rows if r.rule in ("resources-not-idle", "system-in-regular-use") and "SYS" not in r.subject]


def test_probing_that_fails_fails_the_run_though_the_day_was_judged(
    dags: Any, city: SandboxServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "probing.yaml").write_text("concurrency: many\n", "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path / "config"))
    run = dags["check_interconnection"].test()
    found = states(run)
    assert str(run.state) == "failed", found
    assert (found["probe"], found["judge"], found["report"]) == ({"failed"}, {"success"}, {"failed"})
    assert (count(probe_sweep), count(evaluation)) == (0, 1)
