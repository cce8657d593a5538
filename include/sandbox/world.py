"""The world the platforms show: which records are listed, in which order, and how they stand today.

Records of the start are made from their index when asked for; only what time changed is held apart.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from threading import RLock

import orjson

from include.sandbox.layout import Layout
from include.sandbox.records import BASE_DAY, Record, Recorder

CHUNK = 1000
KEPT_BYTES = 1_800_000_000
"""How many bytes of records may be kept; what is beyond is made again each time."""
KEPT_PAGE_BYTES = 300_000_000

TailEntry = tuple[datetime, str, int]


class World:
    """All projects of one seed and size."""

    def __init__(self, size: int, seed: int) -> None:
        self.size, self.seed = size, seed
        self.layout = Layout(size)
        self.recorder = Recorder(seed, self.layout)
        self.day = BASE_DAY
        self.next_index = size
        self.changed: dict[int, Record] = {}
        self.vanished: set[int] = set()
        self.version = 0
        self.lock = RLock()
        self._changed_bytes: dict[int, bytes] = {}
        self._chunks: dict[int, list[bytes]] = {}
        self._kept = 0
        self._gone: list[int] = []
        self._gaps: list[int] = []
        self._tail: list[TailEntry] = []

    def settle(self) -> None:
        """Bring order and bytes to what `changed` and `vanished` say; call after every change of them."""
        self._gone = sorted({i for i in (*self.changed, *self.vanished) if i < self.size})
        self._gaps = [index - position for position, index in enumerate(self._gone)]
        self._tail = sorted(
            (datetime.fromisoformat(record["UPDATETIME"]), record["PROJECT_CODE"], index)
            for index, record in self.changed.items()
            if index not in self.vanished
        )
        self._changed_bytes = {index: _compact(record) for index, record in self.changed.items()}
        self.version += 1

    def current(self, index: int) -> Record:
        """Return a record as it stands today."""
        return self.changed.get(index) or self.recorder.record(index)

    def encoded(self, index: int) -> bytes:
        """Return a record as it stands today, as JSON bytes."""
        if index in self._changed_bytes:
            return self._changed_bytes[index]
        return self.encoded_start(index)

    def encoded_start(self, index: int) -> bytes:
        """Return a record of the start as it was then, as JSON bytes."""
        return self._chunk(index // CHUNK)[index % CHUNK]

    def _chunk(self, number: int) -> list[bytes]:
        chunk = self._chunks.get(number)
        if chunk is None:
            begin = number * CHUNK
            end = min(begin + CHUNK, self.size)
            chunk = [_compact(self.recorder.record(index)) for index in range(begin, end)]
            self.keep(number, chunk)
        return chunk

    def warm(self) -> None:
        """Make all records of the start now."""
        for number in range(-(-self.size // CHUNK)):
            self._chunk(number)

    def keep(self, number: int, chunk: list[bytes]) -> None:
        """Hold the bytes of a chunk while there is room for them."""
        if self._kept < KEPT_BYTES and number not in self._chunks:
            self._kept += sum(map(len, chunk))
            self._chunks[number] = chunk

    def listing(self, begin: datetime | None = None, end: datetime | None = None) -> Listing:
        """Return what is listed with UPDATETIME in begin … end, both included."""
        low = bisect_left(range(self.size), begin, key=self.recorder.updated) if begin else 0
        high = bisect_right(range(self.size), end, key=self.recorder.updated) if end else self.size
        tail = self._tail
        tail_low = bisect_left(tail, begin, key=lambda entry: entry[0]) if begin else 0
        tail_high = bisect_right(tail, end, key=lambda entry: entry[0]) if end else len(tail)
        first = low - bisect_left(self._gone, low)
        still = max(0, high - bisect_left(self._gone, high) - first)
        return Listing(self, first, still, tail_low, max(0, tail_high - tail_low))

    def base_from(self, position: int) -> Iterator[int]:
        """Yield the indexes of the start that still stand where they were, from a position on."""
        index = position + bisect_right(self._gaps, position)
        gone = self._gone
        at = bisect_left(gone, index)
        while index < self.size:
            stop = gone[at] if at < len(gone) else self.size
            yield from range(index, stop)
            index, at = stop + 1, at + 1

    def tail(self, begin: int, end: int) -> list[int]:
        """Return the indexes of changed records, in their order."""
        return [entry[2] for entry in self._tail[begin:end]]


@dataclass(frozen=True, slots=True)
class Listing:
    """A stretch of the world in the order of the platform."""

    world: World
    first: int
    still: int
    tail_first: int
    tail_count: int

    @property
    def total(self) -> int:
        """Return how many records are listed."""
        return self.still + self.tail_count

    def indexes(self, begin: int, end: int) -> list[int]:
        """Return the indexes at positions begin … end-1; fewer where the listing ends."""
        begin, end = max(0, begin), min(max(0, end), self.total)
        found: list[int] = []
        if begin < self.still:
            count = min(end, self.still) - begin
            found = list(islice(self.world.base_from(self.first + begin), max(0, count)))
        if end > self.still:
            low = self.tail_first + max(0, begin - self.still)
            found += self.world.tail(low, self.tail_first + end - self.still)
        return found


def _compact(record: Record) -> bytes:
    """Return a record as bytes; orjson's own lie in oversized buffers, a copy takes a fifth of the memory."""
    return bytes(memoryview(orjson.dumps(record)))
