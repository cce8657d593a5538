"""The second process as one that maps pages beside the merge's own, so that a large first load uses two cores."""

from __future__ import annotations

from concurrent.futures import Future

from include.ledger.page_mapper import Lines, MappedPage, PageMapper
from include.sources.card import Card
from include.sources.mapping import Oddities
from include.sources.second_process import Answering, SecondProcess, Work

_WHAT_WAS_ODD = ()
"""Instead of a page: asks for what could not be placed."""


class SecondMapper(Work):
    """The parent's end. Use as a context manager."""

    def __init__(self, process: SecondProcess, card: Card, *, as_text: bool, batch_id: str | None = None) -> None:
        super().__init__(process)
        process.begin(__name__, (card, as_text, batch_id))

    def submit(self, page: int, lines: Lines) -> Future[MappedPage]:
        """Have a page mapped; the future holds its rows."""
        return self._process.ask((page, lines))

    def finish(self) -> Oddities:
        """Return what the second process could not place."""
        oddities: Oddities = self._process.ask(_WHAT_WAS_ODD).result()
        return oddities


def answering(start: tuple[Card, bool, str | None]) -> Answering:
    """Return what maps pages, in the second process."""
    card, as_text, batch_id = start
    mapper = PageMapper(card, as_text=as_text, batch_id=batch_id)
    return lambda question: mapper.map(*question) if question else mapper.card_mapper.oddities
