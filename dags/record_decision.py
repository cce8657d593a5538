"""Record what people decide about findings: a form, for some decisions the approval of a second person, then their events.

Started by hand only. Nothing else can waive or settle a finding.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import Param, TriggerRule, dag, get_current_context

from dags.wiring.assets import FINDINGS
from dags.wiring.handing_over import task
from dags.wiring.health import ON_TASK_SUCCESS
from dags.wiring.lanes import DEFAULTS
from dags.wiring.second_person import AskSecondPerson
from include import decision_tasks

ANSWER_WITHIN = timedelta(days=7)
TEXT = ["null", "string"]
PARAMS = {
    "findings": Param(
        type="string", format="multiline", minLength=32, title="线索编号",
        description="每行一个完整编号(32 位),逐条写明,不接受通配;放行时填暂缓编号",
    ),
    "kind": Param(
        "acknowledged", enum=list(decision_tasks.TITLES), values_display=decision_tasks.TITLES, title="处置决定",
        description="豁免、人工认定、处理结案和放行须由第二人批准",
    ),
    "result": Param(
        None, type=TEXT, enum=[None, *decision_tasks.RESULTS], values_display=decision_tasks.RESULTS, title="处理结果",
        description="仅处理结案填写",
    ),
    "ground": Param(
        None, type=TEXT, maxLength=500, title="依据",
        description="豁免须写条款或文号,如 第二十条、双政办发〔2024〕39号;人工认定写核查依据;处理结案写处理文号或记录编号",
    ),
    "reason": Param(
        None, type=TEXT, format="multiline", maxLength=2000, title="理由", description="豁免、异议、处理结案、放行必填"
    ),
    "plan": Param(None, type=TEXT, format="multiline", maxLength=2000, title="整改计划", description="签收、整改时填写"),
    "until": Param(
        None, type=TEXT, format="date", title="期限",
        description="有效或办结的最后一日(北京时间当日 24 时到期);豁免最长天数按严重度;处理结案不填",
    ),
    "approver": Param(
        None, type=TEXT, maxLength=200, title="批准人", description="豁免、人工认定、处理结案、放行必填:批准人的用户名,不得为本人"
    ),
}  # fmt: skip


@dag(
    dag_display_name="登记处置决定",
    description="登记对线索的签收、整改、异议、豁免、人工认定、处理结案和撤回,放行暂缓的提示;豁免、人工认定、处理结案和放行由第二人批准",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8))),
    catchup=False,
    max_active_runs=50,  # a decision that waits for its approval must not keep others waiting
    dagrun_timeout=ANSWER_WITHIN + timedelta(days=1),
    params=PARAMS,
    tags=["处置", "豁免", "第三十三条"],
    default_args=DEFAULTS,
    doc_md="""
**登记处置决定**:手动触发,表单逐条写明线索编号。`check` 先核对能否这样决定;豁免、人工认定、处理结案和放行再由表单指定的批准人
在“待办操作”中同意或不同意(7 日内,不得为提出人本人);`record` 一次写入全部线索的事件。
不同意、到期未答或不合规定的,运行失败并写明原因,什么也不登记。

豁免须有依据、理由、第二人和期限(高严重度最长 90 天,其他 180 天,极高不得豁免);到期次日零时起恢复,下一次评判即提示。
已不能补正的(如逾期才办、先付款后验收)可处理结案:登记处理结果、文号和理由,不再催办、不计入未了结;还能补正的不可。情况变化即恢复并提示。
机器判定的原始结果始终保留。一次新增线索过多时,提示暂缓发送,值班工程师核实后在此“放行”(填暂缓编号),由第二人批准。排错:docs/runbooks/decisions.md。
""",
)
def record_decision() -> None:
    """Wire: may it be so → a second person agrees, where needed → write."""

    @task(task_display_name="核对")
    def check() -> dict[str, Any]:
        context = get_current_context()
        run = context["dag_run"]
        return decision_tasks.check(context["params"], run.triggering_user_name, run.run_id)

    approve = AskSecondPerson(
        task_id="approve",
        task_display_name="第二人批准",
        kinds=decision_tasks.BY_TWO,
        subject="请批准:{{ dag_run.triggering_user_name }} 提出的处置决定",
        body="{% set asked = ti.xcom_pull(task_ids='check') %}{{ asked['sentence'] }}\n\n涉及线索 {{ asked['findings'] }} 条"
        "({{ asked['rules'] }}):\n\n{{ params.findings }}",
        options=[decision_tasks.APPROVE, decision_tasks.REJECT],
        defaults=decision_tasks.REJECT,
        response_timeout=ANSWER_WITHIN,
    )

    @task(
        task_display_name="登记",
        trigger_rule=TriggerRule.NONE_FAILED,
        outlets=[FINDINGS],
        on_success_callback=ON_TASK_SUCCESS,
    )
    def record(outlet_events: Any = None) -> dict[str, Any]:
        context = get_current_context()
        run, response = context["dag_run"], context["ti"].xcom_pull(task_ids="approve")
        recorded = decision_tasks.record(context["params"], run.triggering_user_name, run.run_id, response)
        outlet_events[FINDINGS].extra = {"decision": run.run_id, "findings": recorded["findings"]}
        return recorded

    check() >> approve >> record()


record_decision()
