"""What stands in the outbox is claimed by one worker at a time, urgent things first, and comes back when a worker is gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from include.alerts import channel_states, outbox
from include.alerts.outbox import Claim, Try, Wait
from include.alerts.pace import LEASE, MOST_TRIES
from include.errors import ConfigurationError
from include.ledger.alert_tables import delivery_attempt
from tests.alerts.sending import MONDAY, card, message, put, row, states, tries


def claim(engine: Engine, worker: str = "w", at: Any = MONDAY, **how: Any) -> Claim | Wait | None:
    with engine.begin() as connection:
        return outbox.claim(connection, how.pop("card", card()), worker, at, **how)


def claimed(engine: Engine, worker: str = "w", at: Any = MONDAY, **how: Any) -> Claim:
    found = claim(engine, worker, at, **how)
    assert isinstance(found, Claim)
    return found


def settle(engine: Engine, work: Callable[..., Any], *arguments: Any) -> Any:
    with engine.begin() as connection:
        return work(connection, *arguments)


def test_putting_looks_only_for_what_it_is_given(engine: Engine) -> None:
    put(engine, *(message(n) for n in range(3)))
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda c, cur, statement, *rest: asked.append(statement))
    with engine.begin() as connection:
        assert outbox.put(connection, [message(2), message(3), message(3)], MONDAY) == 1
    assert len([s for s in asked if s.startswith("SELECT")]) == 1
    assert all(" IN (" in s for s in asked if s.startswith("SELECT"))
    with engine.begin() as connection:
        assert outbox.put(connection, [], MONDAY) == 0
    assert states(engine) == {"pending": 4}


def test_a_claim_is_for_one_worker_and_written_down_before_it_is_tried(engine: Engine) -> None:
    (only,) = put(engine, message())
    held = claimed(engine, "first")
    assert (held.message_id, held.tries, held.number) == (only, 1, 1)
    assert claim(engine, "second") is None
    assert tries(engine, only) == [None]
    assert row(engine, only)["claimed_until"] == MONDAY + LEASE


def test_urgent_messages_go_first_then_the_oldest(engine: Engine) -> None:
    late, early, urgent = message(1), message(2), message(3, urgent=True)
    put(engine, late, at=MONDAY - timedelta(minutes=1))
    put(engine, early, at=MONDAY - timedelta(minutes=2))
    put(engine, urgent)
    order = [claimed(engine).message_id for _ in range(3)]
    assert order == [urgent.message_id, early.message_id, late.message_id]


def test_only_what_is_due_on_the_channel_for_the_receivers_is_claimed(engine: Engine) -> None:
    put(engine, message(1, channel="other"))
    put(engine, message(2), at=MONDAY + timedelta(minutes=1))
    (mine,) = put(engine, message(3, receiver="operator"))
    assert claim(engine, receivers=["finance"]) is None
    assert claimed(engine, receivers=["operator", "drc"]).message_id == mine
    assert claim(engine) is None
    with engine.connect() as connection:
        assert outbox.is_due(connection, "other", MONDAY)
        assert not outbox.is_due(connection, "robot", MONDAY)


def test_a_claim_whose_worker_is_gone_ends_and_its_try_counts_as_cut_short(engine: Engine) -> None:
    (only,) = put(engine, message())
    claimed(engine, "dead")
    assert claim(engine, at=MONDAY + LEASE - timedelta(seconds=1)) is None
    again = claimed(engine, "next", MONDAY + LEASE)
    assert (again.message_id, again.tries, again.number) == (only, 2, 2)
    assert tries(engine, only) == ["cut_short", None]


def test_what_kills_every_worker_that_takes_it_is_dead_in_the_end_and_stops_nobody(engine: Engine) -> None:
    (poison,) = put(engine, message(1))
    at = MONDAY
    for _ in range(MOST_TRIES):
        claimed(engine, "dying", at)
        at += LEASE
    (healthy,) = put(engine, message(2), at=at)
    assert claimed(engine, "next", at).message_id == healthy
    assert row(engine, poison)["state"] == "dead"
    assert tries(engine, poison) == ["cut_short"] * MOST_TRIES


def test_a_delivery_counts_though_the_claim_was_over_and_a_failure_does_not(engine: Engine) -> None:
    (only,) = put(engine, message())
    slow = claimed(engine, "slow")
    quick = claimed(engine, "quick", MONDAY + LEASE)
    late = MONDAY + LEASE + timedelta(seconds=9)
    assert settle(engine, outbox.settle_failed, slow, Try.REFUSED, "no", None, late) is False
    assert row(engine, only)["claimed_by"] == "quick"
    settle(engine, outbox.settle_sent, slow, "receipt", late)
    assert settle(engine, outbox.settle_failed, quick, Try.UNREACHABLE, "no", None, late) is False
    found = row(engine, only)
    assert (found["state"], found["receipt"], found["claimed_by"], found["last_error"]) == (
        "sent",
        "receipt",
        None,
        None,
    )
    assert tries(engine, only) == ["sent", "unreachable"]


def test_the_rate_is_counted_over_all_workers(engine: Engine) -> None:
    put(engine, *(message(n) for n in range(4)))
    slow = card(per_minute=2)
    claimed(engine, "one", card=slow)
    claimed(engine, "two", MONDAY + timedelta(seconds=1), card=slow)
    wait = claim(engine, "three", MONDAY + timedelta(seconds=2), card=slow)
    assert wait == Wait(MONDAY + LEASE + timedelta(minutes=1))  # until both have said when they ended
    assert states(engine) == {"pending": 4}
    other = card("other", per_minute=2)
    put(engine, message(9, channel="other"))
    assert claimed(engine, "four", MONDAY + timedelta(seconds=2), card=other).channel == "other"


def test_a_channel_that_wants_to_be_left_alone_is(engine: Engine) -> None:
    put(engine, message())
    until = MONDAY + timedelta(minutes=10)
    with engine.begin() as connection:
        channel_states.note_failed(connection, "robot", "too fast", MONDAY, until)
    assert claim(engine) == Wait(until)
    assert isinstance(claim(engine, at=until), Claim)


def test_a_dead_message_comes_back_with_all_its_tries_and_keeps_its_history(engine: Engine) -> None:
    (only,) = put(engine, message())
    held = claimed(engine)
    assert settle(engine, outbox.settle_failed, held, Try.REFUSED, "no", None, MONDAY) is True
    assert states(engine) == {"dead": 1}
    assert claim(engine) is None
    later = MONDAY + timedelta(days=1)
    with engine.begin() as connection:
        assert outbox.revive(connection, only[:8], later) == only
    again = claimed(engine, at=later)
    assert (again.tries, again.number, again.refusals) == (1, 2, 0)
    for beginning, why in (
        (only, "is pending, not dead"),
        ("zz", "no message begins"),
        ("", "no message|more than one"),
    ):
        with (
            engine.begin() as connection,
            pytest.raises(ConfigurationError, match=why if beginning else "pending|more"),
        ):
            outbox.revive(connection, beginning, later)


def test_the_dead_are_counted_by_when_they_died(engine: Engine) -> None:
    put(engine, message(1), message(2))
    for days in (0, 5):
        held = claimed(engine, at=MONDAY + timedelta(days=days))
        settle(engine, outbox.settle_failed, held, Try.REFUSED, "no", None, MONDAY + timedelta(days=days))
    with engine.connect() as connection:
        assert outbox.dead_since(connection, MONDAY - timedelta(days=1)) == {"robot": 2}
        assert outbox.dead_since(connection, MONDAY + timedelta(days=1)) == {"robot": 1}
        assert outbox.dead_since(connection, MONDAY + timedelta(days=6)) == {}
        assert outbox.counts(connection) == {"robot": {"pending": 0, "sent": 0, "dead": 2}}
        assert [r["state"] for r in outbox.listed(connection, "dead")] == ["dead", "dead"]
        assert "body" not in outbox.listed(connection)[0]


def test_every_try_is_a_row_with_an_end(engine: Engine) -> None:
    put(engine, message())
    held = claimed(engine)
    settle(engine, outbox.settle_sent, held, "ok", MONDAY + timedelta(seconds=2))
    with engine.connect() as connection:
        only = connection.execute(select(delivery_attempt)).mappings().one()
    assert (only["outcome"], only["detail"], only["ended_at"]) == ("sent", "ok", MONDAY + timedelta(seconds=2))
