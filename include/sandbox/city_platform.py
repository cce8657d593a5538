"""What the city's platforms and portals have in common: a call is counted, checked, answered by page, spoilt by faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol

from starlette.responses import Response

from include.sandbox.city_days import Days, shanghai_day
from include.sandbox.faults import Fault, Faults, stretch_from
from include.sandbox.responses import JSON_TYPE, dated, json_answer, spoilt_answer
from include.sandbox.signing import Clock

LONGEST_WINDOW_DAYS = 800
MISSING_FROM, MISSING_TO = 4, 2
"""Which days `missing_days` takes away: so many days before today."""


class Refused(ValueError):
    """A parameter is out of range."""


class Gate(Protocol):
    """Checks who calls."""

    clock: Clock

    def expired(self) -> dict[str, Any]:
        """Return the refusal of a secret that has run out."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing: its rows, where it ends, and how many rows the platform says there are."""

    rows: list[bytes]
    end: int
    total: int
    is_endless: bool = False
    scenario: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller asks for: so many rows from a position, of a register or of days."""

    begin: int
    size: int
    rows: Sequence[bytes] = ()
    days: tuple[date, ...] = ()
    kind: str = ""
    made: Callable[[str], Sequence[bytes]] | None = None
    """Returns the rows as a fault has them, where faults change what is listed."""

    @property
    def number(self) -> int:
        """Return which page this is, counted from 1."""
        return self.begin // self.size + 1


class CityPlatform:
    """One platform: its name in faults and counts, who may call it, and the days it knows."""

    def __init__(self, name: str, gate: Gate, days: Days, faults: Faults, calls: Counter[str]) -> None:
        self.name, self.gate, self.days, self.faults, self.calls = name, gate, days, faults, calls

    def opened(self, call: str) -> Response | None:
        """Count a call and set the clock; return 503 while the platform is down."""
        self.calls[f"{self.name}.{call}"] += 1
        clock = self.gate.clock
        clock.skew_ms, clock.lead_ms = self.faults.take_skew(self.name), self.faults.take_lead(self.name)
        if self.faults.is_down(self.name):
            return Response("Service Unavailable", 503, media_type="text/plain")
        return None

    def said(self, content: Any, status: int = 200) -> Response:
        """Return a JSON answer with the platform's own time."""
        return dated(json_answer(content, status), self.gate.clock)

    def page(
        self,
        call: str,
        asked: Asked,
        envelope: Callable[[Page], bytes],
        expired_status: int = 200,
        media_type: str = JSON_TYPE,
    ) -> Response:
        """Return one page in the platform's envelope, spoilt where a fault strikes it."""
        fault = self.faults.take(self.name, asked.number, call)
        if fault and fault.scenario == "expired_secret":
            return self.said(self.gate.expired(), expired_status)
        body = envelope(self._cut(asked, fault))
        return dated(spoilt_answer(body, fault, media_type), self.gate.clock)

    def window(self, begin: str | None, end: str | None) -> tuple[date, ...]:
        """Return the days asked for that are over by the platform's clock; raises Refused."""
        try:
            first, last = date.fromisoformat(begin or ""), date.fromisoformat(end or "")
        except ValueError:
            raise Refused("日期格式应为YYYY-MM-DD") from None
        if first > last or (last - first).days > LONGEST_WINDOW_DAYS:
            raise Refused(f"起止日期不正确，一次最多查询{LONGEST_WINDOW_DAYS}天")
        last = min(last, self._today() - timedelta(days=1))
        return tuple(first + timedelta(days=n) for n in range((last - first).days + 1))

    def _today(self) -> date:
        return shanghai_day(self.gate.clock.shown_ms())

    def _cut(self, asked: Asked, fault: Fault | None) -> Page:
        scenario = fault.scenario if fault else ""
        rows = asked.made(scenario) if asked.made else asked.rows
        if asked.kind:
            rows = _Joined([self._of_day(asked.kind, day, scenario) for day in asked.days])
        part = stretch_from(fault, asked.begin, asked.size, len(rows))
        found = list(rows[part.begin : part.end])
        return Page(found, asked.begin + len(found), part.total, scenario == "endless_paging", scenario)

    def _of_day(self, kind: str, day: date, scenario: str) -> list[bytes]:
        if scenario == "missing_days" and MISSING_TO <= (self._today() - day).days <= MISSING_FROM:
            return []
        spoil = "all_zero" if scenario == "all_zero" else ("hour_off" if self.gate.clock.lead_ms else "")
        return self.days.encoded(kind, day, spoil)


class _Joined(Sequence[bytes]):
    """The rows of several days as one listing, not copied."""

    def __init__(self, parts: list[list[bytes]]) -> None:
        self._parts = parts
        self._length = sum(map(len, parts))

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, where: Any) -> Any:
        begin, end, _ = where.indices(self._length)
        found: list[bytes] = []
        for part in self._parts:
            if end <= 0:
                break
            found += part[max(0, begin) : end]
            begin, end = begin - len(part), end - len(part)
        return found


def whole_number(value: Any, name: str, least: int, most: int) -> int:
    """Return a parameter as a number; raises Refused."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise Refused(f"{name}不是整数") from None
    if not least <= number <= most:
        raise Refused(f"{name}应为{least}至{most}")
    return number
