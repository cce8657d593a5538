"""Rows of another sheet and lines of a template become lists of their record; a secret one takes its record along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from include.errors import LimitExceeded
from include.sources.archive_check import MOST_CELLS
from include.sources.card import build_card
from include.sources.file_reader import read_files
from include.sources.joined_rows import fill_down
from include.sources.page import PageFault, Window
from include.sources.privacy import Gatekeeper
from include.sources.raw_page import RawPage
from include.sources.workbook import Merged, Sheet
from tests.sources import workbooks
from tests.sources.test_file_reader import connection

Rows = list[dict[str, Any]]

CHILD = {"as": "信息项", "sheet": "信息项*", "header": ["名称"], "parent": {"目录代码": "代码"}}
FOLD = {"by": ["代码", "资源名称"], "into": "信息项", "columns": ["信息项名称", "数据类型"]}
CARD: dict[str, Any] = {
    "source": "made_up_files",
    "title": "虚构目录",
    "entity": "resource",
    "group": "catalogues",
    "reader": "file",
    "connection": "made_up_files",
    "key": ["resource_id"],
    "classified": [{"field": "密级", "open": ["公开", None]}],
    "personal": ["信息项.联系人"],
    "fields": {"resource_id": "代码", "title": "资源名称"},
    "nested": [
        {"entity": "resource_item", "rows": "信息项", "key": ["name"],
         "fields": {"name": {"from": ["名称", "信息项名称"]}, "data_type": "数据 类型"}}
    ],
}  # fmt: skip


def read(folder: Path, data: bytes, **file: object) -> tuple[Rows, str]:
    (folder / "目录.xlsx").write_bytes(data)
    card = build_card(
        {**CARD, "file": {"glob": ["*"], "header": ["代码", "资源名称"], **file}}, Path("made_up_files.yaml")
    )
    (page,) = read_files(card, connection(folder), Window())
    assert isinstance(page, RawPage), page
    admitted = Gatekeeper(card).admit(page)
    return admitted.rows, "\n".join(page.notes)


def test_rows_of_a_child_sheet_stand_in_their_parents(tmp_path: Path) -> None:
    data = workbooks.xlsx(
        资源=[["代码", "资源名称"], ["A1\n", "甲"], [2, "乙"], ["A3", "丙"]],
        信息项=[
            ["说明"], ["目录 代码", "名称", "数据类型", "联系人"],
            ["A1", "a", "字符", "张三"], ["A1 ", "b", "", ""], ["2", "c", "", ""],
        ],
    )  # fmt: skip
    rows, notes = read(tmp_path, data, children=[CHILD])
    items = [[item["名称"] for item in row["信息项"]] for row in rows]
    assert items == [["a", "b"], ["c"], []]
    first = rows[0]["信息项"][0]
    assert {k: v for k, v in first.items() if k != "联系人"} == {"目录代码": "A1", "名称": "a", "数据 类型": "字符"}
    assert "张三" not in str(rows)
    assert notes == ""


def test_a_child_without_parent_is_told_with_count_and_line(tmp_path: Path) -> None:
    data = workbooks.xlsx(
        资源=[["代码", "资源名称"], ["A1", "甲"], [None, "乙"]],
        信息项=[["目录代码", "名称"], ["A1", "a"], ["A9", "b"], [None, "c"]],
    )
    rows, notes = read(tmp_path, data, children=[CHILD])
    assert [len(row["信息项"]) for row in rows] == [1, 0]
    assert "2 lines of '信息项*' have no parent and were left out, as line 3" in notes


def test_the_first_of_equal_parents_has_the_children_and_the_others_do_not_say_that_they_have_none(
    tmp_path: Path,
) -> None:
    data = workbooks.xlsx(
        资源=[["代码", "资源名称"], ["A1", "甲"], ["A1", "甲"]], 信息项=[["目录代码", "名称"], ["A1", "a"]]
    )
    rows, notes = read(tmp_path, data, children=[CHILD])
    assert [row.get("信息项") for row in rows] == [[{"目录代码": "A1", "名称": "a"}], None]
    assert "1 lines have the 代码 of an earlier one, as line 3" in notes


def test_without_the_child_sheet_nothing_is_said_of_children(tmp_path: Path) -> None:
    rows, notes = read(tmp_path, workbooks.xlsx(资源=[["代码", "资源名称"], ["A1", "甲"]]), children=[CHILD])
    assert ["信息项" in row for row in rows] == [False]
    assert "no sheet '信息项*' with the columns 名称; 信息项 stays unknown" in notes


def test_a_child_sheet_with_the_parents_heading_has_no_parents(tmp_path: Path) -> None:
    data = workbooks.xlsx(
        资源=[["代码", "资源名称"], ["A1", "甲"]],
        信息项=[["目录代码", "代码", "资源名称", "名称"], ["A1", "A1", "甲", "a"]],
    )
    rows, _ = read(tmp_path, data, children=[CHILD])
    assert [len(row["信息项"]) for row in rows] == [1]


def test_a_secret_child_takes_its_parent_along(tmp_path: Path) -> None:
    data = workbooks.xlsx(
        资源=[["代码", "资源名称", "密级"], ["A1", "甲", "公开"], ["A2", "乙", "公开"]],
        信息项=[["目录代码", "名称", "密级"], ["A1", "a", ""], ["A1", "b", "秘密"], ["A2", "c", ""]],
    )
    rows, _ = read(tmp_path, data, children=[CHILD])
    assert [row["代码"] for row in rows] == ["A2"]


TEMPLATE: list[list[Any]] = [
    ["序号", "代码", "资源名称", "密级", "信息项名称", "数据类型"],
    [1, "A1", "甲", "", "a", "字符"],
    [None, None, None, "", "b", ""],
    [2, "A2", "乙", "公开", "c", "日期"],
    [2, "A2", "乙", "", "d", ""],
    [3, None, "丙", "", "", ""],
    [None, None, "丁", "", "e", ""],
]


def test_lines_with_blank_or_equal_columns_are_one_record(tmp_path: Path) -> None:
    rows, notes = read(tmp_path, workbooks.xlsx(目录=TEMPLATE), fold=FOLD)
    assert [(row["资源名称"], [item["信息项名称"] for item in row["信息项"]], row["_row"]) for row in rows] == [
        ("甲", ["a", "b"], 2), ("乙", ["c", "d"], 4), ("丙", [], 6), ("丁", ["e"], 7),
    ]  # fmt: skip
    assert rows[0]["信息项"][0] == {"信息项名称": "a", "数据 类型": "字符"}
    assert "信息项名称" not in rows[0]
    assert notes == ""


def test_merged_cells_are_filled_down_where_lines_are_folded(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for line in TEMPLATE[:3]:
        sheet.append(line)
    sheet.append([None, None, None, "", "c", None])
    for column in "ABCF":
        sheet.merge_cells(f"{column}2:{column}4")
    rows, notes = read(tmp_path, workbooks.saved(book), fold=FOLD)
    assert [item["数据 类型"] for row in rows for item in row["信息项"]] == ["字符", "字符", "字符"]
    assert notes == ""


def test_merged_cells_that_overlap_without_end_are_refused() -> None:
    sheet = Sheet("s", [["a"] for _ in range(20)], tuple(Merged(2, MOST_CELLS, 0) for _ in range(3)))
    with pytest.raises(LimitExceeded, match="overlap"):
        fill_down(sheet, 0)


@pytest.mark.parametrize("line", [[None, None, None, "秘密", "b", ""], [1, "A1", "甲", "机密", "b", ""]])
def test_a_secret_line_takes_its_record_along(tmp_path: Path, line: list[Any]) -> None:
    rows, _ = read(tmp_path, workbooks.xlsx(目录=[*TEMPLATE[:2], line, *TEMPLATE[3:]]), fold=FOLD)
    assert [row["资源名称"] for row in rows] == ["乙", "丙", "丁"]


def test_a_workbook_without_the_columns_of_the_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(workbooks.xlsx(目录=[["资源名称", "信息项名称"], ["甲", "a"]]))
    card = build_card(
        {**CARD, "file": {"glob": ["*"], "header": ["资源名称"], "fold": FOLD}}, Path("made_up_files.yaml")
    )
    (fault,) = read_files(card, connection(tmp_path), Window())
    assert isinstance(fault, PageFault)
    assert "wanted the columns 资源名称, 代码" in str(fault.error)
