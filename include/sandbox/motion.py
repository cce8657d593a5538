"""Time moves one day on: records change, appear, vanish, come back or get a new code; it says which."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from include.sandbox import words
from include.sandbox.layout import COMPARED, STILL, Kind
from include.sandbox.records import Draw, Record
from include.sandbox.world import World

Movement = dict[str, Any]
MOVEMENTS = ("changes", "new", "vanish", "return", "reissue")


def amount(value: float, size: int) -> int:
    """Return a number of records: a share when below one, else the number itself."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"wanted a number of records or a share below 1, not {value!r}")
    return max(1, round(value * size)) if 0 < value < 1 else int(value)


def advance(world: World, wanted: dict[str, float] | None = None) -> Movement:
    """Move the world one day on and return what changed; what is not asked for does not happen."""
    wanted = wanted or {}
    unknown = set(wanted) - set(MOVEMENTS)
    if unknown:
        raise ValueError(f"unknown movement {sorted(unknown)}; known are {list(MOVEMENTS)}")
    numbers = {name: amount(wanted.get(name, 0), world.size) for name in MOVEMENTS}
    with world.lock:
        return _Day(world).run(numbers)


class _Day:
    """One day's movement over a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.day += timedelta(days=1)
        self.random = Random(f"{world.seed}/{world.day:%Y%m%d}")  # noqa: S311
        self.touched: set[int] = set(world.vanished)
        self.written = 0

    def run(self, numbers: dict[str, int]) -> Movement:
        world = self.world
        returned = self._come_back(numbers["return"])
        vanished = self._vanish(numbers["vanish"])
        reissued = [self._reissue(index) for index in self._pick(numbers["reissue"], is_reissue=True)]
        changed = [self._change(index) for index in self._pick(numbers["changes"])]
        new = [self._appear() for _ in range(numbers["new"])]
        world.settle()
        return {
            "day": f"{world.day:%Y-%m-%d}",
            "changed": changed,
            "new": new,
            "vanished": vanished,
            "returned": returned,
            "reissued": reissued,
            "total": world.listing().total,
        }

    def _moment(self) -> datetime:
        """Return the next UPDATETIME of the day; two records share each second."""
        self.written += 1
        return self.world.day + timedelta(hours=9, seconds=self.written // 2 % 50000)

    def _pick(self, count: int, is_reissue: bool = False) -> list[int]:
        """Return indexes not touched today whose part in the world allows a change."""
        world = self.world
        picked: list[int] = []
        for _ in range(count * 30 + 300):
            if len(picked) >= count:
                break
            index = self.random.randrange(world.next_index)
            kind = world.layout.kind(index)
            if index in self.touched or (kind in STILL and (is_reissue or kind is not Kind.DIGITAL)):
                continue
            if is_reissue and (kind is Kind.OLD_FORM or world.current(index)["VALIDITY_FLAG"] == "0"):
                continue
            self.touched.add(index)
            picked.append(index)
        return picked

    def _write(self, index: int, record: Record) -> None:
        record["UPDATETIME"] = self._moment().isoformat()
        self.world.changed[index] = record

    def _change(self, index: int) -> Movement:
        before = self.world.current(index)
        record = {**before, "ITEMS": [dict(item) for item in before["ITEMS"]]}
        is_compared = self.world.layout.kind(index) in COMPARED
        choices = ["SCALE_CONTENT", "END_YEAR", "ITEMS"] if is_compared else ["TOTAL_MONEY", "PROJECT_NAME", "ITEMS"]
        field = self.random.choice(choices)
        if field == "ITEMS" and not record["ITEMS"]:
            field = "END_YEAR"
        if field == "ITEMS":
            self._advance_item(record)
        elif field == "TOTAL_MONEY":
            record[field] = f"{self.random.randrange(60_000_00, 90_000_00) / 100:.2f}"
        elif field == "END_YEAR":
            record[field] = str(int(record[field]) + 1)
        else:
            record[field] = f"{record[field]}（{self.world.day:%m%d}调整）"
        self._write(index, record)
        fields = {name: [before[name], record[name]] for name in record if record[name] != before[name]}
        return {"code": record["PROJECT_CODE"], "fields": fields}

    def _advance_item(self, record: Record) -> None:
        """Bring one item to its end, or bring one that has ended back to correction."""
        item = self.random.choice(record["ITEMS"])
        moment = f"{self.world.day:%Y-%m-%d} 08:30:00"
        if item["DEAL_STATE"] == "ITEM_BJ":
            state, decided, number = "ITEM_BZ", "", ""
        else:
            state, decided = "ITEM_BJ", moment
            number = f"双发改〔{self.world.day.year}〕{self.random.randrange(900, 2000)}号"
        item.update(DEAL_STATE=state, DEAL_STATE_NAME=words.STATES[state], DEAL_TIME=decided, FILE_NO=number)
        item["ACCEPT_TIME"] = item["ACCEPT_TIME"] or moment

    def _fresh_index(self) -> int:
        index = self.world.next_index
        self.world.next_index += 1
        self.touched.add(index)
        return index

    def _appear(self) -> str:
        index = self._fresh_index()
        moment = self._moment()
        self.world.changed[index] = record = self.world.recorder.record(index, moment)
        return str(record["PROJECT_CODE"])

    def _reissue(self, index: int) -> Movement:
        """Give a project another code: the old one stays listed as invalid."""
        before = self.world.current(index)
        fresh = self._fresh_index()
        moment = self._moment()
        code = self.world.recorder.record(fresh, moment)["PROJECT_CODE"]
        number = Draw(self.world.seed, fresh).below(10)
        items = [{**item, "SENDID": f"SX{fresh:07d}{n:02d}"} for n, item in enumerate(before["ITEMS"])]
        self.world.changed[fresh] = {
            **before,
            "REPORT_CODE": f"SB{moment:%Y%m%d}{fresh:07d}{number}",
            "PROJECT_CODE": code,
            "OLD_PROJECT_CODE": before["PROJECT_CODE"],
            "UPDATETIME": moment.isoformat(),
            "ITEMS": items,
        }
        self._write(index, {**before, "VALIDITY_FLAG": "0", "INVALID_REASON": "项目代码变更"})
        return {"old": before["PROJECT_CODE"], "new": code}

    def _vanish(self, count: int) -> list[str]:
        chosen = self._pick_plain(count)
        self.world.vanished.update(chosen)
        return [self.world.current(index)["PROJECT_CODE"] for index in chosen]

    def _pick_plain(self, count: int) -> list[int]:
        kind_of = self.world.layout.kind
        picked = self._pick(count * 2)
        return [index for index in picked if kind_of(index) not in COMPARED][:count]

    def _come_back(self, count: int) -> list[str]:
        """Let vanished records be listed again, just as and where they were."""
        chosen = sorted(self.world.vanished)[:count]
        self.world.vanished.difference_update(chosen)
        return [self.world.current(index)["PROJECT_CODE"] for index in chosen]
