"""What the data really holds, counted from the records as they stand: the yardstick of the tests."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from typing import Any

import orjson

from include.sandbox import words
from include.sandbox.layout import BAD, Kind
from include.sandbox.records import Record
from include.sandbox.world import World

Truth = dict[str, Any]
PHONE_PATTERN = "1380000[0-9]{4}"


def is_classified(record: Record) -> bool:
    """Return whether a provincial record is marked classified."""
    return bool(record["SECRET_FLAG"] == "1")  # noqa: S105


def is_compared(record: Record) -> bool:
    """Return whether a record is one of the digital projects held against the plan."""
    marks = (record["THE_INDUSTRY"], record["PROJECT_TYPE"], record["DIVISION_CODE"])
    is_open = record["VALIDITY_FLAG"] == "1" and not is_classified(record)
    return is_open and marks == ("A00009", "A00001", words.CITY[0])


class Tally:
    """Counts over a set of records; a record can be taken out again."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.codes: dict[str, set[str]] = {name: set() for name in (*BAD, "digital", "failed_check")}
        self.classified: dict[str, tuple[str, str]] = {}
        self.reissued: dict[str, str] = {}
        self.unknown: Counter[str] = Counter()

    def add(self, record: Record, kind: Kind, sign: int = 1) -> None:
        """Count a record, or with sign -1 take it out."""
        counts, code = self.counts, record["PROJECT_CODE"]
        counts["listed"] += sign
        if is_classified(record):
            counts["classified"] += sign
            unit = record["ENTERPRISE"]["ENTERPRISENAME"]
            _put(self.classified, code, (record["PROJECT_NAME"], unit), sign)
            return
        counts["void"] += sign * (record["VALIDITY_FLAG"] == "0")
        counts["items"] += sign * len(record["ITEMS"])
        counts["old_form"] += sign * (kind is Kind.OLD_FORM)
        counts["phone_in_text"] += sign * ("联系电话" in record["SCALE_CONTENT"])
        if kind in BAD:
            _mark(self.codes[kind], code, sign)
            return
        counts["good"] += sign
        counts["good_items"] += sign * len(record["ITEMS"])
        self._mark_good(record, kind, sign)

    def _mark_good(self, record: Record, kind: Kind, sign: int) -> None:
        code = record["PROJECT_CODE"]
        if record["OLD_PROJECT_CODE"]:
            _put(self.reissued, code, record["OLD_PROJECT_CODE"], sign)
        if is_compared(record):
            _mark(self.codes["digital"], code, sign)
        if kind is Kind.FAILED_CHECK:
            _mark(self.codes["failed_check"], code, sign)
        self.unknown["PROJECT_NATURE=9"] += sign * (record["PROJECT_NATURE"] == "9")
        odd = sum(item["DEAL_STATE"] == "ITEM_XX" for item in record["ITEMS"])
        self.unknown["DEAL_STATE=ITEM_XX"] += sign * odd

    def as_truth(self) -> Truth:
        """Return the counts and lists as plain values."""
        counts, bad = self.counts, {kind.value: sorted(self.codes[kind]) for kind in sorted(BAD)}
        names = ("listed", "classified", "void", "items", "good", "good_items", "old_form", "phone_in_text")
        return {
            **{name: counts[name] for name in names},
            "unclassified": counts["listed"] - counts["classified"],
            "bad": sum(map(len, bad.values())),
            "bad_codes": bad,
            "reissued": [{"old": old, "new": new} for new, old in sorted(self.reissued.items())],
            "digital": len(self.codes["digital"]),
            "digital_codes": sorted(self.codes["digital"]),
            "failed_check": sorted(self.codes["failed_check"]),
            "unknown": dict(self.unknown),
        }


def _put(target: dict[str, Any], key: str, value: Any, sign: int) -> None:
    if sign > 0:
        target[key] = value
    else:
        target.pop(key, None)


def _mark(target: set[str], code: str, sign: int) -> None:
    if sign > 0:
        target.add(code)
    else:
        target.discard(code)


class Counting:
    """Counts a world: its start once, then only what has moved."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._start: Tally | None = None

    def whole(self) -> Tally:
        """Return the tally of everything listed today."""
        if self._start is None:
            self._start = self._tally(range(self.world.size))
        tally, world = deepcopy(self._start), self.world
        with world.lock:
            for index in {*world.changed, *world.vanished}:
                kind = world.layout.kind(index)
                if index < world.size:
                    tally.add(orjson.loads(world.encoded_start(index)), kind, -1)
            for index in world.changed:
                if index not in world.vanished:
                    tally.add(world.changed[index], world.layout.kind(index))
        return tally

    def first(self, limit: int) -> Tally:
        """Return the tally of the first records that are listed today."""
        tally, world = Tally(), self.world
        for index in range(min(limit, world.size)):
            if index not in world.vanished:
                tally.add(world.current(index), world.layout.kind(index))
        return tally

    def _tally(self, indexes: range) -> Tally:
        tally, world = Tally(), self.world
        for index in indexes:
            tally.add(orjson.loads(world.encoded_start(index)), world.layout.kind(index))
        return tally


def whole_truth(counting: Counting, zj_limit: int) -> Truth:
    """Return the truth of both platforms and the words by which a leak would show."""
    world, tally = counting.world, counting.whole()
    return {
        "seed": world.seed,
        "size": world.size,
        "day": f"{world.day:%Y-%m-%d}",
        "provincial": tally.as_truth(),
        "zj": counting.first(zj_limit).as_truth(),
        "classified": {
            "codes": sorted(tally.classified),
            "names": sorted(name for name, _ in tally.classified.values()),
            "units": sorted(unit for _, unit in tally.classified.values()),
        },
        "personal": {
            "phone_pattern": PHONE_PATTERN,
            "names": [surname + given for surname in words.SURNAMES for given in words.GIVEN_NAMES],
        },
    }


def unclassified_page(world: World, number: int, size: int) -> Truth:
    """Return the unclassified records of one stretch of the listing, as the source holds them."""
    with world.lock:
        listing = world.listing()
        rows = [orjson.loads(world.encoded(i)) for i in listing.indexes((number - 1) * size, number * size)]
    return {
        "list": [row for row in rows if not is_classified(row)],
        "positions": listing.total,
        "totalPage": -(-listing.total // size),
    }
