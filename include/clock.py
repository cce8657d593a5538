"""The only clock of the pipelines, so that tests and replays can set it."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from include.errors import ConfigurationError

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China Standard Time: one offset since 1991, so a fixed offset is exact for every date the ledger holds."""


def now() -> datetime:
    """Return the present moment, aware, in Asia/Shanghai."""
    return datetime.now(SHANGHAI)


def read_moment(given: str | None, name: str) -> datetime | None:
    """Return the moment that a person typed, Asia/Shanghai where no zone is given; `name` is what they typed it into."""
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise ConfigurationError(f"{name} is {given!r}; write it as 2026-11-01 or 2026-11-01T08:00:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def read_day(given: str, name: str) -> date:
    """Return the day that a person typed; not one of the future, of which nothing can be known."""
    try:
        day = date.fromisoformat(given[:10])
    except ValueError as error:
        raise ConfigurationError(f"{name} is {given!r}; write it as 2026-11-01") from error
    if day > now().date():
        raise ConfigurationError(f"{name} is {given!r}, which is still to come; give today or a past day")
    return day
