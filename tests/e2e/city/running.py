"""Runs of DAGs on the stack: to success, with what a person would look at first where one fails."""

from __future__ import annotations

from typing import Any

import pytest

from include.sandbox.airflow_api import AirflowAnswered
from include.sandbox.stack import Stack

KILLED, HUNG = "sync_projects", "keep_house"
JUDGING = ("check_interconnection", "watch_systems", "harvest_catalogues", "evaluate_rules")


def run_dag(stack: Stack, dag: str, **params: Any) -> None:
    """Run a DAG to success, and close it again: what others bring in later is not to start it."""
    stack.open_dag(dag)
    try:
        state = stack.run_dag(dag, seconds=300, **params)
    except AirflowAnswered as error:
        pytest.fail(f"{error}\n{failures(stack)}")
    assert state == "success", f"{dag}\n{failures(stack)}"
    close_dag(stack, dag)


def close_dag(stack: Stack, dag: str) -> None:
    """Let neither clock nor data start a DAG; a run that is under way would stand still."""
    stack.api.call("PATCH", f"/api/v2/dags/{dag}?update_mask=is_paused", {"is_paused": True})


def failures(stack: Stack) -> str:
    """Return the errors in the logs of the tasks."""
    lines = []
    for log in sorted((stack.home.logs / "tasks").rglob("attempt=*.log")):
        found = [line for line in log.read_text(errors="replace").splitlines() if '"level":"error"' in line]
        lines += [f"{log.parent.name}: {line[:600]}" for line in found]
    return "\n".join(lines)
