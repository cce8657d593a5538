"""Under Airflow's real scheduler `evaluate_rules` is started by clock and data, never by itself; then the stack is stopped."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from include.clock import SHANGHAI, read_moment
from include.sandbox.stack import Stack
from tests.e2e.city.running import close_dag

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(420), pytest.mark.xdist_group("heavy")]


DAG = "evaluate_rules"


@pytest.fixture(scope="module")
def clockwork(city: Stack, kept: str) -> Stack:
    """The stack with opened DAGs started by clock and assets, and none of them open yet."""
    for dag in city.api.call("GET", "/api/v2/dags?paused=false&limit=100")["dags"]:
        close_dag(city, dag["dag_id"])
    city.schedule()
    return city


def runs(stack: Stack, kind: str) -> dict[str, dict[str, Any]]:
    found = stack.api.call("GET", f"/api/v2/dags/{DAG}/dagRuns?limit=100")["dag_runs"]
    return {run["dag_run_id"]: run for run in found if run["run_type"] == kind}


def ended(stack: Stack, kind: str) -> dict[str, dict[str, Any]]:
    return {i: run for i, run in runs(stack, kind).items() if run["state"] in ("success", "failed")}


def awaited(look: Callable[[], dict[str, Any]], seconds: float) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "no run came"
        time.sleep(0.5)
    return found


def states(stack: Stack, run_id: str, task: str) -> set[str]:
    return {i["state"] for i in stack.api.task_instances(DAG, run_id) if i["task_id"].rpartition(".")[2] == task}


def test_the_clock_starts_it_and_data_that_came_in_starts_it_once_for_the_regulation_alone(clockwork: Stack) -> None:
    stack = clockwork
    stack.open_dag(DAG)
    ((by_clock, run),) = awaited(lambda: runs(stack, "scheduled"), 60).items()
    due = read_moment(run["run_after"].replace("Z", "+00:00"), "run_after")
    assert due
    assert f"{due.astimezone(SHANGHAI):%H:%M}" == "08:10"
    awaited(
        lambda: {i: i for i in states(stack, by_clock, "land") & {"success"}}, 120
    )  # it reads, as asset runs do not
    stack.api.call(
        "PATCH", f"/api/v2/dags/{DAG}/dagRuns/{by_clock}", {"state": "failed"}
    )  # what it judges is tested elsewhere
    # A run that a person ends is still counted among those that may run at once, until the file is parsed again.
    token = stack.api.call("GET", f"/api/v2/dags/{DAG}")["file_token"]
    stack.api.call("PUT", f"/api/v2/parseDagFile/{token}")

    assets = stack.api.call("GET", "/api/v2/assets?limit=100")["assets"]
    (projects,) = (a["id"] for a in assets if a["name"] == "ledger_projects")
    stack.api.call("POST", "/api/v2/assets/events", {"asset_id": projects, "extra": {}})
    ((by_data, run),) = awaited(lambda: ended(stack, "asset_triggered"), 150).items()
    assert run["state"] == "success"
    assert states(stack, by_data, "land") == {"skipped"}
    judges = [i for i in stack.api.task_instances(DAG, by_data) if i["task_id"] == "judge"]
    assert [(i["state"], i["rendered_map_index"]) for i in judges] == [("success", "办法执行")]
    (said,) = stack.ask("evaluate", "--scope", "regulation", "--json")["judged"]
    assert said["is_new"] is False
    time.sleep(6)
    assert set(runs(stack, "asset_triggered")) == {by_data}  # what it gave out has not started it again


def test_after_the_stop_no_process_is_left_and_the_ports_are_free(stack: Stack) -> None:
    alive = stack.processes.alive()
    assert len(alive) >= 5  # the sandbox and four components; with their children more
    assert {c.name for c in stack.processes.components} == {
        "sandbox", "api-server", "dag-processor", "scheduler", "triggerer",
    }  # fmt: skip
    assert stack.processes.stop() == []  # all ended by themselves, none had to be killed
    assert stack.processes.alive() == []
    assert not [process for process in alive if process.is_running()]
    for port in (stack.options.port, stack.options.sandbox_port):
        with socket.create_server(("127.0.0.1", port)):
            pass
