"""`record_decision` in Airflow's own test executor: form, second person, record. Answers come by Airflow's own route."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from include import decision_tasks
from include.clock import now
from include.errors import DecisionRefused
from include.ledger.database import open_ledger
from tests.findings.deciding import FOR_GOOD, GROUND, OTHER, PAID, everything, handled, id_of, judge_by_hand, said

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow"), pytest.mark.filterwarnings("default")]

UNTIL = (now() + timedelta(days=30)).date()
WAIVER = {
    "findings": id_of(), "kind": "waived", "ground": GROUND, "reason": "年底下线", "until": UNTIL.isoformat(), "approver": "ops",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def asking(database: None) -> None:
    import airflow.api_fastapi.core_api.routes.public.hitl  # noqa: F401  here: in a thread beside a running test it never ends
    from airflow.api_fastapi.app import init_auth_manager

    init_auth_manager()


@pytest.fixture
def dag(dags: Any) -> Any:
    return dags["record_decision"]


@pytest.fixture
def ledger(own_ledger: None) -> Engine:
    """A ledger with one finding that fails."""
    engine = open_ledger()
    judge_by_hand(engine, now().date(), said("fail"))
    return engine


@contextmanager
def asked_by(name: str | None) -> Iterator[None]:
    """Have runs belong to a user, as those that are started in the interface do; a test run belongs to nobody."""
    from airflow.models.dagrun import DagRun

    def name_them(_mapper: Any, _connection: Any, run: Any) -> None:
        run.triggering_user_name = name

    event.listen(DagRun, "before_insert", name_them)
    try:
        yield
    finally:
        event.remove(DagRun, "before_insert", name_them)


def answer(user: str, option: str, refusals: list[int]) -> None:
    """Answer the one open question as a user would, by the function behind Airflow's route."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
    from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail
    from airflow.models.hitl import HITLDetail
    from airflow.utils.session import create_session
    from fastapi import HTTPException
    from sqlalchemy import select

    with create_session() as session:
        detail = session.scalars(select(HITLDetail).where(HITLDetail.responded_at.is_(None))).first()
        assert detail is not None
        ti, payload = detail.task_instance, UpdateHITLDetailPayload(chosen_options=[option], params_input={})
        try:
            update_hitl_detail(
                ti.dag_id,
                ti.run_id,
                ti.task_id,
                payload,
                SimpleAuthManagerUser(username=user, role="op"),
                session,
                ti.map_index,
            )
        except HTTPException as error:
            refusals.append(error.status_code)


def is_waiting() -> bool:
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        query = select(TaskInstance.task_id).where(TaskInstance.state == "awaiting_input")
        return session.scalars(query).first() is not None


def run_with_answer(dag: Any, act: Callable[[], None], form: dict[str, Any]) -> Any:
    """Run the DAG for `engineer`; while it waits for an answer, act. An error ends the run, which would wait for ever."""
    errors: list[BaseException] = []

    def wait() -> None:
        try:
            for _ in range(400):
                if is_waiting():
                    return act()
                time.sleep(0.3)
            raise TimeoutError("nobody was asked")
        except BaseException as error:
            errors.append(error)
            _give_up()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    with asked_by("engineer"):
        run = dag.test(run_conf=form)
    thread.join(10)
    assert not errors, errors
    return run


def _give_up() -> None:
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import update

    with create_session() as session:
        session.execute(update(TaskInstance).where(TaskInstance.state == "awaiting_input").values(state="failed"))


def states(run: Any) -> dict[str, str]:
    return {ti.task_id: str(ti.state) for ti in run.get_task_instances()}


def test_one_person_is_enough_to_acknowledge(dag: Any, ledger: Engine) -> None:
    with asked_by("engineer"):
        run = dag.test(run_conf={"findings": id_of(), "kind": "acknowledged", "plan": "下周迁移"})
    assert states(run) == {"check": "success", "approve": "skipped", "record": "success"}
    assert handled(ledger) == ("open", "acknowledged", None)
    (row,) = everything(ledger)["decision"]
    assert (row["decision_id"], row["requested_by"], row["approved_by"]) == (run.run_id, "engineer", None)


def test_a_waiver_needs_the_second_person_whom_the_form_names(dag: Any, ledger: Engine) -> None:
    refusals: list[int] = []

    def act() -> None:
        for user in ("engineer", "leader"):
            answer(user, decision_tasks.APPROVE, refusals)
        assert handled(ledger)[1] == "new"
        answer("ops", decision_tasks.APPROVE, refusals)

    run = run_with_answer(dag, act, WAIVER)
    assert refusals == [403, 403]
    assert states(run) == {"check": "success", "approve": "success", "record": "success"}
    assert handled(ledger) == ("open", "waived", UNTIL)
    (row,) = everything(ledger)["decision"]
    assert (row["requested_by"], row["approved_by"], row["ground"]) == ("engineer", "ops", GROUND)


def test_a_waiver_that_is_not_approved_fails_the_run_and_is_not_recorded(dag: Any, ledger: Engine) -> None:
    before = everything(ledger)
    run = run_with_answer(dag, lambda: answer("ops", decision_tasks.REJECT, []), WAIVER)
    assert str(run.state) == "failed"
    assert states(run) == {"check": "success", "approve": "success", "record": "failed"}
    assert everything(ledger) == before


@pytest.mark.parametrize(
    ("user", "changes"),
    [(None, {}), ("engineer", {"approver": "Engineer "}), ("engineer", {"approver": None}), ("engineer", {"ground": None}),
     ("engineer", {"findings": "*" * 32})],
)  # fmt: skip
def test_what_would_be_refused_later_is_refused_before_anybody_is_asked(
    dag: Any, ledger: Engine, user: str | None, changes: dict[str, Any]
) -> None:
    before = everything(ledger)
    with asked_by(user):
        run = dag.test(run_conf=WAIVER | changes)
    assert states(run) == {"check": "failed", "approve": "upstream_failed", "record": "upstream_failed"}
    assert everything(ledger) == before


def test_the_form_is_chinese_and_started_by_hand_only(dag: Any) -> None:
    titles = {dag.params.get_param(n).schema["title"] for n in dag.params}
    assert titles == {"线索编号", "处置决定", "处理结果", "依据", "理由", "整改计划", "期限", "批准人"}
    assert dag.schedule is None
    kind = dag.params.get_param("kind").schema
    assert set(kind["values_display"]) == set(kind["enum"]) == set(decision_tasks.TITLES)
    assert "resolved" not in kind["enum"]
    result = dag.params.get_param("result").schema
    assert [None, *result["values_display"]] == result["enum"] == [None, *decision_tasks.RESULTS]


OPS = {"id": "ops", "name": "ops"}
YES = {"chosen_options": [decision_tasks.APPROVE], "responded_by_user": OPS}


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (None, "nobody was asked"),
        (YES | {"responded_by_user": None}, "nobody answered in time"),
        (YES | {"responded_by_user": {"id": "7", "name": "ENGINEER"}}, "cannot approve it"),
        (YES | {"responded_by_user": {"id": "engineer", "name": "Zhang"}}, "cannot approve it"),
        (YES | {"responded_by_user": {"id": "leader", "name": "leader"}}, "was to approve this, not 'leader'"),
        (YES | {"chosen_options": [decision_tasks.REJECT]}, "did not approve"),
        (YES | {"chosen_options": []}, "did not approve"),
    ],
)
def test_only_the_named_second_person_can_approve(ledger: Engine, response: Any, why: str) -> None:
    before = everything(ledger)
    with pytest.raises(DecisionRefused, match=why):
        decision_tasks.record(WAIVER, "engineer", "run-1", response)
    assert everything(ledger) == before
    assert decision_tasks.record(WAIVER, "engineer", "run-1", YES) == {"kind": "waived", "findings": 1, "is_new": True}
    assert decision_tasks.record(WAIVER, "engineer", "run-1", YES)["is_new"] is False
    assert everything(ledger)["finding"][0]["rule"] == OTHER


def test_a_settlement_is_checked_approved_and_recorded_by_the_same_form(ledger: Engine) -> None:
    judge_by_hand(ledger, now().date(), said("fail", rule=PAID, reason=FOR_GOOD))
    form = WAIVER | {"findings": id_of(rule=PAID), "kind": "settled", "until": None, "result": "criticised"}
    asked = decision_tasks.check(form, "engineer", "run-1")
    assert (asked["findings"], "处理结案;处理结果:通报批评" in asked["sentence"]) == (1, True)
    with pytest.raises(DecisionRefused, match="处理结案须选处理结果"):
        decision_tasks.check(form | {"result": None}, "engineer", "run-1")
    with pytest.raises(DecisionRefused, match="仍可补正"):
        decision_tasks.check(form | {"findings": id_of()}, "engineer", "run-1")
    with pytest.raises(DecisionRefused, match="nobody was asked"):
        decision_tasks.record(form, "engineer", "run-1", None)
    assert decision_tasks.record(form, "engineer", "run-1", YES)["kind"] == "settled"
    assert handled(ledger, rule=PAID) == ("open", "settled", None)
