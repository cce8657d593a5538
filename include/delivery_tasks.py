"""What the tasks of `deliver_alerts` and the callbacks of every DAG do, as plain functions: counts go in and out, never names."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from include.clock import now
from include.errors import ConfigurationError, DecisionRefused, NotDelivered, ShuhengError
from include.ledger.database import open_ledger
from include.settings import load_settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from include.alerts.channels.channel import ChannelCard
    from include.alerts.incidents import Incident
    from include.alerts.switchboard import Switchboard

log = logging.getLogger(__name__)

ALERT_POOL = "alerts"
"""Bounds how many channels are worked on at once."""

DEAD_DAYS = 7
"""For how many days a dead message is an incident; after that it is listed, and nobody is reminded of it."""

GONE_AFTER = timedelta(days=1)
"""How long a message waits for a channel that is switched off before it is given up."""

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

_OVER = ("success", "failed")
"""The states in which a run has come to its end."""


def watch(at: datetime | None = None, board: Switchboard | None = None) -> dict[str, Any]:
    """Look for what should have come by now, and tell the operator what is new, goes on or is over; return counts."""
    from include.alerts import incidents, watchdog
    from include.alerts.incident_notice import tell_operator
    from include.alerts.pipelines import load_watched
    from include.alerts.switchboard import load_switchboard
    from include.sources.card_files import outline_cards

    at, board, settings = at or now(), board or load_switchboard(), load_settings()
    link = f"{settings.public_url}/shuheng/alerts" if settings.public_url else None
    pipelines, workdays = load_watched(), watchdog.load_workdays()
    using = watchdog.Watch(pipelines, [c for c in outline_cards() if c.is_enabled], workdays)
    published = watchdog.last_published(settings.datasets_url)
    with open_ledger().begin() as connection:
        missing = watchdog.watch(connection, using, published, at, board.problem)
        told = tell_operator(connection, board, pipelines, workdays, at, link)
        found = len(incidents.open_incidents(connection))
    log.info("watched: %d results missing, %d incidents open, %d told", len(missing), found, told)
    return {"missing": len(missing), "open": found, "told": told}


def tell() -> dict[str, Any]:
    """Watch, then decide what receivers are told of the findings; what is told stands in the outbox. Return counts."""
    from include.alerts.telling import tell as decide
    from include.findings.held import FINDINGS
    from include.ledger.snapshot import snapshot

    watched, engine = watch(), open_ledger()
    with snapshot(engine, FINDINGS) as connection:
        told = decide(connection, now())
    return {"watched": watched, "told": told.summary()}


def channels() -> list[str]:
    """Return the channels in use: each is worked on by a task of its own."""
    from include.alerts.switchboard import load_switchboard

    return sorted(load_switchboard().channels)


def deliver(
    channel: str, board: Switchboard | None = None, receivers: Collection[str] = (), **how: Any
) -> dict[str, Any]:
    """Deliver what is due on one channel; return counts. With `receivers` only what is for them."""
    from include.alerts.delivery import deliver as work
    from include.alerts.switchboard import load_switchboard

    board = board or load_switchboard()
    if channel not in board.channels:
        raise ConfigurationError(
            f"channel {channel!r} is not in use; routing.yaml has {', '.join(sorted(board.channels))}"
        )
    done = work(
        open_ledger(), board.channels[channel], how.pop("open_channel", None) or _opener(), receivers=receivers, **how
    )
    log.info("%s", done)
    return done.summary()


def _opener() -> Callable[[ChannelCard], Any]:
    from include.alerts.channels.open import open_channel

    opener: Callable[[ChannelCard], Any] = open_channel
    return opener


@dataclass(frozen=True, slots=True)
class Fared:
    """How a whole pass fared: the counts of its channels, and those that let nothing through or where messages died."""

    channels: list[dict[str, Any]]
    down: list[str]
    died: dict[str, int]
    given_up: int

    def raise_for_losses(self) -> None:
        """Raise `NotDelivered` where a channel lets nothing through or messages died."""
        parts = [f"nothing gets through: {', '.join(self.down)}"] if self.down else []
        parts += [f"messages died on {name}: {n}" for name, n in self.died.items()]
        parts += [f"messages for channels that are not in use: {self.given_up}"] if self.given_up else []
        if parts:
            raise NotDelivered(f"{'; '.join(parts)}; list them with: python -m include deliver --dead")


def fared(delivered: list[dict[str, Any]], at: datetime | None = None, board: Switchboard | None = None) -> Fared:
    """Write down how the channels fare, as incidents that open and close, and that the pass came to its end."""
    from include.alerts import incidents, outbox
    from include.alerts.pipelines import DELIVERY
    from include.alerts.switchboard import load_switchboard

    at, board = at or now(), board or load_switchboard()
    with open_ledger().begin() as connection:
        given_up = 0 if board.problem else outbox.give_up(connection, board.channels, at - GONE_AFTER)
        down = _note_channels(connection, delivered, board, at)
        incidents.resolve(connection, DELIVERY, [incidents.Cause.MISSING], at)  # this pass is what was missed
        incidents.beat(connection, DELIVERY, at)
    died = {one["channel"]: one["died"] for one in delivered if one["died"]}
    return Fared(delivered, down, died, given_up)


def _note_channels(
    connection: Connection, delivered: list[dict[str, Any]], board: Switchboard, at: datetime
) -> list[str]:
    from include.alerts import channel_states, incidents, outbox
    from include.alerts.incidents import Cause, Sighting
    from include.alerts.pipelines import DELIVERY
    from include.alerts.switchboard import SPOOL

    states = channel_states.states(connection)
    down = {name: s.last_error or "" for name, s in states.items() if s.is_down(at) and name in board.channels}
    dead = outbox.dead_since(connection, at - timedelta(days=DEAD_DAYS))
    seen = [
        Sighting(DELIVERY, Cause.CHANNEL_DOWN, name, f"持续未能发出,最近错误:{words}") for name, words in down.items()
    ]
    seen += [
        Sighting(
            DELIVERY, Cause.DEAD_LETTER, name, f"近 {DEAD_DAYS} 天有 {n} 条消息多次尝试后未能送达,查看:deliver --dead"
        )
        for name, n in dead.items()
    ]
    remote = set(board.channels) - {SPOOL.id} or set(board.channels)
    is_cut_off = remote <= set(down)
    if is_cut_off:
        seen.append(Sighting(DELIVERY, Cause.NO_CHANNEL, "", f"{'、'.join(sorted(remote))} 均不通,消息仅存于本地文件"))
    incidents.see(connection, seen, at)
    for cause, still in ((Cause.CHANNEL_DOWN, list(down)), (Cause.DEAD_LETTER, list(dead))):
        incidents.resolve(connection, DELIVERY, [cause], at, still)
    if not is_cut_off:
        incidents.resolve(connection, DELIVERY, [Cause.NO_CHANNEL], at)
    return sorted(down)


def report(told: dict[str, Any] | None, delivered: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a run brought; raise `NotDelivered` where nothing was decided, a channel is down, or messages died."""
    done = fared(delivered)
    done.raise_for_losses()
    if told is None:
        raise NotDelivered(
            "it was not decided who is told of what; see the tell task for the cause. What was decided was sent"
        )
    return told | {"channels": done.channels}


def note_failure(pipeline: str, part: str, words: str) -> None:
    """Write down that a task of a pipeline failed. Never raises: whoever calls it has an error of its own to hand on."""
    from include.alerts import incidents
    from include.alerts.incidents import Cause, Sighting

    sighting = Sighting(pipeline, Cause.FAILED, part, words[:_LONGEST_REASON])
    _quietly(f"the failure of {pipeline}", lambda connection: incidents.see(connection, [sighting], now()))


def note_failed_run(pipeline: str, reason: str, since: datetime | None) -> None:
    """Write down that a run failed, unless something seen `since` it began tells more of it. Never raises.

    `reason` is Airflow's word. A run of people's decisions fails where somebody is told no, which is no incident.
    """
    from include.alerts import incidents
    from include.alerts.incidents import Cause, Sighting
    from include.alerts.pipelines import load_watched

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
    from include.alerts import incidents
    from include.alerts.incidents import Cause, Sighting

    def work(connection: Connection) -> None:
        parts = {one.part for one in _known(connection, pipeline, since)}
        silent = {_INDEX.sub("", name) for name in failed} - {part.split(" ")[0] for part in parts}
        incidents.see(connection, [Sighting(pipeline, Cause.FAILED, name, KILLED) for name in sorted(silent)], now())

    if failed:
        _quietly(f"the killed tasks of {pipeline}", work)


def _known(connection: Connection, pipeline: str, since: datetime | None) -> list[Incident]:
    """Return what is open of a pipeline and was seen since a run of it began."""
    from include.alerts import incidents

    began = since or now() - UNKNOWN_BEGIN
    return [o for o in incidents.open_incidents(connection) if o.pipeline == pipeline and o.last_seen_at >= began]


def note_success(pipeline: str) -> None:
    """Write down that a run came to its end, and close what its failure or lateness had opened. Never raises."""
    from include.alerts import incidents

    def work(connection: Connection) -> None:
        incidents.resolve(connection, pipeline, incidents.ENDED_BY_SUCCESS, now())
        incidents.beat(connection, pipeline, now())

    _quietly(f"the success of {pipeline}", work)


async def note_late(pipeline: str, minutes: int, context: Mapping[str, Any] | None = None) -> None:
    """Write down that a run has been going on for longer than it should: the callback of its deadline, in the triggerer.

    Airflow keeps the deadline of a run that failed before it; how the run stands is in the `context` that it hands over.
    """
    from include.alerts import incidents
    from include.alerts.incidents import Cause, Sighting

    if ((context or {}).get("dag_run") or {}).get("state") in _OVER:
        return
    late = Sighting(pipeline, Cause.LATE, "", f"启动 {minutes} 分钟后仍未完成")

    def work(connection: Connection) -> None:
        incidents.see(connection, [late], now())

    # The triggerer has one loop for all that waits in it: a ledger that is slow must not stop it.
    await asyncio.to_thread(_quietly, f"the lateness of {pipeline}", work)


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
