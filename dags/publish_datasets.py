"""Publish the data sets after every change of the ledger or of the findings, and the monthly report when it is due.

One run stands for all that changed while the one before ran: it publishes one state of everything.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import Asset, Param, TriggerRule, dag, get_current_context

from dags.wiring.assets import FINDINGS, INTERCONNECTIONS, PROJECTS, RESOURCES, SYSTEMS, USAGE
from dags.wiring.handing_over import task
from dags.wiring.health import refuse_lost, watched
from dags.wiring.lanes import DEFAULTS, skip_unless
from include import publishing_tasks

DATASETS = [
    Asset(name=f"dataset_{name}", uri=f"shuheng://datasets/{name}", extra={"title": title})
    for name, title in publishing_tasks.DATASET_TITLES.items()
]
PARAMS = {
    "accept": Param(
        [], type="array", items={"type": "string", "enum": list(publishing_tasks.DATASET_TITLES)}, title="放行的数据集",
        examples=list(publishing_tasks.DATASET_TITLES), values_display=publishing_tasks.DATASET_TITLES,
        description="行数骤变或来源未读全而被扣下、已经人工核实的数据集,本次放行;结构不符的不能放行",
    ),
}  # fmt: skip


@dag(
    dag_display_name="发布数据集",
    description="汇总当日合规情况,将台账、线索发布为 Parquet、CSV 数据集,月初出具月度通报",
    schedule=(FINDINGS | PROJECTS | SYSTEMS | INTERCONNECTIONS | USAGE | RESOURCES),
    start_date=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8))),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    params=PARAMS,
    tags=["数据发布", "月度通报"],
    default_args=DEFAULTS,
    **watched("publish_datasets"),
    doc_md="""
**发布数据集**:线索或台账数据更新后运行。`append` 汇总当日各规则、各部门的评判结果;`publish` 以同一时刻的台账生成全部
数据集(Parquet、CSV、结构说明),通过校验后一次切换,读者不会读到新旧混杂的数据;内容未变则不产生新版本。

结构不符、行数骤变、来源未读全或过期的数据集被扣下,上一个好的版本保留,`report` 失败并写明原因。
人工核实后可手动运行并在“放行的数据集”中选择。已转为涉密的记录清除后,此前的版本、通报一并删除。
每月第一个工作日起出具上月通报。

位置:环境变量 `DATASETS_URL`,从 `current.json` 读起。排错:docs/runbooks/datasets.md。
""",
)  # fmt: skip
def publish_datasets() -> None:
    """Wire: sum up the day, publish, write the report that is due, tell what was held back."""

    @task(task_display_name="汇总当日")
    def append() -> dict[str, Any]:
        return publishing_tasks.append_compliance()

    @task(task_display_name="发布", outlets=DATASETS, trigger_rule=TriggerRule.ALL_DONE)
    def publish(appended: Any, params: Any = None, outlet_events: Any = None) -> dict[str, Any]:
        by = get_current_context()["dag_run"].triggering_user_name or ""
        published = publishing_tasks.publish(params["accept"], by)
        for asset in DATASETS:
            name = asset.uri.rstrip("/").rpartition("/")[2]
            outlet_events[asset].extra = {"release": published["release"], "rows": published["rows"].get(name)}
        return published

    @task(task_display_name="月度通报", trigger_rule=TriggerRule.ALL_DONE)
    def monthly_report(published: Any) -> dict[str, Any]:
        written = publishing_tasks.write_due_report()
        skip_unless(written["month"] is not None, "no report is due")
        return written

    @task(task_display_name="汇报", trigger_rule=TriggerRule.ALL_DONE)
    def report(published: Any, appended: Any, written: Any) -> dict[str, Any]:
        done = publishing_tasks.report_published(published)
        refuse_lost(get_current_context())
        return done

    appended = append()
    published = publish(appended)
    report(published, appended, monthly_report(published))


publish_datasets()
