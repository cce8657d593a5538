"""Check each system's interconnection with the data-sharing exchange: register and call log, probes, verdicts.

Every hour: endpoints fall silent at any time. The verdicts of a day rest on whole days before it, so later runs of a day
add probes and change nothing unless new evidence about those days has come in.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import CronTriggerTimetable, Param, TriggerRule, dag, get_current_context

from dags.wiring.assets import FINDINGS, INTERCONNECTIONS
from dags.wiring.handing_over import task
from dags.wiring.health import watched
from dags.wiring.lanes import DEFAULTS, JUDGED_DAY, read_today, skip_unless, sync_lanes
from include import tasks

GROUPS = ("exchange", "register")
CARDS = tasks.enabled_cards(*GROUPS)
PARAMS = {
    "day": JUDGED_DAY,
    "probe": Param(True, type="boolean", title="探测接口", description="是否主动探测已发布接口"),
}  # fmt: skip


@dag(
    dag_display_name="检查互联互通",
    description="读取数据共享交换平台的注册与调用记录,探测接口,评判每个系统的联通状态",
    schedule=CronTriggerTimetable("5 * * * *", timezone="Asia/Shanghai"),
    start_date=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8))),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=3),
    params=PARAMS,
    tags=["互联互通", "第八条"],
    default_args=DEFAULTS,
    **watched("check_interconnection"),
    doc_md="""
**检查互联互通**(第八条):申报、注册、实际调用是三件事,互不推断。
`land`、`merge` 读取交换平台的应用、服务和调用日志;
`probe` 每个分片一个任务,异步探测数千个接口:先确认本网畅通,地址不可信,逐一核对允许的网段;
`judge` 评判每个系统:已联通、已注册、仅申报、未联通、未知、豁免。
交换平台一天不可用,不改变任何系统的状态,只记录一条共因。

手动运行可选评判日:过去的日子按当时的证据重放,结果逐字节一致。排错:docs/runbooks/systems.md。
""",
)  # fmt: skip
def check_interconnection() -> None:
    """Wire lanes of the exchange's cards; then one probing task a shard; then the verdicts; then the report."""

    @task(task_display_name="划分探测", trigger_rule=TriggerRule.ALL_DONE)
    def plan_probes(merged: list[Any], params: Any = None) -> list[dict[str, Any]]:
        context = get_current_context()
        skip_unless(params["probe"], "this run was asked not to probe")
        skip_unless(tasks.is_today(tasks.day_of_run(context)), "a past day cannot be probed")
        return tasks.plan_probes(str(context["run_id"]))

    @task(task_display_name="探测接口", pool=tasks.PROBE_POOL, map_index_template="{{ shown }}")
    def probe(shard: dict[str, Any]) -> dict[str, Any]:
        get_current_context()["shown"] = f"分片 {shard['shard'] + 1}/{shard['of']}"
        return tasks.probe_shard(shard)

    @task(task_display_name="评判", trigger_rule=TriggerRule.ALL_DONE, outlets=[INTERCONNECTIONS, FINDINGS])
    def judge(probed: Any, outlet_events: Any = None) -> dict[str, Any]:
        judged = tasks.judge_day("interconnection", tasks.day_of_run(get_current_context()))
        for asset in (INTERCONNECTIONS, FINDINGS):
            outlet_events[asset].extra = {"day": judged["day"], "digest": judged["digest"]}
        return judged

    @task(task_display_name="汇总", trigger_rule=TriggerRule.ALL_DONE)
    def report(merged: list[Any], planned: Any, probed: Any, judged: Any, params: Any = None) -> dict[str, Any]:
        is_today = tasks.is_today(tasks.day_of_run(get_current_context()))
        if is_today and params["probe"]:
            tasks.require_probed(planned, tasks.flatten([probed]))
        chosen = tasks.choose_sources(*GROUPS) if is_today else []
        return tasks.report_judged(chosen, tasks.flatten(merged), judged)

    merged = sync_lanes(CARDS, read_today)
    planned = plan_probes(merged)
    probed = probe.expand(shard=planned)
    report(merged, planned, probed, judge(probed))


check_interconnection()
