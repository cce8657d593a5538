"""A daily series: whole days up to yesterday, never in full, nothing tombstoned, and what is observed of each day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from include.clock import SHANGHAI
from include.errors import ConfigurationError
from include.landing.store import LandingStore
from include.ledger import batch_merge
from include.ledger.merge import MergeResult
from include.ledger.observed import believed_days
from include.ledger.replay import replay_batch
from include.ledger.summary import open_questions
from include.ledger.sync import land, merge_batch
from include.ledger.tables import batch, observed_day, system_usage_day
from include.sources.card_files import load_card
from tests.depth import MOSTLY_SQLITE
from tests.ledger.daily_platform import CARD, DAY, SOURCE, TODAY, DailyPlatform, Series, rows_of
from tests.platform import write_card
from tests.sources.answering import AnsweringServer


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DailyPlatform]:
    there = DailyPlatform()
    write_card(monkeypatch, tmp_path / "config", CARD)
    with AnsweringServer(there.answer) as server:
        known = {"conn_type": "http", "host": "127.0.0.1", "port": server.port, "extra": {"networks": ["127.0.0.0/8"]}}
        monkeypatch.setenv("AIRFLOW_CONN_DAILY", json.dumps(known))
        yield there


@pytest.fixture
def series(platform: DailyPlatform, engine: Engine, store: LandingStore, monkeypatch: pytest.MonkeyPatch) -> Series:
    return Series(platform, engine, store, monkeypatch)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def held(engine: Engine) -> tuple[int, int]:
    """Return the rows of the ledger, and the tombstoned ones among them."""
    query = select(func.count(), func.count(system_usage_day.c.tombstoned_at))
    with engine.connect() as connection:
        return tuple(connection.execute(query).one())  # type: ignore[return-value]


@MOSTLY_SQLITE
def test_the_first_read_goes_back_some_days_and_ends_with_yesterday(series: Series, engine: Engine) -> None:
    result = series.run()
    assert series.platform.asked == [("2026-10-25", "2026-11-23")]
    assert (result.is_full, result.is_complete, result.created, result.unchanged) == (False, True, 900, 0), result
    assert series.read_until() == midnight(TODAY)
    observed = series.observed()
    assert [(o.day, o.rows, o.is_trusted, o.doubts) for o in observed] == [
        (TODAY - n * DAY, 30, True, "") for n in range(30, 0, -1)
    ]
    assert {o.batch_id for o in observed} == {result.batch_id}


@MOSTLY_SQLITE
def test_the_next_read_begins_some_days_before_the_last_one_read(series: Series, engine: Engine) -> None:
    series.run()
    series.day += DAY
    late = series.platform.odd[TODAY - 2 * DAY] = rows_of(TODAY - 2 * DAY, logins=9)
    result = series.run()
    assert series.platform.asked[-1] == ("2026-11-21", "2026-11-24")
    assert (result.created, result.changed, result.unchanged) == (30, len(late), 60), result
    assert series.read_until() == midnight(TODAY + DAY)
    assert held(engine) == (930, 0)


def test_a_series_is_not_read_in_full_and_nothing_is_tombstoned(series: Series, engine: Engine) -> None:
    series.run()
    series.platform.systems = 25
    for mode in ("full", "full", "incremental", "auto"):
        series.run(mode)
    assert series.platform.asked[1:] == [("2026-10-25", "2026-11-23")] * 2 + [("2026-11-21", "2026-11-23")] * 2
    assert held(engine) == (900, 0)
    with engine.connect() as connection:
        assert not any(connection.execute(select(batch.c.is_full)).scalars())


def test_the_second_run_of_a_day_writes_nothing(series: Series) -> None:
    series.run()
    before = series.observed()
    again = series.run()
    assert (again.writes, again.is_complete, again.unchanged) == (0, True, 90), again
    assert series.observed() == before


@MOSTLY_SQLITE
def test_a_window_by_hand_takes_whole_days_and_leaves_no_gap_behind_the_watermark(series: Series) -> None:
    def hand(first: str, after: str) -> None:
        series.run(since=datetime.fromisoformat(f"{first}+08:00"), until=datetime.fromisoformat(f"{after}+08:00"))

    hand("2026-11-20T09:00", "2026-11-22T00:00")
    assert series.platform.asked[-1] == ("2026-11-20", "2026-11-21")
    assert series.read_until() is None  # the days before it were never read
    hand("2026-10-01T00:00", "2026-11-10T12:00")
    assert series.platform.asked[-1] == ("2026-10-01", "2026-11-10")
    assert series.read_until() == midnight(date(2026, 11, 11))
    hand("2026-11-20T00:00", "2027-01-01T00:00")
    assert series.platform.asked[-1] == ("2026-11-20", "2026-11-23")
    assert series.read_until() == midnight(date(2026, 11, 11))
    series.run()
    assert series.platform.asked[-1] == ("2026-11-08", "2026-11-23")
    assert series.read_until() == midnight(TODAY)


@MOSTLY_SQLITE
def test_a_window_without_a_whole_day_is_refused(series: Series) -> None:
    with pytest.raises(ConfigurationError, match="no whole day"):
        series.run(since=midnight(TODAY))


@MOSTLY_SQLITE
def test_an_incomplete_read_is_not_trusted_and_read_again(series: Series) -> None:
    series.platform.is_truncated = True
    result = series.run()
    assert not result.is_complete
    assert series.read_until() is None
    assert set(series.doubts().values()) == {"read_incomplete"}
    series.platform.is_truncated = False
    series.run()
    assert series.platform.asked[-1] == series.platform.asked[0]
    with series.engine.connect() as connection:
        believed = believed_days(connection, SOURCE, TODAY - 30 * DAY, TODAY)
    assert len(believed) == 30
    assert all(o.is_trusted for o in believed.values())


def test_a_worse_read_takes_nothing_from_a_day_that_was_read_well(series: Series) -> None:
    first = series.run()
    series.day += DAY
    series.platform.is_truncated = True
    second = series.run()
    with series.engine.connect() as connection:
        believed = believed_days(connection, SOURCE, TODAY - 3 * DAY, TODAY)
    assert [(o.batch_id, o.is_trusted) for o in believed.values()] == [(first.batch_id, True)] * 3 + [
        (second.batch_id, False)
    ]
    assert len([o for o in series.observed() if o.batch_id == second.batch_id and not o.is_trusted]) == 4
    series.platform.is_truncated = False
    third = series.run()
    with series.engine.connect() as connection:
        (last,) = believed_days(connection, SOURCE, TODAY, TODAY).values()
    assert (last.batch_id, last.is_trusted) == (third.batch_id, True)


def test_few_rows_no_rows_and_zeros_alone_are_doubted(series: Series) -> None:
    odd = series.platform.odd
    odd[TODAY - 5 * DAY] = rows_of(TODAY - 5 * DAY, 14)
    odd[TODAY - 4 * DAY] = rows_of(TODAY - 4 * DAY, 15)
    odd[TODAY - 3 * DAY] = []
    odd[TODAY - 2 * DAY] = rows_of(TODAY - 2 * DAY, logins=0)
    series.run()
    assert series.doubts() == {
        TODAY - 5 * DAY: "few_rows", TODAY - 3 * DAY: "empty_day", TODAY - 2 * DAY: "all_zero",
    }  # fmt: skip


@MOSTLY_SQLITE
def test_clocks_that_differ_are_a_doubt_about_every_day(series: Series) -> None:
    series.platform.ahead = timedelta(hours=1)
    assert series.run().is_complete
    assert len(series.observed()) == 30
    assert set(series.doubts().values()) == {"clock_skew"}


@MOSTLY_SQLITE
def test_a_dry_run_observes_nothing(series: Series, engine: Engine) -> None:
    assert series.run(dry_run=True).created == 900
    assert (series.observed(), series.read_until(), held(engine)) == ([], None, (0, 0))


@MOSTLY_SQLITE
def test_merging_a_landed_batch_once_more_is_no_new_observation(series: Series) -> None:
    result = series.run()
    before = series.observed()
    again = replay_batch(series.engine, series.store, load_card(SOURCE), result.batch_id)
    assert again.unchanged == 900
    assert series.observed() == before


def test_classified_rows_are_refused_and_a_bad_one_is_set_aside(series: Series, engine: Engine) -> None:
    odd = rows_of(TODAY - DAY)
    odd[0]["level"], odd[1]["n"] = "秘密", "many"
    series.platform.odd[TODAY - DAY] = odd
    result = series.run()
    assert (result.refused, result.quarantined, result.is_complete) == (1, 1, True)
    assert held(engine) == (898, 0)
    assert series.observed()[-1].rows == 28


def test_a_first_read_goes_straight_into_the_ledger(series: Series, monkeypatch: pytest.MonkeyPatch) -> None:
    directly: list[Any] = []
    feed = batch_merge.Feed

    def watched(*given: Any) -> Any:
        directly.append(given[3])
        assert given[2] == set()  # no hashes of the whole series are held in memory
        return feed(*given)

    monkeypatch.setattr(batch_merge, "Feed", watched)
    first = series.run()
    series.day += DAY
    series.run()
    assert directly == [first.batch_id, None]


def test_a_day_that_comes_twice_on_a_first_read_is_merged_with_care(series: Series, engine: Engine) -> None:
    series.platform.page_size = 5000
    twice = rows_of(TODAY - DAY)
    series.platform.odd[TODAY - DAY] = [*twice, twice[0] | {"n": 6}]
    result = series.run()
    assert (result.created, result.repeated, held(engine)) == (900, 1, (900, 0)), result
    assert series.observed()[-1].rows == 30


@MOSTLY_SQLITE
def test_a_question_about_an_unmapped_field_closes_when_the_field_is_gone(series: Series, engine: Engine) -> None:
    series.platform.odd[TODAY - DAY] = [row | {"more": 1} for row in rows_of(TODAY - DAY)]
    series.run()
    assert [q["subject"] for q in open_questions(engine)] == ["more"]
    series.platform.odd.clear()
    series.run()
    assert open_questions(engine) == []


@MOSTLY_SQLITE
def test_files_are_read_whole_and_observe_the_days_that_stand_in_them(
    engine: Engine, store: LandingStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "usage"
    folder.mkdir()
    monkeypatch.setenv("AIRFLOW_CONN_USAGE_FILES", json.dumps({"conn_type": "fs", "extra": {"path": str(folder)}}))
    card = load_card("usage_files")

    def deliver(name: str, days: list[int], logins: int) -> None:
        lines = [f"2026-10-{d:02},S{n},{logins},1,40" for d in days for n in range(25)]
        (folder / name).write_text("\n".join(["日期,系统编码,登录次数,活跃用户数,注册用户数", *lines]), "gb18030")

    def run(mode: str = "auto") -> MergeResult:
        return merge_batch(engine, store, card, land(engine, store, card, mode).batch_id)

    deliver("a.csv", [1, 2, 4], 7)
    first = run()
    assert (first.is_full, first.is_complete, first.created) == (False, True, 75), first
    deliver("b.csv", [4, 5], 8)  # corrects the fourth
    second = run("full")
    assert (second.is_complete, second.created, second.changed, second.reasons) == (True, 25, 25, []), second
    (folder / "a.csv").unlink()
    third = run("full")
    assert (third.writes, third.is_complete, held(engine)) == (0, True, (100, 0)), third
    with engine.connect() as connection:
        days = connection.execute(select(observed_day).order_by(observed_day.c.day)).all()
    assert [(o.day.day, o.batch_id, o.is_trusted) for o in days] == [
        (1, first.batch_id, True), (2, first.batch_id, True), (4, first.batch_id, True), (5, second.batch_id, True),
    ]  # fmt: skip
