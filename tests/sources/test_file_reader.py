from __future__ import annotations

import copy
import io
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from include.connections import Connection
from include.errors import ConfigurationError, LimitExceeded, ShuhengError, SourceMalformed, SourceUnreachable
from include.sources.card import Card, build_card
from include.sources.card_files import load_card
from include.sources.file_reader import read_files
from include.sources.page import PageFault, Window
from include.sources.raw_page import RawPage
from tests.sources import workbooks

CARD: dict[str, Any] = {
    "source": "made_up_files",
    "title": "虚构计划",
    "entity": "plan_entry",
    "reader": "file",
    "connection": "made_up_files",
    "key": ["name"],
    "file": {"glob": ["*.xlsx", "*.xls", "*.csv", "*.ods"], "header": ["项目名称", "建设单位"]},
    "classified": [{"field": "密级", "open": [None, ""]}],
    "personal": ["联系人"],
    "fields": {
        "plan_year": {"from": ["计划年度", "_year"]},
        "name": "项目名称",
        "unit_name": "建设单位",
        "planned_yuan": {"from": ["计划投资(万元)", "计划投资"], "as": "wan_yuan"},
    },
}
HEADING: list[Any] = ["项目名称", "建设单位", "计划投资(万元)"]
LINE: list[Any] = ["智慧校园", "市教育局", 12.5]


def card(limits: dict[str, int] | None = None, **file: object) -> Card:
    data = copy.deepcopy(CARD)
    data["file"].update(file)
    return build_card({**data, "limits": limits or {}}, Path("made_up_files.yaml"))


def connection(folder: Path) -> Connection:
    return Connection("made_up_files", "fs", extra={"path": str(folder)})


def found(folder: Path, **file: object) -> list[RawPage | PageFault]:
    items = list(read_files(card(**file), connection(folder), Window()))
    assert [item.number for item in items] == list(range(1, len(items) + 1))
    return items


def pages(folder: Path, **file: object) -> list[RawPage]:
    items = found(folder, **file)
    assert all(isinstance(item, RawPage) for item in items), items
    return [item for item in items if isinstance(item, RawPage)]


def rows(folder: Path, **file: object) -> list[dict[str, Any]]:
    return [row for page in pages(folder, **file) for row in page.rows]


def error(folder: Path, **file: object) -> ShuhengError:
    (item,) = found(folder, **file)
    assert isinstance(item, PageFault)
    return item.error


def test_rows_come_under_the_headings_with_file_sheet_line_and_year(tmp_path: Path) -> None:
    (tmp_path / "计划.xlsx").write_bytes(workbooks.xlsx(**{"2027年度": [["双鸭山市计划"], [], HEADING, LINE, LINE]}))
    (page,) = pages(tmp_path)
    assert page.rows == [
        dict(zip(HEADING, LINE, strict=True))
        | {"_file": "计划.xlsx", "_sheet": "2027年度", "_row": line, "_year": 2027}
        for line in (4, 5)
    ]
    assert (page.is_last, page.declared_rows, page.notes) == (True, None, ())
    assert page.received_bytes == (tmp_path / "计划.xlsx").stat().st_size


def test_every_sheet_is_a_page_and_the_last_of_all_is_marked(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(workbooks.xlsx(甲=[HEADING, LINE], 乙=[HEADING, LINE, LINE]))
    (tmp_path / "b.xlsx").write_bytes(workbooks.xlsx(丙=[HEADING]))
    found_pages = pages(tmp_path)
    assert [(p.rows[0]["_sheet"] if p.rows else "", len(p.rows), p.is_last) for p in found_pages] == [
        ("甲", 1, False),
        ("乙", 2, False),
        ("", 0, True),
    ]


@pytest.mark.parametrize("name", ["计划.xls", "计划.csv", "计划.xlsx", "计划.ODS"])
@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods", "html", "csv"])
def test_what_a_file_is_is_told_by_its_content(tmp_path: Path, name: str, kind: str) -> None:
    lines = [HEADING[:2], ["智慧校园", "市教育局"]]
    cells = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in line) + "</tr>" for line in lines)
    html = f"<html><head><meta charset=gb2312></head><body><table>{cells}</table></body></html>"
    content = {
        "xlsx": lambda: workbooks.xlsx(s=lines),
        "xls": lambda: workbooks.xls("s", lines),
        "ods": lambda: workbooks.ods("s", lines),
        "html": lambda: html.encode("gb18030"),
        "csv": lambda: "\n".join(",".join(line) for line in lines).encode(),
    }
    (tmp_path / name).write_bytes(content[kind]())
    (row,) = rows(tmp_path)
    assert (row["项目名称"], row["建设单位"], row["_row"]) == ("智慧校园", "市教育局", 2)


def test_values_are_as_json_has_them(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append([*HEADING, "日期", "时刻", "是", "公式样"])
    sheet.append([*LINE, date(2026, 11, 3), datetime(2026, 11, 3, 9, tzinfo=UTC).replace(tzinfo=None), True, "x"])
    sheet["G2"] = "=HYPERLINK(1)"
    sheet["G2"].data_type = "s"
    (tmp_path / "a.xlsx").write_bytes(workbooks.saved(book))
    (row,) = rows(tmp_path)
    assert (row["日期"][:10], row["时刻"], row["是"]) == ("2026-11-03", "2026-11-03T09:00:00", True)
    assert row["公式样"] == "=HYPERLINK(1)"
    assert json.loads(json.dumps(row)) == row


def test_headings_are_recognised_whatever_their_blanks_and_brackets(tmp_path: Path) -> None:
    heading = [
        "序号",
        " 项目\n名称 ",
        "建 设 单 位",
        "计划投资\n（万元）",
        "联 系 人",
        "密　级",
        "另一列",
        "",
        "另一列",
    ]
    (tmp_path / "a.xlsx").write_bytes(workbooks.xlsx(s=[heading, [1, *LINE, "张三", "非密", "甲", "乙", "丙"]]))
    (row,) = rows(tmp_path)
    assert {k: v for k, v in row.items() if not k.startswith("_") or k.startswith("_column")} == {
        "序号": 1.0,
        "项目名称": "智慧校园",
        "建设单位": "市教育局",
        "计划投资(万元)": 12.5,
        "联系人": "张三",
        "密级": "非密",
        "另一列": "甲",
        "_column_8": "乙",
        "另一列#2": "丙",
    }


def test_blank_lines_sums_and_repeated_headings_are_no_records(tmp_path: Path) -> None:
    lines = [
        HEADING,
        LINE,
        [],
        [" ", "", None],
        ["合 计", None, 25],
        HEADING,
        LINE,
        ["", "小计：", 9],
        ["合计平台", "x", 1],
    ]
    (tmp_path / "a.xlsx").write_bytes(workbooks.xlsx(s=lines))
    (page,) = pages(tmp_path)
    assert [row["_row"] for row in page.rows] == [2, 7, 9]
    assert page.notes == ("a.xlsx s: 2 lines with sums were left out",)


def test_merged_cells_are_told_and_not_filled(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for line in (["计划"], HEADING, LINE, ["智慧医疗", None, 3], ["智慧交通", None, 4]):
        sheet.append(line)
    sheet.merge_cells("A1:C1")
    sheet.merge_cells("B3:B5")
    (tmp_path / "a.xlsx").write_bytes(workbooks.saved(book))
    (page,) = pages(tmp_path)
    assert [row["建设单位"] for row in page.rows] == ["市教育局", "", ""]
    assert len(page.notes) == 1
    assert "1 merged ranges below the heading" in page.notes[0]


@pytest.mark.parametrize(
    ("name", "sheet", "title", "year"),
    [
        ("2026计划.xlsx", "２０２７年", "2025年", 2027),
        ("2026年度计划.xlsx", "甲", "2025年", 2026),
        ("计划.xlsx", "甲", "双鸭山市2025年度计划", 2025),
        ("20261103计划.xlsx", "甲", "计划", None),
    ],
)
def test_the_year_is_looked_for_in_sheet_file_and_title(
    tmp_path: Path, name: str, sheet: str, title: str, year: int | None
) -> None:
    (tmp_path / name).write_bytes(workbooks.xlsx(**{sheet: [[title], HEADING, LINE]}))
    (row,) = rows(tmp_path)
    assert row.get("_year") == year
    assert ("_year" in row) is (year is not None)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_is_read_in_every_usual_encoding_and_delimiter(tmp_path: Path, delimiter: str, encoding: str) -> None:
    lines = [["计划，2027年；甲"], HEADING, ["智慧,校园;\t平台", "市教育局\n二", "1,234.5"]]
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines)
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    (page,) = pages(tmp_path)
    (row,) = page.rows
    assert [row[name] for name in HEADING] == lines[2]
    assert (row["_row"], row["_sheet"], row["_year"]) == (3, "", 2027)
    assert page.notes == (() if encoding.startswith("utf-8") else (f"a.csv: decoded as {encoding.upper()}",))


def test_the_heading_is_not_looked_for_behind_thirty_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n".join(["说明"] * 29 + [",".join(HEADING), "a,b,1"]), "utf-8")
    assert len(rows(tmp_path)) == 1
    (tmp_path / "a.csv").write_text("\n".join(["说明"] * 30 + [",".join(HEADING), "a,b,1"]), "utf-8")
    assert isinstance(error(tmp_path), SourceMalformed)


def test_a_file_without_the_heading_is_told_what_was_wanted_and_found(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(
        workbooks.xlsx(甲=[["标题"], ["项目名称", "承建单位"], ["秘密项目", "某单位"]], 乙=[])
    )
    said = str(error(tmp_path))
    assert "'a.xlsx'" in said and "wanted the columns 项目名称, 建设单位, found 项目名称, 承建单位" in said
    assert "秘密" not in said
    (tmp_path / "a.xlsx").write_bytes(workbooks.xlsx(甲=[["秘密项目"]]))
    assert "found none" in str(error(tmp_path))


def test_sheets_that_are_hidden_not_asked_for_or_without_heading_are_left_out_and_told(tmp_path: Path) -> None:
    book = Workbook()
    book.worksheets[0].title = "计划1"
    for name in ("计划2", "说明", "计划隐"):
        book.create_sheet(name)
    for sheet in (book["计划1"], book["计划隐"]):
        sheet.append(HEADING)
        sheet.append(LINE)
    book["计划2"].append(["别的"])
    book["说明"].append(HEADING)
    book["计划隐"].sheet_state = "hidden"
    (tmp_path / "a.xlsx").write_bytes(workbooks.saved(book))
    (page,) = pages(tmp_path, sheet="计划*")
    assert [row["_sheet"] for row in page.rows] == ["计划1"]
    assert set(page.notes) == {
        "a.xlsx: the sheet '计划2' has no heading and was left out",
        "a.xlsx: the sheet '说明' is not asked for and was left out",
        "a.xlsx: the hidden sheet '计划隐' was left out",
    }
    assert "no visible sheet is called '总表'" in str(error(tmp_path, sheet="总表"))


def test_the_pattern_of_sheets_does_not_ask_for_a_sheet_of_a_csv_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(",".join(HEADING) + "\na,b,1\n", "utf-8")
    assert len(rows(tmp_path, sheet="计划*")) == 1


def test_a_bad_file_is_a_fault_in_its_place_and_the_others_are_read(tmp_path: Path) -> None:
    good = workbooks.xlsx(s=[HEADING, LINE])
    (tmp_path / "a.xlsx").write_bytes(good)
    (tmp_path / "b.xlsx").write_bytes(good[: len(good) // 2])
    (tmp_path / "c.xlsx").write_bytes(good)
    items = found(tmp_path)
    assert [type(item).__name__ for item in items] == ["RawPage", "PageFault", "RawPage"]
    assert isinstance(items[1], PageFault) and "'b.xlsx'" in str(items[1].error)
    assert isinstance(items[2], RawPage) and items[2].is_last


def test_files_are_found_in_any_case_and_folders_only_where_asked_for(tmp_path: Path) -> None:
    (tmp_path / "教育").mkdir()
    for name in ("B.XLSX", "教育/a.xlsx", ".hidden.xlsx", "notes.txt"):
        (tmp_path / name).write_bytes(workbooks.xlsx(s=[HEADING, LINE]))
    assert [row["_file"] for row in rows(tmp_path)] == ["B.XLSX"]
    assert [row["_file"] for row in rows(tmp_path, glob=["*.xlsx", "*/*.xlsx"])] == ["B.XLSX", "教育/a.xlsx"]


def test_no_files_and_no_folder_are_unreachable_by_name(tmp_path: Path) -> None:
    none = error(tmp_path)
    assert isinstance(none, SourceUnreachable)
    assert f"no files match *.xlsx, *.xls, *.csv, *.ods in {str(tmp_path)!r}" in str(none)
    missing = error(tmp_path / "无")
    assert isinstance(missing, SourceUnreachable) and "无" in str(missing)
    with pytest.raises(ConfigurationError, match=r"extra\.path"):
        list(read_files(card(), Connection("c", "fs"), Window()))


def test_a_file_larger_than_the_card_allows_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(",".join(HEADING) + "\n" + "a,b,1\n" * 2000, "utf-8")
    items = list(read_files(card({"page_bytes": 1024}), connection(tmp_path), Window()))
    assert isinstance(items[0], PageFault) and isinstance(items[0].error, LimitExceeded)


def test_the_shipped_card_reads_a_plan(tmp_path: Path) -> None:
    shipped = load_card("annual_plan")
    heading = ["序号", "项目代码", "项目名称", "建设单位", "计划投资（万元）", "密级", "联系人", "备注"]
    (tmp_path / "2027年度计划.xlsx").write_bytes(
        workbooks.xlsx(计划=[heading, [1, None, "平台", "市教育局", 5, "", "张三", ""]])
    )
    (page,) = read_files(shipped, connection(tmp_path), Window())
    assert isinstance(page, RawPage)
    assert page.rows[0]["计划投资(万元)"] == 5
    assert page.rows[0]["_year"] == 2027


cells = st.one_of(st.text(alphabet="平台a ,;\t\"'\n=-1", max_size=8), st.integers(-999, 999).map(float))


@given(st.lists(st.tuples(st.text(alphabet="平台abc", min_size=1, max_size=8), cells, cells), max_size=8))
def test_any_table_comes_back_from_csv_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[Any, ...]]
) -> None:
    import csv

    folder = tmp_path_factory.mktemp("files")
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([HEADING, *table])
    (folder / "a.csv").write_bytes(buffer.getvalue().encode())
    found_rows = rows(folder)
    assert [[row[name] for name in HEADING] for row in found_rows] == [[str(cell) for cell in line] for line in table]
