"""The pipelines' own health under Airflow's real scheduler and triggerer: a task killed, a run that hangs, a DAG never started.

What ops get is read where they get it: at the stand-ins of the operator's channels.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import psutil  # type: ignore[import-untyped]
import pytest
import requests
from sqlalchemy import Engine, select, update

from include.alerts.incidents import STEADY, Cause
from include.alerts.watchdog import WATCH
from include.health_notes import KILLED as KILLED_WORDS
from include.ledger.alert_tables import incident
from include.ledger.database import open_ledger
from include.sandbox.stack import Stack
from tests.e2e.small_town.conftest import HUNG, KILLED

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.xdist_group("heavy")]


class Line(NamedTuple):
    """One thing that a message to the operator tells."""

    topic: str
    pipeline: str
    text: str
    remedy: str | None


@dataclass(frozen=True)
class Heard:
    """What the operator heard after the first delivery, in how many messages, and what in all."""

    early: list[Line]
    messages: int
    all: list[Line]

    def of(self, title: str) -> list[tuple[str, str, str | None]]:
        """Return what was heard of a pipeline."""
        return [(line.topic, line.text, line.remedy) for line in self.all if line.pipeline == title]


@pytest.fixture(scope="module")
def heard(stack: Stack) -> Iterator[Heard]:
    """A task hangs, a task is killed while it reads, its pipeline runs again, and a deadline passes."""
    ledger = open_ledger(f"sqlite:///{stack.home.ledger}")
    hanging = task_process(stack, HUNG, stack.api.trigger(HUNG), "review")
    hanging.suspend()
    try:
        faults(stack, "POST", {"scenario": "slow_drip", "platform": "provincial", "times": 0})
        run = stack.api.trigger(KILLED)
        reading = task_process(stack, KILLED, run, "provincial_approval.land")
        awaited(lambda: faults(stack, "GET")["in_force"][0]["struck"], "the platform was not asked")
        reading.kill()
        faults(stack, "DELETE")
        assert stack.api.wait(KILLED, run, 120, stack.processes.check) == "failed"
        early, messages = delivered(stack)
        assert stack.run_dag(KILLED, seconds=120) == "success"
        awaited(lambda: incidents_of(ledger, Cause.LATE), "nothing came of the deadline")
        awaited(lambda: all(f["resolved_at"] for f in incidents_of(ledger, Cause.FAILED)), "the failure is still open")
        let_time_pass(ledger)
        yield Heard(early, messages, delivered(stack)[0])
    finally:
        hanging.kill()


def let_time_pass(ledger: Engine) -> None:
    """Make it so that the watch began two days ago, and that the failure has been over long enough for that to be told."""
    over = incidents_of(ledger, Cause.FAILED)
    watch = (incident.c.pipeline == WATCH) & (incident.c.cause == Cause.HEARTBEAT.value)
    with ledger.begin() as connection:
        for one in over:
            moments = {name: one[name] - STEADY for name in ("opened_at", "last_seen_at", "told_at", "resolved_at")}
            connection.execute(update(incident).where(incident.c.incident_id == one["incident_id"]).values(**moments))
        (began,) = connection.execute(select(incident.c.opened_at).where(watch)).scalars()
        connection.execute(update(incident).where(watch).values(opened_at=began - timedelta(days=2)))


def incidents_of(ledger: Engine, cause: Cause) -> list[Any]:
    with ledger.connect() as connection:
        return list(connection.execute(select(incident).where(incident.c.cause == cause.value)).mappings())


def delivered(stack: Stack) -> tuple[list[Line], int]:
    """Deliver; return all that the operator's webhook has heard so far, and in how many messages: as many as the other channel."""
    assert stack.run_dag("deliver_alerts", seconds=120) == "success"
    taken = stack.channels()["taken"]
    messages = [one["content"] for one in taken if one["channel"] == "webhook"]
    assert len([one for one in taken if one["channel"] == "feishu"]) == len(messages)
    assert len(taken) == 2 * len(messages)
    lines = [
        Line(section["topic"], item["subject"], item["text"], item["remedy"])
        for message in messages for section in message["sections"] for item in section["items"]
    ]  # fmt: skip
    return lines, len(messages)


def awaited(look: Callable[[], Any], what: str, seconds: float = 120) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, what
        time.sleep(0.2)
    return found


def task_process(stack: Stack, dag: str, run: str, task: str) -> psutil.Process:
    """Return the process of a running task: Airflow gives it the task's id as its title."""

    def find() -> psutil.Process | None:
        ids = {i["id"] for i in stack.api.task_instances(dag, run) if i["task_id"] == task and i["state"] == "running"}
        return next((p for p in stack.processes.alive() if title(p) in ids), None)

    found: psutil.Process = awaited(find, f"{dag}.{task} did not begin")
    return found


def title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()).strip().removeprefix("airflow worker -- ")
    except psutil.NoSuchProcess:
        return ""


def faults(stack: Stack, method: str, body: Any = None) -> Any:
    with requests.Session() as session:
        session.trust_env = False
        headers = {"x-control-token": stack.ready["control_token"]}
        answer = session.request(method, f"{stack.ready['url']}/control/fault", json=body, headers=headers, timeout=30)
    answer.raise_for_status()
    return answer.json()


def test_a_task_killed_while_it_read_is_told_once_with_cause_and_runbook_and_its_end_when_it_lasts(
    heard: Heard,
) -> None:
    early = sorted(line for line in heard.early if line.pipeline == "同步投资项目")
    runbook = "处置步骤见运行手册 docs/runbooks/sync"
    assert [(topic, remedy) for topic, _, _, remedy in early] == [("新发现", runbook)] * 2
    killed, missing = (line.text for line in early)
    assert killed == f"运行失败(provincial_approval.land):{KILLED_WORDS}"
    assert missing.startswith("运行失败(report):SourcesFailed: could not sync provincial_approval")
    assert heard.messages == 1
    mine = heard.of("同步投资项目")
    assert sorted(text for topic, text, _ in mine if topic == "新发现") == [killed, missing]
    assert sorted(text.split(":")[0] for topic, text, _ in mine if topic == "已恢复" and "已恢复,历时约" in text) == [
        "运行失败(provincial_approval.land)", "运行失败(report)",
    ]  # fmt: skip


def test_a_run_that_hangs_is_told_once_when_its_deadline_has_passed(heard: Heard) -> None:
    assert heard.of("日常整理") == [
        ("新发现", "运行超时未完成:启动 1 分钟后仍未完成", "处置步骤见运行手册 docs/runbooks/house")
    ]


def test_a_pipeline_that_nobody_started_is_missed_by_what_it_did_not_bring(heard: Heard) -> None:
    assert [line for line in heard.early if line.pipeline == "采集资源目录"] == []
    missed = heard.of("采集资源目录")
    assert {topic for topic, _, _ in missed} == {"新发现"}
    assert {remedy for _, _, remedy in missed} == {"处置步骤见运行手册 docs/runbooks/catalogues"}
    assert [text for _, text, _ in missed if text.startswith("应有结果未到(read:all):全部")]
