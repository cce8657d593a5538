"""The fault scenarios: what each does, where it strikes, and how often it still will."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any

CITY_PLATFORMS = ("exchange", "cloud", "usage")
CATALOGUE_PLATFORMS = ("catalogue", "ckan", "dcat", "datajson", "municipal")
CHANNELS = ("dingtalk", "wecom", "feishu", "webhook", "mail")
READERS = ("provincial", "zj", *CITY_PLATFORMS, *CATALOGUE_PLATFORMS)
PLATFORMS = (*READERS, *CHANNELS)
SCENARIOS = {
    "error_500": "answers HTTP 500 with a line of text",
    "error_429": "answers HTTP 429 with Retry-After: 1",
    "reset_90": "resets the connection (RST) after 90 % of the body",
    "html_200": "answers an HTML page with HTTP 200",
    "truncated_json": "sends only the first 60 % of the JSON, with a matching length",
    "wrong_total": "declares seven rows more than there are",
    "repeated_page": "serves the rows of the page before",
    "skipped_page": "serves the rows of the page after",
    "endless_paging": "beyond the last page goes on serving the last full page, with a growing total",
    "shifting_pages": "shifts the rows by one: one appears twice, another not at all, the total stays",
    "expired_secret": "calls every secret expired",
    "skewed_clock": "the platform's clock, its Date header and its check are an hour and a minute ahead",
    "gbk_as_utf8": "sends the body in GB18030 and calls it UTF-8",
    "slow_drip": "sends five bytes a second",
    "empty_list": "answers success with no data at all",
    "huge_page": "streams 300 MB of spaces",
    "redirect": "answers 302 to another host",
    "deep_json": "answers 100,000 nested arrays",
    "wrong_type": "answers bytes that are no text, as text/plain",
}
CITY_SCENARIOS = {
    "missing_days": "daily data: the three days that ended the day before yesterday have no rows",
    "all_zero": "daily data: every number is zero",
    "hour_off": "the platform's clock is an hour ahead in the Date header and at the turn of the day; it lets callers in",
    "partial_pages": "a page that is not the last holds only 60 % of its rows",
    "down": "answers HTTP 503 to every call, until cleared",
    "gateway_down": "the gateway accepts connections and answers none, until cleared",
}
"""Faults of the city's platforms alone."""
CATALOGUE_SCENARIOS = {
    "recoined": "catalogues: every entry has another native identifier, and nothing else has changed",
    "moved": "catalogues: every address of an entry or of its data has another host",
    "vanish_half": "catalogues: every second entry is gone, and the total says so",
    "remote_context": "JSON-LD names a context on another host instead of holding it",
}
"""Faults of catalogue portals alone."""
CHANNEL_SCENARIOS = {
    "refused": "channels: refuses a message in the platform's own words, robots with HTTP 200, the webhook with 403, mail with 554",
    "throttled": "channels: asks to slow down in the platform's own words",
    "hangs": "channels: takes nothing and never answers",
    "reset_taken": "channels: takes the message and resets the connection without an answer",
}
"""Faults of channels alone."""
SCENARIOS |= CITY_SCENARIOS | CATALOGUE_SCENARIOS | CHANNEL_SCENARIOS
OF_BOTH = ("partial_pages", "down")
"""Faults of the city's platforms that portals have too."""
OF_PAGES = (
    "wrong_total",
    "repeated_page",
    "skipped_page",
    "endless_paging",
    "shifting_pages",
    "expired_secret",
    "empty_list",
)
"""Faults of listings, which channels do not have."""
OF_MAIL = (*CHANNEL_SCENARIOS, "down")
"""All that mail has: the others are of HTTP."""
LASTING = ("down", "gateway_down")
CLOCKS = ("skewed_clock", "hour_off")
APART = (*LASTING, *CLOCKS)
"""Faults that do not wait for a page."""
PARTIAL = 0.6
TOTAL_ERROR = 7
LEAD_MS = 3_600_000
SKEW_MS = LEAD_MS + 60_000
"""An hour is what some robots still take: a signature that is an hour old to the millisecond would be let in on a fast machine."""


@dataclass
class Fault:
    """One fault in force; page None means every page, times 0 means until cleared."""

    scenario: str
    platform: str = "provincial"
    page: int | None = None
    times: int = 1
    struck: int = 0
    call: str = ""
    """Which call of the platform, by its name in the counts without the platform; "" for all."""

    def __post_init__(self) -> None:
        if self.scenario not in SCENARIOS:
            raise ValueError(f"unknown scenario {self.scenario!r}; known are {', '.join(SCENARIOS)}")
        if self.platform not in PLATFORMS:
            raise ValueError(f"unknown platform {self.platform!r}; known are {', '.join(PLATFORMS)}")
        if self.platform not in _platforms_of(self.scenario):
            known = ", ".join(_platforms_of(self.scenario))
            raise ValueError(f"{self.scenario} is a fault of {known}, not of {self.platform}")
        if self.times < 0:
            raise ValueError("times is the number of answers spoilt, or 0 for all until cleared")

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read NAME[:PLATFORM[:PAGE[:TIMES]]] of the command line; without TIMES it strikes until cleared."""
        name, platform, page, times = [*text.split(":"), "", "", ""][:4]
        return cls(name, platform or "provincial", int(page) if page else None, int(times) if times else 0)

    @property
    def is_spent(self) -> bool:
        """Return whether the fault has struck as often as it should."""
        return 0 < self.times <= self.struck and self.scenario not in LASTING


def _platforms_of(scenario: str) -> tuple[str, ...]:
    if scenario in CHANNEL_SCENARIOS:
        return CHANNELS
    channels = CHANNELS if scenario in OF_MAIL else tuple(name for name in CHANNELS if name != "mail")
    if scenario in OF_BOTH:
        return (*CITY_PLATFORMS, *CATALOGUE_PLATFORMS, *(channels if scenario == "down" else ()))
    if scenario in CATALOGUE_SCENARIOS:
        return CATALOGUE_PLATFORMS
    if scenario in CITY_SCENARIOS:
        return CITY_PLATFORMS
    return READERS if scenario in OF_PAGES else (*READERS, *channels)


class Faults:
    """All faults in force."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = Lock()

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> int:
        """End all faults and return how many there were."""
        with self._lock:
            count, self._faults = len(self._faults), []
        return count

    def describe(self) -> list[dict[str, Any]]:
        """Return the faults still in force."""
        return [asdict(fault) for fault in self._faults if not fault.is_spent]

    def take(self, platform: str, page: int, call: str = "") -> Fault | None:
        """Return the fault that strikes an answer of a page, and count it as struck."""
        return self._strike(
            lambda f: f.scenario not in APART and f.page in (None, page) and f.call in ("", call), platform
        )

    def take_skew(self, platform: str) -> int:
        """Return by how many milliseconds the platform's clock is wrong for one call."""
        return SKEW_MS if self._strike(lambda fault: fault.scenario == "skewed_clock", platform) else 0

    def take_lead(self, platform: str) -> int:
        """Return by how many milliseconds the clock is ahead for one call that is let in all the same."""
        return LEAD_MS if self._strike(lambda fault: fault.scenario == "hour_off", platform) else 0

    def is_down(self, platform: str) -> bool:
        """Return whether a platform answers nothing but 503, and count the answer."""
        return self._strike(lambda fault: fault.scenario == "down", platform) is not None

    def is_gateway_down(self) -> bool:
        """Return whether the gateway has fallen silent, told so on whichever platform."""
        return any(fault.scenario == "gateway_down" for fault in self._faults)

    def _strike(self, is_meant: Any, platform: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.platform == platform and not fault.is_spent and is_meant(fault):
                    fault.struck += 1
                    return fault
        return None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which positions of the listing an answer holds, and how many rows it says there are."""

    begin: int
    end: int
    total: int


def stretch(fault: Fault | None, number: int, size: int, total: int) -> Stretch:
    """Return what page `number` (from 0) serves, spoilt by a fault of paging if one strikes."""
    return stretch_from(fault, number * size, size, total)


def stretch_from(fault: Fault | None, begin: int, size: int, total: int) -> Stretch:
    """Return what a page that begins at a position serves, spoilt by a fault of paging if one strikes."""
    scenario = fault.scenario if fault else ""
    asked, declared, number = begin, total, begin // size
    if scenario == "wrong_total":
        declared = total + TOTAL_ERROR
    elif scenario == "endless_paging" and begin + size >= total:
        declared = (number + 2) * size
        begin = begin if begin < total else max(0, total // size - 1) * size
    elif scenario == "empty_list":
        return Stretch(0, 0, 0)
    begin = max(0, begin + _SHIFTS.get(scenario, 0) * size - (scenario == "shifting_pages"))
    end = min(begin + size, total)
    if scenario == "shifting_pages" and number:
        end = min(end, asked + size - 1, total - 1)
    if scenario == "partial_pages" and end < total:
        end = begin + max(1, int(size * PARTIAL))
    return Stretch(begin, max(begin, end), declared)


_SHIFTS = {"repeated_page": -1, "skipped_page": 1}
