"""Sync project records: approval platforms and the annual plan → landing → ledger, then reconcile both.

Every morning, incrementally, and in full once a week, because only a full read can say that a record is gone.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import CronTriggerTimetable, Param, TriggerRule, dag, get_current_context

from dags.wiring.assets import PROJECTS
from dags.wiring.handing_over import task
from dags.wiring.health import refuse_lost, watched
from dags.wiring.lanes import DEFAULTS, skip_unless, sync_lanes
from include import tasks

CARDS = tasks.enabled_cards("projects")
PARAMS = {
    "source": Param("all", enum=["all", *(c.source for c in CARDS)], title="来源", description="要同步的来源卡片;all 为全部已启用"),
    "mode": Param(
        "auto", enum=["auto", "full", "incremental"], title="方式",
        description="auto 自动(平时增量,每 7 天全量一次)、full 全量、incremental 增量",
    ),
    "since": Param(
        None, type=["null", "string"], format="date-time", title="起始时间", description="增量窗口的起点;空为上次水位线"
    ),
    "until": Param(
        None, type=["null", "string"], format="date-time", title="截止时间", description="增量窗口的终点;只与起始时间同用"
    ),
    "dry_run": Param(False, type="boolean", title="试运行", description="只说明将会改变什么,不写入台账"),
}  # fmt: skip


def asked(context: Any, source: str) -> dict[str, Any]:
    """Return how the form wants a source to be read."""
    params = context["params"]
    skip_unless(params["source"] in ("all", source), f"this run is for {params['source']} only")
    return {name: params[name] for name in ("mode", "since", "until", "dry_run")}


@dag(
    dag_display_name="同步投资项目",
    description="从审批平台和年度计划同步项目与审批事项,双向对账",
    schedule=CronTriggerTimetable("30 6 * * *", timezone="Asia/Shanghai"),
    start_date=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8))),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    params=PARAMS,
    tags=["同步", "第十五条", "第十六条", "第十八条"],
    default_args=DEFAULTS,
    **watched("sync_projects"),
    doc_md="""
**同步投资项目**:每张启用的来源卡片一路:`land` 读取并落地原始页(涉密记录拒收、个人信息掩码),`merge` 在一个事务内并入台账。
不完整的批次只增改、不注销、不移动水位线。
`reconcile` 对账年度计划与省平台;`report` 汇总,任何来源失败则本次运行失败,其他来源不受影响。

手动运行:右上角“触发”,表单可选来源、方式、起止时间和试运行。排错:docs/runbooks/sync.md。
""",
)  # fmt: skip
def sync_projects() -> None:
    """Wire one lane per platform pool: (land → merge) for each of its cards; then reconcile, then report."""

    @task(task_display_name="计划与平台对账", trigger_rule=TriggerRule.ALL_DONE, outlets=[PROJECTS])
    def reconcile(merged: list[Any], params: Any = None, outlet_events: Any = None) -> dict[str, Any]:
        skip_unless(not params["dry_run"], "a dry run changes nothing, so there is nothing to reconcile")
        outlet_events[PROJECTS].extra = {"batches": [r["batch_id"] for r in tasks.flatten(merged)]}
        return tasks.reconcile_plan()

    @task(task_display_name="汇总", trigger_rule=TriggerRule.ALL_DONE)
    def report(merged: list[Any], params: Any = None) -> dict[str, Any]:
        done = tasks.report_run(tasks.choose_sources("projects", source=params["source"]), tasks.flatten(merged))
        refuse_lost(get_current_context())
        return done

    merged = sync_lanes(CARDS, asked)
    reconcile(merged) >> report(merged)


sync_projects()
