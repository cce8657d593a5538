"""The lines of a project's dossier, sheet by sheet, as a unit keeps them; cells are by name of column."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from include.sandbox import words
from include.sandbox.dossier_projects import Project
from include.sandbox.lives import Plant

Line = dict[str, Any]
Days = dict[str, date | None]
UNDESIGNED = (Plant.MERGED, Plant.MERGED_WITHOUT_GROUND)
OPEN_TENDER_FROM = 500_000


def written(day: date | None, number: int) -> Any:
    """Return a day as people write it: a cell of the workbook's own kind, or one of three texts."""
    if day is None:
        return ""
    forms = (day, day.isoformat(), f"{day.year}年{day.month}月{day.day}日", f"{day.year}/{day.month}/{day.day}")
    return forms[number % 4]


def dossier(project: Project) -> Line:
    """Return the line of the sheet 项目档案."""
    line = {"项目代码": project.code, "项目名称": project.record["PROJECT_NAME"]}
    if project.life.has(Plant.BLANK) and not project.is_county:
        return line
    line |= {
        "建设单位": project.unit,
        "统一社会信用代码": project.record["ENTERPRISE"]["LEREPCERTNO"],
        "需求单位": project.unit,
        "建设方式": "单位自建" if project.life.is_unit_built else "统一建设",
        "市本级财政资金": "部分" if project.is_county or project.number % 9 == 5 else "全部",
        "建设内容类别": _content(project),
        "批复概算(万元)": float(project.approved / 10000),
        "升级改造的系统编码": project.upgrades,
        "实施机构": f"{project.unit}信息中心",
        "项目负责人": words.SURNAMES[project.number % 12] + words.GIVEN_NAMES[project.number % 11],
        "管理制度": ("有", "《项目建设管理办法》", "已建立")[project.number % 3],
    }
    if project.is_county:
        days: Days = {"县(区)可研报市备案日期": _filed(project)}
    else:
        days = {**_approval_days(project), **_building_days(project)}
        line |= _grounds(project) | _states(project)
    line |= {column: written(day, project.number) for column, day in days.items()}
    return line


def is_late(county_project: Project) -> bool:
    """Return whether a county filed the report with the city after its approval."""
    return county_project.number % 4 == 0


def is_after_submission(county_project: Project) -> bool:
    """Return whether a county filed the report with the city after it had handed it in, and before its approval."""
    return county_project.number % 4 == 1


def _filed(county_project: Project) -> date:
    life = county_project.life
    if is_late(county_project):
        return life.day("replied") + timedelta(days=6)
    return life.day("accepted") + timedelta(days=2 if is_after_submission(county_project) else -4)


def _content(project: Project) -> str:
    if project.life.has(Plant.OWN_ROOM):
        return "机房建设"
    return "运维服务" if project.life.has(Plant.EXCLUDED) else "信息系统"


def _approval_days(project: Project) -> Days:
    life = project.life
    days: Days = {}
    if life.is_unit_built:
        days["可研报市数据局日期"] = project.told("review_requested")
        days["评审意见日期"] = project.told("review_opinion")
        if not life.has(Plant.UNAPPROVED_UNIT):
            days["单位自建批准日期"] = life.day("needed") - timedelta(days=5)
    if life.has(Plant.OFF_PLAN):
        days["计划外项目批准日期"] = life.day("needed") - timedelta(days=3)
    return days if life.has(Plant.REPLY_RUNNING) else days | _design_days(project)


def _design_days(project: Project) -> Days:
    life = project.life
    is_merged, is_filed = life.has(*UNDESIGNED), life.is_unit_built and not life.has(Plant.NOT_FILED)
    days: Days = {}
    if is_filed:
        days["可研批复备案日期"] = project.told("feasibility_filed")
    if not is_merged:
        days["初步设计报审日期"] = project.told("design_submitted")
    if not is_merged and not life.has(Plant.DESIGN_RUNNING):
        days["初步设计批复日期"] = project.told("designed")
        if is_filed:
            days["初步设计批复备案日期"] = project.told("design_filed")
    return days


def _building_days(project: Project) -> Days:
    if not project.is_built:
        return {}
    steps = {"开工日期": "started", "试运行起始日": "trial_started", "试运行结束日": "trial_ended", "上线日期": "live"}
    days = {column: project.told(step) for column, step in steps.items()}
    if project.number % 2 == 0:
        days["服务对象测试日期"] = project.told("users_tested")
    return days


def _grounds(project: Project) -> Line:
    """Return the numbers of documents: year and place in the list, told once the day has come."""
    life, number = project.life, project.number + 1
    found = {}
    if life.is_unit_built:
        found["评审意见文号"] = f"双数局评〔{life.day('review_opinion').year}〕{number}号"
        if not life.has(Plant.UNAPPROVED_UNIT):
            found["单位自建批准文号"] = f"双政办函[{life.day('needed').year}]{number}号"
    if life.has(Plant.OFF_PLAN):
        found["计划外项目批准文号"] = f"双政函〔{life.day('needed').year}〕{number}号"
    if life.has(Plant.MERGED):
        found["合并审批情形"] = "部分扩建改建"
    stops = (Plant.REPLY_RUNNING, Plant.DESIGN_RUNNING, *UNDESIGNED)
    if not life.has(*stops) and project.told("designed"):
        found["初步设计批复文号"] = f"双数局批〔{life.day('designed').year}〕{number}号"
    return found


def _states(project: Project) -> Line:
    is_public = project.number % 2 == 0
    found = {"面向公众服务": "是" if is_public else "否"}
    if project.is_built and project.told("trial_ended"):
        found["已完成建设内容"] = "已完成"
        if is_public:
            found["已按测试意见改进"] = "是"
    return found


def contracts(project: Project) -> Iterator[Line]:
    """Yield the lines of the sheet 合同."""
    if not project.is_built:
        return
    life = project.life
    for place, amount in enumerate(project.amounts, 1):
        days = {"中标(成交)日期": "awarded", "采购结果备案日期": "award_filed", "签订日期": "signed"}
        yield {
            "合同编号": contract_no(project, place),
            "项目代码": project.code,
            "合同名称": f"{project.record['PROJECT_NAME']}建设合同{place}",
            "合同金额(元)": f"{amount:,.2f}" if project.number % 3 == 0 else float(amount),
            "采购方式": "公开招标" if amount >= OPEN_TENDER_FROM else "竞争性磋商",
            "采购类别": ("服务", "货物", "服务类")[project.number % 3],
            **{column: written(project.told(step), project.number) for column, step in days.items()},
            "约定知识产权": "否" if life.has(Plant.IP_MISSING) else "是",
            "约定数据归属": "有",
            "约定违约责任": "√",
            "约定质保": "是",
            "质保期(月)": 12 if life.has(Plant.WARRANTY_SHORT) else (24, 36)[project.number % 2],
            "约定合同终止": "是",
            "市数据局共同签订": "否" if life.is_unit_built else "是",
        }


def contract_no(project: Project, place: int = 1) -> str:
    """Return the number of a project's contract."""
    return f"HT{project.number:05d}-{place}"


def payments(project: Project) -> Iterator[Line]:
    """Yield the lines of the sheet 付款."""
    if not project.is_built:
        return
    for place, amount in enumerate(project.amounts, 1):
        for turn, (kind, step, share) in enumerate(
            (("预付款", "advance", 30), ("进度款", "progress", 40), ("尾款", "final", 25)), 1
        ):
            paid = (amount * share / 100).quantize(amount)
            if day := project.told(step):
                yield {
                    "付款编号": f"FK{project.number:05d}-{place}{turn}",
                    "项目代码": project.code,
                    "合同编号": contract_no(project, place),
                    "款项类别": kind,
                    "付款日期": written(day, project.number),
                    "付款金额(元)": float(paid),
                }


def acceptances(project: Project) -> Iterator[Line]:
    """Yield the lines of the sheet 验收; one that failed is held again after six weeks."""
    if not project.is_accepted:
        return
    held, failed = project.life.day("accepted_works"), project.life.has(Plant.FAILED_THEN_PAID)
    line = {"项目代码": project.code, "组织单位": project.unit}
    yield line | {
        "验收编号": f"YS{project.number:05d}-1",
        "验收日期": written(held, project.number),
        "验收结论": "不合格" if failed else ("合格", "通过")[project.number % 2],
        "整改期限": written(held + timedelta(days=32), project.number) if failed else "",
    }
    if failed and (again := held + timedelta(days=42)) <= project.start:
        again_held = {"验收编号": f"YS{project.number:05d}-2", "验收日期": written(again, project.number)}
        yield line | again_held | {"验收结论": "验收合格"}


def suspensions(project: Project) -> Iterator[Line]:
    """Yield the lines of the sheet 时限中止."""
    life, line = project.life, {"项目代码": project.code, "决定单位": "双鸭山市数据局"}
    if life.has(Plant.SUSPENDED_CORRECTION):
        begun = life.day("review_requested") + timedelta(days=3)
        line |= {"中止编号": f"ZZ{project.number:05d}-1", "中止的时限": "评审意见", "中止事由类别": "补正"}
        line["中止原因"] = f"材料不齐，请补正，联系电话1380000{project.number % 10000:04d}"
        yield line | {"中止日期": written(begun, 1), "恢复日期": written(begun + timedelta(days=20), 1)}
    if life.has(Plant.SUSPENDED_THIRD_PARTY):
        begun = life.day("design_submitted") + timedelta(days=2)
        line |= {"中止编号": f"ZZ{project.number:05d}-2", "中止的时限": "初步设计", "中止事由类别": "第三方评估"}
        line["中止原因"] = "委托第三方机构评估初步设计方案"
        yield line | {"中止日期": written(begun, 0), "恢复日期": written(begun + timedelta(days=30), 0)}


def reviews(project: Project) -> Iterator[Line]:
    """Yield the lines of the sheet 绩效评价."""
    if project.is_county or project.life.has(Plant.BLANK):
        return
    kinds = {} if project.life.has(Plant.EX_ANTE_MISSING) else {"事前绩效评估": "needed"}
    if project.is_accepted and not project.life.has(Plant.SELF_MISSING):
        kinds |= {"自评价": "self_review"}
        if not project.life.has(Plant.SELF_EARLY, Plant.SELF_LATE):
            kinds |= {"后评价": "post_review"}
    for place, (kind, step) in enumerate(kinds.items(), 1):
        if day := project.told(step):
            number = {"评价编号": f"JX{project.number:05d}-{place}", "项目代码": project.code, "评价类别": kind}
            yield number | {"评价日期": written(day, project.number), "评价结论": ("优", "良")[project.number % 2]}
