"""The days of compliance: what they count, that they are appended once, and that the past stays as it was."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from include.datasets.compliance import _percentile, append_day
from include.errors import ConfigurationError
from include.findings.decisions import decide
from include.findings.story import Kind
from include.ledger.alert_tables import compliance_day
from include.ledger.snapshot import snapshot
from include.ledger.tables import evaluation, finding
from tests.datasets.planted import appended, judge_all, planted
from tests.depth import MOSTLY_SQLITE
from tests.findings.deciding import wanted
from tests.findings.ledger_state import judge_day
from tests.rules.city import City
from tests.rules.evidence import DAY, at

NEXT = DAY + timedelta(days=1)
OUTCOMES = {
    "pass": "passed",
    "warn": "warned",
    "fail": "failed",
    "unknown": "unknown",
    "not_applicable": "not_applicable",
}
CLOUD = "deployed-on-city-cloud"


def days(engine: Engine, day: date, rule: str | None = None) -> list[dict[str, Any]]:
    query = select(compliance_day).where(compliance_day.c.day == day).order_by(*compliance_day.primary_key)
    query = query.where(compliance_day.c.rule == rule) if rule else query
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def counted(engine: Engine, day: date) -> dict[str, Counter[str]]:
    """Return what the evaluations of a day say of each rule."""
    found: dict[str, Counter[str]] = {}
    with engine.connect() as connection:
        query = select(evaluation.c.outcomes).where(evaluation.c.day == day)
        for text in connection.execute(query).scalars():
            for rule, outcomes in json.loads(text)["outcomes"].items():
                found.setdefault(rule, Counter()).update({OUTCOMES[o]: n for o, n in outcomes.items() if n})
    return found


@MOSTLY_SQLITE
def test_sums_over_departments_are_those_of_the_evaluations_and_the_past_stays(engine: Engine) -> None:
    city = planted(engine)
    assert appended(engine, DAY) > 50
    judge_all(engine, city.next_day())
    assert appended(engine, NEXT) > 50
    for day in (DAY, NEXT):
        sums: dict[str, Counter[str]] = {}
        for row in days(engine, day):
            sums.setdefault(row["rule"], Counter()).update({name: row[name] for name in OUTCOMES.values() if row[name]})
        wanted_sums = counted(engine, day)
        assert len(wanted_sums) > 30
        assert sums == {rule: counts for rule, counts in wanted_sums.items() if counts}
    before = days(engine, DAY)
    with pytest.raises(ConfigurationError, match="was judged since"):
        appended(engine, DAY)
    assert days(engine, DAY) == before


@MOSTLY_SQLITE
def test_departments_ages_waivers_and_events_of_a_day(engine: Engine) -> None:
    city = City(engine)
    judge_day(engine, DAY)
    decide(engine, wanted(Kind.WAIVED, "away", rule=CLOUD, decided_at=at(DAY, 9)))
    assert appended(engine, DAY) > 0
    rows = days(engine, DAY, CLOUD)
    assert [row["department"] for row in rows] == ["市教育局"]
    assert rows[0].items() >= {"opened": 1, "waived": 1, "open_age_p50": 0, "open_age_p90": 0, "resolved": 0}.items()
    system = city.last["system_register"]
    city.change("system", system, {"system_code": "away"}, at(NEXT, 1), status="stopped")
    for _ in range(3):
        day = city.next_day()
    judge_day(engine, day)
    appended(engine, day)
    resolved = days(engine, day, CLOUD)[0]
    assert (resolved["opened"], resolved["resolved"], resolved["open_age_p50"]) == (0, 1, None)
    idle = days(engine, day, "resources-not-idle")[0]
    assert idle.items() >= {"opened": 0, "open_age_p50": 3, "open_age_p90": 3}.items()
    sources = days(engine, day, "evidence-current")
    assert [row["department"] for row in sources] == ["未登记单位"], "a source is no department's"


@MOSTLY_SQLITE
def test_what_is_settled_is_counted_apart_and_makes_the_open_ones_no_older(engine: Engine) -> None:
    City(engine)
    judge_day(engine, DAY)
    with engine.begin() as connection:
        mine = (finding.c.rule == CLOUD) & (finding.c.subject == "away")
        connection.execute(update(finding).where(mine).values(handling="settled"))
    appended(engine, DAY)
    (row,) = days(engine, DAY, CLOUD)
    assert row.items() >= {"settled": 1, "waived": 0, "open_age_p50": None, "open_age_p90": None}.items()
    assert row["failed"] + row["warned"] >= 1, "it failed, and was handled"


@MOSTLY_SQLITE
def test_a_day_is_appended_again_while_it_is_today_and_never_later(engine: Engine) -> None:
    city = City(engine)
    judge_day(engine, DAY)
    first = appended(engine, DAY)
    assert first > 5
    assert appended(engine, DAY) == 0, "the same again writes nothing"
    decide(engine, wanted(Kind.WAIVED, "away", rule=CLOUD, decided_at=at(DAY, 9)))
    assert appended(engine, DAY, 10) == 1
    assert days(engine, DAY, CLOUD)[0]["appended_at"] == at(DAY, 10)
    decide(engine, wanted(Kind.WITHDRAWN, "away", rule=CLOUD, decided_at=at(DAY, 11)))
    assert appended(engine, DAY, 11) == 1, "still today"
    kept = days(engine, DAY)
    assert _tomorrow(engine) == 0, "the day is over, whatever is decided now"
    assert days(engine, DAY) == kept
    assert city.day == DAY


def _tomorrow(engine: Engine) -> int:
    decide(engine, wanted(Kind.WAIVED, "away", rule=CLOUD, decision_id="late", decided_at=at(NEXT, 7)))
    with snapshot(engine, "datasets") as connection:
        return append_day(connection, DAY, at(NEXT, 8)).written


@MOSTLY_SQLITE
def test_a_replay_recomputes_a_past_day_from_its_timeline_and_says_so(engine: Engine) -> None:
    city = City(engine)
    judge_day(engine, DAY)
    appended(engine, DAY)
    then = days(engine, DAY)
    city.change("system", city.last["system_register"], {"system_code": "away"}, at(NEXT, 1), deployment="city_cloud")
    judge_day(engine, city.next_day())
    written = appended(engine, DAY, replay=True)
    again = days(engine, DAY)
    assert written == len(then) == len(again)
    assert all(row["is_replay"] for row in again)
    assert not any(row["is_replay"] for row in then)
    but = {"is_replay", "appended_at"}
    assert [{n: v for n, v in row.items() if n not in but} for row in again] == [
        {n: v for n, v in row.items() if n not in but} for row in then
    ]
    assert appended(engine, DAY, replay=True) == 0


@MOSTLY_SQLITE
@pytest.mark.parametrize(
    ("judged", "day", "said"), [(False, DAY, "nothing was ever judged"), (True, NEXT, "not judged")]
)
def test_a_day_that_was_not_judged_cannot_be_appended(engine: Engine, judged: bool, day: date, said: str) -> None:
    City(engine)
    if judged:
        judge_day(engine, DAY)
    with pytest.raises(ConfigurationError, match=said):
        appended(engine, day)
    assert days(engine, day) == []


@given(st.lists(st.integers(0, 400), max_size=60), st.sampled_from([50, 90]))
def test_a_percentile_is_a_value_with_so_many_at_or_below_it(ages: list[int], percent: int) -> None:
    found = _percentile(sorted(ages), percent)
    if not ages:
        assert found is None
        return
    assert found in ages
    assert sum(age <= found for age in ages) * 100 >= percent * len(ages)
    assert sum(age < found for age in ages) * 100 < percent * len(ages)
