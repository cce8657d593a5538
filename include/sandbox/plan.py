"""The annual plan as departments keep it: a workbook and a CSV in GB18030, with planned disagreements."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from include.sandbox import words
from include.sandbox.codes import UNUSED_DEPARTMENT, credit_code, project_code, spoilt
from include.sandbox.layout import Layout
from include.sandbox.lives import is_unit_built
from include.sandbox.records import Record, Recorder, wan_yuan

YEAR = 2027
SHEET = f"{YEAR}年度计划"
WORKBOOK = f"{YEAR}年度计划.xlsx"
DEPARTMENT_FILE = f"{YEAR}年度计划-卫生健康委员会.csv"
HEADING = (
    "序号",
    "项目代码",
    "项目名称",
    "建设单位",
    "统一社会信用代码",
    "建设性质",
    "计划投资(万元)",
    "建设方式",
    "密级",
    "联系人",
    "联系电话",
    "备注",
)
NATURES = {"0": "新建", "1": "扩建", "2": "改建", "3": "续建"}


class Agreement(StrEnum):
    """How an entry stands to the platform."""

    AGREES = "agrees"
    NAME_DIFFERS = "name_differs"
    AMOUNT_DIFFERS = "amount_differs"
    AMOUNT_NEAR = "amount_within_tolerance"
    CODE_MISSING = "code_missing_matched"
    CODE_FAILS = "code_check_fails"
    NOT_ON_PLATFORM = "not_on_platform"
    CLASSIFIED = "classified"


TURNS = {
    6: Agreement.NAME_DIFFERS,
    9: Agreement.AMOUNT_DIFFERS,
    12: Agreement.CODE_MISSING,
    15: Agreement.CODE_FAILS,
    17: Agreement.AMOUNT_NEAR,
}
LEFT_OUT_TURN, HEALTH_TURN = 3, 4


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One line of the plan, and what it says against the platform."""

    agreement: Agreement
    code: str
    name: str
    unit: str
    credit: str
    nature: str
    planned_wan: Decimal
    written_amount: float | str
    secrecy: str = ""
    is_department_file: bool = False
    platform_code: str = ""
    platform_name: str = ""
    platform_wan: Decimal = Decimal(0)
    track: str = "统一建设"

    def cells(self, number: int) -> list[Any]:
        """Return the cells of the line."""
        contact, phone = (
            words.SURNAMES[number % 12] + words.GIVEN_NAMES[number % 11],
            f"1380000{number % 10000:04d}",
        )
        note = "跨年度续建" if self.nature == "续建" else ""
        front = [number, self.code, self.name, self.unit, self.credit, self.nature]
        return [*front, self.written_amount, self.track, self.secrecy, contact, phone, note]


def plan_entries(recorder: Recorder) -> list[PlanEntry]:
    """Return the plan for the world's start."""
    layout = recorder.layout
    entries = [
        _against(ordinal, recorder.record(layout.digital(ordinal)))
        for ordinal in range(layout.digital_count)
        if ordinal % 20 != LEFT_OUT_TURN
    ]
    return [*entries, *_unlisted(recorder.seed, layout), _classified(recorder.seed)]


def _against(ordinal: int, record: Record) -> PlanEntry:
    agreement = TURNS.get(ordinal % 20, Agreement.AGREES)
    code, name, money = record["PROJECT_CODE"], record["PROJECT_NAME"], wan_yuan(record["TOTAL_MONEY"])
    planned = (money * AMOUNT_FACTORS.get(agreement, Decimal(1))).quantize(Decimal("0.01"))
    entry = PlanEntry(
        agreement=agreement,
        code=code,
        name=name,
        unit=record["ENTERPRISE"]["ENTERPRISENAME"],
        credit=record["ENTERPRISE"]["LEREPCERTNO"],
        nature=NATURES[record["PROJECT_NATURE"]],
        planned_wan=planned,
        written_amount=_written(ordinal, planned),
        secrecy=("", "非密", "公开")[ordinal % 3],
        is_department_file=ordinal % 10 == HEALTH_TURN,
        platform_code=code,
        platform_name=name,
        platform_wan=money,
        track="单位自建" if is_unit_built(ordinal) else "统一建设",
    )
    if agreement is Agreement.NAME_DIFFERS:
        return replace(entry, name=f"{entry.unit}{ordinal}号信息化综合建设任务")
    if agreement is Agreement.CODE_MISSING:
        return replace(entry, code="")
    if agreement is Agreement.CODE_FAILS:
        return replace(entry, code=spoilt(code))
    return _in_another_form(ordinal % 20, entry)


AMOUNT_FACTORS = {Agreement.AMOUNT_DIFFERS: Decimal("1.35"), Agreement.AMOUNT_NEAR: Decimal("1.04")}


def _in_another_form(turn: int, entry: PlanEntry) -> PlanEntry:
    """Return an entry that says the same as before, written as people write."""
    if turn == 1:
        return replace(entry, code=f" {entry.code} ")
    if turn == 2:
        return replace(entry, code=entry.code.replace("-", "－"))
    if turn == 5:
        return replace(entry, name=f" {entry.name}\n")
    return entry


def _written(ordinal: int, amount: Decimal) -> float | str:
    if ordinal % 20 == 7:
        return f"{amount:,.2f}"
    return f"{amount:.2f}万元" if ordinal % 20 == 8 else float(amount)


def _unlisted(seed: int, layout: Layout) -> Iterator[PlanEntry]:
    """Yield entries of projects that no platform lists, with and without a code."""
    for number in range(max(2, layout.digital_count // 20)):
        place = number % len(words.UNITS)
        unit = words.UNITS[place]
        serial = seed * 31 + number * 70297
        code = project_code("2610", words.CITY[0], UNUSED_DEPARTMENT, "04", serial) if number % 2 == 0 else ""
        planned = Decimal(100 + number % 900)
        yield PlanEntry(
            agreement=Agreement.NOT_ON_PLATFORM,
            code=code,
            name=f"{unit}{number + 1}号专题数据库",
            unit=unit,
            credit=credit_code("11", f"MB{place:06d}"),
            nature="新建",
            planned_wan=planned,
            written_amount=float(planned),
        )


def _classified(seed: int) -> PlanEntry:
    return PlanEntry(
        agreement=Agreement.CLASSIFIED,
        code="",
        name=f"XK-P{seed}号专项信息工程",
        unit="双鸭山市专项工程计划办公室",
        credit=credit_code("11", "XMP00000"),
        nature="新建",
        planned_wan=Decimal(77),
        written_amount=77.0,
        secrecy="秘密",
    )


def write_plans(entries: list[PlanEntry], folder: Path) -> list[Path]:
    """Write the workbook and the department's CSV into a folder and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    ours = [entry for entry in entries if not entry.is_department_file]
    theirs = [entry for entry in entries if entry.is_department_file]
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = SHEET
    sheet.append([f"双鸭山市{YEAR}年度数字化项目建设计划"])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(HEADING))
    for line in _lines(ours):
        sheet.append(line)
    workbook.save(folder / WORKBOOK)
    with (folder / DEPARTMENT_FILE).open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows(_lines(theirs))
    return [folder / WORKBOOK, folder / DEPARTMENT_FILE]


def _lines(entries: list[PlanEntry]) -> Iterator[list[Any]]:
    yield list(HEADING)
    for number, entry in enumerate(entries, 1):
        yield entry.cells(number)
    total = float(sum((entry.planned_wan for entry in entries), Decimal(0)))
    yield ["合计", "", "", "", "", "", total, "", "", "", "", ""]


def plan_truth(entries: list[PlanEntry], recorder: Recorder) -> dict[str, Any]:
    """Return how many entries there are and exactly which disagree, by kind."""
    by_kind: dict[str, list[dict[str, Any]]] = {kind.value: [] for kind in Agreement}
    for entry in entries:
        by_kind[entry.agreement].append(_said(entry))
    layout = recorder.layout
    left_out = [recorder.record(layout.digital(n)) for n in range(LEFT_OUT_TURN, layout.digital_count, 20)]
    return {
        "year": YEAR,
        "entries": len(entries),
        "refused": len(by_kind[Agreement.CLASSIFIED]),
        "in_department_file": sum(entry.is_department_file for entry in entries),
        **{kind: said for kind, said in by_kind.items() if kind != Agreement.AGREES},
        "agrees": [said["platform_code"] for said in by_kind[Agreement.AGREES]],
        "not_in_plan": [record["PROJECT_CODE"] for record in left_out],
        "two_codes": list(_two_codes(recorder)),
    }


def _said(entry: PlanEntry) -> dict[str, Any]:
    said: dict[str, Any] = {
        "code": entry.code.strip() or None,
        "name": entry.name.strip(),
        "unit": entry.unit,
    }
    if entry.platform_code:
        said |= {"platform_code": entry.platform_code, "platform_name": entry.platform_name}
        said |= {"plan_yuan": _yuan(entry.planned_wan), "platform_yuan": _yuan(entry.platform_wan)}
    return said


def _yuan(wan: Decimal) -> str:
    return f"{wan * 10000:.2f}"


def _two_codes(recorder: Recorder) -> Iterator[dict[str, Any]]:
    layout = recorder.layout
    for ordinal in range(layout.digital_count):
        twin = layout.twin_of(ordinal)
        if twin is not None:
            first, second = recorder.record(layout.digital(ordinal)), recorder.record(twin)
            codes = [first["PROJECT_CODE"], second["PROJECT_CODE"]]
            yield {
                "name": first["PROJECT_NAME"],
                "unit": first["ENTERPRISE"]["ENTERPRISENAME"],
                "codes": codes,
            }
