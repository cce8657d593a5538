"""What the stand-ins took and what they refused, for tests and the demo; and how often each was called within a rate."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any

KEPT = 5000


@dataclass(frozen=True, slots=True)
class Taken:
    """One message as it came: `content` is the JSON of a robot or webhook, or the parts of a mail; `size` in bytes."""

    channel: str
    number: int
    at: str
    size: int
    content: dict[str, Any] = field(repr=False)


class Shelf:
    """All that was taken, the last `KEPT` of it, and the codes of what was not."""

    def __init__(self) -> None:
        self._taken: deque[Taken] = deque(maxlen=KEPT)
        self._refused: dict[str, Counter[str]] = {}
        self._calls: Counter[str] = Counter()
        self._kept: Counter[str] = Counter()
        self._lock = Lock()

    def call(self, channel: str) -> int:
        """Count a call and return its number, from 1."""
        with self._lock:
            self._calls[channel] += 1
            return self._calls[channel]

    def keep(self, channel: str, content: dict[str, Any], size: int) -> None:
        """Keep a message."""
        with self._lock:
            self._kept[channel] += 1
            self._taken.append(Taken(channel, self._kept[channel], datetime.now(UTC).isoformat(), size, content))

    def refuse(self, channel: str, code: object) -> None:
        """Count a refusal."""
        with self._lock:
            self._refused.setdefault(channel, Counter())[str(code)] += 1

    def of(self, channel: str) -> list[Taken]:
        """Return what a channel took, oldest first."""
        with self._lock:
            return [one for one in self._taken if one.channel == channel]

    def refused(self, channel: str) -> dict[str, int]:
        """Return how often a channel refused with which code."""
        with self._lock:
            return dict(self._refused.get(channel, {}))

    def described(self, channel: str = "") -> dict[str, Any]:
        """Return what is known, of one channel or of all."""
        with self._lock:
            taken = [asdict(one) for one in self._taken if channel in ("", one.channel)]
            refused = {name: dict(codes) for name, codes in self._refused.items() if channel in ("", name)}
            return {"taken": taken, "refused": refused, "calls": dict(self._calls)}

    def clear(self) -> int:
        """Forget everything and return how many messages there were."""
        with self._lock:
            count = len(self._taken)
            self._taken.clear()
            self._refused.clear()
            self._calls.clear()
            self._kept.clear()
        return count


class Rate:
    """At most so many calls in any `seconds`; a caller that comes too often is turned away for `silence` seconds."""

    def __init__(
        self, count: int, seconds: float, silence: float = 0.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.count, self.seconds, self.silence = count, seconds, silence
        self._monotonic = monotonic
        self._calls: deque[float] = deque()
        self._until = 0.0

    def admits(self) -> bool:
        """Count a call and return whether it may come in."""
        now = self._monotonic()
        if now < self._until:
            return False
        while self._calls and self._calls[0] <= now - self.seconds:
            self._calls.popleft()
        if len(self._calls) >= self.count:
            self._until = now + self.silence
            return False
        self._calls.append(now)
        return True

    def clear(self) -> None:
        """Forget the calls and the silence."""
        self._calls.clear()
        self._until = 0.0
