"""Pages through the privacy gate and into canonical lines, by two processes where a read is large.

Pages come out in the order in which they came in, with the same values there as here: an answer is read there by the same function,
other rows go as JSON. Raw rows pass through a pipe to our own child and nowhere else.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import orjson

from include.errors import ShuhengError
from include.sources.card import Card
from include.sources.page import Page, PageFault
from include.sources.page_gate import PART, Behind, GatedPage, PageGate, Unreadable
from include.sources.raw_page import RawPage
from include.sources.second_process import AHEAD, WORTH_OF_ENTRIES, Answering, SecondProcess, Work, pays
from include.sources.unread_rows import UnreadRows

log = logging.getLogger(__name__)

_FIRST_HERE = 2
"""Pages that are gated here before a second process, which starts meanwhile, is asked: a read may know nearly all its pages."""

_BYTES_OF_AN_ENTRY = 1_000
"""What an entry of a large document takes at least; how many there are it does not say."""

_WAITING = 32
"""Pages that may wait for one before them: packed they are small, and the second process has more to do with each of its own."""


Row = dict[str, Any]

Answered = GatedPage | PageFault | ShuhengError

Waiting = GatedPage | PageFault | Future[Answered]


class Gates(Work):
    """All pages of one read, gated in order. Use as a context manager; `refused` collects whom the gate refused."""

    def __init__(
        self,
        card: Card,
        refused: set[str],
        process: SecondProcess,
        *,
        is_all_new: bool = False,
        behind: Behind | None = None,
    ) -> None:
        """`is_all_new`: nothing is known of what will come; `behind` makes more of the pages of a large read."""
        super().__init__(process)
        self._card, self._refused, self._behind = card, refused, behind
        self._here = PageGate(card, behind if behind and behind.is_for_all else None)
        self._second: SecondProcess | None = None
        self._waiting: deque[Waiting] = deque()
        self._gated, self._first_here = 0, 1 if is_all_new else _FIRST_HERE
        self._rows = 0
        # How large a catalogue is that was never read is seen when it has come, or been parsed as one document: too late by the
        # time that a process takes to start.
        if is_all_new and card.entity == "resource" and card.reader == "http" and pays(card.entity, WORTH_OF_ENTRIES):
            process.start(__name__, *([type(behind).__module__] if behind else []))

    def admit(self, raw: RawPage) -> Iterator[Page | PageFault]:
        """Take a page in; yield those that are ready."""
        if not self._second and self._is_large(raw):
            self._second = self._process
            self._second.begin(__name__, (self._card, self._behind))
        self._gated += 1
        self._waiting.append(self._there(raw) or self._gated_here(raw))
        return self._ready(_WAITING)

    def pass_by(self, item: Page | PageFault) -> Iterator[Page | PageFault]:
        """Let a fault, or a page that was gated when it came before, keep its place in the order."""
        self._waiting.append(item if isinstance(item, PageFault) else GatedPage(item, frozenset()))
        return self._ready(_WAITING)

    def rest(self) -> Iterator[Page | PageFault]:
        """Yield the pages that are still on their way."""
        return self._ready(0)

    def _is_large(self, raw: RawPage) -> bool:
        in_document = raw.received_bytes // _BYTES_OF_AN_ENTRY if self._card.document and not raw.is_last else 0
        self._rows = max(self._rows, raw.declared_rows or 0, in_document)
        return (
            self._gated >= self._first_here - 1 and self._card.reader == "http" and pays(self._card.entity, self._rows)
        )

    def _gated_here(self, raw: RawPage) -> GatedPage | PageFault:
        try:
            return (self._here.admit_lines if self._second else self._here.admit)(raw)
        except Unreadable as error:
            return self._unreadable(PageFault(raw.number, error.plain))

    def _unreadable(self, fault: PageFault) -> PageFault:
        """Tell of a page as its reader does of those that it cannot have."""
        log.warning(
            "page failed source=%s page=%d goes_on=True error=%s: %s",
            self._card.source, fault.number, type(fault.error).__name__, fault.error,
        )  # fmt: skip
        return fault

    def _there(self, raw: RawPage) -> Future[Answered] | None:
        """Hand a page to the second process, if it has time and JSON can carry the rows."""
        on_the_way = sum(isinstance(w, Future) and not w.done() for w in self._waiting)
        if self._second is None or self._gated <= self._first_here or on_the_way >= AHEAD:
            return None
        if raw.answer:  # to read it again costs less there than to write its rows anew here
            return self._second.ask((replace(raw, rows=[]), len(raw.rows), []))
        try:
            parts = _as_json(raw.rows)
        except TypeError:  # lone surrogates, too deep: the careful ways are here
            return None
        return self._second.ask((replace(raw, rows=[]), len(raw.rows), parts))

    def _ready(self, most: int) -> Iterator[Page | PageFault]:
        """Yield from the front what is done; wait for it while more than `most` are behind."""
        while self._waiting:
            first = self._waiting[0]
            if isinstance(first, Future):
                if not first.done() and len(self._waiting) <= most:
                    return
                first = _result(first)
                if isinstance(first, PageFault):
                    self._unreadable(first)
            self._waiting.popleft()
            if isinstance(first, PageFault):
                yield first
            else:
                self._refused.update(first.refused)
                yield first.page


def _as_json(rows: Sequence[Row]) -> list[bytes]:
    """Return rows in parts that are JSON."""
    starts = range(0, len(rows), PART)
    if isinstance(rows, UnreadRows):
        return [rows.json(start, start + PART) for start in starts]
    return [orjson.dumps(rows[start : start + PART]) for start in starts]


def _result(future: Future[Answered]) -> GatedPage | PageFault:
    answer = future.result()
    if isinstance(answer, ShuhengError):
        raise answer
    return answer


def answering(start: tuple[Card, Behind | None]) -> Answering:
    """Return what gates pages, in the second process."""
    return PageGate(*start).answer
