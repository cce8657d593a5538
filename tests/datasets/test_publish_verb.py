"""The verb `publish` over a whole ledger: every data set, what it prints, how it ends, the report; and what its tasks say."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include import publishing_tasks
from include.clock import now
from include.datasets.definitions import DATASETS
from include.errors import NotPublished
from include.ledger.alert_tables import compliance_day, rule_title
from include.ledger.tables import evaluation
from tests.datasets.made_rows import guard_them
from tests.datasets.test_command import _run
from tests.depth import MOSTLY_SQLITE


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let no data set wait for a source."""
    guard_them(monkeypatch, tmp_path / "config", DATASETS)


def _judged(engine: Engine, days_ago: int = 0) -> None:
    at = now() - timedelta(days=days_ago)
    with engine.begin() as connection:
        connection.execute(
            evaluation.insert().values(
                scope="systems", day=at.date(), revision=1, known="{}", rules_version="v", digest="d" * 64, verdicts=0,
                outcomes=json.dumps({"outcomes": {}, "crashed": []}), rates="[]", evaluated_at=at,
            )
        )  # fmt: skip


def test_all_data_sets_are_published_and_told(
    free: None, engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, steps = _run()
    printed = capsys.readouterr().out
    assert code == 0 and "新版本" in printed
    assert [name for name in DATASETS if f" {name}.v1: 0 行" not in printed] == []
    assert len(list((tmp_path / "datasets" / "current").iterdir())) == 3 * len(DATASETS)
    assert _run()[0] == 0 and "内容未变" in capsys.readouterr().out
    assert _run("--json")[0] == 0
    assert json.loads(capsys.readouterr().out)["is_new"] is False
    with engine.connect() as connection:
        assert len(list(connection.execute(select(rule_title)))) > 30


@MOSTLY_SQLITE
def test_a_fresh_installation_waits_for_its_sources_and_that_is_no_failure(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run()[0] == 0
    printed = capsys.readouterr().out
    assert (
        "信息系统 systems.v1: 尚未发布" in printed
        and "等待: 来源" in printed
        and "线索台账 findings.v1: 0 行" in printed
    )
    summary = publishing_tasks.publish()
    assert sorted(summary["rows"]) == ["compliance_daily", "findings"] and not summary["failed"]
    assert publishing_tasks.report_published(summary) == summary


@MOSTLY_SQLITE
def test_what_is_held_back_ends_with_one_and_fails_the_report(
    free: None, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP VIEW dossier")
    assert _run()[0] == 1
    assert "扣下: 数据集视图出错" in capsys.readouterr().out
    with pytest.raises(NotPublished, match=r"held back, .*: dossier: 数据集视图出错"):
        publishing_tasks.report_published(publishing_tasks.publish())
    with pytest.raises(NotPublished, match="see the publish task"):
        publishing_tasks.report_published(None)


@MOSTLY_SQLITE
def test_the_newest_judged_day_is_summed_up_even_after_midnight(engine: Engine) -> None:
    assert publishing_tasks.append_compliance() == {"day": None}
    _judged(engine, 1)
    yesterday = (now() - timedelta(days=1)).date().isoformat()
    assert publishing_tasks.append_compliance() == publishing_tasks.append_compliance() == {"day": yesterday}


@MOSTLY_SQLITE
def test_a_report_is_written_once_and_none_where_nothing_can_be_told(
    free: None, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publishing_tasks.write_due_report() == {"month": None}
    month_end = now().date().replace(day=1) - timedelta(days=1)
    others = ("day", "rule", "department", "appended_at", "is_replay")
    counts: dict[str, Any] = {c.name: 1 for c in compliance_day.c if c.name not in others}
    with engine.begin() as connection:
        connection.execute(
            compliance_day.insert().values(day=month_end, rule="r", department="d", appended_at=now(), **counts)
        )
    month = f"{month_end:%Y-%m}"
    monkeypatch.setattr("include.datasets.monthly_report.month_due", lambda url, today: month)
    assert publishing_tasks.write_due_report()["month"] == month
    assert _run("--report", month)[0] == 0
    assert f"{month}-月度通报.xlsx,数字截至 {month_end}" in capsys.readouterr().out
    assert sorted(p.name for p in (tmp_path / "datasets" / "reports").iterdir()) == [
        f"{month}-月度通报.xlsx",
        f"{month}.json",
    ]


def test_the_form_and_the_guards_name_every_data_set() -> None:
    assert {name: dataset.title for name, dataset in DATASETS.items()} == publishing_tasks.DATASET_TITLES
