"""One stack for all tests of this folder: what starting Airflow and reading a city takes is spent once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from include.sandbox.airflow_api import AirflowAnswered
from include.sandbox.airflow_home import Home
from include.sandbox.stack import Stack, StackOptions
from tests.e2e.free_ports import free_ports

JUDGING = ("sync_projects", "check_interconnection", "watch_systems", "harvest_catalogues", "evaluate_rules")


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A city of 400 projects in a home and on ports of its own, read and judged by every DAG."""
    port, sandbox_port = free_ports(2)
    with Stack(StackOptions(Home(tmp_path_factory.mktemp("city")), port, sandbox_port, size=400)) as running:
        for dag in JUDGING:
            run_dag(running, dag)
        yield running


def run_dag(stack: Stack, dag: str, **params: Any) -> None:
    """Run a DAG to success; where it fails, show what a person would look at first."""
    stack.open_dag(dag)
    try:
        state = stack.run_dag(dag, seconds=300, **params)
    except AirflowAnswered as error:
        pytest.fail(f"{error}\n{failures(stack)}")
    assert state == "success", f"{dag}\n{failures(stack)}"


def failures(stack: Stack) -> str:
    """Return the errors in the logs of the tasks."""
    lines = []
    for log in sorted((stack.home.logs / "tasks").rglob("attempt=*.log")):
        found = [line for line in log.read_text(errors="replace").splitlines() if '"level":"error"' in line]
        lines += [f"{log.parent.name}: {line[:600]}" for line in found]
    return "\n".join(lines)
