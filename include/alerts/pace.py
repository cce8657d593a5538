"""How fast a channel may be tried, and when a message is tried again. Pure: moments go in, moments come out.

The limits of a channel hold for whatever the other side receives, not for what we start: a try counts until a minute after it
ended, and one whose end nobody knows until its claim is over. So no 60 s that a robot can measure hold more than its limit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from include.alerts.channels.channel import ChannelCard
from include.clock import SHANGHAI

LEASE = timedelta(minutes=5)
"""How long a claim holds: longer than any channel may take to send. After it the try counts as cut short."""

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

WAITS = tuple(timedelta(minutes=m) for m in (1, 2, 5, 15, 60, 120, 240, 360, 480, *(720,) * 19))
"""What lies between the tries of a message, ten days in all: a power cut over the longest holidays is lived through."""

MOST_TRIES = len(WAITS) + 1

MOST_REFUSALS = 2
"""A channel that says no is asked once more, in case that its card or key was mended meanwhile."""

AFTER_REFUSAL = timedelta(minutes=15)

JITTER = 0.2
"""By how much of itself a wait may be longer, so that what failed together does not come back together."""

QUIET = {"feishu": timedelta(seconds=10)}
"""Kinds that refuse when everybody sends, on the hour and the half hour: for so long after it nothing is tried."""

MOST_RATES = {"dingtalk": (20, 20), "wecom": (20, 20), "feishu": (100, 5)}
"""What the platforms take of one robot in a minute and in a second; for the first two they name the minute only."""

UNPACED = frozenset({"spool"})
"""Kinds without a limit: a folder of our own."""


@dataclass(frozen=True, slots=True)
class Span:
    """When a try began and ended; `ended` is None while nobody knows."""

    started: datetime
    ended: datetime | None = None

    @property
    def counts_until(self) -> datetime:
        """Return the last moment at which the other side may have received it."""
        return self.ended or self.started + LEASE


def earliest(card: ChannelCard, spans: Iterable[Span], at: datetime) -> datetime:
    """Return the first moment from `at` on at which a channel may be tried once more, after the tries that there were.

    While an earlier one has not ended this is an upper bound: ask again when it has.
    """
    free = at
    if card.kind not in UNPACED:
        ends = sorted(span.counts_until for span in spans)
        for most, window in ((card.per_minute, MINUTE), (card.per_second, SECOND)):
            if len(ends) >= most:
                free = max(free, ends[-most] + window)
    return _after_quiet(card.kind, free)


def _after_quiet(kind: str, at: datetime) -> datetime:
    quiet = QUIET.get(kind)
    local = at.astimezone(SHANGHAI)
    half_hour = local.replace(minute=local.minute // 30 * 30, second=0, microsecond=0)
    return half_hour + quiet if quiet and local < half_hour + quiet else at


def wait_after(tries: int, message_id: str, *, is_refused: bool = False) -> timedelta | None:
    """Return how long to wait after so many tries of a message; None when it is not to be tried again.

    `is_refused` says that the last one was refused. The jitter comes of the id, so that the same story has the same moments.
    """
    if tries >= MOST_TRIES:
        return None
    wait = AFTER_REFUSAL if is_refused else WAITS[max(tries, 1) - 1]
    return wait * (1 + JITTER * _share(message_id, tries))


def _share(message_id: str, tries: int) -> float:
    digest = hashlib.blake2b(f"{message_id}\x1f{tries}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) / 2**32
