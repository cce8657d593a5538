"""Killed by SIGKILL at any moment: nothing is lost, and at most the one message under way comes twice, under the same id.

Counted at a real server, by what it took. And workers side by side send each message once.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from include.alerts import outbox
from include.alerts.delivery import deliver
from include.alerts.pace import LEASE
from include.ledger.alert_tables import outbox as table
from include.ledger.database import open_ledger
from tests.alerts.sending import MONDAY, PostingChannel, SetClock, card, counting_server, message, put, states, tries
from tests.depth import BOTH, MOSTLY_SQLITE, SOAK
from tests.findings.at_once import at_once
from tests.findings.killed import killed_before

pytestmark = MOSTLY_SQLITE

NEVER = 10**6


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def passing(port: int, at: datetime, **moments: Callable[[], None]) -> Callable[[Engine], object]:
    clock = SetClock(at)
    return lambda engine: deliver(engine, card(), PostingChannel(port, **moments).open, clock=clock, sleep=clock.sleep)


@BOTH
def test_killed_before_any_statement_nothing_is_lost_and_at_most_one_comes_twice(ledger_url: str) -> None:
    engine, repeats, deaths = open_ledger(ledger_url), 0, 0
    with counting_server() as server:
        for statement in range(NEVER):
            at = MONDAY + timedelta(hours=statement)
            ids = put(engine, *(message(n, at=at) for n in range(2)), at=at)
            died = killed_before(ledger_url, statement, passing(server.port, at), reading=SOAK)
            deaths += died
            again = SetClock(at + LEASE)
            deliver(engine, card(), PostingChannel(server.port).open, clock=again, sleep=again.sleep)
            taken = [server.counts[i] for i in ids]
            assert all(count in (1, 2) for count in taken), (statement, taken)
            assert sum(taken) <= len(ids) + 1, (statement, taken)
            repeats += sum(taken) - len(ids)
            if not died:
                break
        assert states(engine) == {"sent": 2 * (deaths + 1)}
    assert deaths > 15
    assert 0 < repeats < deaths  # between sending and settling, and only there


@pytest.mark.parametrize(("moment", "times", "story"), [
    ("before", 1, ["cut_short", "sent"]), ("after", 2, ["cut_short", "sent"]),
])  # fmt: skip
def test_killed_before_and_after_the_other_side_took_it(
    ledger_url: str, moment: str, times: int, story: list[str]
) -> None:
    engine = open_ledger(ledger_url)
    (only,) = put(engine, message())
    with counting_server() as server:
        assert killed_before(ledger_url, NEVER, passing(server.port, MONDAY, **{moment: die}))
        assert server.counts[only] == times - 1
        assert tries(engine, only) == [None]  # written before it was made
        soon = SetClock(MONDAY + LEASE - timedelta(seconds=1))
        assert deliver(engine, card(), PostingChannel(server.port).open, clock=soon, sleep=soon.sleep).sent == 0
        passing(server.port, MONDAY + LEASE)(engine)
        assert server.counts[only] == times
    assert tries(engine, only) == story
    assert states(engine) == {"sent": 1}


def test_killed_again_and_again_a_message_still_arrives(ledger_url: str) -> None:
    engine = open_ledger(ledger_url)
    (only,) = put(engine, message())
    with counting_server() as server:
        for kill in range(4):
            assert killed_before(ledger_url, NEVER, passing(server.port, MONDAY + kill * LEASE, before=die))
        passing(server.port, MONDAY + 4 * LEASE)(engine)
        assert server.counts == {only: 1}
    assert tries(engine, only) == ["cut_short"] * 4 + ["sent"]


@BOTH
def test_workers_side_by_side_send_each_message_once(ledger_url: str) -> None:
    engine = open_ledger(ledger_url)
    ids = put(engine, *(message(n) for n in range(60)))
    with counting_server() as server:
        works = [lambda: passing(server.port, MONDAY)(open_ledger(ledger_url)) for _ in range(4)]
        assert at_once(*works) == []
        assert server.counts == dict.fromkeys(ids, 1)
    assert all(tries(engine, i) == ["sent"] for i in ids)


@BOTH
def test_workers_side_by_side_keep_the_pace_together(ledger_url: str) -> None:
    engine = open_ledger(ledger_url)
    put(engine, *(message(n) for n in range(30)))
    limited = card(per_minute=7)

    def work(server_port: int) -> None:
        clock = SetClock()
        own = open_ledger(ledger_url)
        deliver(
            own, limited, PostingChannel(server_port).open, clock=clock, sleep=clock.sleep, budget=timedelta(seconds=30)
        )

    with counting_server() as server:
        assert at_once(*[lambda: work(server.port)] * 4) == []
        assert sum(server.counts.values()) == 7
        assert max(server.counts.values()) == 1


def handing_over(engine: Engine) -> None:
    with engine.begin() as connection:
        outbox.hand_over(connection, {"robot", "mail"}, MONDAY)


def copies(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return sorted(connection.execute(select(table.c.title).where(table.c.receiver == "operator")).scalars())


EACH_ONCE = [f"请转交发改委:提示{n}" for n in range(6)]


def test_copies_to_hand_on_are_killed_before_any_statement_all_or_none(ledger_url: str) -> None:
    engine, statement = open_ledger(ledger_url), 0
    put(engine, *(message(n, ("robot", "mail")[n % 2]) for n in range(6)))
    while killed_before(ledger_url, statement, handing_over):
        assert copies(engine) == [], statement
        statement += 1
    assert statement > 3
    assert copies(engine) == EACH_ONCE
    handing_over(engine)
    assert copies(engine) == EACH_ONCE


@BOTH
def test_two_passes_side_by_side_hand_on_each_message_once(ledger_url: str) -> None:
    engine = open_ledger(ledger_url)
    put(engine, *(message(n) for n in range(6)))
    works = [lambda: handing_over(open_ledger(ledger_url)) for _ in range(4)]
    assert at_once(*works) == []
    assert copies(engine) == EACH_ONCE
