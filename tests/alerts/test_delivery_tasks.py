"""What a pass leaves behind: incidents of channels that open and close, told over other channels, and errors that name the loss."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from include import delivery_tasks
from include.alerts import incidents
from include.alerts import outbox as messages
from include.alerts.channels.channel import Channel
from include.alerts.message import Message
from include.alerts.switchboard import SPOOL, Switchboard
from include.delivery_tasks import GONE_AFTER, Fared
from include.errors import ChannelRefused, ChannelUnreachable, ConfigurationError, MessageRefused, NotDelivered
from tests.alerts.sending import MONDAY, ObedientChannel, SetClock, card, message, put, row, states
from tests.depth import BOTH, MOSTLY_SQLITE
from tests.findings.at_once import at_once

pytestmark = MOSTLY_SQLITE

ROBOT, MAIL = card("robot", "feishu"), card("mail", "mail")
BOARD = Switchboard({c.id: c for c in (SPOOL, ROBOT, MAIL)}, ((ROBOT, ()), (SPOOL, ())))
OURS = "deliver_alerts"


class World:
    """Channels that work or not, and a clock."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.errors: dict[str, Exception] = {}
        self.taken: dict[str, list[Message]] = {name: [] for name in BOARD.channels}

    def open(self, channel_card: Any) -> Channel:
        world, name = self, channel_card.id

        class One(ObedientChannel):
            def send(self, message: Message) -> str:
                if name in world.errors:
                    raise world.errors[name]
                world.taken[name].append(message)
                return "ok"

        return One()

    def one_pass(self, board: Switchboard = BOARD) -> Fared:
        """Do what the DAG does, without deciding about findings."""
        delivery_tasks.watch(self.clock(), board)
        how: dict[str, Any] = {"open_channel": self.open, "clock": self.clock, "sleep": self.clock.sleep}
        done = [delivery_tasks.deliver(name, board, **how) for name in sorted(board.channels)]
        return delivery_tasks.fared(done, self.clock(), board)


@pytest.fixture
def world() -> World:
    return World()


def open_ones(engine: Engine) -> set[tuple[str, str]]:
    with engine.connect() as connection:
        return {(one.cause, one.part) for one in incidents.open_incidents(connection) if one.pipeline == OURS}


def of_operator(world: World, channel: str) -> list[str]:
    return [i.text for m in world.taken[channel] if m.receiver == "operator" for s in m.sections for i in s.items]


def test_a_pass_delivers_and_leaves_a_sign_of_life(engine: Engine, world: World) -> None:
    put(engine, message(1, "robot"), message(2, "spool"))
    fared = world.one_pass()
    fared.raise_for_losses()
    assert {one["channel"]: one["sent"] for one in fared.channels} == {"mail": 0, "robot": 1, "spool": 1}
    with engine.connect() as connection:
        assert incidents.beats(connection)[OURS] == (world.clock(), world.clock())
    assert open_ones(engine) == set()


@BOTH
def test_a_channel_that_is_down_is_an_incident_told_over_another_one_and_closed_by_itself(
    engine: Engine, world: World
) -> None:
    put(engine, message(1, "robot"))
    world.errors["robot"] = ChannelUnreachable("no route to the robot")
    world.one_pass().raise_for_losses()  # a passing disturbance is none yet
    assert open_ones(engine) == set()
    for _ in range(4):
        world.clock.pass_by(minutes=5)
        fared = world.one_pass()
    with pytest.raises(NotDelivered, match="nothing gets through: robot"):
        fared.raise_for_losses()
    assert open_ones(engine) == {("channel_down", "robot")}
    world.one_pass()
    assert of_operator(world, "robot") == []
    assert of_operator(world, "spool") == ["发送渠道不通(robot):持续未能发出,最近错误:no route to the robot"]
    world.errors.clear()
    world.clock.pass_by(hours=2)
    world.one_pass().raise_for_losses()
    assert open_ones(engine) == set()
    assert len(world.taken["robot"]) == 1
    world.clock.pass_by(hours=2)
    world.one_pass()
    assert "已恢复,历时约" in of_operator(world, "spool")[-1]


@BOTH
def test_a_dead_letter_is_an_incident_told_over_another_channel_until_somebody_retries_it(
    engine: Engine, world: World
) -> None:
    (only,) = put(engine, message(1, "robot"))
    world.errors["robot"] = ChannelRefused("310000 sign not match")
    world.one_pass()
    world.clock.pass_by(minutes=19)
    fared = world.one_pass()
    assert fared.died == {"robot": 1}
    with pytest.raises(NotDelivered, match=r"messages died on robot: 1.*deliver --dead"):
        fared.raise_for_losses()
    assert ("dead_letter", "robot") in open_ones(engine)
    world.clock.pass_by(minutes=5)
    world.one_pass()
    assert any(text.startswith("消息未能送达(robot):近 7 天有 1 条") for text in of_operator(world, "spool"))
    assert of_operator(world, "robot") == []
    world.errors.clear()
    with engine.begin() as connection:
        messages.revive(connection, only[:8], world.clock())
    world.one_pass().raise_for_losses()
    assert open_ones(engine) == set()
    assert row(engine, only)["state"] == "sent"


def test_a_dead_letter_that_nobody_wants_any_more_is_forgotten_after_a_week_and_still_listed(
    engine: Engine, world: World
) -> None:
    put(engine, message(1, "mail"))
    world.errors["mail"] = ChannelRefused("550 no such user")
    world.one_pass()
    world.clock.pass_by(minutes=19)
    world.one_pass()
    world.clock.pass_by(days=6)
    world.one_pass()
    assert ("dead_letter", "mail") in open_ones(engine)
    world.clock.pass_by(days=1)
    world.one_pass()
    assert ("dead_letter", "mail") not in open_ones(engine)
    with engine.connect() as connection:
        assert len(messages.listed(connection, "dead")) == 1


def test_no_channel_reachable_is_an_incident_of_its_own_and_the_spool_has_everything(
    engine: Engine, world: World
) -> None:
    ids = put(engine, message(1, "robot"), message(2, "mail"))
    world.errors |= {"robot": ChannelUnreachable("no route"), "mail": ChannelUnreachable("no route")}
    for _ in range(5):
        fared = world.one_pass()
        world.clock.pass_by(minutes=5)
    assert fared.down == ["mail", "robot"]
    assert open_ones(engine) == {("channel_down", "mail"), ("channel_down", "robot"), ("no_channel", "")}
    world.one_pass()
    assert any(
        text.startswith("没有可用的发送渠道:mail、robot 均不通,待发消息另存本地文件")
        for text in of_operator(world, "spool")
    )
    world.clock.pass_by(minutes=5)
    world.one_pass()
    copies = [m for m in world.taken["spool"] if m.title.startswith("请转交发改委:")]
    assert sorted(m.title for m in copies) == ["请转交发改委:提示1", "请转交发改委:提示2"], "each once"
    assert {(m.receiver, m.receiver_title, m.sections[0].items[0].finding_id) for m in copies} == {
        ("operator", "发改委", "f" * 32)
    }
    assert {row(engine, i)["state"] for i in ids} == {"pending"}, "they are sent when a channel is back"
    del world.errors["mail"]
    world.clock.pass_by(hours=2)
    world.one_pass()
    assert open_ones(engine) == {("channel_down", "robot")}
    assert [m.title for m in world.taken["mail"]] == ["提示2"]


def test_one_mail_that_no_address_takes_is_a_dead_letter_and_no_channel_that_is_down(
    engine: Engine, world: World
) -> None:
    put(engine, message(1, "mail"))
    world.errors["mail"] = MessageRefused("550 no such mailbox")
    for _ in range(6):
        fared = world.one_pass()
        world.clock.pass_by(minutes=5)
    assert fared.down == []
    assert open_ones(engine) == {("dead_letter", "mail")}


def test_where_the_spool_is_the_only_channel_its_failure_is_no_channel_at_all(engine: Engine, world: World) -> None:
    alone = Switchboard({"spool": SPOOL}, ((SPOOL, ()),))
    put(engine, message(1, "spool"))
    world.errors["spool"] = ChannelUnreachable("disk full")
    for _ in range(5):
        fared = world.one_pass(alone)
        world.clock.pass_by(minutes=5)
    assert fared.down == ["spool"]
    assert open_ones(engine) == {("channel_down", "spool"), ("no_channel", "")}


@BOTH
def test_messages_for_a_channel_that_was_switched_off_are_given_up_after_a_day(engine: Engine, world: World) -> None:
    put(engine, message(1, "old_robot"))
    assert world.one_pass().given_up == 0
    world.clock.pass_by(seconds=GONE_AFTER.total_seconds() + 1)
    broken = Switchboard(BOARD.channels, BOARD.operator, problem="routing.yaml:1: wrong")
    assert world.one_pass(broken).given_up == 0  # nobody knows which channels are in use
    fared = world.one_pass()
    assert fared.given_up == 1
    with pytest.raises(NotDelivered, match="channels that are not in use: 1"):
        fared.raise_for_losses()
    assert ("dead_letter", "old_robot") in open_ones(engine)
    assert states(engine)["dead"] == 1


def test_a_wrong_routing_is_told_over_the_spool_and_over_when_it_is_mended(engine: Engine, world: World) -> None:
    broken = Switchboard({"spool": SPOOL}, ((SPOOL, ()),), problem="routing.yaml:3: channels: no such kind")
    world.one_pass(broken)
    assert of_operator(world, "spool") == ["配置有误(routing.yaml):routing.yaml:3: channels: no such kind"]
    world.clock.pass_by(minutes=5)
    world.one_pass()
    assert open_ones(engine) == set()


def test_only_channels_in_use_are_worked_on(engine: Engine) -> None:
    with pytest.raises(ConfigurationError, match=r"'gone' is not in use; routing.yaml has mail, robot, spool"):
        delivery_tasks.deliver("gone", BOARD)


@BOTH
def test_the_watch_alone_reaches_the_operator_and_nobody_else(engine: Engine, world: World) -> None:
    put(engine, message(1, "robot", receiver="drc"))
    delivery_tasks.watch(MONDAY - timedelta(days=3), BOARD)
    watched = delivery_tasks.watch(MONDAY, BOARD)
    assert watched["missing"] == watched["open"] == watched["told"] > 5
    how: dict[str, Any] = {"open_channel": world.open, "clock": world.clock, "sleep": world.clock.sleep}
    done = [delivery_tasks.deliver(name, BOARD, ["operator"], **how) for name in sorted(BOARD.channels)]
    assert [one["sent"] for one in done] == [0, 1, 1]
    assert len(of_operator(world, "robot")) == watched["told"]
    assert states(engine) == {"sent": 2, "pending": 1}
    with engine.connect() as connection:
        assert OURS not in incidents.beats(connection)


@BOTH
def test_passes_that_end_side_by_side_note_the_same_once(engine: Engine, world: World) -> None:
    put(engine, message(1, "robot"), message(2, "mail"))
    world.errors |= {"robot": ChannelUnreachable("no route"), "mail": ChannelUnreachable("no route")}
    for _ in range(4):
        for name in ("robot", "mail"):
            delivery_tasks.deliver(name, BOARD, open_channel=world.open, clock=world.clock, sleep=world.clock.sleep)
        world.clock.pass_by(minutes=5)
    assert at_once(*[lambda: delivery_tasks.fared([], world.clock(), BOARD)] * 4) == []
    assert open_ones(engine) == {("channel_down", "mail"), ("channel_down", "robot"), ("no_channel", "")}
    with engine.connect() as connection:
        assert [one.cause for one in incidents.open_incidents(connection) if one.pipeline == OURS].count(
            "no_channel"
        ) == 1
