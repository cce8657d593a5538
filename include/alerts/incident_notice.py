"""Tell the operator of the pipelines' own health: one message a pass for all that is new, goes on, or is over.

At once when something is seen first, again once a working day while it is still seen, and when it has stayed over. Never over a
channel that is itself down or the cause: the spool is the last way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import Connection

from include.alerts import channel_states, incidents, outbox
from include.alerts.incidents import CAUSE_WORDS, Cause, Incident
from include.alerts.message import Item, Message, Reason, Section, message_id
from include.alerts.office_hours import people_work
from include.alerts.pipelines import Pipelines
from include.alerts.switchboard import OPERATOR, Switchboard
from include.clock import SHANGHAI
from include.rules.workdays import Workdays

MOST_ITEMS = 20
"""Incidents that a section shows; of the others it says how many there are."""

REPEATED_FROM = time(8, 30)
"""What goes on is told again on the next working day from this time on: at night nobody is there who could do more."""

OF_CHANNELS = (Cause.CHANNEL_DOWN, Cause.DEAD_LETTER)
"""Causes whose part is a channel."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told in one pass."""

    new: Sequence[Incident]
    ongoing: Sequence[Incident]
    over: Sequence[Incident]

    @property
    def all(self) -> list[Incident]:
        """Return all of it."""
        return [*self.new, *self.ongoing, *self.over]


def tell_operator(
    connection: Connection,
    board: Switchboard,
    pipelines: Pipelines,
    workdays: Workdays | None,
    at: datetime,
    link: str | None = None,
) -> int:
    """Put what is to be told into the outbox, in the caller's transaction; return how many incidents are told of."""
    incidents.lock(connection)
    open_ones = incidents.open_incidents(connection)
    telling = Telling(
        [one for one in open_ones if one.told_at is None],
        [one for one in open_ones if _is_due_again(one, workdays, at)],
        incidents.untold_ends(connection, at),
    )
    if telling.all:
        avoided = _channels_to_avoid(connection, open_ones, at)
        outbox.put(connection, compose(telling, board, avoided, pipelines, at, link), at)
        incidents.note_told(connection, telling.all, at)
    return len(telling.all)


def _is_due_again(one: Incident, workdays: Workdays | None, at: datetime) -> bool:
    """Return whether a working day has begun since something was told that was seen since then."""
    if one.told_at is None or one.last_seen_at <= one.told_at:
        return False
    told, today = (moment.astimezone(SHANGHAI) for moment in (one.told_at, at))
    return people_work(today.date(), workdays) and today.time() >= REPEATED_FROM and today.date() > told.date()


def _channels_to_avoid(connection: Connection, open_ones: Sequence[Incident], at: datetime) -> set[str]:
    failing = {state.channel for state in channel_states.states(connection).values() if state.failing_since}
    return failing | {one.part for one in open_ones if one.cause in OF_CHANNELS}


def compose(
    telling: Telling, board: Switchboard, avoided: set[str], pipelines: Pipelines, at: datetime, link: str | None = None
) -> list[Message]:
    """Return one message for every way to the operator that is left."""
    parts = (("新发现", telling.new), ("仍未恢复", telling.ongoing), ("已恢复", telling.over))
    sections = tuple(_section(topic, found, pipelines) for topic, found in parts if found)
    counted = ",".join(f"{topic} {len(found)} 项" for topic, found in parts if found)
    content = "".join(f"{one.incident_id}{topic}" for topic, found in parts for one in found)
    return [
        Message(
            message_id(OPERATOR, "", card.id, at, content), card.id, OPERATOR, board.operator_title, "",
            f"流水线运行:{counted}", f"流水线自身的运行情况:{counted}。", sections, at, bool(telling.new),
            link=link or "", address=address,
        )
        for card, address in board.ways_around(avoided)
    ]  # fmt: skip


def _section(topic: str, found: Sequence[Incident], pipelines: Pipelines) -> Section:
    items = tuple(_item(one, pipelines) for one in found[:MOST_ITEMS])
    return Section(Reason.PIPELINE, topic, len(found), items)


def _item(one: Incident, pipelines: Pipelines) -> Item:
    pipeline = pipelines[one.pipeline]
    part = f"({one.part})" if one.part else ""
    text = (
        f"{CAUSE_WORDS[Cause(one.cause)]}{part}:{one.detail}"
        if one.detail
        else f"{CAUSE_WORDS[Cause(one.cause)]}{part}"
    )
    since = f"{one.opened_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    if one.resolved_at:
        lasted = (one.resolved_at - one.opened_at) // timedelta(minutes=1)
        return Item(f"{text}。已恢复,历时约 {lasted} 分钟", subject=pipeline.title, since=since)
    return Item(text, subject=pipeline.title, since=since, remedy=f"处置步骤见运行手册 {_page(pipeline.runbook)}")


def _page(runbook: str) -> str:
    """Return the page without its ending: with it, chat programs take the name for a web address, and renderings break it up."""
    return runbook.removesuffix(".md")
