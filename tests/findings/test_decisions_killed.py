"""kill -9 between any two writes of a decision or of its end, and everything at once: the ledger is that of one calm run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from include.errors import DecisionRefused
from include.findings.story import Kind
from include.rules.verdict import Verdict
from tests.findings.at_once import at_once
from tests.findings.deciding import FOR_GOOD, PAID, assert_whole, everything, handled, judge_by_hand, kinds, said, taken
from tests.findings.killed import LOCKING, killed_before, places
from tests.rules.evidence import DAY

UNTIL = DAY + timedelta(days=5)
AFTER = UNTIL + timedelta(days=1)


def _decide(engine: Engine) -> None:
    taken(engine, Kind.WAIVED, "S", "T", until=UNTIL)


def _end(engine: Engine) -> None:
    judge_by_hand(engine, AFTER, said("fail", "S"), said("pass", "T"), said("fail", "U"))


def _seen(subject: str, message: str = "先付款") -> Verdict:
    return said("fail", subject, PAID, FOR_GOOD, message=message)


def _settle(engine: Engine) -> None:
    taken(engine, Kind.SETTLED, "S", "T", rule=PAID)


def _wake(engine: Engine) -> None:
    judge_by_hand(engine, AFTER, _seen("S", "又付款"), _seen("T"), rules=[PAID])


def _whole_or_not_there(engine: Engine, ledger_url: str, work: Callable[[Engine], None], writes: int) -> dict[str, Any]:
    """Kill a piece of work before statements that write, of which there are so many; return what stands once it is done."""
    before, writes = everything(engine), writes + LOCKING[engine.dialect.name]
    for statement in places(writes):
        assert killed_before(ledger_url, statement, work, reading=False), statement
        assert everything(engine) == before, statement
    assert not killed_before(ledger_url, writes, work, reading=False)
    after = everything(engine)
    assert after != before
    work(engine)
    assert everything(engine) == after
    return after


@pytest.mark.parametrize(("work", "writes"), [(_settle, 4), (_wake, 3)])
def test_a_settlement_and_its_end_are_whole_or_not_there(
    engine: Engine, ledger_url: str, work: Callable[[Engine], None], writes: int
) -> None:
    judge_by_hand(engine, DAY, _seen("S"), _seen("T"), rules=[PAID])
    if work is _wake:
        _settle(engine)
    _whole_or_not_there(engine, ledger_url, work, writes)
    assert assert_whole(engine) == 2
    if work is _wake:
        assert kinds(engine, "S", PAID) == ["opened", "settled", "reason_changed", "settlement_ended"]
        assert kinds(engine, "T", PAID) == ["opened", "settled"]


@pytest.mark.parametrize(("work", "writes"), [(_decide, 4), (_end, 6)])
def test_killed_before_any_statement_nothing_is_lost_or_doubled(
    engine: Engine, ledger_url: str, work: Callable[[Engine], None], writes: int
) -> None:
    judge_by_hand(engine, DAY, said("fail", "S"), said("warn", "T"))
    if work is _end:
        _decide(engine)
    after = _whole_or_not_there(engine, ledger_url, work, writes)
    assert assert_whole(engine) == len(after["finding"])
    if work is _end:
        assert kinds(engine, "S") == ["opened", "waived", "waiver_ended"]
        assert kinds(engine, "T") == ["opened", "waived", "resolved", "waiver_ended"]
        assert kinds(engine, "U") == ["opened"]


def test_decisions_and_judgings_at_once_wait_for_each_other(engine: Engine) -> None:
    subjects = [f"S{n}" for n in range(6)]
    judge_by_hand(engine, DAY, *(said("fail", s) for s in subjects))
    works: list[Callable[[], Any]] = [
        *(lambda s=s: taken(engine, Kind.WAIVED, s, decision_id=f"run-{s}") for s in subjects),
        *[lambda: taken(engine, Kind.WAIVED, "S0", decision_id="run-S0")] * 2,
        *[lambda: judge_by_hand(engine, DAY, *(said("warn", s) for s in subjects))] * 3,
    ]
    assert not at_once(*works)
    assert {handled(engine, s)[1] for s in subjects} == {"waived"}
    for subject in subjects:
        assert sorted(kinds(engine, subject)) == ["eased", "opened", "waived"]
    assert assert_whole(engine) == len(subjects)


def test_two_that_want_the_same_id_for_two_things_cannot_both_have_it(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said("fail", "S"), said("fail", "T"))
    outcomes: list[str] = []

    def decide(subject: str) -> None:
        try:
            taken(engine, Kind.WAIVED, subject, decision_id="one")
        except DecisionRefused:
            outcomes.append("refused")
        else:
            outcomes.append("recorded")

    threads = [threading.Thread(target=decide, args=(s,)) for s in "ST"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["recorded", "refused"]
    assert len(everything(engine)["decision"]) == 1
