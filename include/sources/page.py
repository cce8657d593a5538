"""What a reader yields: pages of rows behind the privacy gate, or the fault that stands in a page's place."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import zstandard

from include.errors import ShuhengError, SourceMalformed

PAGE_FAILED, DETAIL_MISSING, ROWS_LEFT_OUT = "page_failed", "detail_missing", "rows_left_out"
"""What a fault degrades its batch for."""


@dataclass(frozen=True, slots=True)
class Window:
    """What to ask a source for: everything, or what changed since `since` (the overlap is already taken off)."""

    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_full(self) -> bool:
        """Return whether the whole of the source is asked for."""
        return self.since is None and self.until is None


@dataclass(frozen=True, slots=True)
class KnownPage:
    """What is known of an answer that came before, byte for byte: its landed page and what its envelope said."""

    page: str
    rows: int
    rows_received: int
    refused: int
    declared_rows: int | None
    declared_pages: int | None
    high_water: str | None
    notes: tuple[str, ...] = ()


KnownAnswers = Mapping[str, tuple[KnownPage, ...]]
"""What is known of earlier answers, by the SHA-256 of their bytes: the pages that each made."""


@dataclass(frozen=True, slots=True)
class PackedLines:
    """Canonical JSON lines as a page file holds them: compressed by zstd, named by the SHA-256 of what they say."""

    name: str
    content: bytes = field(repr=False)

    def unpack(self) -> bytes:
        """Return the lines."""
        return bytes(zstandard.decompress(self.content))


@dataclass(frozen=True, slots=True)
class PageLines:
    """A page's rows as they are landed: packed by whoever gated it, so that as little as can be goes through a pipe."""

    packed: PackedLines
    rows: int
    high_water: str | None
    made: Any = field(default=None, repr=False)
    """What was made of the page beyond this, where something was wanted."""


def canonical_lines(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as canonical JSON (sorted keys), one a line; raises `SourceMalformed` for what cannot be written so."""
    dumps, sort = orjson.dumps, orjson.OPT_SORT_KEYS
    try:
        return b"\n".join([dumps(row, None, sort) for row in rows])
    except orjson.JSONEncodeError as error:  # nested too deep, half of a surrogate pair; the words quote nothing
        raise SourceMalformed(f"a record cannot be kept as JSON ({error}); ask the platform to correct it") from None


_LEVEL = 1  # a page compresses about 6:1 at level 1 in 3 ms; higher levels cost more than the read itself


def pack(lines: bytes) -> PackedLines:
    """Return lines as a page file holds them."""
    return PackedLines(hashlib.sha256(lines).hexdigest(), zstandard.compress(lines, _LEVEL))


@dataclass(frozen=True, slots=True)
class Page:
    """One page as the source wrote it, without classified rows and with persons masked.

    `rows_received` counts the rows before the gate, so that totals can be compared; `refused` only says how many
    were classified. `declared_rows` and `declared_pages` are what the envelope says of the whole listing.
    """

    number: int
    rows: list[dict[str, Any]]
    rows_received: int
    refused: int = 0
    declared_rows: int | None = None
    declared_pages: int | None = None
    received_bytes: int = 0
    is_last: bool = False
    notes: tuple[str, ...] = ()
    """Things to tell a person: "decoded as GB18030", "clock differs by 95 s"."""
    body_sha256: str | None = None
    known: KnownPage | None = None
    """Set where the answer is known byte for byte; `rows` is empty then."""
    lines: PageLines | None = None
    """Set where a large read has made them already; `rows` is empty then."""
    part: int = 0
    """Place within an answer that makes several pages."""


@dataclass(frozen=True, slots=True)
class PageFault:
    """A page, or what `code` says of it, that could not be had after all attempts; the message names no record."""

    number: int
    error: ShuhengError
    code: str = PAGE_FAILED
