"""What tells of the health of the pipelines themselves: a run or task that failed, a run that is late, a run that succeeded.

Only for the pipelines' own health; what is wrong with projects and systems is told by `deliver_alerts` from the findings.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import BaseNotifier
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from include import tasks
from include.alerts.pipelines import late_after


class Note(BaseNotifier):
    """A notifier without templates: there is nothing to render, so none of the contexts that Airflow hands over can break it."""

    def render_template_fields(self, context: Any, jinja_env: Any = None) -> None:
        """Leave the context alone; the one of `dag.test()` holds no DAG that could render anything."""


class NoteFailure(Note):
    """Write an incident for a task or a run that failed for good; never raises."""

    def notify(self, context: Any) -> None:
        """Write it down: of a task with its error, of a run only where none of its tasks said anything."""
        from include import health_notes  # whoever parses a DAG's file need not know the ledger

        dag_id = context["dag"].dag_id
        if "reason" in context:  # Airflow gives one for a run alone
            since = getattr(context.get("dag_run"), "start_date", None)
            health_notes.note_failed_run(dag_id, context["reason"], since)
            return
        task = context["task_instance"]
        shown = getattr(task, "rendered_map_index", None)
        # Of a task whose worker has died the scheduler speaks, which knows no error.
        if words := health_notes.words_of(context.get("exception")):
            health_notes.note_failure(dag_id, f"{task.task_id} {shown}" if shown else task.task_id, words)
        if "exception" in context and "dag_run" in context:  # within the task, which can ask how the others fared
            failed = [name for name, state in _states(context).items() if state == "failed"]
            health_notes.note_killed(dag_id, failed, context["dag_run"].start_date)


class NoteSuccess(Note):
    """Close the incidents that a failed or late run had opened, and leave a sign of life; never raises."""

    def notify(self, context: Any) -> None:
        """Write it down."""
        from include import health_notes

        health_notes.note_success(context["dag"].dag_id)


ON_TASK_FAILURE = NoteFailure()
"""What every task calls in the end, when no retry is left."""

ON_TASK_SUCCESS = NoteSuccess()
"""What the last task of a DAG calls whose form has fields without a default: Airflow breaks at the callbacks of its runs."""


def watched(dag_id: str) -> dict[str, Any]:
    """Return what a DAG is given to note failure, lateness and success; when a run is late stands in `pipelines.yaml`."""
    given: dict[str, Any] = {"on_failure_callback": NoteFailure(), "on_success_callback": NoteSuccess()}
    late = late_after(dag_id)
    if late:
        given["deadline"] = DeadlineAlert(
            # From when the run was queued: runs by hand and by assets have no logical date.
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=late,
            name=f"{dag_id} 超时未完成",
            callback=AsyncCallback(
                "include.late_runs.note_late",
                kwargs={"pipeline": dag_id, "minutes": late // timedelta(minutes=1)},
            ),
        )
    return given


def refuse_lost(context: Any) -> None:
    """Raise `TasksFailed` in the last task of a run where another failed; for reports that would not tell by their results."""
    tasks.refuse_failed(_states(context))


def _states(context: Any) -> dict[str, str]:
    """Return the states of the tasks of a run; the name of a mapped one ends with its index."""
    run = context["dag_run"]
    states = context["task_instance"].get_task_states(dag_id=run.dag_id, run_ids=[run.run_id])
    found: dict[str, str] = states[run.run_id]
    return found
