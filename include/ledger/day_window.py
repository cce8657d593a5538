"""The window of a daily series: whole days of Asia/Shanghai, up to yesterday, from a little before the last day read.

A window's `since` is the midnight with which its first day begins, `until` the one with which its last day ends.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from include.clock import SHANGHAI
from include.errors import ConfigurationError
from include.landing.batch import Manifest
from include.sources.card import Card, Series
from include.sources.page import Window

_DAY = timedelta(days=1)


def choose_days(
    card: Card,
    series: Series,
    at: datetime,
    read_until: datetime | None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Window:
    """Return the days to ask for; `read_until` is the watermark: the end of the last day read, or None to begin anew.

    A window by hand is widened to whole days and ends with yesterday at the latest. Files are read whole, so theirs has no
    beginning. Raises `ConfigurationError` where no day is left.
    """
    today = _midnight(at)
    end = min(today, _end_of_day(until)) if until else today
    if card.files is not None:
        return Window(None, end)
    if since:
        begin = _midnight(since)
    elif read_until:
        begin = min(_midnight(read_until) - (series.settle_days + 1) * _DAY, end - _DAY)
    else:
        begin = end - series.first_days * _DAY
    if begin >= end:
        raise ConfigurationError(
            f"no whole day lies between {begin:%Y-%m-%d} and {end:%Y-%m-%d}; card {card.source!r} is read by days, and "
            "yesterday is the last one"
        )
    return Window(begin, end)


def days_of(manifest: Manifest) -> list[date]:
    """Return the days that a batch asked for; none where its window has no beginning or no end."""
    if not (manifest.since and manifest.until):
        return []
    first, after = (
        datetime.fromisoformat(text).astimezone(SHANGHAI).date() for text in (manifest.since, manifest.until)
    )
    return [first + n * _DAY for n in range((after - first).days)]


def leaves_gap(manifest: Manifest, series: Series, read_until: datetime | None) -> bool:
    """Return whether days before the batch's window were never read, so that the watermark must not pass over them."""
    if manifest.since is None or manifest.until is None:
        return False
    begin = datetime.fromisoformat(manifest.since)
    if read_until is None:
        return begin > datetime.fromisoformat(manifest.until) - series.first_days * _DAY
    return begin > read_until


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(SHANGHAI).date(), time(), SHANGHAI)


def _end_of_day(moment: datetime) -> datetime:
    """Return the midnight at or after a moment: the end of the day that it lies in or ends."""
    begin = _midnight(moment)
    return begin if begin == moment else begin + _DAY
