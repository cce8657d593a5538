"""The monthly report: rates beside what is unknown and waived, leads in words, charts, and no cell that computes."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import Engine, insert, update

from include.clock import now
from include.datasets import monthly_report
from include.datasets.monthly_report import file_name, month_due, write_report
from include.datasets.publication import publish_datasets
from include.errors import ConfigurationError
from include.findings.story import Kind
from include.ledger.alert_tables import compliance_day, expunged, rule_title
from include.ledger.tables import finding
from include.rules.workdays import Workdays
from tests.depth import MOSTLY_SQLITE
from tests.findings.deciding import OTHER, judge_by_hand, said, taken
from tests.rules.evidence import DAY

HOSTILE = '=HYPERLINK("http://x","点我")\x07'
RULES = {OTHER: ("第十三条第五项", "资源不闲置"), "deployed-on-city-cloud": ("第十三条第二项", "=上云")}


def _title(rule: str) -> dict[str, Any]:
    article, title = RULES[rule]
    texts = {c.name: "" for c in rule_title.c if c.name not in ("article_no", "is_in_force")}
    values = {
        "rule": rule,
        "scope": "systems",
        "subject_type": "system",
        "title": title,
        "article": article,
        "modality": "must",
    }
    return texts | {"article_no": 13, "is_in_force": True} | values


def _day(day: date, rule: str, department: str, *, failed: int, **counts: int) -> dict[str, Any]:
    usual = {
        "passed": 6,
        "warned": 1,
        "unknown": 2,
        "not_applicable": 3,
        "waived": 1,
        "opened": 1,
        "resolved": 0,
        "reopened": 0,
    }
    ages = {"open_age_p50": 3, "open_age_p90": 9}
    return (
        {"day": day, "rule": rule, "department": department, "failed": failed, "appended_at": now()}
        | usual
        | counts
        | ages
    )


@pytest.fixture
def ledger(engine: Engine) -> Engine:
    """Return a ledger with three days of October and one of November, and four open leads of which one is waived."""
    rows = [
        _day(day, rule, department, failed=n)
        for n, day in enumerate((date(2026, 10, 9), date(2026, 10, 30), date(2026, 10, 31), date(2026, 11, 2)))
        for rule in RULES
        for department in ("市教育局", "+市交通局")
    ]
    judge_by_hand(engine, DAY, *(said("fail", s) for s in ("S1", "S2", "S3")), said("warn", "S4"))
    taken(engine, Kind.WAIVED, "S3")
    with engine.begin() as connection:
        connection.execute(insert(compliance_day), rows)
        connection.execute(insert(rule_title), [_title(rule) for rule in RULES])
        connection.execute(update(finding).where(finding.c.subject == "S1").values(message=HOSTILE))
    return engine


def _book(tmp_path: Path, month: str = "2026-10") -> Any:
    return openpyxl.load_workbook(tmp_path / "to" / "reports" / file_name(month))


def _lines(sheet: Any) -> list[list[Any]]:
    return [[cell.value for cell in line] for line in sheet.iter_rows()]


def test_it_shows_the_last_judged_day_of_the_month_in_five_sheets(ledger: Engine, tmp_path: Path) -> None:
    note = write_report(ledger, str(tmp_path / "to"), "2026-10")
    assert (note["day"], note["open_leads"]) == ("2026-10-31", 3)
    book = _book(tmp_path)
    assert book.sheetnames == ["总览", "部门", "线索", "趋势", "说明"]
    overview = _lines(book["总览"])
    assert overview[0][0] == "2026-10 月度通报" and "2026-10-31" in overview[1][0]
    assert overview[3][:8] == ["符合", "提示", "线索", "未知", "已豁免", "已处理结案", "不适用", "符合率(%)"]
    assert overview[4][:8] == [24, 4, 8, 8, 4, 0, 12, round(24 * 100 / 36, 2)]
    assert [line[:10] for line in overview[8:10]] == [
        [article, "'=上云" if title == "=上云" else title, 12, 2, 4, 4, 2, 0, 6, round(12 * 100 / 18, 2)]
        for article, title in sorted(RULES.values())
    ]
    departments = _lines(book["部门"])
    assert departments[3][:2] == ["部门", "符合"] and [line[0] for line in departments[4:]] == [
        "'+市交通局",
        "市教育局",
    ]
    assert departments[4][9:12] == [6, 0, 0]  # of the three days of the month together
    assert [line[0].date() for line in _lines(book["趋势"])[4:]] == [
        date(2026, 10, 9),
        date(2026, 10, 30),
        date(2026, 10, 31),
    ]
    method = {line[0]: line[1] for line in _lines(book["说明"]) if line[0]}
    assert method["数字截至"].startswith("2026-10-31") and "共 1 条线索" in method["已豁免"]
    assert "共 0 条线索" in method["已处理结案"]
    assert method["未知"].endswith("共 0 项")


@MOSTLY_SQLITE
def test_leads_stand_with_clause_remedy_and_words_and_compute_nothing(ledger: Engine, tmp_path: Path) -> None:
    write_report(ledger, str(tmp_path / "to"), "2026-10")
    book = _book(tmp_path)
    lines = _lines(book["线索"])
    titles, leads = lines[3], lines[4:]
    assert {"部门", "条款", "规则名称", "线索内容", "判定起始日", "整改办法", "告知对象", "处置情况"} <= set(titles)
    by_subject = {lead[titles.index("对象代码")]: dict(zip(titles, lead, strict=True)) for lead in leads}
    assert set(by_subject) == {"S1", "S2", "S4"}  # the waived one is counted in 说明
    assert (by_subject["S2"]["判定"], by_subject["S4"]["判定"]) == ("线索", "提示")
    assert (by_subject["S2"]["条款"], by_subject["S2"]["处置情况"]) == ("第十三条第五项", "尚无人处理")
    assert by_subject["S1"]["线索内容"] == "'" + HOSTILE[:-1]
    cells = [cell for sheet in book for line in sheet.iter_rows() for cell in line]
    assert len(cells) > 100 and not [cell for cell in cells if cell.data_type == "f"]


@MOSTLY_SQLITE
def test_the_charts_are_there_when_it_is_opened_again(ledger: Engine, tmp_path: Path) -> None:
    write_report(ledger, str(tmp_path / "to"), "2026-10")
    charts = {sheet.title: [type(chart).__name__ for chart in sheet._charts] for sheet in _book(tmp_path)}
    assert charts == {
        "总览": ["PieChart", "BarChart"],
        "部门": ["BarChart"],
        "线索": [],
        "趋势": ["LineChart", "LineChart"],
        "说明": [],
    }


@MOSTLY_SQLITE
def test_more_leads_than_a_sheet_should_hold_are_cut_and_counted(
    ledger: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monthly_report, "MOST_LEADS", 2)
    assert write_report(ledger, str(tmp_path / "to"), "2026-10")["open_leads"] == 3
    lines = _lines(_book(tmp_path)["线索"])
    assert len(lines) == 4 + 2 and "共 3 条" in lines[1][0]


@MOSTLY_SQLITE
@pytest.mark.parametrize("month", ["2026-13", "十月", "2026-9", "", "2026-10-01"])
def test_what_is_no_month_is_refused(engine: Engine, tmp_path: Path, month: str) -> None:
    with pytest.raises(ConfigurationError, match="is no month; write it as 2026-11"):
        write_report(engine, str(tmp_path), month)


@MOSTLY_SQLITE
def test_a_month_that_nobody_summed_up_is_refused(ledger: Engine, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no day of 2026-09 was summed up"):
        write_report(ledger, str(tmp_path / "to"), "2026-09")
    assert not (tmp_path / "to" / "reports").exists()


@MOSTLY_SQLITE
def test_it_is_due_from_the_first_working_day_until_it_is_there(ledger: Engine, tmp_path: Path) -> None:
    to, workdays = str(tmp_path / "to"), Workdays.load()
    assert [month_due(to, date(2026, 10, n), workdays) for n in (1, 7, 8, 30)] == [None, None, "2026-09", "2026-09"]
    assert [month_due(to, date(2026, 11, n), workdays) for n in (1, 2)] == [None, "2026-10"]
    write_report(ledger, to, "2026-10")
    assert month_due(to, date(2026, 11, 2), workdays) is None
    # A year whose calendar is not loaded: the latest day that can be the first working day.
    assert month_due(to, date(2031, 3, 3), workdays) is None and month_due(to, date(2031, 3, 31), workdays) == "2031-02"


@MOSTLY_SQLITE
def test_a_report_older_than_an_expunging_goes_with_the_next_publication(ledger: Engine, tmp_path: Path) -> None:
    to = str(tmp_path / "to")
    write_report(ledger, to, "2026-10")
    with ledger.begin() as connection:
        connection.execute(expunged.insert().values(expunged_at=now() - timedelta(days=9), source="s", records=1))
    assert publish_datasets(ledger, to, datasets={}).removed == [file_name("2026-10"), "2026-10.json"]
    assert not list((tmp_path / "to" / "reports").iterdir())
    note = write_report(ledger, to, "2026-10")
    assert json.loads((tmp_path / "to" / "reports" / "2026-10.json").read_text("utf-8"))["sha256"] == note["sha256"]
    assert publish_datasets(ledger, to, datasets={}).removed == []
