"""The verb `house`: what keep_house would remove and what a person should look at; with `--apply` it removes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from include.clock import now
from include.commands import DONE, dumps, say

if TYPE_CHECKING:
    from include.house.removal import Removed

TITLES = {
    "landing_pages": "落地原始页", "probe_rounds": "探测明细", "probe_days": "探测日汇总", "message_bodies": "已发消息正文",
    "delivery_attempts": "投递记录", "spool_files": "文件通道文件", "releases": "数据集旧版本",
}  # fmt: skip
REASONS = {
    "older_than_kept": "超过留存天数", "named_by_no_batch": "无批次引用", "message_forgotten": "消息已清除",
    "removal_cut_short": "上次未删完",
}  # fmt: skip
STAYS = {
    "legal_hold": "留存令", "open_finding": "未了结线索的证据", "not_merged": "批次未并入", "quarantine": "隔离记录",
    "newest": "最近版本", "last_of_month": "每月最后版本", "current": "现行版本",
}  # fmt: skip
"""What people read: kinds of what is kept, why it goes, why it stays."""


def add_house(verb: argparse.ArgumentParser) -> None:
    """Declare what `house` takes."""
    verb.add_argument("--apply", action="store_true", help="remove; without it nothing is touched")
    verb.add_argument("--kind", action="append", choices=list(TITLES), help="one kind, may be repeated; by default all")


def house(options: argparse.Namespace) -> int:
    """Say, or do, what retention asks for, and review what a person should look at."""
    from include.house.keeping import keep_all, open_house
    from include.house.review import review

    place = open_house()
    removed = keep_all(place, apply=options.apply, kinds=options.kind or list(TITLES))
    found = review(place.engine, now().date())
    if options.json:
        say(dumps({"retention": [asdict(one) for one in removed], "review": found.summary()}))
        return DONE
    for line in [*lines(removed), *found.lines()]:
        say(line)
    return DONE


def lines(removed: Sequence[Removed]) -> list[str]:
    """Return what retention came to for people, in Chinese."""
    found = []
    for one in removed:
        verb = "已清理" if one.is_applied else "可清理(试运行,未动)"
        why = "、".join(f"{REASONS.get(name, name)} {count}" for name, count in one.reasons.items())
        stays = "、".join(f"{STAYS.get(name, name)} {count}" for name, count in one.stays.items())
        line = f"{TITLES[one.kind]}: {verb} {one.things} 项" + (f"({why})" if why else "")
        found.append(line + (f";到期但保留: {stays}" if stays else ""))
    return found
