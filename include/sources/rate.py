"""The rate a platform allows, as it writes it ("1000次/小时"), kept by spacing the calls.

Does not share its count with other processes: the Airflow pool of the source bounds how many of them there are.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from include.errors import ConfigurationError

_SECONDS = {
    "秒": 1, "秒钟": 1, "s": 1, "sec": 1, "second": 1,
    "分": 60, "分钟": 60, "m": 60, "min": 60, "minute": 60,
    "时": 3600, "小时": 3600, "h": 3600, "hr": 3600, "hour": 3600,
    "天": 86400, "日": 86400, "d": 86400, "day": 86400,
}  # fmt: skip
_COUNT = r"(?P<count>\d+)\s*(?:次|个|笔|requests?|reqs?|calls?|times)?"
_UNIT = r"(?P<span>\d+)?\s*个?(?P<unit>[a-z]+|[秒分时小天日钟]+)"
_FORMS = (
    re.compile(rf"{_COUNT}\s*(?:/|per|每|an?\s)\s*{_UNIT}"),
    re.compile(rf"每\s*{_UNIT}\s*(?:最多|不超过)?\s*{_COUNT}"),
)
_LARGEST_BURST_SHARE = 10
MOST_DIGITS = 9
"""Longer numbers are a slip of the keyboard."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` calls in any `seconds`."""

    count: int
    seconds: float


def parse_rate(text: str) -> Rate:
    """Read a rate as platforms and people write it; raise `ConfigurationError` that names the accepted forms."""
    plain = unicodedata.normalize("NFKC", text).lower().replace(",", "").strip()
    for form in _FORMS:
        match = form.fullmatch(plain)
        if match and len(match["count"]) <= MOST_DIGITS and len(match["span"] or "") <= MOST_DIGITS:
            unit = match["unit"]
            seconds = _SECONDS.get(unit) or _SECONDS.get(unit.removesuffix("s"))
            span = int(match["span"] or 1)
            if seconds and span and int(match["count"]):
                return Rate(int(match["count"]), float(seconds * span))
    raise ConfigurationError(
        f"{text!r} is not a rate; write it like 1000次/小时, 60次/分钟, 5次/秒, 10/s, 100/min, 1000/h or 100 per minute"
    )


class Limiter:
    """Spaces calls so that never more than the rate's count fall into any of its periods.

    A tenth of the count may go at once (the burst); the rest is spaced evenly, that much more slowly that burst and
    spaced calls together stay within the count.
    """

    def __init__(
        self,
        rate: Rate,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the rate, and the clock (seconds) and the pause to use."""
        burst = max(1, rate.count // _LARGEST_BURST_SHARE)
        self._interval = rate.seconds / (rate.count - burst + 1)
        self._slack = self._interval * (burst - 1)
        self._monotonic, self._sleep = monotonic, sleep
        self._due: float | None = None

    def wait(self) -> float:
        """Block until the next call may be made; return the seconds waited."""
        now = self._monotonic()
        due = now if self._due is None else max(self._due, now)
        pause = max(0.0, due - self._slack - now)
        if pause:
            self._sleep(pause)
        self._due = due + self._interval
        return pause


def make_limiter(
    text: str | None,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Limiter | None:
    """Return the limiter of a card's `limits.rate`, or None where it names none."""
    return Limiter(parse_rate(text), monotonic, sleep) if text else None
