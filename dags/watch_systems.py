"""Watch the information systems: register, city cloud, usage, and the verdicts idle, rarely used, oversized, not on the cloud.

Every morning, on whole days: the last one is yesterday.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import CronTriggerTimetable, TriggerRule, dag, get_current_context

from dags.wiring.assets import FINDINGS, SYSTEMS, USAGE
from dags.wiring.handing_over import task
from dags.wiring.health import watched
from dags.wiring.lanes import DEFAULTS, JUDGED_DAY, read_today, sync_lanes
from include import tasks

GROUPS = ("register", "systems")
CARDS = tasks.enabled_cards(*GROUPS)


@dag(
    dag_display_name="监测信息系统",
    description="读取系统台账、政务云资源与利用率、使用统计,评判闲置、低频、超配、停更、未上云",
    schedule=CronTriggerTimetable("10 7 * * *", timezone="Asia/Shanghai"),
    start_date=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8))),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    params={"day": JUDGED_DAY},
    tags=["系统监测", "第十三条", "第三十六条"],
    default_args=DEFAULTS,
    **watched("watch_systems"),
    doc_md="""
**监测信息系统**(第十三条第二、三、五项):每张启用的来源卡片一路读取并入台账,然后 `judge` 评判每个系统:
长期空闲、使用频率低、资源超配、长期未更新、疑似僵尸系统、未部署在全市云平台。缺少指标为“未知”并写明缺什么;零是数值,不是缺口。
每条判定附阈值、依据、所用事实和推算步骤;第十三条第五项须“长期空闲”且“使用频率低”。

手动运行可选评判日:过去的日子按当时的证据重放,结果逐字节一致。排错:docs/runbooks/systems.md。
""",
)  # fmt: skip
def watch_systems() -> None:
    """Wire lanes of the systems' cards; then the verdicts; then the report."""

    @task(task_display_name="评判", trigger_rule=TriggerRule.ALL_DONE, outlets=[SYSTEMS, USAGE, FINDINGS])
    def judge(merged: list[Any], outlet_events: Any = None) -> dict[str, Any]:
        judged = tasks.judge_day("systems", tasks.day_of_run(get_current_context()))
        for asset in (SYSTEMS, USAGE, FINDINGS):
            outlet_events[asset].extra = {"day": judged["day"], "digest": judged["digest"]}
        return judged

    @task(task_display_name="汇总", trigger_rule=TriggerRule.ALL_DONE)
    def report(merged: list[Any], judged: Any) -> dict[str, Any]:
        is_today = tasks.is_today(tasks.day_of_run(get_current_context()))
        return tasks.report_judged(tasks.choose_sources(*GROUPS) if is_today else [], tasks.flatten(merged), judged)

    merged = sync_lanes(CARDS, read_today)
    report(merged, judge(merged))


watch_systems()
