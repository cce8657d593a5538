"""Sixty days of changing facts and decisions: one story, however it is told, ordered or interrupted."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from sqlalchemy import Engine

from include.findings.story import Handling, Kind
from include.ledger.database import open_ledger
from include.rules.verdict import Outcome
from tests.depth import BOTH, MOSTLY_SQLITE, deep
from tests.findings.deciding import assert_whole, everything
from tests.findings.killed import killed_before
from tests.findings.sixty_days import DAYS, FIRST, HOLIDAYS, RULES, City, go_on, live

pytestmark = MOSTLY_SQLITE

SEEDS = (1, 3)
LAST = deep(28, DAYS)
"""How many of the last days are lived where a life is compared with another: holidays and a farewell are among them."""
Left = dict[str, list[dict[str, Any]]]


def _lived(engine: Engine, seed: int, rules: Sequence[str] = RULES) -> Left:
    for _ in live(engine, seed, _days(seed), rules):
        pass
    return everything(engine)


def _days(seed: int) -> list[date]:
    return list(City(seed).days())[-LAST:]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Callable[[int], Left]:
    """Return by its seed what a life leaves on SQLite that nothing disturbs; each is lived once."""

    @cache
    def lived(seed: int) -> Left:
        file = tmp_path_factory.mktemp("calm") / "ledger.db"
        copy(migrated_sqlite, file)
        return _lived(open_ledger(f"sqlite:///{file}"), seed)

    return lived


@BOTH
@pytest.mark.parametrize("turn", range(deep(1, 2)))
def test_on_every_day_findings_are_what_their_events_come_to(engine: Engine, turn: int) -> None:
    seed = SEEDS[turn - (engine.dialect.name == "postgresql")]  # another one on each database
    days = list(City(seed).days())
    for number, day in enumerate(live(engine, seed, days)):
        if number % 6 == 0 or day == days[-1]:
            assert_whole(engine)
            _assert_sound(everything(engine), day)
    found = everything(engine)
    told = Counter(e["kind"] for e in found["finding_event"])
    assert not {kind.value for kind in Kind} - set(told), told
    assert sum(told.values()) > 150
    assert not [e for e in found["finding_event"] if e["day"] in HOLIDAYS]
    ids = [e["finding_id"] + str(e["number"]) for e in found["finding_event"]]
    assert len(ids) == len(set(ids))


def _assert_sound(found: dict[str, list[dict[str, Any]]], day: date) -> None:
    """What must hold of the findings at the end of any day."""
    for row in found["finding"]:
        ends = row["handling"] in (Handling.WAIVED, Handling.DISPUTED, Handling.ATTESTED)
        assert not ends or row["handled_until"] >= day, row
        if row["state"] == "resolved":
            assert row["handling"] in (Handling.NEW, Handling.WAIVED, Handling.ATTESTED), row
        else:
            assert row["outcome"] in (Outcome.FAIL, Outcome.WARN)
        if row["handling"] == Handling.ATTESTED and row["state"] == "open":
            assert row["outcome"] == Outcome.WARN or row["unverified_since"], row
        is_late = row["handling"] == Handling.RECTIFYING and row["handled_until"] < day
        assert (row["overdue_since"] is not None) == is_late, row
        assert (row["handling"] == Handling.NEW) == (row["decision_id"] is None), row
    decided = {(r["decision_id"], r["finding_id"]): r for r in found["decision"]}
    for row in found["decision"]:
        assert row["kind"] not in (Kind.WAIVED, Kind.ATTESTED) or row["approved_by"] not in (None, row["requested_by"])
    for row in found["finding"]:
        if row["decision_id"]:
            assert decided[row["decision_id"], row["finding_id"]]["kind"] == row["handling"]


def test_the_order_in_which_rules_are_judged_is_irrelevant(engine: Engine, calm: Callable[[int], Left]) -> None:
    seed = deep(SEEDS[1], SEEDS[0])
    assert _lived(engine, seed, RULES[::-1]) == calm(seed)


def test_every_day_judged_twice_is_every_day_judged_once(engine: Engine, calm: Callable[[int], Left]) -> None:
    seed = deep(SEEDS[1], 4)
    for day in _days(seed):
        for _ in range(2):
            for _ in live(engine, seed, [day]):
                pass
    assert everything(engine) == calm(seed)


@BOTH
def test_killed_at_random_writes_nothing_is_lost_or_doubled(
    engine: Engine, ledger_url: str, calm: Callable[[int], Left]
) -> None:
    seed = SEEDS[1]
    chance, deaths = random.Random(seed), 0
    while killed_before(ledger_url, chance.randrange(5, 260), lambda ledger: go_on(ledger, seed, _days(seed))):
        deaths += 1
    assert deaths >= 5
    assert everything(engine) == calm(seed)
    assert assert_whole(engine) > 10


def test_the_city_is_worth_living_in() -> None:
    city = City(SEEDS[0])
    days = list(city.days())
    assert len(days) == 60 - len(HOLIDAYS)
    outcomes = Counter(v.outcome for day in days for v in city.verdicts(day))
    assert min(outcomes[o] for o in Outcome) > 50
    assert len({v.rule_version for day in days for v in city.verdicts(day)}) >= 3
    assert city.is_gone(days[-1])
    assert not city.is_gone(FIRST + timedelta(days=30))
