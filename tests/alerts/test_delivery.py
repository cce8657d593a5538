"""A pass over a channel: what fails is tried again or dies, what the channel says is heeded, and nothing stops the rest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from include.alerts import channel_states
from include.alerts.channel_states import ChannelState
from include.alerts.channels.channel import Channel, ChannelCard
from include.alerts.delivery import Delivered, deliver
from include.alerts.pace import JITTER, MOST_TRIES, WAITS
from include.errors import ChannelRefused, ChannelThrottled, ChannelUnreachable, ConfigurationError, MessageRefused
from tests.alerts.sending import ObedientChannel, SetClock, card, message, put, row, states, tries


def delivered(engine: Engine, channel: ObedientChannel, clock: SetClock, **how: Any) -> Delivered:
    return deliver(engine, how.pop("card", card()), channel.open, clock=clock, sleep=clock.sleep, **how)


def state(engine: Engine) -> ChannelState:
    with engine.connect() as connection:
        return channel_states.state_of(connection, "robot")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


def test_everything_due_is_sent_once_and_its_receipt_kept(engine: Engine, clock: SetClock) -> None:
    ids = put(engine, *(message(n) for n in range(5)))
    channel = ObedientChannel()
    assert delivered(engine, channel, clock) == Delivered("robot", sent=5)
    assert sorted(m.message_id for m in channel.taken) == sorted(ids)
    assert channel.taken[0] in [message(n) for n in range(5)]  # all of it came out as it went in
    assert {row(engine, i)["receipt"] for i in ids} == {f"receipt-{n}" for n in range(1, 6)}
    assert channel.is_closed
    assert delivered(engine, channel, clock).sent == 0
    assert channel.asked == 5


def test_a_channel_with_nothing_to_do_is_not_even_opened(engine: Engine, clock: SetClock) -> None:
    def never(_card: ChannelCard) -> Channel:
        raise AssertionError("opened for nothing")

    assert deliver(engine, card(), never, clock=clock) == Delivered("robot")


def test_what_is_unreachable_is_tried_at_growing_distances_and_dies_after_the_last(
    engine: Engine, clock: SetClock
) -> None:
    (only,) = put(engine, message())
    start, moments = clock.at, []
    channel = ObedientChannel(*[ChannelUnreachable("no route")] * 99)
    for _ in range(MOST_TRIES):
        moments.append(clock.at - start)
        done = delivered(engine, channel, clock)
        assert done.failed == 1
        clock.at = max(row(engine, only)["next_try_at"], clock.at)
    for (before, after), least in zip(zip(moments, moments[1:], strict=False), WAITS, strict=True):
        assert least <= after - before <= least * (1 + JITTER)
    assert done.died == 1
    assert states(engine) == {"dead": 1}
    assert tries(engine, only) == ["unreachable"] * MOST_TRIES
    assert row(engine, only)["last_error"] == "no route"
    clock.pass_by(days=30)
    assert delivered(engine, channel, clock).failed == 0


def test_what_is_refused_twice_is_dead_and_a_card_mended_in_between_saves_it(engine: Engine, clock: SetClock) -> None:
    first, second = put(engine, message(1), message(2))
    channel = ObedientChannel(*[ChannelRefused("310000 keywords not in content")] * 2)
    assert (delivered(engine, channel, clock).failed, states(engine)) == (2, {"pending": 2})
    clock.pass_by(minutes=20)
    channel.answers = [ChannelRefused("310000 keywords not in content"), None]
    done = delivered(engine, channel, clock)
    assert (done.died, done.sent) == (1, 1)
    assert states(engine) == {"dead": 1, "sent": 1}
    assert sorted([tries(engine, first), tries(engine, second)]) == [["refused", "refused"], ["refused", "sent"]]


def test_a_channel_that_is_throttled_is_left_alone_for_as_long_as_it_said(engine: Engine, clock: SetClock) -> None:
    put(engine, *(message(n) for n in range(3)))
    channel = ObedientChannel(ChannelThrottled("130101 too fast", 600))
    assert delivered(engine, channel, clock) == Delivered("robot", failed=1, waiting=3, error="130101 too fast")
    assert channel.asked == 1
    clock.pass_by(seconds=599)
    assert delivered(engine, channel, clock, budget=timedelta(seconds=0.5)).sent == 0
    clock.pass_by(seconds=2)
    assert delivered(engine, channel, clock).sent == 3


def test_what_another_worker_hears_meanwhile_does_not_end_the_silence_that_a_channel_asked_for(
    engine: Engine, clock: SetClock
) -> None:
    put(engine, message())
    delivered(engine, ObedientChannel(ChannelThrottled("130101 too fast", 600)), clock)
    until = state(engine).blocked_until
    clock.pass_by(seconds=5)
    with engine.begin() as connection:
        channel_states.note_failed(connection, "robot", "reset by peer", clock(), clock.at + timedelta(seconds=60))
    assert state(engine).blocked_until == until
    with engine.begin() as connection:
        channel_states.note_sent(connection, "robot", clock())
    assert state(engine).blocked_until == until
    clock.pass_by(seconds=700)
    with engine.begin() as connection:
        channel_states.note_sent(connection, "robot", clock())
    assert state(engine).blocked_until is None


def test_a_power_cut_from_friday_evening_to_monday_morning_kills_no_message(engine: Engine, clock: SetClock) -> None:
    clock.at = clock.at.replace(day=20, hour=17, minute=30)
    (only,) = put(engine, message(at=clock.at), at=clock.at)
    back = clock.at.replace(day=23, hour=8)
    while clock.at < back:
        delivered(engine, ObedientChannel(*[ChannelUnreachable("no route")] * 9), clock)
        clock.pass_by(minutes=30)
    assert row(engine, only)["state"] == "pending"
    clock.at = row(engine, only)["next_try_at"]
    assert clock.at - back < timedelta(hours=15)
    assert delivered(engine, ObedientChannel(), clock).sent == 1


def test_a_mail_that_no_address_takes_says_nothing_of_the_channel(engine: Engine, clock: SetClock) -> None:
    ids = put(engine, *(message(n) for n in range(5)))
    channel = ObedientChannel(*[MessageRefused("550 no such mailbox")] * 4)
    done = delivered(engine, channel, clock)
    assert (done.failed, done.sent, done.waiting) == (4, 1, 4), "four wrong addresses keep nobody else waiting"
    clock.pass_by(minutes=20)
    channel.answers = [MessageRefused("550 no such mailbox")] * 4
    done = delivered(engine, channel, clock)
    assert (done.died, done.is_down, state(engine).failing_since) == (4, False, None)
    assert sorted(row(engine, i)["state"] for i in ids) == ["dead"] * 4 + ["sent"]


def test_no_channel_is_believed_that_wants_to_be_left_alone_for_ever(engine: Engine, clock: SetClock) -> None:
    put(engine, message())
    delivered(engine, ObedientChannel(ChannelThrottled("later", 10**9)), clock)
    until = state(engine).blocked_until
    assert until is not None
    assert until - clock.at <= timedelta(hours=1)


def test_a_dead_channel_uses_up_the_tries_of_few_messages_only(engine: Engine, clock: SetClock) -> None:
    ids = put(engine, *(message(n) for n in range(10)))
    channel = ObedientChannel(*[ChannelUnreachable("no route")] * 99)
    assert delivered(engine, channel, clock).failed == 3
    assert sum(bool(tries(engine, i)) for i in ids) == 3


def test_failing_is_counted_from_the_first_failure_to_the_next_success(engine: Engine, clock: SetClock) -> None:
    put(engine, message())
    began = clock.at
    assert delivered(engine, ObedientChannel(ChannelUnreachable("no route")), clock).is_down is False
    clock.pass_by(minutes=20)
    done = delivered(engine, ObedientChannel(ChannelUnreachable("no route")), clock)
    assert done.is_down is True
    assert (state(engine).failing_since, state(engine).last_error) == (began, "no route")
    clock.pass_by(hours=2)
    assert delivered(engine, ObedientChannel(), clock).is_down is False
    assert state(engine) == ChannelState("robot", None, None, clock.at, None)


def test_a_channel_that_cannot_be_opened_costs_no_message_a_try(engine: Engine, clock: SetClock) -> None:
    (only,) = put(engine, message())

    def closed(_card: ChannelCard) -> Channel:
        raise ConfigurationError("connection 'alert_robot' is not defined")

    done = deliver(engine, card(), closed, clock=clock, sleep=clock.sleep)
    assert (done.error, done.waiting) == ("connection 'alert_robot' is not defined", 1)
    assert tries(engine, only) == []
    assert state(engine).failing_since == clock.at


def test_what_a_broken_channel_says_is_not_kept_for_it_may_hold_the_key(
    engine: Engine, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    (only,) = put(engine, message())
    leak = ValueError("https://oapi.example/robot/send?access_token=SECRET")
    done = delivered(engine, ObedientChannel(leak), clock)
    assert tries(engine, only) == ["broken"]
    kept = f"{done} {row(engine, only)} {state(engine)} {caplog.text}"
    assert "ValueError in sending.py:" in kept
    assert "SECRET" not in kept


def test_the_pace_is_kept_within_a_pass_and_its_budget(engine: Engine, clock: SetClock) -> None:
    put(engine, *(message(n) for n in range(10)))
    start = clock.at
    channel = ObedientChannel(clock=clock, takes=0.1)
    slow = card(per_minute=3, per_second=2)
    done = delivered(engine, channel, clock, card=slow, budget=timedelta(seconds=100))
    assert clock.at - start < timedelta(seconds=100)
    assert (done.sent, done.waiting) == (6, 4)
    for first in channel.taken_at:
        assert sum(first <= other < first + timedelta(minutes=1) for other in channel.taken_at) <= 3
        assert sum(first <= other < first + timedelta(seconds=1) for other in channel.taken_at) <= 2


def test_a_pass_for_some_receivers_leaves_the_others_waiting(engine: Engine, clock: SetClock) -> None:
    put(engine, message(1, receiver="operator"), message(2, receiver="drc"))
    done = delivered(engine, ObedientChannel(), clock, receivers=["operator"])
    assert (done.sent, done.waiting) == (1, 1)


def test_a_ledger_that_fails_while_it_is_told_of_a_success_does_not_make_it_go_out_twice(
    engine: Engine, clock: SetClock
) -> None:
    (only,) = put(engine, message())
    failures: list[str] = []

    def fail_once(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("UPDATE outbox SET state") and not failures:
            failures.append(statement)
            raise OperationalError(statement, {}, Exception("the server closed the connection"))

    event.listen(engine, "before_cursor_execute", fail_once)
    channel = ObedientChannel()
    assert delivered(engine, channel, clock).sent == 1
    assert len(failures) == 1
    assert (row(engine, only)["state"], tries(engine, only)) == ("sent", ["sent"])
    assert channel.asked == 1
