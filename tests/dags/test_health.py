"""The pipelines' own health: failures, lateness and success of the DAGs become incidents, and every DAG is watched as it runs."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from include import health_notes
from include.alerts import incidents
from include.alerts.incidents import Incident
from include.alerts.pipelines import Result, load_pipelines
from include.clock import SHANGHAI, now
from include.errors import DecisionRefused, NotDelivered, SourceRefused
from include.late_runs import note_late
from include.ledger.database import open_ledger
from include.rules.evaluation import SCOPES
from include.sources.card_files import load_cards
from tests.platform import platform

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(p.stem for p in (ROOT / "dags").glob("*.py"))
pytestmark = [
    pytest.mark.airflow, pytest.mark.xdist_group("airflow"), pytest.mark.filterwarnings("default"),
    pytest.mark.usefixtures("own_ledger"),
]  # fmt: skip


@pytest.fixture(scope="module")
def parsed(database: None) -> Any:
    """The DAGs as they are parsed, with their deadlines."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(ROOT / "dags")).dags


def callback_of(task: Any) -> Any:
    """Return what a task calls when it failed for good; a mapped one keeps it bare."""
    found = task.on_failure_callback
    (only,) = found if isinstance(found, list | tuple) else [found]
    return only


def deadline_of(dag: Any) -> Any:
    """Return the one deadline of a DAG."""
    (only,) = dag.deadline if isinstance(dag.deadline, list) else [dag.deadline]
    return only


def open_ones() -> list[Incident]:
    with open_ledger().connect() as connection:
        return incidents.open_incidents(connection)


def test_every_dag_is_watched_under_its_own_name_with_a_runbook(parsed: Any) -> None:
    pipelines = load_pipelines().by_id
    assert set(pipelines) == set(FILES)
    for dag_id, dag in parsed.items():
        assert pipelines[dag_id].title == dag.dag_display_name
        assert (ROOT / pipelines[dag_id].runbook).is_file(), dag_id


def test_what_is_watched_is_what_the_dags_bring_and_not_before_they_bring_it(parsed: Any) -> None:
    """Every group of enabled cards and every scope is expected of some pipeline, after the time at which its DAG starts."""
    expected = [(p, e) for p in load_pipelines().by_id.values() for e in p.expects]
    groups = {name for _, e in expected if e.result is Result.READ for name in e.of}
    assert groups == {c.group for c in load_cards() if c.enabled}
    assert {name for _, e in expected if e.result is Result.JUDGED for name in e.of} == set(SCOPES)
    checked = 0
    for pipeline, e in expected:
        if (
            e.by and pipeline.id in parsed and e.result is not Result.PUBLISHED
        ):  # new data starts that one, not the clock
            midnight = datetime(2026, 11, 24, tzinfo=SHANGHAI)
            assert _first_run_after(parsed[pipeline.id], midnight) + pipeline.late_after <= _at(midnight, e.by)  # type: ignore[operator]
            checked += 1
    assert checked >= 7


def _at(midnight: datetime, by: Any) -> datetime:
    return datetime.combine(midnight.date(), by, SHANGHAI)


def _first_run_after(dag: Any, moment: datetime) -> datetime:
    from airflow.sdk import timezone
    from airflow.serialization.serialized_objects import DagSerialization
    from airflow.timetables.base import TimeRestriction

    stored = DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable  # the scheduler's own form of it
    timetable = getattr(stored, "timetable", stored)
    restriction = TimeRestriction(timezone.coerce_datetime(moment), None, True)
    info = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
    assert info is not None
    return info.run_after  # type: ignore[no-any-return]


def test_every_dag_notes_failure_success_and_lateness_as_the_file_says(parsed: Any) -> None:
    pipelines = load_pipelines().by_id
    for dag_id, dag in parsed.items():
        last = dag.get_task("record") if dag_id == "record_decision" else dag  # a form with fields that must be filled
        success = last.on_success_callback
        assert type(success[0] if isinstance(success, list | tuple) else success).__name__ == "NoteSuccess", dag_id
        assert dag_id == "record_decision" or type(dag.on_failure_callback).__name__ == "NoteFailure", dag_id
        late = pipelines[dag_id].late_after
        deadlines = dag.deadline or []
        deadlines = deadlines if isinstance(deadlines, list) else [deadlines]
        assert [d.interval for d in deadlines] == ([late] if late else []), dag_id
        for task in dag.tasks:
            assert type(callback_of(task)).__name__ == "NoteFailure", f"{dag_id}.{task.task_id}"
    assert [d for d in parsed if not pipelines[d].late_after] == ["record_decision"]


def test_a_failing_task_opens_one_incident_and_the_next_success_closes_it(
    dags: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dag = dags["sync_projects"]
    with platform(monkeypatch, projects=60, seed=4, home=tmp_path / "sandbox"):
        monkeypatch.setenv("AIRFLOW_CONN_ZJ_PROJECTS", "not a connection")
        assert str(dag.test().state) == "failed"
        found = {(one.cause, one.part): one.detail for one in open_ones()}
        assert set(found) == {("failed", "zj_projects.land " + _title("zj_projects")), ("failed", "report")}
        detail = found["failed", "zj_projects.land " + _title("zj_projects")]
        assert detail.startswith("ConfigurationError: AIRFLOW_CONN_ZJ_PROJECTS is neither")
        assert "not a connection" not in detail
        monkeypatch.undo()
    with platform(monkeypatch, projects=60, seed=4, home=tmp_path / "sandbox2"):
        monkeypatch.setenv("LEDGER_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
        monkeypatch.setenv("LANDING_URL", str(tmp_path / "landing"))
        again = dag.test(run_conf={"source": "annual_plan"})
        assert str(again.state) == "success"
        assert open_ones() == []


def _title(source: str) -> str:
    return next(c.title for c in load_cards() if c.source == source)


def test_a_run_that_died_without_a_word_of_its_tasks_is_an_incident_of_the_run(parsed: Any) -> None:
    began = now() - timedelta(minutes=5)
    context = {"dag": parsed["watch_systems"], "reason": "timed_out", "dag_run": SimpleNamespace(start_date=began)}
    parsed["watch_systems"].on_failure_callback(context)
    (one,) = open_ones()
    assert (one.key, one.times, one.detail) == (("watch_systems", "failed", ""), 1, "超过运行时限,已终止,详见运行日志")
    parsed["watch_systems"].on_failure_callback(context)  # what was just said is not said again
    assert [one.times for one in open_ones()] == [1]
    parsed["watch_systems"].on_success_callback({"dag": parsed["watch_systems"], "reason": "success"})
    assert open_ones() == []


def test_a_task_that_broke_is_named_and_of_an_error_of_others_only_its_kind(parsed: Any) -> None:
    dag = parsed["check_interconnection"]
    task = SimpleNamespace(task_id="probe", rendered_map_index="分片 1/2")
    callback_of(dag.get_task("probe"))(
        {"dag": dag, "task_instance": task, "exception": ValueError("https://x/?token=SECRET")}
    )
    (one,) = open_ones()
    assert (one.part, one.detail) == ("probe 分片 1/2", "ValueError,详见任务日志")


def test_a_task_whose_worker_died_is_told_of_by_the_scheduler_which_knows_no_error(parsed: Any) -> None:
    dag = parsed["watch_systems"]
    task = SimpleNamespace(task_id="judge", rendered_map_index=None)
    callback_of(dag.get_task("judge"))({"dag": dag, "task_instance": task})
    (one,) = open_ones()
    assert (one.part, one.detail) == ("judge", health_notes.KILLED)


def test_a_task_that_was_killed_is_named_by_the_next_that_fails_and_one_that_spoke_is_not(parsed: Any) -> None:
    began = now() - timedelta(minutes=5)
    states = {"zj.land_0": "failed", "zj.land_1": "success", "plan.land_0": "failed", "plan.merge_0": "upstream_failed",
              "reconcile": "success", "report": "running"}  # fmt: skip
    task = SimpleNamespace(
        task_id="report", rendered_map_index=None, get_task_states=lambda dag_id, run_ids: {run_ids[0]: states}
    )
    dag = parsed["sync_projects"]
    run = SimpleNamespace(dag_id=dag.dag_id, run_id="r", start_date=began)
    health_notes.note_failure("sync_projects", "plan.land 年度计划", "SourceRefused: no")
    context = {"dag": dag, "task_instance": task, "exception": SourceRefused("zj"), "dag_run": run}
    callback_of(dag.get_task("report"))(context)
    assert {one.part: one.detail for one in open_ones()} == {
        "plan.land 年度计划": "SourceRefused: no", "zj.land": health_notes.KILLED, "report": "SourceRefused: zj",
    }  # fmt: skip


def test_a_task_that_its_runs_report_does_not_miss_fails_the_run_all_the_same(
    dags: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The report of the sources has what it needs; without the failed reconciliation the run would be a success."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "reconciliation.yaml").write_text("platform: provincial_approval\n", "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path / "config"))
    with platform(monkeypatch, projects=60, seed=4, home=tmp_path / "sandbox"):
        assert str(dags["sync_projects"].test(run_conf={"source": "annual_plan"}).state) == "failed"
    found = {one.part: one.detail for one in open_ones()}
    assert found["reconcile"].startswith("CardError: ")
    assert found["report"] == "TasksFailed: failed: reconcile; see the log of each for the cause"


@pytest.mark.parametrize("error", [DecisionRefused("no second person"), NotDelivered("nothing gets through")])
def test_what_is_a_persons_concern_or_told_already_is_no_incident(parsed: Any, error: Exception) -> None:
    task = SimpleNamespace(task_id="record", rendered_map_index=None)
    dag = parsed["record_decision"]
    callback_of(dag.get_task("record"))({"dag": dag, "task_instance": task, "exception": error})
    assert dag.on_failure_callback is None
    assert open_ones() == []
    assert health_notes.words_of(SourceRefused("E1: no")) == "SourceRefused: E1: no"


def test_callbacks_never_raise_where_the_ledger_is_gone(
    parsed: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LEDGER_URL", f"sqlite:///{tmp_path / 'never-migrated.db'}")
    health_notes.note_failure("sync_projects", "land", "x")
    health_notes.note_failed_run("sync_projects", "x", None)
    health_notes.note_success("sync_projects")
    asyncio.run(note_late("sync_projects", 3))
    assert caplog.text.count("could not be written down: LedgerNotMigrated") == 4


def test_a_late_run_is_an_incident_when_its_deadline_says_so(parsed: Any) -> None:
    from airflow.triggers.callback import CallbackTrigger

    deadline = deadline_of(parsed["evaluate_rules"])

    async def pass_deadline(state: str) -> str:
        context = {"dag_run": {"state": state}}
        trigger = CallbackTrigger(deadline.callback.path, {**deadline.callback.kwargs, "context": context})
        return str([event async for event in trigger.run()][-1].payload["state"])

    assert asyncio.run(pass_deadline("failed")) == "success"
    assert open_ones() == []  # it ended in time; that it failed is told, and may have been mended since
    assert asyncio.run(pass_deadline("running")) == "success"
    assert [(one.key, one.detail) for one in open_ones()] == [
        (("evaluate_rules", "late", ""), "启动 120 分钟后仍未完成")
    ]


def test_airflow_says_of_a_run_whose_deadline_passed_how_it_stands(dags: Any, parsed: Any) -> None:
    """It keeps the deadline of a run that failed, and hands over the state by which the callback tells."""
    from airflow.models.dagrun import DagRun
    from airflow.models.deadline import Deadline
    from airflow.utils.session import create_session

    run = dags["deliver_alerts"].test()
    with create_session() as session:
        session.get(DagRun, run.id).state = "failed"
        passed = Deadline(now(), deadline_of(parsed["deliver_alerts"]).callback, run.id, None)
        session.add(passed)
        session.flush()
        passed.handle_miss(session)
        assert passed.callback.data["kwargs"]["context"]["dag_run"]["state"] == "failed"
        session.rollback()


def test_a_stored_dag_keeps_its_deadline_and_a_run_by_hand_gets_it(parsed: Any) -> None:
    """From when it was queued: a run by hand or by new data has no logical date."""
    from airflow.serialization.serialized_objects import DagSerialization

    kept = 0
    for dag in parsed.values():
        stored = DagSerialization.to_dict(dag)
        text = str(stored["dag"].get("deadline"))
        if load_pipelines()[dag.dag_id].late_after:
            assert "DagRunQueuedAtDeadline" in text, dag.dag_id
            assert "include.late_runs.note_late" in text
            kept += 1
    assert kept >= 6
