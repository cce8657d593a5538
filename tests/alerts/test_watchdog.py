"""What should have come by now and has not is seen whatever the reason: late, paused, killed, never started, or all of it dead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from include.alerts import incidents, watchdog
from include.alerts.incidents import Cause, Sighting
from include.alerts.pipelines import Pipelines, late_after, load_pipelines, load_watched
from include.alerts.watchdog import WATCH, Seen, Watch, last_published
from include.clock import SHANGHAI
from include.errors import CardError
from include.ledger.tables import batch, evaluation
from include.rules.workdays import Workdays
from include.sources.outlines import Outline

SOURCES = [Outline(name, name.upper(), "project", name, group, True) for name, group in (
    ("a", "projects"), ("b", "projects"), ("calls", "exchange"), ("reg", "register"), ("cat", "catalogues"), ("dos", "dossiers"),
)]  # fmt: skip
SCOPES = ("interconnection", "systems", "catalogues", "regulation")
LONG_AGO = datetime(2026, 1, 5, tzinfo=SHANGHAI)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def all_well(at: datetime, **other: Any) -> Seen:
    """Everything came a minute ago."""
    last, day = at - timedelta(minutes=1), at.date()
    beats = {name: last for name in ("deliver_alerts", "keep_house")}
    found: dict[str, Any] = {
        "read": {c.source: last for c in SOURCES}, "judged": dict.fromkeys(SCOPES, day), "succeeded": beats,
        "published": last, "began": LONG_AGO,
    }  # fmt: skip
    for name, value in other.items():
        found[name] = {**found[name], **value} if isinstance(value, Mapping) else value
    return Seen(**found)


def missing(at: datetime, seen: Seen, pipelines: Pipelines | None = None) -> list[tuple[str, str]]:
    using = Watch(pipelines or load_pipelines(), SOURCES, Workdays.load())
    return sorted((s.pipeline, s.part) for s in using.missing(seen, at))


@pytest.mark.parametrize("at", ["2026-11-24 11:00", "2026-11-24 03:00", "2026-10-03 12:00", "2026-10-10 23:59"])
def test_where_all_came_nothing_is_missing(at: str) -> None:
    assert missing(moment(at), all_well(moment(at))) == []


def test_a_source_that_was_not_read_today_is_missing_after_its_time_and_grace() -> None:
    yesterday = {"read": {"a": moment("2026-11-23 06:31")}}
    for at, found in (("2026-11-24 10:14", []), ("2026-11-24 10:15", [("sync_projects", "a")])):
        assert missing(moment(at), all_well(moment(at), **yesterday)) == found
    before = {"read": {"a": moment("2026-11-22 06:31")}}  # that of yesterday is missing all night
    assert missing(moment("2026-11-24 02:00"), all_well(moment("2026-11-24 02:00"), **before)) == [
        ("sync_projects", "a")
    ]


def test_a_day_counts_as_judged_when_it_was_not_when_somebody_judged_another() -> None:
    at = moment("2026-11-24 10:45")
    assert missing(at, all_well(at, judged={"regulation": date(2026, 11, 23)})) == [
        ("evaluate_rules", "scope:regulation")
    ]
    assert missing(at - timedelta(minutes=1), all_well(at, judged={"regulation": date(2026, 11, 23)})) == []


def test_nothing_is_expected_on_holidays_and_much_on_a_make_up_saturday() -> None:
    last = {"judged": {"regulation": date(2026, 9, 30)}, "read": {"dos": moment("2026-09-30 08:31")}}
    for at in ("2026-10-01 12:00", "2026-10-07 12:00", "2026-10-08 10:44"):
        assert missing(moment(at), all_well(moment(at), **last)) == []
    both = [("evaluate_rules", "dos"), ("evaluate_rules", "scope:regulation")]
    assert missing(moment("2026-10-08 10:45"), all_well(moment("2026-10-08 10:45"), **last)) == both
    friday = {"judged": {"regulation": date(2026, 10, 9)}, "read": {"dos": moment("2026-10-09 08:31")}}
    assert missing(moment("2026-10-10 10:45"), all_well(moment("2026-10-10 10:45"), **friday)) == both


def test_a_year_without_a_calendar_goes_by_weekday() -> None:
    old = {"judged": {"regulation": date(2027, 3, 5)}, "read": {"dos": moment("2027-03-05 08:31")}}
    assert missing(moment("2027-03-07 12:00"), all_well(moment("2027-03-07 12:00"), **old)) == []
    assert len(missing(moment("2027-03-08 12:00"), all_well(moment("2027-03-08 12:00"), **old))) == 2


def test_what_must_never_be_old_is_missed_by_its_age() -> None:
    at = moment("2026-11-24 12:00")
    for minutes, found in ((44, []), (46, [("deliver_alerts", "")])):
        seen = all_well(at, succeeded={"deliver_alerts": at - timedelta(minutes=minutes)})
        assert missing(at, seen) == found
    assert missing(at, all_well(at, read={"calls": at - timedelta(hours=4)})) == [("check_interconnection", "calls")]


def test_published_data_and_the_nightly_cleaning_are_expected_too() -> None:
    at = moment("2026-11-24 12:00")
    old = all_well(at, published=moment("2026-11-23 11:00"), succeeded={"keep_house": moment("2026-11-23 02:31")})
    assert missing(at, old) == [("keep_house", ""), ("publish_datasets", "")]


def test_all_parts_of_a_pipeline_missing_are_one_thing() -> None:
    at = moment("2026-11-24 12:00")
    seen = all_well(at, read=dict.fromkeys(("a", "b"), moment("2026-11-20 06:00")))
    (one,) = Watch(load_pipelines(), SOURCES, Workdays.load()).missing(seen, at)
    assert (one.pipeline, one.part) == ("sync_projects", "read:all")
    assert one.detail == "全部 2 项均未到,其一:来源“A”应于 2026-11-24 10:00 前读取,最近一次:2026-11-20 06:00"


def test_a_new_installation_does_not_begin_with_complaints_and_complains_a_day_later() -> None:
    began = moment("2026-11-24 09:00")
    nothing = Seen({}, {}, {}, None, began)
    assert missing(moment("2026-11-24 09:30"), nothing) == []
    assert missing(moment("2026-11-24 23:00"), nothing) == [("check_interconnection", "calls"), ("deliver_alerts", "")]
    found = missing(moment("2026-11-25 12:00"), nothing)
    assert {pipeline for pipeline, _ in found} == {p for p, e in load_pipelines().by_id.items() if e.expects}


def write_results(engine: Engine, at: datetime) -> None:
    zeros = {c.name: 0 for c in batch.c if "BIGINT" in str(c.type)}
    words = dict.fromkeys(("children", "reasons", "notes"), "[]")
    with engine.begin() as connection:
        for card in SOURCES:
            connection.execute(insert(batch).values(
                batch_id=f"{card.source}-{at.isoformat()}", source=card.source, entity="project", is_full=True, is_complete=False,
                filter_digest="f", card_digest="c", started_at=at, sealed_at=at, merged_at=at, **zeros, **words,
            ))  # fmt: skip
        for scope in SCOPES:
            connection.execute(insert(evaluation).values(
                scope=scope, day=at.date(), revision=1, known="{}", rules_version="v", digest="d", verdicts=0, outcomes="{}",
                rates="[]", evaluated_at=at,
            ))  # fmt: skip


def watch(
    engine: Engine, at: datetime, problem: str = "", published: datetime | None = None
) -> set[tuple[str, str, str]]:
    """Watch once and return what is open then."""
    using = Watch(load_watched(), SOURCES, Workdays.load())
    with engine.begin() as connection:
        watchdog.watch(connection, using, published or at, at, problem)
        for name in ("deliver_alerts", "keep_house"):
            incidents.beat(connection, name, at)
        return {one.key for one in incidents.open_incidents(connection)}


def test_what_the_ledger_holds_is_what_is_looked_at_and_what_came_closes_what_was_missing(engine: Engine) -> None:
    monday, tuesday = moment("2026-11-23 09:00"), moment("2026-11-24 12:00")
    write_results(engine, monday)
    assert watch(engine, monday) == set()
    found = watch(engine, tuesday)
    assert {(p, part) for p, cause, part in found if cause == "missing"} == {
        ("sync_projects", "read:all"), ("check_interconnection", "calls"), ("check_interconnection", "scope:interconnection"),
        ("watch_systems", "reg"), ("watch_systems", "scope:systems"), ("harvest_catalogues", "cat"), ("deliver_alerts", ""),
        ("harvest_catalogues", "scope:catalogues"), ("evaluate_rules", "dos"), ("evaluate_rules", "scope:regulation"),
    } | {("keep_house", "")}  # fmt: skip
    write_results(engine, tuesday)
    assert watch(engine, tuesday + timedelta(minutes=5)) == set()
    with engine.connect() as connection:
        assert incidents.beats(connection)[WATCH] == (monday, tuesday + timedelta(minutes=5))


def test_what_is_known_to_have_failed_is_not_missed_as_well_until_that_is_over(engine: Engine) -> None:
    at = moment("2026-11-24 12:00")
    write_results(engine, moment("2026-11-24 11:00"))
    watch(engine, at)
    later = moment("2026-11-25 12:00")
    with engine.begin() as connection:
        incidents.see(connection, [Sighting("sync_projects", Cause.FAILED, "a.land", "no")], later)
    found = watch(engine, later)
    assert ("sync_projects", "failed", "a.land") in found
    assert ("sync_projects", "missing", "read:all") not in found
    with engine.begin() as connection:
        incidents.resolve(connection, "sync_projects", incidents.ENDED_BY_SUCCESS, later)
    assert ("sync_projects", "missing", "read:all") in watch(engine, later)


def test_a_wrong_file_is_an_incident_and_the_watch_goes_on(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").mkdir()
    own = tmp_path / "config" / "pipelines.yaml"
    monkeypatch.setenv("SHUHENG_CONFIG", str(own.parent))
    at = moment("2026-11-24 12:00")
    write_results(engine, at)
    own.write_text(
        "pipelines: {sync_projects: {title: 同步, runbook: docs/runbooks/sync.md, expects: [{result: read}]}}\n",
        "utf-8",
    )
    with pytest.raises(CardError, match="pipelines.yaml:1"):
        load_pipelines()
    assert watch(engine, at, "routing.yaml:3: wrong") == {
        ("deliver_alerts", "configuration", "pipelines.yaml"), ("deliver_alerts", "configuration", "routing.yaml")
    }  # fmt: skip
    assert late_after("sync_projects") == timedelta(minutes=180)
    own.write_text("grace_minutes: 0\npipelines:\n  sync_projects:\n    title: 同步\n    runbook: docs/runbooks/sync.md\n"
                   "    late_after_minutes: 7\n    expects: []\n", "utf-8")  # fmt: skip
    assert watch(engine, at + timedelta(minutes=5)) == set()
    assert (late_after("sync_projects"), late_after("watch_systems")) == (timedelta(minutes=7), timedelta(minutes=120))
    assert load_pipelines()["sync_projects"].expects == ()
    own.write_text("pipelines: [", "utf-8")
    assert late_after("sync_projects") == timedelta(minutes=180)


@pytest.mark.parametrize(("line", "why"), [
    ("{result: read, within_minutes: 60}", "read of what"), ("{result: succeeded, of: [x], by: '10:00'}", "of the pipeline itself"),
    ("{result: judged, of: [systems], within_minutes: 60}", "a day, not a moment"), ("{result: read, of: [x]}", "expects"),
    ("{result: read, of: [x], by: '25:00'}", "by"), ("{result: gone, by: '10:00'}", "result"),
])  # fmt: skip
def test_what_cannot_be_expected_is_refused_by_line(
    line: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    head = "pipelines:\n  keep_house:\n    title: 清理\n    runbook: docs/runbooks/sync.md\n    expects:\n"
    (tmp_path / "pipelines.yaml").write_text(f"{head}      - {line}\n", "utf-8")
    with pytest.raises(CardError, match=rf"pipelines.yaml:6: .*{why}"):
        load_pipelines()


def test_when_data_sets_were_looked_at_stands_in_their_current_file(tmp_path: Path) -> None:
    assert last_published(str(tmp_path)) is None
    file = tmp_path / "current.json"
    for text, found in (
        (json.dumps({"checked_at": "2026-11-24T10:00:00+08:00"}), moment("2026-11-24 10:00")),
        (json.dumps({"checked_at": "2026-11-24T10:00:00"}), moment("2026-11-24 10:00")),
        ("{}", None), ("[]", None), ("half a fi", None), ('{"checked_at": 3}', None),
    ):  # fmt: skip
        file.write_text(text, "utf-8")
        assert last_published(str(tmp_path)) == found
    assert last_published("s3+nowhere://x") is None
