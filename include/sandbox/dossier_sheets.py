"""The sheets of the dossiers that are not one project's alone: reports, notices, attestations, plan years and departments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from include.sandbox import words
from include.sandbox.codes import credit_code
from include.sandbox.dossier_lines import Line, written
from include.sandbox.dossier_projects import MILLION, Project
from include.sandbox.lives import Plant
from include.sandbox.systems import City, System

RENEWED_AFTER = 350
LASTS = {"等保测评": 730, "密评": 365, "风险评估": 365}
MISSING = {"等保测评": Plant.PROTECTION_MISSING, "密评": Plant.CIPHER_MISSING}


@dataclass(frozen=True, slots=True)
class Reported:
    """What reports are about: a system, a project, or a system of a project."""

    number: str
    project: str
    system: str
    first: date
    lacks: frozenset[Plant]


def assessments(city: City, projects: list[Project]) -> Iterator[Line]:
    """Yield the lines of the sheet 测评报告; whatever runs is assessed anew each year."""
    for subject in _reported(city, projects):
        for kind, days in LASTS.items():
            if MISSING.get(kind) in subject.lacks:
                continue
            yield from _reports(subject, kind, days, city.start)
    for project in projects:
        is_tested = max(project.amounts) >= MILLION and not project.life.has(
            Plant.TEST_MISSING, Plant.EXACTLY_A_MILLION
        )
        if project.is_accepted and is_tested:
            yield {
                "报告编号": f"CP-YS{project.number:05d}",
                "测评类别": "第三方验收测评",
                "项目代码": project.code,
                "出具日期": written(project.life.day("assessed"), project.number),
                "测评结论": "通过",
                "测评机构": "黑龙江省某软件评测中心",
                "存在重大风险": "否",
            }


def _reported(city: City, projects: list[Project]) -> Iterator[Reported]:
    accepted = {project.code: project for project in projects if project.is_accepted}
    for system in city.open:
        if system.profile.status in ("在用", "试运行"):
            mine = [accepted[code] for code in system.projects if code in accepted]
            first = mine[0].life.day("assessed") if mine else city.ago(100 + system.number % 200)
            lacks = frozenset().union(*(project.life.plants for project in mine))
            yield Reported(f"S{system.number:05d}", mine[0].code if mine else "", system.code, first, lacks)
    running = {code for system in city.open if _runs(system) for code in system.projects}
    for project in accepted.values():
        if project.code not in running:
            first = project.life.day("assessed")
            yield Reported(f"P{project.number:05d}", project.code, "", first, project.life.plants)


def _runs(system: System) -> bool:
    return system.profile.status in ("在用", "试运行")


def _reports(subject: Reported, kind: str, lasts: int, start: date) -> Iterator[Line]:
    is_expired = kind == "等保测评" and Plant.PROTECTION_EXPIRED in subject.lacks
    day = subject.first - timedelta(days=lasts + 30) if is_expired else subject.first
    turn = 1
    while day <= start and (turn == 1 or not is_expired):
        until = day + timedelta(days=lasts - 1)
        yield {
            "报告编号": f"CP-{subject.number}-{list(LASTS).index(kind) + 1}{turn}",
            "测评类别": kind,
            "项目代码": subject.project,
            "系统编码": subject.system,
            "出具日期": written(day, turn),
            "有效期至": written(until, turn),
            "测评结论": "基本符合" if kind == "等保测评" else "符合",
            "测评机构": "黑龙江省某网络安全测评有限公司",
            "存在重大风险": "否",
        }
        day, turn = day + timedelta(days=RENEWED_AFTER), turn + 1


def notices(city: City, projects: list[Project]) -> Iterator[Line]:
    """Yield the lines of the sheet 整改通知; days are counted back from the start day."""
    for project in projects:
        planted = project.life.plants & {Plant.RECTIFIED, Plant.OVERDUE_PAUSED, Plant.OVERDUE_UNPAUSED}
        for plant in sorted(planted):
            line = {"通知编号": f"ZG{project.number:05d}", "项目代码": project.code, "下达单位": "双鸭山市审计局"}
            line["整改事项"] = "合同约定不完整，限期补充"
            issued, due = (90, 60) if plant is Plant.RECTIFIED else (60, 20)
            line |= {"下达日期": written(city.ago(issued), 1), "整改期限": written(city.ago(due), 1)}
            if plant is Plant.RECTIFIED:
                line |= {"整改报告日期": written(city.ago(65), 0), "整改结果": "通过"}
            if plant is Plant.OVERDUE_PAUSED:
                line |= {"暂缓拨款日期": written(city.ago(15), 2)}
            yield line
    for system in [s for s in city.open if s.profile_name == "healthy"][:1]:
        yield {
            "通知编号": f"ZG-{system.code}",
            "系统编码": system.code,
            "下达单位": "双鸭山市公安局",
            "整改事项": "口令策略不符合要求，联系人：王建国 13800001234",
            "下达日期": written(city.ago(20), 0),
            "整改期限": written(city.ago(-10), 0),
        }


def attestations(city: City, projects: list[Project]) -> Iterator[Line]:
    """Yield the lines of the sheet 人工认定: valid ones, expired ones, and some that say no."""
    for project in projects:
        if not project.is_accepted or project.number % 5 > 2:
            continue
        is_met, is_valid = project.number % 5 != 2, project.number % 5 != 1
        line = {"认定编号": f"RD{project.number:05d}", "项目代码": project.code}
        line |= {"认定事项": "档案已归档", "认定结论": "满足" if is_met else "不满足"}
        yield line | _attested(city, 40 if is_valid else 375, is_met=is_met)
    for place, system in enumerate([s for s in city.open if s.profile_name == "healthy"][:4]):
        line = {"认定编号": f"RD-{system.code}", "系统编码": system.code}
        line |= {"认定事项": ("无重复采集", "数据可共享")[place % 2], "认定结论": "属实"}
        yield line | _attested(city, 40)
    for year in (city.start.year, city.start.year + 1):
        for matter in ("申报指南已审议", "已联合审核"):
            line = {"认定编号": f"RD-{year}-{matter}", "计划年度": str(year), "认定事项": matter, "认定结论": "符合"}
            yield line | _attested(city, 40)


def _attested(city: City, days: int, *, is_met: bool = True) -> Line:
    """Return who attested, on what ground, so many days ago, for a year."""
    ground = {"认定依据": "经现场核查，资料" + ("齐全" if is_met else "不全"), "认定单位": "双鸭山市数据局"}
    return ground | {"认定日期": written(city.ago(days), 0), "到期日期": written(city.ago(days - 365), 0)}


def plan_years(start: date) -> Iterator[Line]:
    """Yield the lines of the sheet 计划年度: this year's plan was late, next year's is in time as far as it has come."""
    for year, called, drafted, issued in (
        (start.year, date(start.year - 1, 8, 5), date(start.year - 1, 11, 12), date(start.year, 2, 10)),
        (start.year + 1, date(start.year, 7, 10), date(start.year, 10, 25), date(start.year + 1, 1, 15)),
    ):
        days = {
            "征集需求日期": called,
            "申报指南印发日期": date(year - 1, 6, 20),
            "联合审核日期": date(year - 1, 9, 20),
            "计划拟定日期": drafted,
            "计划下达日期": issued,
        }
        yield {"计划年度": year, **{c: written(day, 0) if day <= start else "" for c, day in days.items()}}


def department_years(start: date) -> Iterator[Line]:
    """Yield the lines of the sheet 部门申报 for next year's plan."""
    for place, unit in enumerate((*words.UNITS, words.HEALTH)):
        units = 2 + place % 5
        yield {
            "计划年度": start.year + 1,
            "部门": unit,
            "统一社会信用代码": credit_code("11", f"MB{place:06d}"),
            "财政预算单位数": "" if department_case(place) == "unknown" else units,
            "申报项目数": units + 1 if department_case(place) == "over" else units - place % 2,
        }


def department_case(place: int) -> str:
    """Return whether a department applied for more projects than it has budget units, and whether these are known."""
    return {7: "over", 11: "unknown"}.get(place % 20, "within")
