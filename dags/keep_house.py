"""Keep house: retention with proof, and once a week a review of what a person should look at.

Every night. What is removed, and what never is, stands in `include/house/retention.yaml`.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import CronTriggerTimetable, Param, TriggerRule, dag, get_current_context

from dags.wiring.handing_over import task
from dags.wiring.health import watched
from dags.wiring.lanes import DEFAULTS
from include import house_tasks
from include.house_commands import TITLES

PARAMS = {"dry_run": Param(False, type="boolean", title="试运行", description="只统计可清理的,不删除;复核照常")}


@dag(
    dag_display_name="日常整理",
    description="按留存规则清理过期的原始页、探测明细、消息正文、投递记录、文件和旧版本数据集,留存证明;每周复核一次待处理事项",
    schedule=CronTriggerTimetable("30 2 * * *", timezone="Asia/Shanghai"),
    start_date=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8))),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    params=PARAMS,
    tags=["日常整理", "留存"],
    default_args=DEFAULTS,
    **watched("keep_house"),
    doc_md="""
**日常整理**:每晚 02:30 运行,每类一个任务,一类出错不影响其他类。删什么、留多久见 `include/house/retention.yaml`,
本单位可用 `$SHUHENG_CONFIG/retention.yaml` 调整天数、登记留存令(legal hold)。先写证明(每项的哈希和理由,
落地区 `removed/日期.jsonl.zst`),再删除;中途中断,下次重来即可。

永不删除:记录及其变更、批次和清单、判定、线索、事件、决定,未了结线索的证据所在页,未并入批次、隔离记录、来源最近批次的原始页。
复核:次年日历、阈值复核日、无用及将到期的豁免、未送达消息、暂缓提示、待核问题;每周至多给运维值班发一条。

手动运行可选试运行。命令行:`python -m include house`(默认只看不删)。排错:docs/runbooks/house.md。
""",
)  # fmt: skip
def keep_house() -> None:
    """Wire the review and one retention task a kind; then the report."""

    @task(task_display_name="复核")
    def review() -> dict[str, Any]:
        return house_tasks.review_week()

    @task(task_display_name="清理", map_index_template="{{ shown }}", max_active_tis_per_dagrun=1)
    def retain(kind: str, params: Any = None) -> dict[str, Any]:
        get_current_context()["shown"] = TITLES[kind]
        return house_tasks.keep_kind(kind, apply=not params["dry_run"])

    @task(task_display_name="汇总", trigger_rule=TriggerRule.ALL_DONE)
    def report(reviewed: Any, kept: Any) -> dict[str, Any]:
        return house_tasks.report_kept(reviewed, [one for one in kept or [] if one])

    report(review(), retain.expand(kind=list(house_tasks.KINDS)))


keep_house()
