"""Read the dates, moments and years of platforms and workbooks; no zone means Asia/Shanghai.

Does not know which field a value is of.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from include.clock import SHANGHAI
from include.sources.folding import plain, wrong

_DATE = (
    r"(?P<y>\d{4})(?:(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})| ?年 ?(?P<cm>\d{1,2}) ?月 ?(?P<cd>\d{1,2}) ?日?)"
)
_TIME = r"[T ]{0,2}(?P<H>\d{1,2})[:时点](?P<M>\d{1,2})(?:[:分](?P<S>\d{1,2})(?:[.,]\d{1,9})?)?[分秒]?"
_MOMENT = re.compile(rf"{_DATE}(?:{_TIME} ?(?P<z>[Zz]|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII)
_MONTH = re.compile(r"(\d{4})(?: ?年 ?\d{1,2} ?月| ?年|[-/.]\d{1,2}|(?:0[1-9]|1[0-2]))?", re.ASCII)
_FRACTION = re.compile(r"\.\d{1,9}", re.ASCII)
_DATE_WANTED = "a date like 2026-11-03"
_PLACEHOLDERS = frozenset({"1900-01-01", "0001-01-01", "9999-12-31", "0000-00-00"})
_PLACEHOLDER_YEARS = frozenset({0, 1, 1900, 9999})
_NO_YEARS = frozenset(f"{year:04}" for year in _PLACEHOLDER_YEARS)
# Sets, because nearly every clock is another one: a cache of them would be slower, and megabytes.
_MINUTES = frozenset(f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(60))
_SECONDS = frozenset(f":{second:02}" for second in range(60))
_HOURS = frozenset(f"{hour:02}" for hour in range(24))
_SHAPE = b"0000-00-00 00:00:00\n"
_SHAPES = bytes.maketrans(b"123456789T", b"000000000 ")
"""Every digit becomes 0, so that one comparison tells whether many moments are written alike."""
_DAY, _CLOCK, _HOUR, _REST = slice(10), slice(19), slice(11, 13), slice(19, None)
_TENS_OF_MINUTES, _TENS_OF_SECONDS = slice(14, None, len(_SHAPE)), slice(17, None, len(_SHAPE))
_FIVE = ord("5")
_DIGIT_FORMS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_EXCEL_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - workbooks know no zone
_EXCEL_SERIALS = (40_000, 60_000)
"""2009 to 2064: outside of it a bare number is no date."""


def read_datetime(value: object) -> str | None:
    """Return ISO text in +08:00; fractions of a second are cut off."""
    if type(value) is str and (plain_form := _day_and_clock(value)):
        day, clock = plain_form
        return f"{day}T{clock}+08:00" if day else None
    moment = _moment(value)
    return None if moment is None else moment.isoformat(timespec="seconds") + "+08:00"


def read_datetimes(values: list[Any]) -> list[str] | None:
    """Return what `read_datetime` makes of each of many moments, if all of them are plainly written; else None."""
    if set(map(type, values)) != {str}:
        return None
    text = "\n".join([value[_CLOCK] for value in values])
    data = text.encode("utf-8", "surrogatepass") + b"\n"
    if data.translate(_SHAPES) != _SHAPE * len(values):
        return None
    clocks_are_right = (
        _HOURS.issuperset([value[_HOUR] for value in values])
        and max(data[_TENS_OF_MINUTES]) <= _FIVE
        and max(data[_TENS_OF_SECONDS]) <= _FIVE
    )
    fractions = {value[_REST] for value in values} - {""}
    if not clocks_are_right or not all(map(_FRACTION.fullmatch, fractions)):
        return None
    if not all(map(_day, {value[_DAY] for value in values})):
        return None
    return (text.replace(" ", "T").replace("\n", "+08:00\n") + "+08:00").split("\n")


def read_date(value: object) -> str | None:
    """Return the ISO day of a date or a moment, as it is in Shanghai; None for a blank or a placeholder."""
    if type(value) is str and len(value) == 10:
        day = _day(value)
        if day is not None:
            return day or None
    elif type(value) is str and (plain_form := _day_and_clock(value)):
        return plain_form[0] or None
    moment = _moment(value)
    return None if moment is None else moment.date().isoformat()


def read_days(values: list[Any]) -> list[str] | None:
    """Return what `read_date` makes of each of many values, if all of them are plainly written; else None."""
    if set(map(type, values)) == {str} and set(map(len, values)) == {10}:
        return values if all(map(_day, set(values))) else None
    moments = read_datetimes(values)
    return moments and [moment[:10] for moment in moments]


def read_partial_date(value: object) -> str | None:
    """Return a day as `read_date` does; None where only a year or a month is written, which catalogues may do."""
    try:
        return read_date(value)
    except ValueError:
        if isinstance(value, (str, int)) and not isinstance(value, bool) and _MONTH.fullmatch(plain(value)):
            return None
        raise


@lru_cache(maxsize=16_384)
def _day(text: str) -> str | None:
    """Return an ISO day as it is, "" for a placeholder, None where the general path must look."""
    if text in _PLACEHOLDERS:
        return ""
    try:
        return text if text[4] == "-" == text[7] and date.fromisoformat(text) else None
    except ValueError:
        return None


def _day_and_clock(text: str) -> tuple[str, str] | None:
    """Return day ("" for a placeholder) and clock of 2026-11-03T08:30:00, with or without a fraction; None for any other form."""
    if len(text) < 19 or not text[13] == ":" == text[16] or text[10] not in " T":
        return None
    day, clock, fraction = _day(text[:10]), text[11:19], text[19:]
    if day is None or not _is_clock(clock):
        return None
    return (day, clock) if not fraction or _FRACTION.fullmatch(fraction) else None


def _is_clock(text: str) -> bool:
    return text[:5] in _MINUTES and text[5:] in _SECONDS


def _moment(value: object) -> datetime | None:
    """Return the moment as a naive Shanghai time; None for a blank or a placeholder."""
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, date):
        found = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a day of Shanghai
    elif isinstance(value, (int, float, Decimal)):
        found = _numbered(value)
    else:
        text = plain(value)
        if not text:
            return None
        try:
            found = _read_moment(text, value)
        except _Placeholder:
            return None
    if found.date().isoformat() in _PLACEHOLDERS:
        return None
    if found.tzinfo is not None:
        found = found.astimezone(SHANGHAI).replace(tzinfo=None)
    return None if found.date().isoformat() in _PLACEHOLDERS else found


class _Placeholder(Exception):
    """A date that platforms write for none."""


def _read_moment(text: str, value: object) -> datetime:
    if text.isdigit():
        return _digits(text, value)
    match = _MOMENT.fullmatch(text)
    if not match:
        raise wrong(_DATE_WANTED, value)
    year, month, day = int(match["y"]), int(match["m"] or match["cm"]), int(match["d"] or match["cd"])
    if (year, month, day) == (0, 0, 0):
        raise _Placeholder
    clock = (match["H"] or "0").zfill(2), (match["M"] or "0").zfill(2), (match["S"] or "0").zfill(2)
    zone = (match["z"] or "").upper().replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(f"{year:04}-{month:02}-{day:02}T{':'.join(clock)}{zone}")
    except ValueError:
        raise wrong(f"{_DATE_WANTED} that the calendar has", value) from None


def _digits(text: str, value: object) -> datetime:
    if text[:8] == "00000000":
        raise _Placeholder
    if len(text) in _DIGIT_FORMS:
        try:
            return datetime.strptime(text, _DIGIT_FORMS[len(text)])  # noqa: DTZ007 - Shanghai goes without saying
        except ValueError:
            raise wrong(f"{_DATE_WANTED} that the calendar has", value) from None
    if len(text) in (10, 13):
        return _numbered(int(text))
    raise wrong(_DATE_WANTED, value)


def _numbered(value: float | Decimal) -> datetime:
    """Read epoch milliseconds, epoch seconds, a day like 20261103, or the serial number of a workbook."""
    if isinstance(value, bool) or not math.isfinite(value):
        raise wrong(_DATE_WANTED, value)
    if _EXCEL_SERIALS[0] <= value < _EXCEL_SERIALS[1]:
        return _EXCEL_DAY_ZERO + timedelta(seconds=round(float(value) * 86_400))
    if 10**12 <= value < 10**13:
        return datetime.fromtimestamp(int(value) // 1000, SHANGHAI)
    if 10**9 <= value < 10**10:
        return datetime.fromtimestamp(int(value), SHANGHAI)
    if 10**7 <= value < 10**8 and value == int(value):
        return _digits(str(int(value)), value)
    raise wrong(_DATE_WANTED, value)


def read_year(value: object) -> int | None:
    """Return the year of a year, a month or a date; 0, 1, 1900 and 9999 stand for none."""
    if type(value) is str and len(value) == 4 and value.isascii() and value.isdigit() and value not in _NO_YEARS:
        return int(value)
    text = "" if isinstance(value, (bool, date)) else plain(value)
    match = _MONTH.fullmatch(text)
    if match:
        year = int(match[1])
        return None if year in _PLACEHOLDER_YEARS else year
    if text == "0":
        return None
    try:
        moment = _moment(value)
    except ValueError:
        raise wrong("a year like 2026", value) from None
    return None if moment is None else moment.year
