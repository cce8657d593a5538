"""The timetable of working days, as Airflow asks it."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.clock import SHANGHAI, now
from include.rules.workdays import Workdays

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow"), pytest.mark.filterwarnings("default")]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def timetable(at: str = "08:30") -> Any:
    from shuheng_timetables import WorkdayTimetable

    return WorkdayTimetable(at)


def following(
    last: str | None, *, earliest: str | None = None, latest: str | None = None, catchup: bool = True
) -> datetime | None:
    """Return when the next run is, in Shanghai."""
    from airflow.timetables.base import DataInterval, TimeRestriction

    interval = DataInterval.exact(at(last)) if last else None  # type: ignore[arg-type]
    restriction = TimeRestriction(*(at(t) if t else None for t in (earliest, latest)), catchup)  # type: ignore[arg-type]
    info = timetable().next_dagrun_info(last_automated_data_interval=interval, restriction=restriction)
    if info is None:
        return None
    assert info.data_interval.start == info.data_interval.end == info.run_after
    assert info.run_after.utcoffset() == timedelta(0), "Airflow keeps moments in UTC"
    found: datetime = info.run_after.astimezone(SHANGHAI)
    return found


@pytest.mark.parametrize(
    ("last", "then"),
    [
        ("2026-11-23 08:30", "2026-11-24 08:30"),
        ("2026-11-27 08:30", "2026-11-30 08:30"),  # over a weekend
        ("2026-09-30 08:30", "2026-10-08 08:30"),  # the first slot after a holiday
        ("2026-10-09 08:30", "2026-10-10 08:30"),  # a make-up Saturday
        ("2026-09-18 08:30", "2026-09-20 08:30"),  # a make-up Sunday
        ("2025-12-31 08:30", "2026-01-04 08:30"),
        ("2026-12-31 08:30", "2027-01-01 08:30"),  # no notice of 2027: a run too many
        ("2027-01-01 08:30", "2027-01-04 08:30"),
    ],
)
def test_the_next_run_is_on_the_next_working_day(last: str, then: str) -> None:
    assert following(last) == at(then)


def test_a_year_of_runs_is_a_year_of_working_days() -> None:
    days, moment = [], "2025-12-31 08:30"
    while (slot := following(moment, latest="2026-12-31 23:59")) is not None:
        days.append(slot.date())
        moment = slot.isoformat(" ", "minutes")[:16]
    calendar = Workdays.load()
    assert days == [d for n in range(365) if calendar.is_workday(d := date(2026, 1, 1) + timedelta(days=n))]


@pytest.mark.parametrize(
    ("earliest", "then"),
    [
        ("2026-10-01 00:00", "2026-10-08 08:30"),
        ("2026-10-08 08:30", "2026-10-08 08:30"),
        ("2026-10-08 08:31", "2026-10-09 08:30"),
    ],
)
def test_the_first_run_is_not_before_the_start(earliest: str, then: str) -> None:
    assert following(None, earliest=earliest) == at(then)
    assert following("2026-01-05 08:30", earliest=earliest) == at(then)


def test_an_evening_in_utc_is_the_next_morning_in_shanghai() -> None:
    from airflow.timetables.base import TimeRestriction

    earliest = datetime.fromisoformat("2026-10-07T23:00+00:00")
    info = timetable().next_dagrun_info(
        last_automated_data_interval=None,
        restriction=TimeRestriction(earliest, None, True),  # type: ignore[arg-type]
    )
    assert info.run_after == at("2026-10-08 08:30")


def test_no_run_is_after_the_end() -> None:
    assert following("2026-10-08 08:30", latest="2026-10-09 08:29") is None
    assert following("2026-10-08 08:30", latest="2026-10-09 08:30") == at("2026-10-09 08:30")


def test_without_a_start_nothing_is_caught_up() -> None:
    assert following(None) is None


def test_without_catch_up_at_most_the_last_slot_is_made_up_for() -> None:
    before = now()
    for last, earliest in ((None, "2024-01-01 00:00"), ("2024-01-02 08:30", None), (None, None)):
        slot = following(last, earliest=earliest, catchup=False)
        assert slot is not None
        assert slot <= now()
        assert following(slot.isoformat(" ", "minutes")[:16]) > before - timedelta(seconds=1)  # type: ignore[operator]
    ahead = following(before.strftime("%Y-%m-%d 23:59"), catchup=False)
    assert ahead is not None
    assert ahead.date() > before.date()


def test_a_run_by_hand_is_of_its_moment() -> None:
    interval = timetable().infer_manual_data_interval(run_after=at("2026-10-03 11:11"))
    assert interval.start == interval.end == at("2026-10-03 11:11")


def test_people_read_when_it_runs_and_how_far_the_calendar_goes(caplog: pytest.LogCaptureFixture) -> None:
    assert timetable("07:05").summary == "工作日 07:05"
    assert "2026-12-31" in timetable().description
    assert "周一至周五" in timetable().description
    with caplog.at_level(logging.WARNING, "shuheng_timetables"):
        following("2026-12-30 08:30")
        assert not caplog.messages
        following("2026-12-31 08:30")
    assert caplog.messages == ["no calendar for 2027: the run on 2027-01-01 is by weekday"]


def test_a_broken_calendar_stops_no_run_and_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "calendar").mkdir()
    (tmp_path / "calendar" / "2027.yaml").write_text("year: [", "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    assert following("2026-09-30 08:30") == at("2026-10-01 08:30")
    assert "无法读取" in timetable().description
    assert any("2027.yaml:" in message for message in caplog.messages)


def test_a_new_year_counts_without_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = Path(__file__).parents[2] / "include" / "regulation" / "calendar" / "2026.yaml"
    (tmp_path / "calendar").mkdir()
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    assert following("2026-09-18 08:30") == at("2026-09-20 08:30")
    text = shipped.read_text("utf-8").replace("work: [2026-09-20, 2026-10-10]", "work: [2026-10-10]")
    (tmp_path / "calendar" / "2026.yaml").write_text(text, "utf-8")
    assert following("2026-09-18 08:30") == at("2026-09-21 08:30")


@pytest.mark.parametrize("bad", ["", "8:3O", "24:00", "08:30:00"])
def test_a_time_that_is_none_is_refused(bad: str) -> None:
    from airflow.exceptions import AirflowTimetableInvalid

    with pytest.raises(AirflowTimetableInvalid, match="as 08:30"):
        timetable(bad).validate()


def test_airflow_knows_the_plugin_and_it_loads_without_an_error() -> None:
    from airflow import plugins_manager

    assert "shuheng_timetables.WorkdayTimetable" in plugins_manager.get_timetables_plugins()
    assert plugins_manager.get_import_errors() == {}


@pytest.mark.parametrize("with_assets", [False, True])
def test_a_dag_keeps_it_when_it_is_stored(with_assets: bool) -> None:
    from airflow.sdk import DAG, Asset, AssetOrTimeSchedule
    from airflow.serialization.serialized_objects import DagSerialization

    own = timetable("07:30")
    assets = [Asset(name="projects", uri="shuheng://ledger/projects")]
    schedule = AssetOrTimeSchedule(timetable=own, assets=assets) if with_assets else own
    dag = DAG("mornings", schedule=schedule, start_date=at("2026-10-01 00:00"), catchup=True)
    stored = DagSerialization.to_dict(dag)
    again = DagSerialization.from_dict(stored).timetable
    inner = again.timetable if with_assets else again
    assert inner == own
    assert inner != timetable("08:30")
    assert "工作日 07:30" in again.summary
    assert "每个工作日 07:30" in again.description
    from airflow.timetables.base import TimeRestriction

    restriction = TimeRestriction(at("2026-10-01 00:00"), None, True)  # type: ignore[arg-type]
    info = again.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
    assert info is not None
    assert info.run_after == at("2026-10-08 07:30")
