"""Harvest the catalogues of data, components and cloud resources → landing → ledger, then judge which system owes what.

Every morning; the other modes of the form are for people who look into a source.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import CronTriggerTimetable, Param, TriggerRule, dag, get_current_context

from dags.wiring.assets import FINDINGS, RESOURCES
from dags.wiring.handing_over import task
from dags.wiring.health import watched
from dags.wiring.lanes import DEFAULTS, JUDGED_DAY, skip_unless, sync_lanes
from include import harvest_tasks, tasks

GROUPS = ("catalogues",)
CARDS = tasks.enabled_cards(*GROUPS)
PARAMS = {
    "source": Param("all", enum=["all", *(c.source for c in CARDS)], title="来源", description="要采集的目录来源;all 为全部已启用"),
    "mode": Param(
        "normal", enum=["normal", "force", "validate", "preview", "clear"], title="方式",
        description="normal 正常采集;force 全部重读重判;validate 只校验,不写入;preview 预览前 20 条;clear 清空一个来源(可撤销)",
    ),
    "confirm": Param("", type="string", title="确认清空", description="仅 clear 用:再次填写来源名称以确认"),
    "day": JUDGED_DAY,
}  # fmt: skip


def asked(context: Any, source: str) -> dict[str, Any]:
    """Return how the form wants a source to be read."""
    params = context["params"]
    skip_unless(params["source"] in ("all", source), f"this run is for {params['source']} only")
    skip_unless(params["mode"] != "clear", "this run clears a source and reads none")
    skip_unless(tasks.is_today(tasks.day_of_run(context)), "a past day is judged from kept evidence")
    return {"mode": params["mode"]}


@dag(
    dag_display_name="采集资源目录",
    description="从各目录来源采集数据、组件、云资源目录,校验、入台账,评判每个系统应编未编的目录",
    schedule=CronTriggerTimetable("40 7 * * *", timezone="Asia/Shanghai"),
    start_date=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8))),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    params=PARAMS,
    tags=["资源目录", "第十三条", "第二十九条", "第三十六条"],
    default_args=DEFAULTS,
    **watched("harvest_catalogues"),
    doc_md="""
**采集资源目录**(第十三条第六项、第二十九条第四项、第三十六条):每张启用的来源卡片一路,一个来源失败不影响其他来源。
删除须有证据:两次完整读取均未见,且未超过数量和比例的限度;标识疑似重编的条目先搁置,待人确认。

方式:`normal` 正常;`force` 不论已知与否全部重读;`validate` 只校验并列出全部问题,不写入;`preview` 只看前 20 条;
`clear` 清空一个来源(须在“确认清空”再次填写来源名称,可用 `python -m include undo` 撤销)。排错:docs/runbooks/catalogues.md。
""",
)  # fmt: skip
def harvest_catalogues() -> None:
    """Wire the clearing, one lane per platform pool, then the verdicts, then the report."""

    @task(task_display_name="清空来源")
    def clear(params: Any = None) -> dict[str, Any]:
        skip_unless(params["mode"] == "clear", "this run clears nothing")
        return harvest_tasks.clear_source(params["source"], params["confirm"])

    @task(task_display_name="评判", trigger_rule=TriggerRule.ALL_DONE, outlets=[RESOURCES, FINDINGS])
    def judge(merged: list[Any], params: Any = None, outlet_events: Any = None) -> dict[str, Any]:
        skip_unless(params["mode"] in harvest_tasks.CHANGING, "this run changed nothing that could be judged")
        judged = tasks.judge_day("catalogues", tasks.day_of_run(get_current_context()))
        for asset in (RESOURCES, FINDINGS):
            outlet_events[asset].extra = {"day": judged["day"], "digest": judged["digest"]}
        return judged

    @task(task_display_name="汇总", trigger_rule=TriggerRule.ALL_DONE)
    def report(cleared: Any, merged: list[Any], judged: Any, params: Any = None) -> dict[str, Any]:
        is_today = tasks.is_today(tasks.day_of_run(get_current_context()))
        chosen = tasks.choose_sources(*GROUPS, source=params["source"]) if is_today else []
        return harvest_tasks.report_harvest(params["mode"], chosen, tasks.flatten(merged), judged, cleared)

    merged = sync_lanes(CARDS, asked, harvest_tasks.land_catalogue)
    report(clear(), merged, judge(merged))


harvest_catalogues()
