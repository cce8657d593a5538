"""The pipelines' own health under Airflow's real scheduler and triggerer: a task killed, a run that hangs, a DAG never started."""

from __future__ import annotations

import pytest

from include.health_notes import KILLED as KILLED_WORDS
from tests.e2e.city.story import Heard

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.xdist_group("heavy")]


def test_a_task_killed_while_it_read_is_told_once_with_cause_and_runbook_and_its_end_when_it_lasts(
    heard: Heard,
) -> None:
    early = sorted(heard.early)
    runbook = "处置步骤见运行手册 docs/runbooks/sync"
    assert [(topic, pipeline, remedy) for topic, pipeline, _, remedy in early] == [
        ("新发现", "同步投资项目", runbook)
    ] * 2
    killed, missing = (line.text for line in early)
    assert killed == f"运行失败(provincial_approval.land):{KILLED_WORDS}"
    assert missing.startswith("运行失败(report):SourcesFailed: could not sync provincial_approval")
    assert heard.messages == 1
    mine = heard.of("同步投资项目")
    assert sorted(text for topic, text, _ in mine if topic == "新发现") == [killed, missing]
    assert sorted(text.split(":")[0] for topic, text, _ in mine if topic == "已恢复" and "已恢复,历时约" in text) == [
        "运行失败(provincial_approval.land)", "运行失败(report)",
    ]  # fmt: skip


def test_a_run_that_hangs_is_told_once_when_its_deadline_has_passed(heard: Heard) -> None:
    assert heard.of("日常整理") == [
        ("新发现", "运行超时未完成:启动 1 分钟后仍未完成", "处置步骤见运行手册 docs/runbooks/house")
    ]


def test_a_pipeline_that_nobody_started_is_missed_by_what_it_did_not_bring(heard: Heard) -> None:
    assert [line for line in heard.early if line.pipeline == "发布数据集"] == []
    ((topic, text, remedy),) = heard.of("发布数据集")
    assert (topic, remedy) == ("新发现", "处置步骤见运行手册 docs/runbooks/datasets")
    assert text.startswith("应有结果未到")
    assert text.endswith("前检查发布,最近一次:从未")
