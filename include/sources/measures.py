"""Read what registers write about systems and services: lists of project codes, busy seasons, call rates, percentages.

Each returns None for a blank (and for the words that mean "none" or "without limit") and raises `ValueError` with the form it
wanted. Does not know cards or records.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from include.errors import ConfigurationError
from include.sources.folding import fold_text, plain, wrong
from include.sources.project_code import parse_project_code
from include.sources.rate import parse_rate

_NONE = frozenset({"无", "暂无", "没有", "/", "-", "--"})
_BETWEEN_CODES = re.compile(r"[;,、|\n\r]+|(?<=\d{6})\s+(?=\d{4}-?\d)")
_BETWEEN_SEASONS = re.compile(r"[;,、|]+|(?:以及|及|和)")
_DAY = r"(?P<m{n}>\d{{1,2}})(?:月(?P<cd{n}>\d{{1,2}})[日号]?|[-/.](?P<d{n}>\d{{1,2}}))"
_TO = r"(?:至|到|~|-{1,2})(?:次年|翌年|第二年)?"
_SEASON = re.compile(rf"(?:每年)?{_DAY.format(n=1)}{_TO}{_DAY.format(n=2)}", re.ASCII)
_MONTHS = re.compile(rf"(?:每年)?(?P<m1>\d\d?)月?(?:份)?{_TO}(?P<m2>\d\d?)月(?:份)?", re.ASCII)
_ALL_YEAR = frozenset({"全年", "常年", "全年运行"})
_LEAP_YEAR = 2000
"""29 February is a day of some years, so it may begin or end a season."""

_NO_LIMIT = frozenset({"不限", "无限", "不限制", "无限制", "不限次", "不限次数", "unlimited", "none"}) | _NONE
_HOUR = 3600
_PERCENT = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?", re.ASCII)
_PERCENT_WANTED = "a percentage from 0 to 100 like 3.25"


def read_project_codes(value: object) -> str | None:
    """Return the project codes of a list, sorted, each once, separated by commas; the first that is none is named."""
    text = "\n".join(map(str, value)) if isinstance(value, list | tuple) else value
    text = unicodedata.normalize("NFKC", text) if isinstance(text, str) else plain(text)
    codes = {parse_project_code(part).text for part in map(str.strip, _BETWEEN_CODES.split(text)) if _is_said(part)}
    return ",".join(sorted(codes)) or None


def _is_said(part: str) -> bool:
    text = plain(part)
    return bool(text) and text not in _NONE


def read_season(value: object) -> str | None:
    """Return the busy seasons of a year as `MM-DD~MM-DD`, sorted, separated by commas; a season may pass the turn of the year."""
    text = plain(value).replace(" ", "")
    if not text or text in _NONE or text in _ALL_YEAR:
        return None
    return ",".join(sorted({_season(part, value) for part in _BETWEEN_SEASONS.split(text) if part}))


def _season(text: str, value: object) -> str:
    match = _SEASON.fullmatch(text)
    if match:
        days = [(int(match[f"m{n}"]), int(match[f"cd{n}"] or match[f"d{n}"])) for n in (1, 2)]
    elif match := _MONTHS.fullmatch(text):
        days = [(int(match["m1"]), 1), (int(match["m2"]), 0)]
    else:
        raise wrong("a season like 6月1日至8月31日 or 06-01~08-31", value)
    try:
        return "~".join(f"{_day(*day):%m-%d}" for day in days)
    except ValueError:
        raise wrong("a season of days that the calendar has", value) from None


def _day(month: int, day: int) -> date:
    """Return the day in a leap year; day 0 is the last one of the month."""
    if day:
        return date(_LEAP_YEAR, month, day)
    return (date(_LEAP_YEAR, month, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def read_hourly_rate(value: object) -> int | None:
    """Return how many calls an hour a rate allows, rounded down but at least 1; None where it sets no limit."""
    text = fold_text(value)
    if text is None or plain(text).lower().replace(" ", "") in _NO_LIMIT:
        return None
    try:
        rate = parse_rate(text)
    except ConfigurationError:
        raise wrong("a rate like 1000次/小时", value) from None
    return max(1, int(rate.count * _HOUR // rate.seconds))


def read_basis_points(value: object) -> int | None:
    """Return a percentage as whole hundredths of a percent: 3.25, "3.25" and "3.25%" are 325; halves are rounded up."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, float | int | str):
        raise wrong(_PERCENT_WANTED, value)
    return _points(value)


@lru_cache(maxsize=32_768)
def _points(value: float | str) -> int | None:
    """Measurements have two decimals as a rule, so a million of them are ten thousand different ones."""
    # repr: the shortest text that is this number, which is what the platform wrote.
    text = plain(value).lower().removesuffix("%").strip() if isinstance(value, str) else repr(value)
    if not text:
        return None
    if not _PERCENT.fullmatch(text) or not 0 <= (percent := Decimal(text)) <= 100:
        raise wrong(_PERCENT_WANTED, value)
    return int((percent * 100).quantize(Decimal(1), ROUND_HALF_UP))
