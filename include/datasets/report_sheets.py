"""The sheets of the monthly report: tables with a heading, figures as numbers, charts, and no cell that computes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.chart import BarChart, LineChart, PieChart, Reference
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from include.alerts.rendering.harmless import inert
from include.datasets.monthly_report import MOST_LEADS, Figures

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

TITLES = {
    "article": "条款", "rule_title": "规则", "department": "部门", "day": "日期", "passed": "符合", "warned": "提示",
    "failed": "线索",
    "unknown": "未知", "not_applicable": "不适用", "waived": "已豁免", "settled": "已处理结案",
    "pass_percent": "符合率(%)", "opened": "本月新出现",
    "resolved": "本月了结", "reopened": "本月再次出现",
}  # fmt: skip
_RATED = ("passed", "warned", "failed", "unknown", "waived", "settled", "not_applicable", "pass_percent")
_SHOWN = 20
"""Rows that a bar chart shows: more cannot be read."""
_LONGEST_CELL = 32_000
_WIDTHS = {
    "规则": 34,
    "规则名称": 30,
    "部门": 24,
    "线索内容": 60,
    "整改办法": 40,
    "条款": 18,
    "对象名称": 28,
    "对象代码": 26,
}


def build(figures: Figures) -> Workbook:
    """Return the workbook of a month."""
    book = Workbook()
    overview = book.active
    overview.title = "总览"
    _overview(overview, figures)
    _departments(book.create_sheet("部门"), figures)
    _leads(book.create_sheet("线索"), figures)
    _trend(book.create_sheet("趋势"), figures)
    _method(book.create_sheet("说明"), figures)
    return book


def _overview(sheet: Worksheet, figures: Figures) -> None:
    frame = figures.by_rule
    _heading(
        sheet,
        f"{figures.month} 月度通报",
        f"各项数字为 {figures.day} 的评判结果;未知不计入符合率;已豁免、已处理结案的仍按原判定计入,并列于旁",
    )
    total = {name: int(frame[name].sum()) for name in _RATED[:-1]}
    judged = total["passed"] + total["warned"] + total["failed"]
    rate = round(total["passed"] * 100 / judged, 2) if judged else None
    _table(sheet, 4, [TITLES[n] for n in _RATED], [[*total.values(), rate]])
    names = ("article", "rule_title", *_RATED)
    ordered = frame.sort_values(["failed", "warned"], ascending=False, kind="stable")
    first = _table(sheet, 8, [TITLES[n] for n in names], ordered[list(names)].itertuples(index=False))
    pie = PieChart()
    pie.title = "评判结果"
    pie.add_data(Reference(sheet, min_col=1, max_col=4, min_row=5), from_rows=True)
    pie.set_categories(Reference(sheet, min_col=1, max_col=4, min_row=4))
    sheet.add_chart(pie, "L3")
    last = first + min(len(ordered), _SHOWN) - 1
    _bars(sheet, "线索、提示最多的规则", (4, 5), 2, (first, last), "L20")


def _departments(sheet: Worksheet, figures: Figures) -> None:
    _heading(sheet, "部门情况", f"{figures.day} 的评判结果,按部门;新出现、了结为本月累计")
    names = ("department", *_RATED, "opened", "resolved", "reopened")
    frame = figures.by_department
    first = _table(sheet, 4, [TITLES[n] for n in names], frame[list(names)].itertuples(index=False))
    _bars(sheet, "线索、提示最多的部门", (3, 4), 1, (first, first + min(len(frame), _SHOWN) - 1), "N3")


def _leads(sheet: Worksheet, figures: Figures) -> None:
    rest = f";此处列 {MOST_LEADS} 条,全部见数据集 findings" if figures.open_leads > MOST_LEADS else ""
    made = f"{figures.made_at:%Y-%m-%d %H:%M}"
    _heading(
        sheet,
        "未了结线索",
        f"截至 {made} 共 {figures.open_leads} 条,不含已豁免、已人工认定、已处理结案{rest}。线索和提示不是结论",
    )
    _table(sheet, 4, list(figures.leads.columns), figures.leads.itertuples(index=False))
    sheet.freeze_panes = "A5"
    sheet.auto_filter.ref = f"A4:{get_column_letter(len(figures.leads.columns))}{max(5, sheet.max_row)}"


def _trend(sheet: Worksheet, figures: Figures) -> None:
    _heading(sheet, "趋势", "每日评判结果;一日只在当日汇总,事后不改")
    names = ("day", *_RATED, "opened", "resolved")
    titles = [TITLES[n].removeprefix("本月") if n in ("opened", "resolved") else TITLES[n] for n in names]
    first = _table(sheet, 4, titles, figures.trend[list(names)].itertuples(index=False))
    last = first + len(figures.trend) - 1
    for title, columns, place in (("符合率(%)", (9,), "L3"), ("线索、提示、未知", (3, 4, 5), "L20")):
        chart = LineChart()
        chart.title = title
        for column in columns:
            chart.add_data(Reference(sheet, min_col=column, min_row=first - 1, max_row=last), titles_from_data=True)
        chart.set_categories(Reference(sheet, min_col=1, min_row=first, max_row=last))
        _readable(chart)
        sheet.add_chart(chart, place)


def _method(sheet: Worksheet, figures: Figures) -> None:
    _heading(sheet, "说明", f"制作时间 {figures.made_at:%Y-%m-%d %H:%M}")
    evaluations = figures.state.evaluations
    said = [
        ("数字截至", f"{figures.day}(本月最后一个评判日)"),
        ("符合率", "符合 ÷(符合+提示+线索);未知、不适用不计入,已豁免、已处理结案的仍按原判定计入"),
        ("未知", f"证据缺失或过期,不能判定;制作时共 {figures.state.unknown} 项"),
        ("已豁免", f"经批准暂不要求整改;制作时共 {figures.state.waived} 条线索"),
        ("已处理结案", f"已不能补正,处理结果经两人登记,不再催办;制作时共 {figures.state.settled} 条线索"),
        ("线索、提示", "按办法条款由证据推出,供核实,不是结论;“原则上”的条款允许说明理由"),
        *((f"评判依据:{e['scope']}", f"{e['day']} 第 {e['revision']} 次,摘要 {e['digest'][:16]}") for e in evaluations),
    ]  # fmt: skip
    row = _table(sheet, 4, ["项目", "内容"], said) + len(said) + 1
    inputs = [
        (
            one["title"],
            "是" if one["is_complete"] else "否",
            one["age_days"],
            (one["last_complete_batch"] or {}).get("read_at"),
        )
        for one in figures.inputs
    ]
    _table(sheet, row, ["来源", "最近一次是否读全", "最近一次读全距今(天)", "最近一次读全时间"], inputs)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 30, 60


def _heading(sheet: Worksheet, title: str, said: str) -> None:
    sheet["A1"], sheet["A2"] = cell(title), cell(said)
    sheet["A1"].font = Font(bold=True, size=14)


def _table(sheet: Worksheet, row: int, titles: Sequence[str], lines: Any) -> int:
    """Write a table and return the row of its first line."""
    for column, title in enumerate(titles, 1):
        place = sheet.cell(row, column, cell(title))
        place.font, place.fill = Font(bold=True), PatternFill("solid", fgColor="DDE7F3")
        place.alignment = Alignment(wrap_text=True)
        width = sheet.column_dimensions[get_column_letter(column)]
        width.width = max(width.width or 0, _WIDTHS.get(title, 13))
    for number, line in enumerate(lines, row + 1):
        for column, value in enumerate(line, 1):
            sheet.cell(number, column, cell(value))
    return row + 1


def _bars(
    sheet: Worksheet, title: str, columns: tuple[int, ...], names: int, rows: tuple[int, int], place: str
) -> None:
    first, last = rows
    if last < first:
        return
    chart = BarChart()
    chart.type, chart.grouping, chart.overlap, chart.title = "bar", "stacked", 100, title
    for column in columns:
        chart.add_data(Reference(sheet, min_col=column, min_row=first - 1, max_row=last), titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=names, min_row=first, max_row=last))
    chart.x_axis.scaling.orientation = "maxMin"
    chart.height = max(7.5, 0.7 * (last - first + 1))
    _readable(chart)
    sheet.add_chart(chart, place)


def _readable(chart: BarChart | LineChart) -> None:
    """Show the axes, which newer spreadsheets leave out unless told."""
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.width = 24


def cell(value: Any) -> Any:
    """Return a value as a cell takes it: numbers and days as they are, text that no spreadsheet computes or refuses."""
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, Decimal):
        return float(value)
    if value is None or isinstance(value, int | float | date | datetime):
        return value
    if hasattr(value, "item"):  # numpy's own numbers
        return cell(value.item())
    return inert(ILLEGAL_CHARACTERS_RE.sub("", str(value))[:_LONGEST_CELL])
