"""One page through the privacy gate, and into packed canonical lines where that is wanted. Pure, so any process may do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson

from include.errors import ShuhengError
from include.sources.call import Answer
from include.sources.card import Card
from include.sources.decoding import decode_json
from include.sources.envelope import open_envelope
from include.sources.high_water import high_water_of
from include.sources.mapping import CardMapper, RecordMapper
from include.sources.page import Page, PageLines, canonical_lines, pack
from include.sources.privacy import Gatekeeper
from include.sources.raw_page import RawPage

Behind = Callable[[int, list[dict[str, Any]], bytes], bytes]
"""What is made of a gated page, of its number, rows and lines, while these are at hand; it goes to another process by pickle."""


@dataclass(frozen=True, slots=True)
class GatedPage:
    """A page behind the gate, and who was refused: the identities, never to be stored or logged."""

    page: Page
    refused: frozenset[str]


class PageGate:
    """The gate of one card, for whole pages."""

    def __init__(self, card: Card, behind: Behind | None = None) -> None:
        self._card, self._behind = card, behind
        self._gatekeeper = Gatekeeper(card)
        self._high_water = high_water_of(card)
        self._mapper: RecordMapper | None = None

    def admit(self, raw: RawPage) -> GatedPage:
        """Gate a page."""
        page = self._gatekeeper.admit(raw)
        return GatedPage(page, frozenset(self._refused_keys(raw, page)) if page.refused else frozenset())

    def admit_lines(self, raw: RawPage) -> GatedPage:
        """Gate a page and pack its rows as lines."""
        gated = self.admit(raw)
        rows = gated.page.rows
        lines = canonical_lines(rows)
        made = self._behind(raw.number, rows, lines) if self._behind else b""
        packed = PageLines(pack(lines), len(rows), self._high_water(rows, None), made)
        return replace(gated, page=replace(gated.page, rows=[], lines=packed))

    def answer(self, question: tuple[RawPage, bytes | None]) -> GatedPage | ShuhengError:
        """Gate a page whose rows came as JSON, or stand in its answer; an error on purpose is an answer, too."""
        raw, rows = question
        try:
            return self.admit_lines(replace(raw, rows=orjson.loads(rows) if rows else self._rows_of(raw.answer)))
        except ShuhengError as error:
            return error

    def _rows_of(self, answer: Answer | None) -> list[dict[str, Any]]:
        """Return the rows of an answer that was accepted, as its reader found them."""
        if answer is None:
            return []
        document, _ = decode_json(bytes(answer.body), answer.content_type)
        rows: list[dict[str, Any]] = open_envelope(replace(answer, document=document), self._card).rows
        return rows

    def _refused_keys(self, raw: RawPage, page: Page) -> Iterator[str]:
        """Yield the identity of each row that the gate kept out, where it has one."""
        admitted = {id(row) for row in page.rows}
        if self._mapper is None:  # compiled once for all pages, and only where somebody is refused
            self._mapper = CardMapper(self._card).main
        mapper = self._mapper
        for row in raw.rows:
            if id(row) not in admitted and isinstance(row, dict):
                key = mapper.record_key(mapper.map(row, dict(self._card.constants))[0])
                if key is not None:
                    yield key
        mapper.oddities.values.clear()  # words of refused rows: nothing of them is kept
