"""Sync project records: approval platforms and the annual plan → landing → ledger, then reconcile both.

Every morning, incrementally, and in full once a week, because only a full read can say that a record is gone.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import (
    Asset,
    CronTriggerTimetable,
    ExceptionRetryPolicy,
    Param,
    RetryAction,
    RetryRule,
    TriggerRule,
    dag,
    get_current_context,
    task,
    task_group,
)
from airflow.sdk.exceptions import AirflowSkipException

from include import tasks
from include.errors import Permanent, Retryable
from include.sources.card_files import outline_cards

PROJECTS = Asset(name="ledger_projects", uri="shuheng://ledger/projects")
CARDS = [c for c in outline_cards() if c.is_enabled and c.entity in tasks.PROJECT_ENTITIES]
TITLES = {c.source: c.title for c in CARDS}
RETRY = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=Permanent, action=RetryAction.FAIL, reason="重试无用,需人工处理"),
        RetryRule(
            exception=Retryable, action=RetryAction.RETRY, retry_delay=timedelta(minutes=1), reason="对方暂不可用"
        ),
    ]
)
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


def skip_unless(condition: bool, reason: str) -> None:
    """End the task as skipped, with a reason that its log shows."""
    if not condition:
        raise AirflowSkipException(reason)


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
    default_args={
        "owner": "data-bureau", "retries": 3, "retry_delay": timedelta(minutes=1),
        "retry_policy": RETRY, "execution_timeout": timedelta(hours=6),
    },
    doc_md="""
**同步投资项目**:每张启用的来源卡片一路:`land` 读取并落地原始页(涉密记录拒收、个人信息掩码),`merge` 在一个事务内并入台账。
不完整的批次只增改、不注销、不移动水位线。
`reconcile` 对账年度计划与省平台;`report` 汇总,任何来源失败则本次运行失败,其他来源不受影响。

手动运行:右上角“触发”,表单可选来源、方式、起止时间和试运行。排错:docs/runbooks/sync.md。
""",
)  # fmt: skip
def sync_projects() -> None:
    """Wire one lane per platform pool: (land → merge) for each of its cards; then reconcile, then report."""

    def lane(pool: str) -> Any:
        @task(pool=pool, task_display_name="读取并落地", map_index_template="{{ shown }}")
        def land(source: str, params: Any = None) -> dict[str, str]:
            get_current_context()["shown"] = TITLES[source]
            skip_unless(params["source"] in ("all", source), f"this run is for {params['source']} only")
            return tasks.land_source(
                source, params["mode"], params["since"], params["until"], dry_run=params["dry_run"]
            )

        @task(task_display_name="并入台账", map_index_template="{{ shown }}")
        def merge(batch: dict[str, str]) -> dict[str, Any]:
            get_current_context()["shown"] = TITLES[batch["source"]]
            return tasks.merge_source(batch)

        @task_group(group_id=pool, group_display_name="、".join(c.title for c in CARDS if c.pool == pool))
        def sync_source(source: str) -> Any:
            return merge(land(source))

        return sync_source.expand(source=[c.source for c in CARDS if c.pool == pool])

    @task(task_display_name="计划与平台对账", trigger_rule=TriggerRule.ALL_DONE, outlets=[PROJECTS])
    def reconcile(merged: list[Any], params: Any = None, outlet_events: Any = None) -> dict[str, Any]:
        skip_unless(not params["dry_run"], "a dry run changes nothing, so there is nothing to reconcile")
        outlet_events[PROJECTS].extra = {"batches": [r["batch_id"] for r in tasks.flatten(merged)]}
        return tasks.reconcile_plan()

    @task(task_display_name="汇总", trigger_rule=TriggerRule.ALL_DONE)
    def report(merged: list[Any], params: Any = None) -> dict[str, Any]:
        return tasks.report_run(tasks.choose_sources(params["source"]), tasks.flatten(merged))

    merged = [lane(pool) for pool in sorted({c.pool for c in CARDS})]
    reconcile(merged) >> report(merged)


sync_projects()
