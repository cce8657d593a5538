"""Lines below a heading become rows; one that a comma has shifted is marked, and nothing else is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sources import workbooks
from tests.sources.test_file_reader import rows

HEADING = "项目名称,建设单位,备注"


def marked(folder: Path, text: str) -> list[int | None]:
    (folder / "a.csv").write_text(text, "utf-8")
    return [row.get("_shifted") for row in rows(folder)]


@pytest.mark.parametrize(
    ("line", "surplus"),
    [
        ("甲,乙,丙", None),
        ("甲,乙", None),
        ("甲,乙,丙,,,", None),
        ('"甲,一",乙,丙', None),
        ("甲,一,乙,丙", 1),
        ("甲,一,二,乙,丙,,", 2),
        ("甲,一,,丙", 1),
    ],
)
def test_a_line_with_cells_behind_the_heading_is_marked_as_shifted(
    tmp_path: Path, line: str, surplus: int | None
) -> None:
    assert marked(tmp_path, f"{HEADING}\n{line}\n") == [surplus]


def test_stray_commas_of_the_heading_hide_no_shift(tmp_path: Path) -> None:
    assert marked(tmp_path, f"{HEADING},,,\n甲,一,乙,丙,,\n甲,乙,丙,,,\n") == [1, None]


def test_tabs_returns_and_the_mark_of_utf8_shift_nothing(tmp_path: Path) -> None:
    text = "\ufeff" + HEADING.replace(",", "\t") + "\r\n甲,一\t乙\t丙\r\n\r\n甲\t乙\t丙\r\n"
    assert marked(tmp_path, text) == [None, None]


@pytest.mark.parametrize(
    ("line", "surplus"),
    [(["甲", "乙", None, "已核"], None), (["甲", "乙", "丙", None, None], None), (["甲", "一", "乙", "丙"], 1)],
)
def test_a_note_beside_the_table_of_a_workbook_is_no_shift(
    tmp_path: Path, line: list[Any], surplus: int | None
) -> None:
    (tmp_path / "a.xlsx").write_bytes(workbooks.xlsx(s=[HEADING.split(","), line]))
    (row,) = rows(tmp_path)
    assert row.get("_shifted") == surplus
    assert row["项目名称"] == "甲"
