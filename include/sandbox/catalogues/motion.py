"""A day in the catalogues: entries change, appear, vanish, come back or get another native identifier; it says which."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from include.sandbox.catalogues.entry import DATA, Entry, uuid_of
from include.sandbox.catalogues.portal_entries import CKAN, DATAJSON, DCAT, MUNICIPAL, fresh_entry
from include.sandbox.catalogues.system_entries import EXCHANGE, FRONTDB
from include.sandbox.catalogues.world import SOURCES, CatalogueWorld
from include.sandbox.motion import amount

MOVEMENTS = ("changes", "new", "vanish", "return", "recode")
KEYED = (EXCHANGE, CKAN, DCAT, DATAJSON)
"""Sources with native identifiers of their own."""
GROWING = (CKAN, DCAT, DATAJSON, MUNICIPAL)
Movement = dict[str, Any]


def check(wanted: Any) -> dict[str, float]:
    """Return the movement asked for; raises ValueError for what is none."""
    if not isinstance(wanted, dict):
        raise TypeError("catalogue is an object of movements")
    unknown = set(wanted) - set(MOVEMENTS)
    if unknown:
        raise ValueError(f"unknown movement of catalogues {sorted(unknown)}; known are {list(MOVEMENTS)}")
    for value in wanted.values():
        amount(value, 0)
    return wanted


def advance(world: CatalogueWorld, wanted: dict[str, float], day: str) -> Movement:
    """Move the catalogues one day on and return what changed; what is not asked for does not happen."""
    with world.lock:
        size = sum(len(world.entries(source)) for source in SOURCES)
        numbers = {name: amount(wanted.get(name, 0), size) for name in MOVEMENTS}
        moved = _Day(world, day).run(numbers)
        world.version += 1
        return moved


class _Day:
    """One day's movement."""

    def __init__(self, world: CatalogueWorld, day: str) -> None:
        self.world, self.day = world, day
        self.random = Random(f"{world.city.seed}/catalogue/{day}")
        self.touched: set[int] = set()
        self.places: dict[str, dict[int, int]] = {}

    def run(self, numbers: dict[str, int]) -> Movement:
        returned = [self._return() for _ in range(min(numbers["return"], len(self.world.gone)))]
        vanished = self._vanish(self._pick(numbers["vanish"], (*KEYED, MUNICIPAL)))
        recoded = [self._recode(entry) for entry in self._pick(numbers["recode"], KEYED)]
        changed = [self._change(entry) for entry in self._pick(numbers["changes"], SOURCES)]
        new = [self._appear(n) for n in range(numbers["new"])]
        return {"changed": changed, "new": new, "vanished": vanished, "returned": returned, "recoded": recoded}

    def _pick(self, count: int, sources: tuple[str, ...]) -> list[Entry]:
        """Return plain entries that are not touched yet."""
        pool = [
            entry
            for source in sources
            for entry in self.world.entries(source)
            if entry.is_good and entry.copies == 1 and id(entry) not in self.touched
        ]
        picked = self.random.sample(pool, min(count, len(pool)))
        self.touched.update(map(id, picked))
        return picked

    def _change(self, entry: Entry) -> Movement:
        summary = f"{entry.summary}（{self.day}修订）"
        modified = self.world.city.start.isoformat() if entry.modified else ""
        changes = {"summary": summary, "modified": modified}
        if entry.source == FRONTDB or entry.kind != DATA:
            changes = {"summary": summary}
        self._put(entry, replace(entry, **changes))  # type: ignore[arg-type]
        fields = {name: [getattr(entry, name), value] for name, value in changes.items()}
        return named(entry) | {"fields": {n: pair for n, pair in fields.items() if pair[0] != pair[1]}}

    def _put(self, before: Entry, after: Entry) -> None:
        """Put an entry in the place of another; nothing may vanish from a source afterwards on the same day."""
        entries = self.world.entries(before.source)
        if before.source not in self.places:
            self.places[before.source] = {id(entry): place for place, entry in enumerate(entries)}
        entries[self.places[before.source][id(before)]] = after
        self.touched.add(id(after))

    def _appear(self, turn: int) -> Movement:
        source = GROWING[turn % len(GROWING)]
        number = 1_000_000 + int(self.day.replace("-", "")) % 1_000_000 * 100 + turn
        entry = replace(fresh_entry(self.world.city, source, number), kind=DATA, details=())
        self.world.entries(source).append(entry)
        self.touched.add(id(entry))
        return named(entry)

    def _vanish(self, picked: list[Entry]) -> list[Movement]:
        leaving = set(map(id, picked))
        for source in {entry.source for entry in picked}:
            entries = self.world.entries(source)
            entries[:] = [entry for entry in entries if id(entry) not in leaving]
        self.world.gone += picked
        return [named(entry) for entry in picked]

    def _return(self) -> Movement:
        entry = self.world.gone.pop(0)
        self.world.entries(entry.source).append(entry)
        self.touched.add(id(entry))
        return named(entry)

    def _recode(self, entry: Entry) -> Movement:
        after = replace(entry, key=uuid_of("recode", self.day, entry.key))
        self._put(entry, after)
        return named(entry) | {"old": entry.key, "new": after.key}


def named(entry: Entry) -> Movement:
    """Return what names an entry: its source, its native identifier and its title."""
    return {"source": entry.source, "key": entry.key, "code": entry.code, "title": entry.title, "unit": entry.unit}
