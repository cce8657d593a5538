"""What the callbacks of every DAG write down of the pipelines' own health: failures, lateness, success.

Nothing here raises for a ledger that cannot be written: whoever calls has an error of its own to hand on.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from include.alerts import incidents
from include.alerts.incidents import Cause, Incident, Sighting
from include.alerts.pipelines import load_watched
from include.clock import now
from include.errors import DecisionRefused, NotDelivered, ShuhengError
from include.ledger.database import open_ledger

log = logging.getLogger(__name__)

UNKNOWN_BEGIN = timedelta(hours=1)
"""How far back is looked for what tells more of a failed run, where Airflow does not say when it began."""

_LONGEST_REASON = 300

_RUN_WORDS = {
    "task_failure": "有任务失败而未说明原因,如进程被强制结束、内存不足",
    "timed_out": "超过运行时限,已终止",
    "all_tasks_deadlocked": "任务相互等待,无法继续",
}
"""Airflow's reasons why a run failed, as people read them."""

KILLED = "进程失去联系或被强制结束,如内存不足,详见任务日志"
"""What people read of a task that failed and left no error."""

_INDEX = re.compile(r"_\d+$")


def note_failure(pipeline: str, part: str, words: str) -> None:
    """Write down that a task of a pipeline failed. Never raises: whoever calls it has an error of its own to hand on."""
    sighting = Sighting(pipeline, Cause.FAILED, part, words[:_LONGEST_REASON])
    _quietly(f"the failure of {pipeline}", lambda connection: incidents.see(connection, [sighting], now()))


def note_failed_run(pipeline: str, reason: str, since: datetime | None) -> None:
    """Write down that a run failed, unless something seen `since` it began tells more of it. Never raises.

    `reason` is Airflow's word. A run of people's decisions fails where somebody is told no, which is no incident.
    """

    def work(connection: Connection) -> None:
        if not _known(connection, pipeline, since):
            words = f"{_RUN_WORDS.get(reason, reason[:_LONGEST_REASON])},详见运行日志"
            incidents.see(connection, [Sighting(pipeline, Cause.FAILED, "", words)], now())

    if load_watched()[pipeline].expects:
        _quietly(f"the failed run of {pipeline}", work)


def note_killed(pipeline: str, failed: Collection[str], since: datetime | None) -> None:
    """Write down the tasks of a run that failed `since` it began and left no word: a process that is killed runs no callback.

    `failed` are their names as Airflow has them, a mapped one with its index. Never raises.
    """

    def work(connection: Connection) -> None:
        parts = {one.part for one in _known(connection, pipeline, since)}
        silent = {_INDEX.sub("", name) for name in failed} - {part.split(" ")[0] for part in parts}
        incidents.see(connection, [Sighting(pipeline, Cause.FAILED, name, KILLED) for name in sorted(silent)], now())

    if failed:
        _quietly(f"the killed tasks of {pipeline}", work)


def _known(connection: Connection, pipeline: str, since: datetime | None) -> list[Incident]:
    """Return what is open of a pipeline and was seen since a run of it began."""
    began = since or now() - UNKNOWN_BEGIN
    return [o for o in incidents.open_incidents(connection) if o.pipeline == pipeline and o.last_seen_at >= began]


def note_success(pipeline: str) -> None:
    """Write down that a run came to its end, and close what its failure or lateness had opened. Never raises."""

    def work(connection: Connection) -> None:
        incidents.resolve(connection, pipeline, incidents.ENDED_BY_SUCCESS, now())
        incidents.beat(connection, pipeline, now())

    _quietly(f"the success of {pipeline}", work)


def note_lateness(pipeline: str, minutes: int) -> None:
    """Write down that a run has been going on for longer than it should. Never raises."""
    late = Sighting(pipeline, Cause.LATE, "", f"启动 {minutes} 分钟后仍未完成")
    _quietly(f"the lateness of {pipeline}", lambda connection: incidents.see(connection, [late], now()))


def _quietly(what: str, work: Callable[[Connection], Any]) -> None:
    try:
        with open_ledger().begin() as connection:
            work(connection)
    except (
        Exception
    ) as error:  # the border of the callbacks: the watchdog sees by what is missing that something is wrong
        log.error("%s could not be written down: %s", what, type(error).__name__)


def words_of(error: BaseException | str | None) -> str | None:
    """Return what an incident says of an error; None where it is a person's own concern and none of the pipelines.

    Ours say nothing secret. The words of others may hold an address with its key, or a record: of them only the kind is kept.
    """
    if isinstance(error, DecisionRefused | NotDelivered):
        return None  # a person was told no; or the channels have incidents of their own
    if isinstance(error, ShuhengError):
        return f"{type(error).__name__}: {error}"
    if isinstance(error, BaseException):
        return f"{type(error).__name__},详见任务日志"
    return "原因详见任务日志" if error else KILLED
