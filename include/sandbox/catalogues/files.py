"""The catalogues that departments keep in files: a workbook of data resources, and components in a CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from include.sandbox import words
from include.sandbox.catalogues.entry import Entry, Mounted
from include.sandbox.catalogues.system_entries import COMPONENT_FILE, WORKBOOK
from include.sandbox.catalogues.world import CatalogueWorld

FOLDER = "catalogues"
WORKBOOK_NAME, CSV_NAME = "部门资源目录.xlsx", "组件目录.csv"
RESOURCES_SHEET, ITEMS_SHEET = "数据资源", "信息项"
TITLE = "双鸭山市部门数据资源目录"
HEADING = (
    *("序号", "信息资源名称", "信息资源代码", "提供方", "提供方代码", "所属系统编码", "关联项目代码", "信息资源摘要"),
    *("信息资源分类", "共享类型", "共享条件", "更新周期", "发布日期", "数据更新日期", "归集状态", "密级"),
    *("资源名称", "资源类型", "资源地址", "联系人", "联系电话"),
)
ITEM_HEADING = ("信息资源代码", "信息项名称", "数据类型", "长度")
COMPONENT_HEADING = (
    *("组件编码", "组件名称", "组件类型", "提供方", "提供方代码", "所属系统编码", "版本", "接入方式", "服务地址"),
    *("知识产权归属", "组件说明", "共享类型", "发布日期", "密级", "填报人", "联系电话", "备注一", "备注二"),
)
STRAY_COMMAS = ("", ",", ",,,", "")
"""What follows the last cell of a line, in turn."""


def write_catalogues(world: CatalogueWorld, folder: Path) -> list[Path]:
    """Write both files into a folder and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_workbook(world.listed(WORKBOOK), folder / WORKBOOK_NAME)
    _write_components(world.listed(COMPONENT_FILE), folder / CSV_NAME)
    return [folder / WORKBOOK_NAME, folder / CSV_NAME]


def _write_workbook(entries: list[Entry], path: Path) -> None:
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = RESOURCES_SHEET
    sheet.append([TITLE])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(HEADING))
    sheet.append(list(HEADING))
    for number, cells in enumerate(_lines(entries), 1):
        sheet.append([number, *cells])
    items = workbook.create_sheet(ITEMS_SHEET)
    items.append(list(ITEM_HEADING))
    for entry in entries:
        for item in entry.items:
            items.append([entry.code, item.name, item.type, item.length])
    workbook.save(path)


def _lines(entries: list[Entry]) -> Iterator[list[Any]]:
    """Yield a line for each mounted resource, and one for an entry without."""
    for entry in entries:
        for mounted in entry.mounted or (Mounted("", "", "", ""),):
            yield [
                *(entry.title, entry.code, entry.unit, entry.credit, entry.system, "、".join(entry.projects)),
                *(entry.summary, entry.theme, entry.share, entry.condition, entry.cycle_word, entry.issued),
                *(entry.updated, entry.collection, entry.secret, mounted.title, mounted.access, mounted.url),
                *_contact(entry),
            ]


def _write_components(entries: list[Entry], path: Path) -> None:
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file, lineterminator="")
        for turn, cells in enumerate([list(COMPONENT_HEADING), *map(_component, entries)]):
            writer.writerow(cells)
            file.write(f"{STRAY_COMMAS[turn % len(STRAY_COMMAS)]}\r\n")


def _component(entry: Entry) -> list[Any]:
    said = dict(entry.details)
    return [
        *(entry.code, entry.title, said["type"], entry.unit, entry.credit, entry.system, said["version"]),
        *(said["mode"], said["endpoint"], said["owner"], entry.summary, entry.share, entry.issued, entry.secret),
        *(*_contact(entry), "", ""),
    ]


def _contact(entry: Entry) -> tuple[str, str]:
    name = words.SURNAMES[entry.number % 12] + words.GIVEN_NAMES[entry.number % 11]
    return name, f"1380000{entry.number % 10000:04d}"
