"""Which releases of the data sets may go: all but the newest, the last of every month, and what `current.json` points to."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from include.house.legal_holds import Held, resolve
from include.house.removal import House, Plan, Thing
from include.sources.location import file_at, is_local, location

KIND = "releases"
_STAMP = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
_LEAVING = ".removing-"
"""What a release is renamed to before it is removed: nobody ever reads half of one."""


def plan_releases(house: House) -> Plan:
    """Return the folders below `releases/` that may go; their names begin with their moment and so sort by time."""
    root = location(house.datasets_url) / KIND
    if not root.exists():
        return Plan(KIND)
    names = sorted(path.name for path in root.iterdir() if path.is_dir())
    things = [_thing(root / name, "removal_cut_short") for name in names if name.startswith(_LEAVING)]
    dated = [(name, day) for name in names if (day := _day(name))]
    stays: Counter[str] = Counter()
    with house.engine.connect() as connection:
        holds = resolve(connection, house.retention.holds_on(house.today))
    pointed = _current(house)
    newest = {name for name, _ in dated[-house.retention.last_releases :]}
    monthly = {(day.year, day.month): name for name, day in dated} if house.retention.last_of_month else {}
    cutoff = house.retention.cutoff(KIND, house.today)
    for name, day in dated:
        why = "current" if name in pointed else _why_kept(name, day, newest, set(monthly.values()), cutoff, holds)
        if why:
            stays[why] += 1
        else:
            things.append(_thing(root / name, "older_than_kept"))
    return Plan(KIND, things, dict(stays))


def _why_kept(
    name: str, day: date, newest: set[str], monthly: set[str], cutoff: date, holds: Sequence[Held]
) -> str | None:
    if name in newest or day >= cutoff:
        return "newest"
    if name in monthly:
        return "last_of_month"
    return "legal_hold" if any(held.keeps_day(day) for held in holds) else None


def _day(name: str) -> date | None:
    match = _STAMP.match(name)
    try:
        return date(*(int(part) for part in match.groups())) if match else None
    except ValueError:
        return None


def _current(house: House) -> set[str]:
    """Return the releases that readers are pointed to; the names stand in `current.json` as texts, or within paths."""
    path = location(house.datasets_url) / "current.json"
    text = path.read_text("utf-8") if path.exists() else ""
    return set(re.split(r"[\"/\\]", text))


def _thing(path: Any, reason: str) -> Thing:
    manifest = path / "manifest.json"
    sizes = {str(file.relative_to(path)): file.stat().st_size for file in path.rglob("*") if file.is_file()}
    content = manifest.read_bytes() if manifest.exists() else repr(sorted(sizes.items())).encode()
    return Thing((str(path),), hashlib.sha256(content).hexdigest(), reason, "", sum(sizes.values()))


def remove_releases(house: House, things: Sequence[Thing]) -> None:
    """Remove releases whole: on a folder each is renamed first, so that a kill leaves none that looks whole and is not."""
    for thing in things:
        path = file_at(thing.name[0])
        if not is_local(house.datasets_url):
            for file in sorted(path.rglob("*"), key=lambda file: file.name != "manifest.json"):
                if file.is_file():
                    file.unlink()
            continue
        leaving = path if path.name.startswith(_LEAVING) else path.with_name(_LEAVING + path.name)
        if path != leaving and path.exists():
            path.rename(leaving)
        shutil.rmtree(leaving, ignore_errors=True)
