"""The workbook 项目全过程台账: what units keep of each project, what the bureau keeps of plans, reports, notices, attestations."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from include.sandbox import words
from include.sandbox.codes import UNUSED_DEPARTMENT, project_code
from include.sandbox.dossier_lines import (
    Line,
    acceptances,
    contracts,
    dossier,
    payments,
    reviews,
    suspensions,
)
from include.sandbox.dossier_projects import Project, dossier_projects
from include.sandbox.dossier_sheets import assessments, attestations, department_years, notices, plan_years
from include.sandbox.layout import Kind
from include.sandbox.records import Record
from include.sandbox.systems import City

WORKBOOK = "项目全过程台账.xlsx"
SHEETS = {
    "project_dossiers": ("项目档案", words.DOSSIER_COLUMNS),
    "suspensions": ("时限中止", words.SUSPENSION_COLUMNS),
    "contracts": ("合同", words.CONTRACT_COLUMNS),
    "payments": ("付款", words.PAYMENT_COLUMNS),
    "acceptances": ("验收", words.ACCEPTANCE_COLUMNS),
    "assessments": ("测评报告", words.ASSESSMENT_COLUMNS),
    "performance_reviews": ("绩效评价", words.REVIEW_COLUMNS),
    "rectifications": ("整改通知", words.NOTICE_COLUMNS),
    "plan_years": ("计划年度", words.PLAN_YEAR_COLUMNS),
    "department_years": ("部门申报", words.DEPARTMENT_COLUMNS),
    "attestations": ("人工认定", words.ATTESTATION_COLUMNS),
}
"""Source → sheet and its columns."""
MARKS = ("密级", "联系人", "联系电话")


class Dossiers:
    """All lines of the workbook of one city."""

    def __init__(self, city: City) -> None:
        self.city = city

    @cached_property
    def projects(self) -> list[Project]:
        """Return the projects with a dossier."""
        return dossier_projects(self.city)

    @cached_property
    def sheets(self) -> dict[str, list[Line]]:
        """Return the lines that are right and open, by source."""
        city, projects = self.city, self.projects
        return {
            "project_dossiers": [dossier(project) for project in projects],
            "suspensions": [line for project in projects for line in suspensions(project)],
            "contracts": [line for project in projects for line in contracts(project)],
            "payments": [line for project in projects for line in payments(project)],
            "acceptances": [line for project in projects for line in acceptances(project)],
            "assessments": list(assessments(city, projects)),
            "performance_reviews": [line for project in projects for line in reviews(project)],
            "rectifications": list(notices(city, projects)),
            "plan_years": list(plan_years(city.start)),
            "department_years": list(department_years(city.start)),
            "attestations": list(attestations(city, projects)),
        }

    @cached_property
    def bad(self) -> dict[str, list[Line]]:
        """Return the lines that nobody can read, by source; their project is on no platform."""
        code = project_code("2605", words.CITY[0], UNUSED_DEPARTMENT, "04", self.city.seed * 53)
        unreadable = {"合同编号": "HT-BAD", "项目代码": code, "合同名称": "金额面议的合同", "合同金额(元)": "面议"}
        return {
            "project_dossiers": [{"项目代码": code, "项目名称": "日期写错的项目", "开工日期": "2026-13-45"}],
            "contracts": [unreadable],
        }

    @cached_property
    def classified(self) -> dict[str, list[Line]]:
        """Return a line about a classified project for every sheet that tells of projects."""
        record = self._classified_record()
        if record is None:
            return {}
        code, name, unit = record["PROJECT_CODE"], record["PROJECT_NAME"], record["ENTERPRISE"]["ENTERPRISENAME"]
        day, mark = self.city.ago(30).isoformat(), {"项目代码": code, "密级": "秘密"}
        stopped = {"中止的时限": "评审意见", "中止事由类别": "补正", "中止日期": day, "决定单位": unit}
        attested = {"认定依据": name, "认定单位": unit, "认定日期": day, "到期日期": day}
        lines: dict[str, Line] = {
            "project_dossiers": {"项目名称": name, "建设单位": unit},
            "suspensions": {"中止编号": "ZZ-X", **stopped},
            "contracts": {"合同编号": "HT-X", "合同名称": f"{name}合同", "合同金额(元)": 77},
            "payments": {"付款编号": "FK-X", "款项类别": "尾款", "付款日期": day, "付款金额(元)": 77},
            "acceptances": {"验收编号": "YS-X", "验收日期": day, "验收结论": "合格", "组织单位": unit},
            "assessments": {"报告编号": "CP-X", "测评类别": "密评", "出具日期": day},
            "performance_reviews": {"评价编号": "JX-X", "评价类别": "自评价", "评价日期": day, "评价结论": name},
            "rectifications": {"通知编号": "ZG-X", "下达单位": unit, "下达日期": day, "整改期限": day},
            "attestations": {"认定编号": "RD-X", "认定事项": "档案已归档", "认定结论": "满足", **attested},
        }
        return {source: [line | mark] for source, line in lines.items()}

    def _classified_record(self) -> Record | None:
        world = self.city.world
        for index in range(world.size):
            if world.layout.kind(index) is Kind.CLASSIFIED:
                return world.recorder.record(index)
        return None

    def lines(self, source: str) -> Iterator[list[Any]]:
        """Yield every line of a sheet as cells: the unreadable and the classified ones among the others."""
        columns = (*SHEETS[source][1], *MARKS)
        lines = [*self.classified.get(source, ()), *self.sheets[source], *self.bad.get(source, ())]
        for number, line in enumerate(lines):
            person = words.SURNAMES[number % 12] + words.GIVEN_NAMES[number % 11]
            marks = {"密级": ("", "非密", "公开")[number % 3], "联系人": person}
            marks |= {"联系电话": f"1380000{number % 10000:04d}"}
            whole = marks | line
            yield [whole.get(column, "") for column in columns]


def write_dossiers(dossiers: Dossiers, folder: Path) -> Path:
    """Write the workbook into a folder and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    workbook = Workbook(write_only=True)
    for source, (title, columns) in SHEETS.items():
        sheet = workbook.create_sheet(title)
        if source == "project_dossiers":
            sheet.append(["双鸭山市政府投资数字化项目全过程台账"])
        sheet.append([*columns, *MARKS])
        for cells in dossiers.lines(source):
            sheet.append(cells)
    workbook.save(folder / WORKBOOK)
    return folder / WORKBOOK
