"""The catalogues as they stand today: source by source the entries listed, and what is gone and may come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import RLock

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
        self._kept: dict[str, list[bytes]] = {}
        self._version = -1

    def rows(self, scenario: str = "") -> list[bytes]:
        """Return the rows, as changed by a fault if it is one that changes what is listed."""
        variant = scenario if scenario in VARIANTS else ""
        with self.world.lock:
            if self._version != self.world.version:
                self._kept, self._version = {}, self.world.version
            if variant not in self._kept:
                self._kept[variant] = self._made(variant)
            return self._kept[variant]

    def _made(self, variant: str) -> list[bytes]:
        entries = self.world.listed(self.source, variant)
        rows = [self.encode(entry) for entry in entries if self.kind in (None, entry.kind)]
        return [moved(row) for row in rows] if variant == "moved" else rows


def moved(row: bytes) -> bytes:
    """Return a row with another host in all its addresses."""
    return row.replace(HOST.encode(), MOVED_HOST.encode())


def put(world: CatalogueWorld, entry: Entry, **changes: object) -> Entry:
    """Put a changed entry in the place of the one there was, and return it."""
    entries = world.entries(entry.source)
    place = next(i for i, one in enumerate(entries) if one is entry)
    entries[place] = replace(entry, **changes)  # type: ignore[arg-type]
    return entries[place]
