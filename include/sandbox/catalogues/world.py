"""The catalogues as they stand today: source by source the entries listed, and what is gone and may come back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import RLock
from typing import Any

from include.sandbox.catalogues import portal_entries, system_entries
from include.sandbox.catalogues.entry import HOST, MOVED_HOST, Entry, recoined, written_out
from include.sandbox.systems import City

SOURCES = (*system_entries.SOURCES, *portal_entries.SOURCES)
VARIANTS = ("recoined", "moved", "vanish_half", "remote_context")
"""Faults that change what is listed, not how it is answered."""
Encode = Callable[[Entry], bytes]


class CatalogueWorld:
    """All entries of one city; a portal's are made when first asked for."""

    def __init__(self, city: City, number: int = portal_entries.DEFAULT_NUMBER) -> None:
        if number < 1:
            raise ValueError(f"a portal needs at least one catalogue entry, not {number}")
        self.city = city
        self.numbers = portal_entries.numbers(number)
        self.version = 0
        self.gone: list[Entry] = []
        self.lock = RLock()
        self._entries: dict[str, list[Entry]] = {}

    def entries(self, source: str) -> list[Entry]:
        """Return what a source lists today, each entry once."""
        with self.lock:
            if source not in self._entries:
                self._make(source)
            return self._entries[source]

    def warm(self) -> None:
        """Make all entries now."""
        for source in SOURCES:
            self.entries(source)

    def _make(self, source: str) -> None:
        if source in self.numbers:
            self._entries[source] = portal_entries.portal_entries(self.city, source, self.numbers[source])
        else:
            self._entries |= system_entries.system_entries(self.city)

    def listed(self, source: str, variant: str = "") -> list[Entry]:
        """Return the entries as often as a source lists them, as changed by a fault."""
        with self.lock:
            entries = list(self.entries(source))
        if variant == "recoined":
            entries = [recoined(entry) for entry in entries]
        if variant == "vanish_half":
            entries = entries[::2]
        return written_out(entries)


class Listing:
    """The rows of one source in one form, kept until an entry changes; `kind` narrows them."""

    def __init__(self, world: CatalogueWorld, source: str, encode: Encode, kind: str | None = None) -> None:
        self.world, self.source, self.encode, self.kind = world, source, encode, kind
        self._kept: dict[str, _Rows] = {}
        self._version = -1

    def rows(self, scenario: str = "") -> Sequence[bytes]:
        """Return the rows, as changed by a fault if it is one that changes what is listed."""
        variant = scenario if scenario in VARIANTS else ""
        with self.world.lock:
            if self._version != self.world.version:
                self._kept, self._version = {}, self.world.version
            if variant not in self._kept:
                self._kept[variant] = self._made(variant)
            return self._kept[variant]

    def _made(self, variant: str) -> _Rows:
        entries = [e for e in self.world.listed(self.source, variant) if self.kind in (None, e.kind)]
        return _Rows(entries, self._moved if variant == "moved" else self.encode)

    def _moved(self, entry: Entry) -> bytes:
        return self.encode(entry).replace(HOST.encode(), MOVED_HOST.encode())


class _Rows(Sequence[bytes]):
    """Rows that are written when first asked for: of 100,000 entries a page must not wait for all others."""

    def __init__(self, entries: list[Entry], encode: Encode) -> None:
        self._entries, self._encode = entries, encode
        self._written: list[bytes | None] = [None] * len(entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, where: Any) -> Any:
        return [self._row(place) for place in range(*where.indices(len(self)))]

    def _row(self, place: int) -> bytes:
        row = self._written[place]
        if row is None:
            row = self._written[place] = self._encode(self._entries[place])
        return row
