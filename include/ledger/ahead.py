"""Pages of a first load, mapped as they are gated, while their rows are at hand, and kept until their batch is merged.

For whoever lands and merges in one go. What is kept counts in the merge of its own batch alone, page by page, where nothing is
known to compare with; all else is mapped from the landing zone as ever. It is held packed in memory and ends with the process.
"""

from __future__ import annotations

import pickle  # noqa: S403 - what this process or its own child has written
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import zstandard

from include.landing.batch import PageEntry
from include.ledger.page_mapper import Lines, MappedPage, PageMapper, sift
from include.sources.card import Card
from include.sources.mapping import Oddities, Row
from include.sources.page import Page, PageFault
from include.sources.page_gate import GatedPart

if TYPE_CHECKING:
    from include.ledger.begun_merge import BegunMerge

_MOST_BYTES = 64 << 20
"""What is kept at most, of some 400,000 entries; later pages of a larger source are mapped when they are merged."""

_LEVEL = 1

Mapped = tuple[MappedPage, Oddities]
"""A page, and what could not be placed in it."""


class MapsAhead:
    """Maps gated pages of one batch; goes to another process as what it was made of."""

    def __init__(self, card: Card, batch_id: str, as_text: bool) -> None:
        """With `as_text` rows become COPY text, which is sent at once; else what is made is packed, as it is kept."""
        self._card, self._batch_id, self._as_text = card, batch_id, as_text
        self.is_for_all = as_text  # what is kept takes the merge little, and this process has all of it to insert
        self._mapper: PageMapper | None = None

    def __reduce__(self) -> tuple[type[MapsAhead], tuple[Card, str, bool]]:
        return MapsAhead, (self._card, self._batch_id, self._as_text)

    def __call__(self, page: int, parts: Iterable[GatedPart]) -> Mapped | bytes:
        """Return what the rows of a page become."""
        if self._mapper is None:
            self._mapper = PageMapper(self._card, as_text=self._as_text, batch_id=self._batch_id)
        seen: set[bytes] = set()
        repeats: list[bytes] = []
        mapped = self._mapper.map_parts(page, self._sifted(parts, seen, repeats))
        mapped.repeats = repeats
        found: Mapped = mapped, self._mapper.card_mapper.taken_oddities()
        return found if self._as_text else zstandard.compress(pickle.dumps(found, pickle.HIGHEST_PROTOCOL), _LEVEL)

    def _sifted(
        self, parts: Iterable[GatedPart], seen: set[bytes], repeats: list[bytes]
    ) -> Iterator[tuple[Lines, list[Row]]]:
        """Yield the lines of each part that did not come before, with their rows; add to the hashes of those that did."""
        first = 0
        for rows, lines in parts:
            sifted = sift(lines, self._card, set(), seen=seen, first=first)
            repeats += sifted.repeats
            yield sifted.new, [rows[number - first] for number, _, _ in sifted.new] if sifted.repeats else rows
            first += len(rows)


class Ahead:
    """What was mapped of one batch, from its landing until its merge."""

    def __init__(self) -> None:
        self._of: tuple[str, str] | None = None
        self._made: dict[tuple[int, str], bytes] = {}
        self._bytes = 0
        self.pages = 0
        """How many pages were kept; a merge takes them away again."""
        self.begun: BegunMerge | None = None
        """The merge that takes pages as they come, instead of their being kept."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.begun:
            self.begun.end()

    def begin(self, card: Card, batch_id: str, begun: BegunMerge | None = None) -> MapsAhead:
        """Return what maps the pages of a batch that can meet nothing in the ledger."""
        self._of, self.begun = (card.digest, batch_id), begun
        return MapsAhead(card, batch_id, begun is not None)

    def keep(self, pages: Iterable[Page | PageFault]) -> Iterator[Page | PageFault]:
        """Pass pages on, and keep what was made of them."""
        for page in pages:
            if isinstance(page, Page) and page.lines and page.lines.made:
                self._take(page.number, page.lines.packed.name, page.lines.made)
                page = replace(page, lines=replace(page.lines, made=None))  # noqa: PLW2901 - the page goes on without it
            yield page

    def _take(self, page: int, name: str, made: Any) -> None:
        if self.begun:
            self.begun.take(page, name, made)
        elif self._bytes < _MOST_BYTES:
            self._made[page, name] = made
            self._bytes += len(made)
            self.pages += 1

    def of(self, card: Card, batch_id: str) -> Ahead | None:
        """Return itself where it was mapped of this batch, and by this very card."""
        return self if (self._made or self.begun) and self._of == (card.digest, batch_id) else None

    def has(self, page: PageEntry) -> bool:
        """Return whether a landed page is kept."""
        return (page.number, page.sha256) in self._made

    def take(self, page: PageEntry) -> Mapped | None:
        """Return what a landed page became, once; None where it is not kept."""
        made = self._made.pop((page.number, page.sha256), None)
        if made is None:
            return None
        mapped: Mapped = pickle.loads(zstandard.decompress(made))  # noqa: S301 - see the import
        return mapped
