"""What a reader hands to the privacy gate: one page exactly as the source wrote it, classified rows included.

Lives only in memory, between a reader and the gate; nothing may log, store or keep it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from include.sources.call import Answer
from include.sources.page import KnownPage, Page, PageLines


@dataclass(frozen=True, slots=True)
class RawPage:
    """One page before the privacy gate.

    `number` counts pages from 1 in the order they were asked for, whatever number the source gives them.
    `declared_rows` and `declared_pages` are what the source says of the whole listing; `received_bytes` is the size
    after decompression. `repr` leaves the rows out because they are not yet gated.
    """

    number: int
    rows: Sequence[dict[str, Any]] = field(repr=False)
    """A list, or rows that are read where they are needed."""
    declared_rows: int | None = None
    declared_pages: int | None = None
    received_bytes: int = 0
    is_last: bool = False
    notes: tuple[str, ...] = ()
    """Things to tell a person: "decoded as GB18030 though labelled utf-8", "clock differs by 95 s"."""
    body_sha256: str | None = None
    known: KnownPage | None = None
    """Set where the answer came before, byte for byte: then it was neither parsed nor are there rows."""
    part: int = 0
    """Place within an answer or file that makes several pages."""
    answer: Answer | None = field(default=None, repr=False, compare=False)
    """The answer in which the rows stand as they are, so that another process can read them there; without its document."""

    def passed(self, rows: list[dict[str, Any]], received: int, count: int, lines: PageLines | None = None) -> Page:
        """Return the page behind the gate: its rows, or their lines; `count` of the `received` ones have passed."""
        return Page(
            self.number, rows, received, received - count, self.declared_rows, self.declared_pages, self.received_bytes,
            self.is_last, self.notes, self.body_sha256, None, lines, self.part,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file, or a sheet of it, holds before it is cut into pages; the rows may be made as they are asked for."""

    rows: Iterable[dict[str, Any]] = field(repr=False)
    declared_rows: int | None = None
    notes: tuple[str, ...] = ()
