"""The week's review as a message to the operator: one a week and channel at most, and none where there is nothing to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import Engine

from include.alerts.message import Item, Message, Reason, Section, message_id
from include.alerts.office_hours import people_work
from include.alerts.outbox import put
from include.alerts.routing import load_routing
from include.alerts.switchboard import OPERATOR
from include.clock import SHANGHAI
from include.house.review import TITLES, Review
from include.ledger.snapshot import FINDINGS, snapshot
from include.rules.workdays import Workdays

MOST_ITEMS = 20
"""Remarks of one kind that are spelt out; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How the operator is reached: channels with their addresses, what people call the role, and when the office opens."""

    channels: tuple[tuple[str, tuple[str, ...]], ...]
    title: str
    opens: time


def ways_to_operator() -> Ways:
    """Return how the operator is reached by the routing."""
    routing = load_routing()
    ways = tuple((card.id, tuple(address)) for card, address in routing.ways_to(OPERATOR))
    return Ways(ways, routing.receivers[OPERATOR].title, routing.office_hours.opens)


def tell_operator(engine: Engine, found: Review, at: datetime, ways: Ways | None = None) -> int:
    """Put the review into the outbox, to be sent when the office opens; return how many messages that were not there before."""
    if not found.remarks:
        return 0
    ways = ways or ways_to_operator()
    begin = datetime.combine(at.date() - timedelta(days=at.weekday()), time(), SHANGHAI)
    messages = [_message(found, at, begin, ways.title, *way) for way in ways.channels]
    with snapshot(engine, FINDINGS) as connection:
        return put(connection, messages, _next_opening(at, ways.opens))


def _message(
    found: Review, at: datetime, week: datetime, title: str, channel: str, address: tuple[str, ...]
) -> Message:
    number = week.isocalendar()
    return Message(
        message_id(OPERATOR, "", channel, week, "keep_house"), channel, OPERATOR, title, "",
        f"运行复核 {number.year} 年第 {number.week} 周", f"共 {len(found.remarks)} 项需要处理,本周只发一次", _sections(found), at,
        address=address,
    )  # fmt: skip


def _sections(found: Review) -> tuple[Section, ...]:
    sections = []
    for kind, title in TITLES.items():
        mine = [remark for remark in found.remarks if remark.kind == kind]
        items = tuple(Item(remark.text, remedy=remark.remedy) for remark in mine[:MOST_ITEMS])
        if items:
            sections.append(Section(Reason.PIPELINE, title, len(mine), items))
    return tuple(sections)


def _next_opening(at: datetime, opens: time) -> datetime:
    """Return the next moment at which people are at work; Monday to Friday where no calendar says so."""
    workdays = Workdays.load()
    day = at.date()
    while True:
        opening = datetime.combine(day, opens, SHANGHAI)
        if opening >= at and people_work(day, workdays):
            return opening
        day += timedelta(days=1)
