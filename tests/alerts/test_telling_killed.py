"""What tells people, killed by SIGKILL between any two statements: all of it or nothing, and in the end what a calm run leaves.

Before statements that write and before the commit: before one that reads, a ledger is as it is before the next that writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from shutil import copy

import pytest
from sqlalchemy import Engine

from include.alerts.holds import release
from include.findings.story import Kind
from include.ledger.database import open_ledger
from include.ledger.snapshot import FINDINGS, snapshot
from tests.alerts.town import CONNECTED, MONDAY, Town, moment, said
from tests.depth import MOSTLY_SQLITE
from tests.findings.deciding import everything
from tests.findings.killed import LOCKING, killed_before, places

pytestmark = MOSTLY_SQLITE

TUESDAY, LATER = MONDAY + timedelta(days=1), MONDAY + timedelta(days=4)
MANY = [f"S{n:02}" for n in range(21)]


@dataclass(frozen=True)
class Story:
    """What went before, the one transaction that is killed, in how many writes, and how many messages are new by it."""

    before: Callable[[Town], object]
    work: Callable[[Town], object]
    writes: int
    messages: int


def _failed(town: Town) -> None:
    town.plant({"A": "教育局", "B": "水务局"})
    town.judge(moment(MONDAY), said("fail", "A"))


def _judged(town: Town) -> None:
    warns = [said("warn", "A", CONNECTED), said("fail", "B", CONNECTED)]
    town.judge(moment(TUESDAY), said("pass", "A"), said("fail", "B"), *warns)


def _moved(town: Town) -> None:
    with town.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE system SET unit_name = '水务局'")


def _many(town: Town) -> None:
    town.plant(dict.fromkeys(MANY, "教育局"))


def _held(town: Town) -> None:
    assert town.judge(moment(MONDAY), *(said("fail", s) for s in MANY)).held in (0, len(MANY))


def _release(town: Town) -> None:
    (hold,) = town.everything()["alert_hold"]
    with snapshot(town.engine, FINDINGS) as connection:
        release(connection, str(hold["hold_id"]), "engineer", "ops", "属实", moment(TUESDAY, 8))


STORIES = {
    "judging": Story(_failed, _judged, 13, 3),
    "reminding": Story(_failed, lambda town: town.tell(moment(LATER, 10)), 3, 1),
    "telling that it moved": Story(
        lambda town: (_failed(town), _moved(town)), lambda town: town.tell(moment(TUESDAY)), 3, 2
    ),
    "deciding": Story(_failed, lambda town: town.decide(moment(TUESDAY), Kind.WAIVED, "A"), 5, 0),
    "holding": Story(_many, _held, 9, 1),
    "releasing": Story(lambda town: (_many(town), _held(town)), _release, 2, 0),
    "telling what was released": Story(
        lambda town: (_many(town), _held(town), _release(town)), lambda town: town.tell(moment(TUESDAY)), 5, 1
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_killed_before_any_statement_it_is_as_if_it_had_never_begun(
    name: str, town: Town, engine: Engine, ledger_url: str, tmp_path: Path, migrated_sqlite: Path
) -> None:
    story = STORIES[name]
    story.before(town)
    before, told = everything(engine) | town.everything(), len(town.lines())
    writes = story.writes + LOCKING[engine.dialect.name]
    for statement in places(writes):
        assert killed_before(ledger_url, statement, lambda ledger: story.work(Town(ledger)), reading=False), statement
        assert everything(engine) | town.everything() == before, statement
    assert not killed_before(ledger_url, writes, lambda ledger: story.work(Town(ledger)), reading=False)

    assert len(town.lines()) - told == story.messages
    assert everything(engine) | town.everything() != before
    copy(migrated_sqlite, tmp_path / "calm.db")
    calm = Town(open_ledger(f"sqlite:///{tmp_path / 'calm.db'}"))
    story.before(calm)
    story.work(calm)
    assert town.lines() == calm.lines()
    assert {n: len(rows) for n, rows in town.everything().items()} == {n: len(r) for n, r in calm.everything().items()}
    after = everything(engine) | town.everything()
    story.work(town)
    assert everything(engine) | town.everything() == after
