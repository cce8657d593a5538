"""The dossiers of the sandbox: most lives are healthy, each departure is planted, and workbook and platform tell one story."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from include.sandbox.dossier_projects import Project
from include.sandbox.dossier_truth import dossier_truth
from include.sandbox.dossiers import SHEETS, Dossiers, write_dossiers
from include.sandbox.lives import Plant
from include.sandbox.systems import City
from include.sandbox.world import World

START = date(2026, 11, 27)
AHEAD = {"有效期至", "到期日期", "整改期限"}
"""Columns whose days may lie ahead of the start day."""


def dossiers(size: int, seed: int = 7, start: date = START) -> Dossiers:
    return Dossiers(City(World(size, seed), None, start))


@pytest.fixture(scope="module")
def small() -> Dossiers:
    return dossiers(100)


@pytest.fixture(scope="module")
def usual() -> Dossiers:
    return dossiers(2000)


def items_of(project: Project) -> dict[str, dict[str, Any]]:
    known = {"可行性研究报告": "feasibility", "初步设计": "design"}
    return {
        kind: item for item in project.record["ITEMS"] for word, kind in known.items() if word in str(item["ITEM_NAME"])
    }


def day_of(text: str) -> date:
    return datetime.fromisoformat(text).date()


def day_in(cell: object) -> date | None:
    """Return the day that a cell holds, however it was written."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = str(cell or "")
    for form in ("%Y-%m-%d", "%Y年%m月%d日", "%Y/%m/%d"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - days have no zone
        except ValueError:
            continue
    return None


def test_every_departure_is_planted_in_a_small_world_and_most_lives_are_healthy_in_a_usual_one(
    small: Dossiers, usual: Dossiers
) -> None:
    planted = dossier_truth(small)["planted"]
    assert {plant for plant, codes in planted.items() if not codes} == {Plant.DESIGN_RUNNING}
    truth = dossier_truth(usual)
    assert all(truth["planted"].values())
    digital = usual.city.world.layout.digital_count
    assert digital / 2 < len(truth["healthy"]) < digital
    assert len(truth["accepted"]) > digital / 2
    departed = {code for codes in truth["planted"].values() for code in codes}
    assert not departed & set(truth["healthy"])
    assert len(truth["county"]["late"]) < len(truth["county"]["in_time"])


def test_platform_and_dossier_tell_one_story(usual: Dossiers) -> None:
    checked = 0
    for project in usual.projects:
        life, items = project.life, items_of(project)
        feasibility = items["feasibility"]
        assert day_of(feasibility["ACCEPT_TIME"]) == life.day("accepted") > life.day("review_opinion")
        assert (feasibility["DEAL_TIME"] == "") == life.has(Plant.REPLY_RUNNING)
        if "design" not in items:
            assert life.has(Plant.REPLY_RUNNING, Plant.MERGED, Plant.MERGED_WITHOUT_GROUND)
            continue
        assert day_of(feasibility["DEAL_TIME"]) == life.day("replied") < life.day("design_submitted")
        if not life.has(Plant.DESIGN_RUNNING):
            assert day_of(items["design"]["DEAL_TIME"]) == life.day("designed") == life.anchor
        assert day_of(project.record["APPLY_DATE"].removesuffix(".0")) < life.day("needed")
        checked += 1
    assert checked > 80


def test_terms_of_healthy_lives_have_room_and_late_ones_leave_no_doubt(usual: Dossiers) -> None:
    """Fifteen, eight and twenty working days; the longest holidays have nine days."""
    terms = {
        "review_requested": ("review_opinion", 15),
        "accepted": ("replied", 8),
        "design_submitted": ("designed", 20),
    }
    late = {"review_requested": Plant.REVIEW_LATE, "design_submitted": Plant.DESIGN_LATE}
    stopped = {"review_requested": Plant.SUSPENDED_CORRECTION, "design_submitted": Plant.SUSPENDED_THIRD_PARTY}
    seen = set()
    for project in usual.projects:
        for begin, (end, working_days) in terms.items():
            days = (project.life.day(end) - project.life.day(begin)).days
            if late.get(begin) in project.life.plants:
                assert days * 5 // 7 - 9 > working_days
                seen.add(late[begin])
            elif stopped.get(begin) not in project.life.plants:
                assert days <= working_days
    assert seen == set(late.values())


def test_the_workbook_tells_nothing_that_has_not_happened(usual: Dossiers, tmp_path: Path) -> None:
    workbook = load_workbook(write_dossiers(usual, tmp_path), read_only=True)
    assert workbook.sheetnames == [title for title, _ in SHEETS.values()]
    looked_at, ahead = 0, 0
    for sheet in workbook:
        lines = [line for line in sheet.iter_rows(values_only=True) if len([c for c in line if c]) > 1]
        heading = lines[0]
        assert heading[-3:] == ("密级", "联系人", "联系电话")
        for line in lines[1:]:
            for column, cell in zip(heading, line, strict=False):
                if (day := day_in(cell)) is None:
                    continue
                looked_at += 1
                assert day <= START or column in AHEAD, (sheet.title, column, cell)
                ahead += day > START
    assert looked_at > 3000
    assert ahead > 100
    workbook.close()


def test_a_classified_project_is_marked_in_every_sheet_that_names_it(small: Dossiers, tmp_path: Path) -> None:
    (line,) = small.classified["project_dossiers"]
    assert line["项目代码"] not in {project.code for project in small.projects}
    workbook, marked = load_workbook(write_dossiers(small, tmp_path)), []
    for sheet in workbook:
        for cells in sheet.iter_rows(values_only=True):
            if line["项目代码"] in cells:
                assert "秘密" in cells
                marked.append(sheet.title)
    assert len(marked) == 9
    assert len(set(marked)) == 9


def test_the_same_seed_and_day_bring_the_same_lines_and_a_later_day_moves_what_counts_from_it() -> None:
    first, again, later = dossiers(100), dossiers(100), dossiers(100, start=START + timedelta(days=7))
    assert [list(first.lines(s)) for s in SHEETS] == [list(again.lines(s)) for s in SHEETS]
    notices = [[line["下达日期"] for line in one.sheets["rectifications"]] for one in (first, later)]
    assert len(notices[0]) == len(notices[1]) > 2
    assert not set(map(str, notices[0])) & set(map(str, notices[1]))
    assert list(first.lines("contracts")) != list(dossiers(100, seed=8).lines("contracts"))


def test_a_plant_is_told_only_once_it_can_be_seen() -> None:
    early = dossiers(100, start=date(2025, 6, 1))
    planted = dossier_truth(early)["planted"]
    assert planted["self_evaluation_late"] == planted["failed_then_paid"] == []
    assert planted["reply_running"]
    assert [p.code for p in early.projects if p.is_accepted] == dossier_truth(early)["accepted"]
    assert len(dossier_truth(early)["accepted"]) < 5


@pytest.mark.parametrize("size", [1, 2, 7])
def test_the_smallest_worlds_have_dossiers_too(size: int, tmp_path: Path) -> None:
    tiny = dossiers(size)
    assert write_dossiers(tiny, tmp_path).exists()
    assert dossier_truth(tiny)["rows"]["project_dossiers"] >= 1
