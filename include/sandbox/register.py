"""What departments keep in files: the register of systems with exemptions and maintenance windows, and usage as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from include.sandbox import words
from include.sandbox.city_days import Days
from include.sandbox.systems import City, System

WORKBOOK = "信息系统台账.xlsx"
SYSTEMS = words.REGISTER_COLUMNS
EXEMPTIONS = ["豁免编号", "系统编码", "豁免事项", "豁免依据", "文号", "批准单位", "生效日期", "到期日期"]
WINDOWS = ["检修编号", "系统编码", "开始时间", "结束时间", "检修事由"]
USAGE = ["日期", "系统编码", "登录次数", "活跃用户数", "注册用户数"]
USAGE_DAYS = 150
GROUNDS = {
    "上云": "国家有关部门统一部署的业务专网系统，法律法规另有规定，暂不迁移至全市云平台",
    "联通": "仅供本单位内部使用且不产生公共数据，经批准暂不接入市数据共享交换平台",
    "闲置": "承担法定备查职责，平时无业务量，经批准保留运行",
}

Cells = list[Any]


def write_register(city: City, folder: Path) -> Path:
    """Write the workbook of a city into a folder and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    workbook = Workbook()
    workbook.remove(workbook.active)
    _sheet(workbook, "信息系统", SYSTEMS, (_system(city, system) for system in city.systems))
    _sheet(workbook, "豁免登记", EXEMPTIONS, _exemptions(city))
    _sheet(workbook, "检修窗口", WINDOWS, maintenance(city))
    workbook.save(folder / WORKBOOK)
    return folder / WORKBOOK


def write_usage(days: Days, folder: Path, today: date) -> list[Path]:
    """Write a CSV in GB18030 for each month, up to yesterday, of the department that is not on the platform."""
    folder.mkdir(parents=True, exist_ok=True)
    day = days.city.ago(USAGE_DAYS).replace(day=1)
    by_month: dict[str, list[Cells]] = {}
    while day < today:
        rows = days.usage(day, in_files=True)
        lines = by_month.setdefault(f"{day:%Y-%m}", [])
        lines += [[day.isoformat(), r["appCode"], r["loginCount"], r["activeUsers"], r["totalUsers"]] for r in rows]
        day += timedelta(days=1)
    paths = []
    for month, lines in by_month.items():
        paths.append(folder / f"系统使用情况-卫生健康委员会-{month}.csv")
        with paths[-1].open("w", encoding="gb18030", newline="") as file:
            csv.writer(file).writerows([USAGE, *lines])
    return paths


def maintenance(city: City) -> Iterator[Cells]:
    """Yield windows of a few healthy systems: one long over, one open around the start, one to come."""
    healthy = [system for system in city.open if system.profile_name == "healthy" and system.services]
    for number, system in enumerate(healthy[:6]):
        begin = city.start + timedelta(days=(-40, 0, 10)[number % 3])
        times = (f"{begin} 00:00:00", f"{begin + timedelta(days=1 if number % 3 == 1 else 0)} 06:00:00")
        yield [f"JX2026{number + 1:03d}", system.code, *times, "数据库版本升级"]


def _sheet(workbook: Workbook, title: str, heading: Sequence[str], lines: Iterable[Cells]) -> None:
    sheet = workbook.create_sheet(title)
    sheet.append(list(heading))
    for line in lines:
        sheet.append(line)


def _system(city: City, system: System) -> Cells:
    profile, draw = system.profile, city.draw("contact", system.number)
    live = None if profile.live_for is None else city.ago(profile.live_for)
    trial = live and live - timedelta(days=45)
    if profile.status == "试运行":
        trial = city.ago(profile.released or 0)
    level = ("三级", "二级", "")[system.number % 3]
    return [
        system.code,
        system.name,
        system.unit,
        system.credit,
        "、".join(system.projects),
        profile.status,
        profile.deployment,
        profile.purpose,
        _season(city) if profile.has_season else "",
        profile.declared,
        level,
        f"2305{system.number:08d}-{system.number % 97:05d}" if level else "",
        city.ago(100 + system.number % 400).isoformat() if level == "三级" else "",
        system.users,
        trial.isoformat() if trial else "",
        live,
        "" if profile.released is None else city.ago(profile.released).isoformat(),
        "秘密" if profile.is_classified else ("", "非密")[system.number % 2],
        draw.of(words.SURNAMES) + draw.of(words.GIVEN_NAMES),
        f"1380000{draw.below(10000):04d}",
    ]


def _season(city: City) -> str:
    """Return a season that begins four months from the start day and lasts two."""
    begin, end = city.ago(-120), city.ago(-180)
    return f"{begin.month}月{begin.day}日至{end.month}月{end.day}日"


def _exemptions(city: City) -> Iterator[Cells]:
    number = 0
    for system in city.open:
        if system.profile.exemption:
            number += 1
            kind, days = system.profile.exemption
            yield [
                f"HM2026{number:03d}",
                system.code,
                kind,
                GROUNDS[kind],
                f"双政办函〔2025〕{number}号",
                "双鸭山市人民政府办公室",
                city.ago(300).isoformat(),
                city.ago(-days).isoformat(),
            ]
