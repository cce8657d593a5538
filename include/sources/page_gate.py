"""One page through the privacy gate, and into packed canonical lines where that is wanted. Pure, so any process may do it.

A page is read, gated and written in parts of some rows, one after the other, while the objects of a part are in the fast caches.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import orjson

from include.errors import ShuhengError, SourceMalformed
from include.sources.call import Answer
from include.sources.card import Card
from include.sources.decoding import decode_json, unreadable
from include.sources.envelope import open_envelope
from include.sources.high_water import high_water_of
from include.sources.mapping import CardMapper, RecordMapper
from include.sources.page import Page, PageFault, PageLines, canonical_lines, pack
from include.sources.privacy import Gatekeeper
from include.sources.raw_page import RawPage

Row = dict[str, Any]

PART = 100
"""Rows of a page that are taken at once; of catalogue entries with all their objects some 1 MB."""

GatedPart = tuple[list[Row], bytes]
"""Some rows of a page behind the gate, and their lines."""


class Behind(Protocol):
    """What makes something of a gated page while its parts are at hand; it goes to another process by pickle."""

    is_for_all: bool
    """Whether it is for pages that the reading process gates itself as well."""

    def __call__(self, page: int, parts: Iterable[GatedPart]) -> Any:
        """Return what becomes of a page, of its number and all its parts."""


@dataclass(frozen=True, slots=True)
class GatedPage:
    """A page behind the gate, and who was refused: the identities, never to be stored or logged."""

    page: Page
    refused: frozenset[str]


class Unreadable(Exception):  # noqa: N818 - carries the error that stands in the page's place
    """Rows that were cut out of an answer unread turned out to be no JSON that can be read."""

    def __init__(self, plain: SourceMalformed) -> None:
        """Keep the error that reading the whole answer would have ended with."""
        super().__init__(str(plain))
        self.plain = plain


@dataclass(slots=True)
class _Gathered:
    """What has come of a page so far."""

    rows: int = 0
    lines: list[bytes] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    high_water: str | None = None


class PageGate:
    """The gate of one card, for whole pages."""

    def __init__(self, card: Card, behind: Behind | None = None) -> None:
        self._card, self._behind = card, behind
        self._gatekeeper = Gatekeeper(card)
        self._high_water = high_water_of(card)
        self._mapper: RecordMapper | None = None

    def admit(self, raw: RawPage) -> GatedPage:
        """Gate a page; raises `Unreadable`."""
        gathered = _Gathered()
        rows = [row for part in self._gated(raw.number, _parts(raw.rows), gathered) for row in part]
        return GatedPage(raw.passed(rows, len(raw.rows), len(rows)), frozenset(gathered.refused))

    def admit_lines(self, raw: RawPage) -> GatedPage:
        """Gate a page and pack its rows as lines; raises `Unreadable`."""
        return self._lines_of(raw, len(raw.rows), _parts(raw.rows))

    def answer(self, question: tuple[RawPage, int, list[bytes]]) -> GatedPage | PageFault | ShuhengError:
        """Gate a page of so many rows, which came as JSON or stand in its answer; an error on purpose is an answer, too."""
        raw, count, parts = question
        try:
            if raw.answer:
                return self.admit_lines(replace(raw, rows=self._rows_of(raw.answer)))
            return self._lines_of(raw, count, _read(parts, raw))
        except Unreadable as error:
            return PageFault(raw.number, error.plain)
        except ShuhengError as error:
            return error

    def _lines_of(self, raw: RawPage, count: int, parts: Iterable[Sequence[Row]]) -> GatedPage:
        gathered = _Gathered()
        written = self._written(raw.number, parts, gathered)
        made = self._behind(raw.number, written) if self._behind else None
        deque(written, 0)  # whatever has not been asked for
        lines = PageLines(pack(b"\n".join(gathered.lines)), gathered.rows, gathered.high_water, made)
        return GatedPage(raw.passed([], count, gathered.rows, lines), frozenset(gathered.refused))

    def _written(self, page: int, parts: Iterable[Sequence[Row]], gathered: _Gathered) -> Iterator[GatedPart]:
        """Yield the parts of a page with their lines."""
        for rows in self._gated(page, parts, gathered):
            if rows:
                lines = canonical_lines(rows)
                gathered.rows += len(rows)
                gathered.lines.append(lines)
                gathered.high_water = self._high_water(rows, gathered.high_water)
                yield rows, lines

    def _gated(self, page: int, parts: Iterable[Sequence[Row]], gathered: _Gathered) -> Iterator[list[Row]]:
        """Yield what passes of each part."""
        for part in parts:
            rows = self._gatekeeper.admit_rows(part, page)
            if len(rows) < len(part):
                gathered.refused.update(self._refused_keys(part, rows))
            yield rows

    def _rows_of(self, answer: Answer) -> Sequence[Row]:
        """Return the rows of an answer that was accepted, as its reader found them."""
        document, _ = decode_json(bytes(answer.body), answer.content_type)
        rows: Sequence[Row] = open_envelope(replace(answer, document=document), self._card).rows
        return rows

    def _refused_keys(self, given: Sequence[Row], passed: list[Row]) -> Iterator[str]:
        """Yield the identity of each row that the gate kept out, where it has one."""
        admitted = set(map(id, passed))
        if self._mapper is None:  # compiled once for all pages, and only where somebody is refused
            self._mapper = CardMapper(self._card).main
        mapper = self._mapper
        for row in given:
            if id(row) not in admitted and isinstance(row, dict):
                key = mapper.record_key(mapper.map(row, dict(self._card.constants))[0])
                if key is not None:
                    yield key
        mapper.oddities.values.clear()  # words of refused rows: nothing of them is kept


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Yield the rows of a page a part at a time; those that are cut are read only now."""
    for start in range(0, len(rows), PART):
        try:
            part = rows[start : start + PART]
        except SourceMalformed as error:
            raise Unreadable(error) from None
        yield part


def _read(parts: list[bytes], raw: RawPage) -> Iterator[list[Row]]:
    """Yield rows that came as JSON."""
    for part in parts:
        try:
            rows: list[Row] = orjson.loads(part)
        except orjson.JSONDecodeError as error:
            about = f"body SHA-256 {raw.body_sha256}, {raw.received_bytes} bytes"
            raise Unreadable(SourceMalformed(unreadable(error, about))) from None
        yield rows
