"""After retention any day that is kept is judged again to the same byte, and one whose probes are gone says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, insert

from include.errors import Permanent
from include.house.keeping import keep, keep_all
from include.ledger.tables import probe_day, probe_sweep
from tests.depth import MOSTLY_SQLITE, deep
from tests.findings.ledger_state import SCOPES, assert_folds, judge_day, ledger_rows
from tests.house.household import Household
from tests.rules.city import City
from tests.rules.evidence import DAY, at, days_before, rows_of

LOOK_BACK = 60
"""Days that the rules look back at probes: twice the window of 30."""


def sweep(home: Household, city: City) -> None:
    days = days_before(DAY, LOOK_BACK + 10)
    with city.together():
        for day in days:
            city.probed("s1", day, successes=day.day % 3, failures=1)
    for day in days:
        home.swept(day, f"sweep-{day}", f"of {day}")


@MOSTLY_SQLITE
@pytest.mark.parametrize("scope", deep(["interconnection", "regulation"], [*SCOPES, "regulation"]))
def test_a_kept_day_is_judged_again_to_the_same_byte(home: Household, engine: Engine, scope: str) -> None:
    city = City(engine)
    sweep(home, city)
    first = judge_day(engine, DAY, scope)
    later = city.next_day()
    judge_day(engine, later, scope, at=at(later, 7))
    before = ledger_rows(engine)
    least = {
        "landing_pages": 0,
        "probe_rounds": 0,
        "probe_days": LOOK_BACK,
        "message_bodies": 0,
        "delivery_attempts": 0,
    }
    done = {one.kind: one.things for one in keep_all(home.house(keep_days=least), apply=True)}
    assert (done["probe_rounds"], done["probe_days"]) == (68, 10)  # pages of the last two days may still be in use
    assert ledger_rows(engine) == before
    again = judge_day(engine, DAY, scope, at=at(later, 8), replay=True)
    assert (again.is_replay, again.is_equal, again.digest) == (True, True, first.digest)
    assert_folds(engine)


@MOSTLY_SQLITE
def test_a_day_whose_probes_were_removed_is_refused_and_not_judged_wrongly(home: Household, engine: Engine) -> None:
    city = City(engine)
    sweep(home, city)
    judge_day(engine, DAY, "interconnection")
    later = city.next_day()
    keep(home.house(keep_days={"probe_days": LOOK_BACK - 1}), "probe_days", apply=True)
    with pytest.raises(Permanent, match="removed by retention"):
        judge_day(engine, DAY, "interconnection", at=at(later, 8), replay=True)
    today = judge_day(engine, later, "interconnection", at=at(later, 8))
    assert not today.crashed


@MOSTLY_SQLITE
def test_days_before_the_first_sweep_and_sweeps_that_were_cut_off_are_no_gap(home: Household, engine: Engine) -> None:
    city = City(engine)
    cut = {
        "sweep_id": "cut",
        "endpoints": 5,
        "succeeded": 0,
        "failed": 0,
        "inconclusive": 5,
        "lag_ms": 0,
        "is_cut_off": True,
    }
    moments = dict.fromkeys(("started_at", "ended_at", "merged_at"), at(DAY - timedelta(days=9)))
    with engine.begin() as connection:
        connection.execute(insert(probe_sweep), [cut | moments | {"outcomes": "{}", "causes": "{}"}])
    city.probed("s1", DAY - timedelta(days=3), successes=1)
    home.swept(DAY - timedelta(days=3), "whole")
    assert not judge_day(engine, DAY, "interconnection").crashed
    with engine.connect() as connection:
        assert len(rows_of(connection, probe_day)) == 1
