"""Evaluate the rules of the regulation: project dossiers → landing → ledger, then verdicts and findings, scope by scope.

Every working morning, because terms run out even when records stand still; and whenever another DAG has brought data in. The assets
that start it are those of the ledger: it gives out only findings, so it never starts itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import AssetOrTimeSchedule, Param, TriggerRule, dag, get_current_context
from shuheng_timetables import WorkdayTimetable

from dags.wiring.assets import FINDINGS, INTERCONNECTIONS, PROJECTS, RESOURCES, SYSTEMS, USAGE
from dags.wiring.handing_over import task
from dags.wiring.health import watched
from dags.wiring.lanes import DEFAULTS, JUDGED_DAY, read_today, skip_unless, sync_lanes
from include import tasks
from include.findings.titles import SCOPES

GROUPS = ("dossiers",)
CARDS = tasks.enabled_cards(*GROUPS)
PARAMS = {
    "scope": Param("all", enum=["all", *SCOPES], title="范围", description="要评判的规则范围;all 为全部。regulation 为办法执行"),
    "day": JUDGED_DAY,
}  # fmt: skip


def is_reading(context: Any) -> bool:
    """Return whether a run reads the dossiers: where data came in, or another scope is asked for, it only judges."""
    is_asked = context["params"]["scope"] in ("all", tasks.DOSSIERS_SCOPE)
    return is_asked and not tasks.is_by_assets(context) and tasks.is_today(tasks.day_of_run(context))


@dag(
    dag_display_name="评判规则",
    description="读取项目全过程台账,按办法各条逐项评判项目、合同、计划、整改,每个工作日及数据更新时运行",
    schedule=AssetOrTimeSchedule(
        timetable=WorkdayTimetable(at="08:10"), assets=PROJECTS | SYSTEMS | INTERCONNECTIONS | USAGE | RESOURCES
    ),
    start_date=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8))),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    params=PARAMS,
    tags=["规则评判", "第十一条至第四十条"],
    default_args=DEFAULTS,
    **watched("evaluate_rules"),
    doc_md="""
**评判规则**(第十一条至第四十条):每个工作日 08:10(国务院放假安排,调休上班日也运行)读取项目全过程台账,评判全部规则;
其他 DAG 更新台账数据后,只评判“办法执行”一组,不读取来源。期限会在数据不变时到期,所以每个工作日都评判。

`judge` 每个范围一个任务,一个范围出错不影响其他范围;未变化且仍有效的判定不重算。结果为线索和提示,不是结论;缺少证据为“未知”。
为什么:`python -m include explain 线索号`。处置:DAG `record_decision`。

手动运行可选范围和评判日:过去的日子按当时的证据重放,结果逐字节一致,不写入。排错:docs/runbooks/rules.md。
""",
)  # fmt: skip
def evaluate_rules() -> None:
    """Wire lanes of the dossiers' cards; then one judging task a scope; then the report."""

    @task(task_display_name="是否读取来源")
    def begin_reading() -> None:
        context = get_current_context()
        skip_unless(not tasks.is_by_assets(context), "this run was started by new data: it only judges")
        skip_unless(is_reading(context), "this run judges what the ledger holds")

    @task(task_display_name="确定范围", trigger_rule=TriggerRule.ALL_DONE)
    def plan_scopes(merged: list[Any], params: Any = None) -> list[str]:
        by_assets = tasks.is_by_assets(get_current_context())
        return tasks.scopes_of_run(list(SCOPES), params["scope"], is_by_assets=by_assets)

    @task(task_display_name="评判", outlets=[FINDINGS], map_index_template="{{ shown }}", max_active_tis_per_dagrun=1)
    def judge(scope: str, outlet_events: Any = None) -> dict[str, Any]:
        context = get_current_context()
        context["shown"] = SCOPES[scope]
        judged = tasks.judge_day(scope, tasks.day_of_run(context))
        outlet_events[FINDINGS].extra = {name: judged[name] for name in ("scope", "day", "digest")}
        return judged

    @task(task_display_name="汇总", trigger_rule=TriggerRule.ALL_DONE)
    def report(merged: list[Any], scopes: Any, judged: Any) -> dict[str, Any]:
        chosen = tasks.choose_sources(*GROUPS) if is_reading(get_current_context()) else []
        return tasks.report_evaluated(chosen, tasks.flatten(merged), scopes, tasks.flatten([judged]))

    merged = sync_lanes(CARDS, read_today, begin=begin_reading)
    scopes = plan_scopes(merged)
    report(merged, scopes, judge.expand(scope=scopes))


evaluate_rules()
