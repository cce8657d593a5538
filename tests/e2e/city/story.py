"""What goes wrong on the stack, and what ops hear of it, read where they get it: at the stand-ins of the operator's channels."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psutil  # type: ignore[import-untyped]
import requests
from sqlalchemy import Engine, select, update

from include.alerts.incidents import STEADY, Cause
from include.alerts.watchdog import WATCH
from include.ledger.alert_tables import incident
from include.ledger.database import open_ledger
from include.sandbox.stack import Stack
from tests.e2e.city.running import HUNG, JUDGING, KILLED, run_dag

WATCHED = timedelta(days=14)
"""How long the watch has been going on: longer than any holiday, so that a working day's result has been missed meanwhile."""


class Line(NamedTuple):
    """One thing that a message to the operator tells."""

    topic: str
    pipeline: str
    text: str
    remedy: str | None


@dataclass(frozen=True)
class Heard:
    """What the operator heard after the first delivery, in how many messages, and what in all; and the run that still hangs."""

    early: list[Line]
    messages: int
    all: list[Line]
    hung: str
    hangs: Path
    """It hangs as long as this file lies there."""

    def of(self, title: str) -> list[tuple[str, str, str | None]]:
        """Return what was heard of a pipeline."""
        return [(line.topic, line.text, line.remedy) for line in self.all if line.pipeline == title]


def told_of_faults(stack: Stack) -> Heard:
    """Let a task hang and another be killed while it reads; read everything again, judge it, and let a deadline pass."""
    ledger = open_ledger(f"sqlite:///{stack.home.ledger}")
    for name in (HUNG, KILLED):
        stack.open_dag(name)
    hangs = stack.options.dags / f"{HUNG}.hangs"
    hangs.touch()
    hung = stack.api.trigger(HUNG)
    _kill_while_it_reads(stack)
    early, messages = delivered(stack)
    run_dag(stack, KILLED, mode="full")
    for dag in JUDGING:
        run_dag(stack, dag)
    awaited(lambda: incidents_of(ledger, Cause.LATE), "nothing came of the deadline")
    awaited(lambda: all(f["resolved_at"] for f in incidents_of(ledger, Cause.FAILED)), "the failure is still open")
    _let_time_pass(ledger)
    return Heard(early, messages, delivered(stack)[0], hung, hangs)


def _kill_while_it_reads(stack: Stack) -> None:
    faults(stack, "POST", {"scenario": "slow_drip", "platform": "provincial", "times": 0})
    run = stack.api.trigger(KILLED)
    reading = task_process(stack, KILLED, run, "provincial_approval.land")
    awaited(lambda: faults(stack, "GET")["in_force"][0]["struck"], "the platform was not asked")
    reading.kill()
    faults(stack, "DELETE")
    assert stack.api.wait(KILLED, run, 120, stack.processes.check) == "failed"


def _let_time_pass(ledger: Engine) -> None:
    """Make it so that the watch began long ago, and that the failure has been over long enough for that to be told."""
    over = incidents_of(ledger, Cause.FAILED)
    watch = (incident.c.pipeline == WATCH) & (incident.c.cause == Cause.HEARTBEAT.value)
    with ledger.begin() as connection:
        for one in over:
            moments = {name: one[name] - STEADY for name in ("opened_at", "last_seen_at", "told_at", "resolved_at")}
            connection.execute(update(incident).where(incident.c.incident_id == one["incident_id"]).values(**moments))
        (began,) = connection.execute(select(incident.c.opened_at).where(watch)).scalars()
        connection.execute(update(incident).where(watch).values(opened_at=began - WATCHED))


def incidents_of(ledger: Engine, cause: Cause) -> list[Any]:
    """Return the incidents of a cause."""
    with ledger.connect() as connection:
        return list(connection.execute(select(incident).where(incident.c.cause == cause.value)).mappings())


def delivered(stack: Stack) -> tuple[list[Line], int]:
    """Deliver; return all that the operator's webhook has heard so far, and in how many messages: as many as the other channel."""
    run_dag(stack, "deliver_alerts")
    taken = stack.channels()["taken"]
    messages = [one["content"] for one in taken if one["channel"] == "webhook"]
    assert len([one for one in taken if one["channel"] == "feishu"]) == len(messages)
    lines = [
        Line(section["topic"], item["subject"], item["text"], item["remedy"])
        for message in messages for section in message["sections"] for item in section["items"]
    ]  # fmt: skip
    return lines, len(messages)


def awaited(look: Callable[[], Any], what: str, seconds: float = 120) -> Any:
    """Look until there is something, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, what
        time.sleep(0.5)
    return found


def task_process(stack: Stack, dag: str, run: str, task: str) -> psutil.Process:
    """Return the process of a task that runs for a while: Airflow gives it the task's id as its title."""

    def find() -> psutil.Process | None:
        ids = {i["id"] for i in stack.api.task_instances(dag, run) if i["task_id"] == task and i["state"] == "running"}
        return next((p for p in stack.processes.alive() if title(p) in ids), None)

    found: psutil.Process = awaited(find, f"{dag}.{task} did not begin")
    return found


def title(process: psutil.Process) -> str:
    """Return what a process calls itself, without what every task's begins with."""
    try:
        return " ".join(process.cmdline()).strip().removeprefix("airflow worker -- ")
    except psutil.NoSuchProcess:
        return ""


def faults(stack: Stack, method: str, body: Any = None) -> Any:
    """Ask the sandbox for its faults, or set or clear them."""
    with requests.Session() as session:
        session.trust_env = False
        headers = {"x-control-token": stack.ready["control_token"]}
        answer = session.request(method, f"{stack.ready['url']}/control/fault", json=body, headers=headers, timeout=30)
    answer.raise_for_status()
    return answer.json()
