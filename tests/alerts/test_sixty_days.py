"""Sixty days of verdicts and decisions over National Day: exactly these notices, however often passes are made or killed."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import Engine

from include.alerts.message import Reason
from tests.alerts.sixty_days import NOTICES, Step, plant, script, steps
from tests.alerts.town import Town
from tests.depth import BOTH, MOSTLY_SQLITE
from tests.findings.killed import killed_before

pytestmark = MOSTLY_SQLITE


def _expected() -> list[str]:
    return NOTICES.read_text("utf-8").splitlines()


def _assert_one_message_each(town: Town) -> None:
    keys = [(m.decided_at, m.receiver, m.department, m.channel) for m in town.messages()]
    assert len(keys) == len(set(keys)) > 50


@BOTH
def test_the_notices_are_these(engine: Engine) -> None:
    town = plant(engine)
    for step in steps():
        step.live(engine)
    assert town.lines() == _expected()
    _assert_one_message_each(town)


@pytest.mark.timeout(600)
def test_every_step_twice_and_killed_at_any_statement_changes_nothing(ledger_url: str, engine: Engine) -> None:
    town, chance, deaths = plant(engine), random.Random(6), 0
    for number, step in enumerate(steps()):
        statement = chance.randrange(2, 12)
        while step.what and number % 3 == 0 and killed_before(ledger_url, statement, step.live):
            deaths += 1
            statement += chance.randrange(15, 60)
        step.live(engine)
        if number % 5 == 0:
            step.live(engine)
    assert deaths >= 5
    assert town.lines() == _expected()


def test_the_script_covers_every_reason_and_the_holiday() -> None:
    lines = _expected()
    told = {part.split()[0] for line in lines for part in line.split("|")[1:]}
    assert {part for part in told} == {reason.value for reason in Reason} - {Reason.PIPELINE.value}
    assert (script()["last"] - script()["first"]).days + 1 == 60
    assert not [line for line in lines if "10-01" <= line[:5] <= "10-07"]
    assert [line for line in lines if line.startswith("10-08")]
    assert [line for line in lines if line.startswith("09-20")], "a Sunday on which people work"
    assert all(isinstance(step, Step) for step in steps())
