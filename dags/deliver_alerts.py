"""Deliver alerts: watch the pipelines, decide who is told of what, then send what stands in the outbox, channel by channel.

Every five minutes, because reminders fall due and messages wait for their next try; and whenever findings have changed.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, TriggerRule, dag, get_current_context

from dags.wiring.assets import FINDINGS
from dags.wiring.handing_over import task
from dags.wiring.health import refuse_lost, watched
from dags.wiring.lanes import DEFAULTS
from include import delivery_tasks, tasks

QUICK = DEFAULTS | {"retries": 1, "execution_timeout": timedelta(minutes=10)}
"""What fails is done by the next run."""


@dag(
    dag_display_name="发送提示",
    description="检查各流水线应有结果,决定告知谁什么,按渠道限速发送,失败重试,未送达的列出",
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("*/5 * * * *", timezone="Asia/Shanghai"), assets=[FINDINGS]
    ),
    start_date=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8))),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=30),
    tags=["提示", "发送", "运行监测"],
    default_args=QUICK,
    **watched("deliver_alerts"),
    doc_md="""
**发送提示**:每 5 分钟及线索变化时运行。
`tell` 先检查各流水线应有的结果(`include/alerts/pipelines.yaml`),再决定催办、上报等,写入待发箱;
`deliver` 每个渠道一个任务:先登记再发送,遵守渠道限速,失败按 1、2、5、15、60 分钟……重试约两日,被拒两次或重试用尽即为死信;
`report` 登记渠道状况,渠道不通或有死信则运行失败,并经其他渠道告知值班工程师,本地文件始终可用。

同一消息编号不变:中断后可能重复一次,不会丢失。排错:docs/runbooks/delivery.md。
""",
)
def deliver_alerts() -> None:
    """Wire: decide; whatever came of it, one task a channel; then the report."""

    @task(task_display_name="检查并决定")
    def tell() -> dict[str, Any]:
        return delivery_tasks.tell()

    @task(task_display_name="列出渠道", trigger_rule=TriggerRule.ALL_DONE)
    def channels() -> list[str]:
        return delivery_tasks.channels()

    @task(task_display_name="发送", pool=delivery_tasks.ALERT_POOL, map_index_template="{{ shown }}")
    def deliver(channel: str) -> dict[str, Any]:
        get_current_context()["shown"] = channel
        return delivery_tasks.deliver(channel)

    @task(task_display_name="汇总", trigger_rule=TriggerRule.ALL_DONE)
    def report(told: Any, delivered: Any) -> dict[str, Any]:
        done = delivery_tasks.report(told, tasks.flatten([delivered]))
        refuse_lost(get_current_context())
        return done

    told, listed = tell(), channels()
    told >> listed
    report(told, deliver.expand(channel=listed))


deliver_alerts()
