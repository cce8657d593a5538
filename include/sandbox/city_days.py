"""What happens in the city on a day: calls, load, logins, each from (seed, system, day) alone, for any day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from typing import Any

import orjson

from include.sandbox.profiles import BUSY, Calls, Logins
from include.sandbox.systems import City, System

CHINA = timezone(timedelta(hours=8))
PROBER = "prober-230500-01"
"""The requester id under which the exchange's own prober calls."""
FLAT_CALLS, PROBES = 288, 24
FAILING_CALLS = 6
KEPT_DAYS = 1500

Row = dict[str, Any]


def shanghai_day(epoch_ms: int) -> date:
    """Return the day of a moment in Asia/Shanghai."""
    return datetime.fromtimestamp(epoch_ms / 1000, CHINA).date()


class Days:
    """The daily data of a city, as rows of its three platforms; rows once made are kept as bytes."""

    def __init__(self, city: City) -> None:
        self.city = city
        self._kept: dict[tuple[str, date, str], list[bytes]] = {}
        self._makers: dict[str, Callable[[date, str], Iterator[Row]]] = {
            "calls": self.calls,
            "metrics": self.metrics,
            "usage": self.usage,
        }

    def encoded(self, kind: str, day: date, spoil: str = "") -> list[bytes]:
        """Return the rows of one day as JSON; `spoil` is "", "all_zero" or "hour_off"."""
        key = (kind, day, spoil)
        rows = self._kept.get(key)
        if rows is None:
            if len(self._kept) >= KEPT_DAYS:
                self._kept.pop(next(iter(self._kept)), None)
            rows = self._kept[key] = [orjson.dumps(row) for row in self._makers[kind](day, spoil)]
        return rows

    def calls(self, day: date, spoil: str = "") -> Iterator[Row]:
        """Yield the exchange's call log of a day: a row for each service and caller that called."""
        for system in self.city.open:
            if _is_live(self.city, system, day):
                yield from self._calls_of(system, day, spoil)

    def metrics(self, day: date, spoil: str = "") -> Iterator[Row]:
        """Yield the utilisation of every resource that is measured on a day."""
        for system in self.city.open:
            if _is_live(self.city, system, day) and system.profile.load and _is_observed(system, day):
                for resource in system.resources:
                    yield self._load(system, resource, day, is_zero=spoil == "all_zero")

    def usage(self, day: date, spoil: str = "", in_files: bool = False) -> Iterator[Row]:
        """Yield logins and active users of every system that reports them, on the platform or in the files."""
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=CHINA).astimezone(UTC).timestamp() * 1000)
        for system in self.city.open:
            is_told = system.profile.logins is not Logins.UNREPORTED and system.is_in_files is in_files
            if is_told and _is_live(self.city, system, day):
                logins, active = _over(spoil, day, partial(self._logins, system))
                yield {
                    "appCode": system.code,
                    "statDate": midnight,
                    "loginCount": logins,
                    "activeUsers": active,
                    "totalUsers": 0 if spoil == "all_zero" else system.users,
                }

    def _calls_of(self, system: System, day: date, spoil: str) -> Iterator[Row]:
        for service in system.services:
            for caller in system.callers if service.state == "已发布" else ():
                total, failed = _over(spoil, day, partial(self._called, system, service.code, caller))
                if total or (spoil == "all_zero" and self._called(system, service.code, caller, day)[0]):
                    yield _call_row(day, service.code, caller, "业务", total, failed)
            if self._is_watched(system):
                yield _call_row(day, service.code, PROBER, "探测", 0 if spoil == "all_zero" else PROBES, 0)
        yield from self._calls_by(system, day, spoil)

    def _calls_by(self, system: System, day: date, spoil: str) -> Iterator[Row]:
        """Yield the calls of systems that call others although they have no service; some nobody has listed."""
        if not system.profile.calls_others or system.services:
            return
        targets = [f"s_{self.city.code(3)[3:].lower()}_000"]
        if system.profile_name == "called_but_not_listed":
            targets.append(f"s_{system.code[3:].lower()}_unlisted")
        for target in targets:
            total, failed = _over(spoil, day, partial(self._usual, target, system.code))
            yield _call_row(day, target, system.code, "业务", total, failed)

    def _is_watched(self, system: System) -> bool:
        """Return whether the exchange's own prober calls this system's services."""
        return system.profile_name == "connected_by_probe_only" or system.number % 20 == 3

    def _called(self, system: System, service: str, caller: str, day: date) -> tuple[int, int]:
        """Return how often a caller called, and how often that failed."""
        profile = system.profile
        was_busy = profile.busy_until is not None and day < self.city.ago(profile.busy_until)
        if profile.calls is Calls.DAILY or was_busy:
            return self._usual(service, caller, day)
        if profile.calls is Calls.FLAT:
            return FLAT_CALLS, 0
        if profile.calls is Calls.FAILING:
            is_over = day > self.city.ago(profile.calls_until)
            return (FAILING_CALLS, FAILING_CALLS) if is_over else self._usual(service, caller, day)
        return 0, 0

    def _usual(self, service: str, caller: str, day: date) -> tuple[int, int]:
        draw = self.city.draw("calls", service, caller)
        size, daily = 60 + draw.below(400), self.city.draw("calls", service, caller, day.toordinal())
        total = size * (60 + daily.below(80)) // 100
        total = max(1, total // 5) if day.weekday() >= 5 else total
        return total, min(total - 1, daily.below(3))

    def _load(self, system: System, resource: str, day: date, is_zero: bool) -> Row:
        profile = system.profile
        load = profile.load or BUSY
        if profile.busy_until is not None and day < self.city.ago(profile.busy_until):
            load = BUSY
        draw = self.city.draw("load", resource, day.toordinal())
        share = (90 + draw.below(21)) / 100 * (0.8 if day.weekday() >= 5 and load.cpu else 1)
        row: Row = {"resourceId": resource, "date": f"{day:%Y%m%d}"}
        if resource.startswith("obs"):
            row |= {"cpuAvg": None, "cpuMax": None, "memMax": None}
        else:
            values = (load.cpu * share, load.cpu_max * share, load.memory * (95 + draw.below(11)) / 100)
            row |= dict(zip(("cpuAvg", "cpuMax", "memMax"), (round(value, 2) for value in values), strict=True))
        row["diskUse"] = None if system.number % 11 == 0 else round(20 + system.number % 50 + draw.below(100) / 100, 2)
        return row if not is_zero else row | {name: 0 for name, value in row.items() if isinstance(value, float)}

    def _logins(self, system: System, day: date) -> tuple[int, int]:
        """Return logins and active users."""
        profile, draw = system.profile, self.city.draw("logins", system.code, day.toordinal())
        was_busy = profile.busy_until is not None and day < self.city.ago(profile.busy_until)
        if profile.logins is Logins.DAILY or was_busy:
            active = max(6, system.users * (30 + draw.below(30)) // 100) if day.weekday() < 5 else 1 + draw.below(6)
            return active + draw.below(active * 2), active
        if profile.logins is Logins.RARE and (day.toordinal() + system.number) % 15 == 0:
            active = 1 + draw.below(3)
            return active + draw.below(2), active
        return 0, 0


def _is_live(city: City, system: System, day: date) -> bool:
    """Return whether a system was running on a day, in trial or for good."""
    profile = system.profile
    if profile.status == "试运行":
        return day >= city.ago(profile.released or 0)
    return profile.live_for is not None and profile.status != "停用" and day >= city.ago(profile.live_for)


def _is_observed(system: System, day: date) -> bool:
    return system.profile.observed >= 1 or (day.toordinal() + system.number) % 3 != 0


def _over(spoil: str, day: date, count: Callable[[date], tuple[int, int]]) -> tuple[int, int]:
    """Return two counts of a day; with the clock an hour ahead a day takes an hour of the one before and loses one."""
    if spoil == "all_zero":
        return 0, 0
    first, second = count(day)
    if spoil != "hour_off":
        return first, second
    before = count(day - timedelta(days=1))
    total = first - first // 24 + before[0] // 24
    return total, min(total, second - second // 24 + before[1] // 24)


def _call_row(day: date, service: str, caller: str, kind: str, total: int, failed: int) -> Row:
    return {
        "CALL_DAY": day.isoformat(),
        "SERVICE_CODE": service,
        "CALLER_CODE": caller,
        "CALLER_TYPE": kind,
        "TOTAL": total,
        "FAILED": failed,
        "LAST_SUCCESS": f"{day} 17:{total % 60:02d}:08" if total > failed else "",
        "LAST_FAILURE": f"{day} 10:{total % 60:02d}:31" if failed else "",
    }
