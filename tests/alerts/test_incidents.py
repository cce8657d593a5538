"""What is wrong with the pipelines is told once, again after a working day, never over what is down, and its end when it lasts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from include.alerts import channel_states, incidents, outbox
from include.alerts.incident_notice import MOST_ITEMS, tell_operator
from include.alerts.incidents import CAUSE_WORDS, STEADY, Cause, Sighting
from include.alerts.message import Message
from include.alerts.pipelines import load_pipelines
from include.alerts.switchboard import SPOOL, Switchboard
from include.clock import SHANGHAI
from include.rules.workdays import Workdays
from tests.alerts.sending import MONDAY, card, row

ROBOT = card("robot", "feishu")
BOARD = Switchboard({"spool": SPOOL, "robot": ROBOT}, ((ROBOT, ()), (SPOOL, ())), "值班")
FAILED = Sighting("sync_projects", Cause.FAILED, "zj.land", "SourceRefused: no")
LATE = Sighting("watch_systems", Cause.LATE, "", "运行超过 2 小时")


def at(days: float = 0, **more: float) -> datetime:
    return MONDAY + timedelta(days=days, **more)


def see(engine: Engine, *sightings: Sighting, moment: datetime = MONDAY) -> int:
    with engine.begin() as connection:
        return incidents.see(connection, sightings, moment)


def resolve(engine: Engine, moment: datetime, pipeline: str = "sync_projects", **how: Any) -> int:
    with engine.begin() as connection:
        return incidents.resolve(connection, pipeline, list(Cause), moment, **how)


def told(engine: Engine, moment: datetime = MONDAY, board: Switchboard = BOARD) -> list[Message]:
    """Tell what is to be told and return the messages that came of it."""
    with engine.begin() as connection:
        before = {r["message_id"] for r in outbox.listed(connection)}
        tell_operator(connection, board, load_pipelines(), Workdays.load(), moment, "http://here")
        new = [r["message_id"] for r in outbox.listed(connection) if r["message_id"] not in before]
    return [Message.loads(row(engine, i)["body"]) for i in new]


def topics(messages: list[Message]) -> dict[str, int]:
    return {section.topic: section.count for section in messages[0].sections} if messages else {}


def test_the_same_thing_is_one_incident_however_often_it_is_seen(engine: Engine) -> None:
    assert see(engine, FAILED, FAILED, LATE) == 2
    assert see(engine, FAILED, moment=at(hours=1)) == 0
    with engine.connect() as connection:
        first, second = sorted(incidents.open_incidents(connection), key=lambda one: one.pipeline)
    assert (first.key, first.times, first.opened_at, first.last_seen_at) == (FAILED.key, 2, MONDAY, at(hours=1))
    assert (second.key, second.times) == (LATE.key, 1)


def test_it_is_told_at_once_in_one_message_a_channel_with_cause_since_and_runbook(engine: Engine) -> None:
    see(engine, FAILED, LATE)
    messages = told(engine)
    assert sorted(m.channel for m in messages) == ["robot", "spool"]
    for message in messages:
        assert (message.receiver, message.receiver_title, message.is_urgent) == ("operator", "值班", True)
        assert (message.title, topics([message])) == ("流水线运行:新发现 2 项", {"新发现": 2})
        items = {i.subject: i for i in message.sections[0].items}
        assert items["同步投资项目"].text == "运行失败(zj.land):SourceRefused: no"
        assert items["同步投资项目"].remedy == "处置步骤见运行手册 docs/runbooks/sync"
        assert items["监测信息系统"].since == "2026-11-23 10:03"
        assert message.link == "http://here"
    assert told(engine) == []
    assert told(engine, at(hours=3)) == []


def test_it_is_told_again_on_the_next_working_morning_only_while_it_is_seen(engine: Engine) -> None:
    friday = datetime(2026, 9, 18, 16, 0, tzinfo=SHANGHAI)  # the Sunday after is worked, for the Mid-Autumn Festival
    see(engine, FAILED, LATE, moment=friday)
    assert told(engine, friday)
    for hours in (8, 16, 24):
        see(engine, FAILED, moment=friday + timedelta(hours=hours))
        assert told(engine, friday + timedelta(hours=hours)) == []
    sunday = datetime(2026, 9, 20, 8, 29, tzinfo=SHANGHAI)
    see(engine, FAILED, moment=sunday)
    assert told(engine, sunday) == []
    messages = told(engine, sunday + timedelta(minutes=1))
    assert topics(messages) == {"仍未恢复": 1}
    assert messages[0].is_urgent is False
    assert told(engine, sunday + timedelta(hours=5)) == []


def test_the_end_is_told_when_it_lasts_and_only_of_what_was_told(engine: Engine) -> None:
    see(engine, FAILED)
    told(engine)
    see(engine, LATE, moment=at(minutes=1))
    assert resolve(engine, at(minutes=2), "watch_systems") == 1
    assert resolve(engine, at(minutes=30)) == 1
    assert told(engine, at(minutes=31)) == []
    messages = told(engine, at(minutes=30) + STEADY)
    assert topics(messages) == {"已恢复": 1}
    assert messages[0].sections[0].items[0].text.endswith("已恢复,历时约 30 分钟")
    assert told(engine, at(days=1)) == []
    assert resolve(engine, at(days=1)) == 0


def test_what_comes_and_goes_is_one_incident_and_one_message_not_one_an_hour(engine: Engine) -> None:
    count = 0
    for hour in range(10):
        if hour % 2:
            resolve(engine, at(hours=hour))
        else:
            see(engine, FAILED, moment=at(hours=hour))
        count += len(told(engine, at(hours=hour, minutes=5)))
    assert count == 2  # one, over each of both channels
    with engine.connect() as connection:
        assert len(incidents.load(connection, incidents.incident.c.pipeline == "sync_projects")) == 1
    assert topics(told(engine, at(hours=9) + STEADY)) == {"已恢复": 1}
    assert see(engine, FAILED, moment=at(days=2)) == 1
    assert topics(told(engine, at(days=2))) == {"新发现": 1}


def test_only_the_parts_that_are_well_again_are_closed(engine: Engine) -> None:
    parts = [Sighting("sync_projects", Cause.MISSING, part) for part in ("a", "b")]
    see(engine, *parts, FAILED)
    assert resolve(engine, at(hours=1), still=["b", "zj.land"]) == 1
    with engine.connect() as connection:
        assert sorted(one.part for one in incidents.open_incidents(connection)) == ["b", "zj.land"]


def test_nobody_is_told_of_a_dead_channel_over_that_channel(engine: Engine) -> None:
    see(engine, Sighting("deliver_alerts", Cause.DEAD_LETTER, "robot", "1 条消息未能送达"))
    assert [m.channel for m in told(engine)] == ["spool"]
    with engine.begin() as connection:
        incidents.resolve(connection, "deliver_alerts", [Cause.DEAD_LETTER], at(hours=1))
        channel_states.note_failed(connection, "robot", "no route", at(hours=1))
    see(engine, FAILED, moment=at(hours=1))
    assert [m.channel for m in told(engine, at(hours=1))] == ["spool"]


def test_where_no_way_is_left_the_spool_is_taken(engine: Engine) -> None:
    only_robot = Switchboard({"robot": ROBOT}, ((ROBOT, ()),))
    see(engine, Sighting("deliver_alerts", Cause.CHANNEL_DOWN, "robot"))
    assert [m.channel for m in told(engine, board=only_robot)] == ["spool"]


def test_a_flood_is_counted_and_cut(engine: Engine) -> None:
    see(engine, *(Sighting("sync_projects", Cause.MISSING, f"source-{n}") for n in range(90)))
    messages = told(engine)
    assert len(messages) == 2
    assert topics(messages) == {"新发现": 90}
    assert len(messages[0].sections[0].items) == MOST_ITEMS


def test_a_heartbeat_is_no_incident(engine: Engine) -> None:
    with engine.begin() as connection:
        incidents.beat(connection, "keep_house", MONDAY)
        incidents.beat(connection, "keep_house", at(hours=1))
        assert incidents.beats(connection) == {"keep_house": (MONDAY, at(hours=1))}
        assert incidents.open_incidents(connection) == []
    assert told(engine, at(days=3)) == []


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_its_words(cause: Cause) -> None:
    assert CAUSE_WORDS[cause]


def test_texts_that_are_too_long_for_the_ledger_are_cut_and_still_one_incident(engine: Engine) -> None:
    long = Sighting("sync_projects", Cause.FAILED, "长" * 500, "错" * 9_000)
    assert [see(engine, long, moment=at(minutes=n)) for n in range(2)] == [1, 0]
    assert resolve(engine, at(hours=1), still=["长" * 500]) == 0
