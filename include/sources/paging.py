"""How the next page is asked for, and when there is none: one small class per style of the card.

A declared total decides the end where there is one; a short page is believed only without one. What cannot end by itself
(a total that keeps growing, cursors in a circle) ends with an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson

from include.clock import SHANGHAI
from include.errors import AddressRefused, ConfigurationError, LimitExceeded, SourceMalformed
from include.sources.call import origin
from include.sources.card import Card, Cursor, Paging
from include.sources.page import Window

_EMPTY_PAGES_BELIEVED = 2
_SAMPLED_ROWS = 16


@dataclass(frozen=True, slots=True)
class Step:
    """What to ask for next: parameters, or a full URL in place of the card's path and parameters."""

    parameters: dict[str, Any] = field(default_factory=dict)
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a page said that matters for the next one; `url` is where it came from."""

    rows: int
    declared_rows: int | None = None
    declared_pages: int | None = None
    next_cursor: str | int | None = None
    next_link: str | None = None
    url: str = ""


class Pager(Protocol):
    """Tells what to ask for next."""

    survives_faults: bool

    def first(self) -> Step:
        """Return what the first page is asked with."""

    def after(self, seen: Seen) -> Step | None:
        """Return what to ask for after this page, None at the end; raise if it can never end."""

    def after_fault(self) -> Step | None:
        """Return what to ask for after a page that could not be had, None at the end."""


def make_pager(paging: Paging) -> Pager:
    """Return the pager of a card's style."""
    makers: dict[str, type[Any]] = {
        "single": SinglePager, "page": PagePager, "offset": OffsetPager, "cursor": CursorPager, "link": LinkPager,
        "hydra": LinkPager,
    }  # fmt: skip
    pager: Pager = makers[paging.style](paging)
    return pager


class SinglePager:
    """One answer is all there is."""

    survives_faults = False

    def __init__(self, paging: Paging) -> None:
        """Take the card's paging."""
        self._paging = paging

    def first(self) -> Step:
        """Return no parameters but the size, where the card names one."""
        return Step(_size(self._paging))

    def after(self, seen: Seen) -> Step | None:
        """Return the end."""
        return None

    def after_fault(self) -> Step | None:
        """Return the end."""
        return None


class _Counted:
    """Base of the styles that can ask for any page without having read the one before."""

    survives_faults = True

    def __init__(self, paging: Paging) -> None:
        self._paging = paging
        self._asked = 1
        self._received = 0
        self._largest = 0
        self._empty = 0
        self._first: Seen | None = None
        self._latest: Seen | None = None
        self._position = self._beginning()

    def _beginning(self) -> int:
        raise NotImplementedError

    def _advance(self, rows: int) -> int:
        raise NotImplementedError

    def first(self) -> Step:
        return Step({self._paging.number: self._position, **_size(self._paging)})

    def after(self, seen: Seen) -> Step | None:
        self._received += seen.rows
        self._largest = max(self._largest, seen.rows)
        self._empty = 0 if seen.rows else self._empty + 1
        if _is_declared(seen):
            self._first = self._first or seen
            self._latest = seen
        if self._is_end(seen):
            return None
        self._refuse_endless()
        return self._next(self._advance(seen.rows))

    def after_fault(self) -> Step | None:
        self._received += self._largest or self._paging.page_size  # what it will have held
        needed = self._needed(self._latest)
        if needed is not None and self._asked >= needed:
            return None
        return self._next(self._advance(0))

    def _next(self, steps: int) -> Step:
        self._position += steps
        self._asked += 1
        return self.first()

    def _is_end(self, seen: Seen) -> bool:
        needed = self._needed(self._latest)
        if needed is None or self._latest is None:
            return seen.rows < self._paging.page_size
        if self._asked < needed:
            return False
        # All pages were asked for. Rows may still be missing where pages in the middle were short: while the last page
        # is full, there may be more behind it.
        total = self._latest.declared_rows
        return total is None or self._received >= total or seen.rows < self._largest

    def _needed(self, declared: Seen | None) -> int | None:
        """Return how many pages the declared total makes, by the largest page seen: some platforms cap the size."""
        if declared is None:
            return None
        if declared.declared_pages is not None:
            return declared.declared_pages
        return -(-(declared.declared_rows or 0) // (self._largest or self._paging.page_size))

    def _refuse_endless(self) -> None:
        if self._empty > _EMPTY_PAGES_BELIEVED:
            raise SourceMalformed(
                f"{self._empty} pages in a row are empty although the platform declares more; ask the platform"
            )
        declared = self._needed(self._first)
        if declared is not None and self._asked > declared + 1 + declared // 10:
            raise LimitExceeded(
                f"{self._asked} pages were read although the first one declared {declared}, and the platform declares "
                "still more; its paging does not end, ask the platform"
            )


class PagePager(_Counted):
    """By page number, from 0 or 1."""

    def _beginning(self) -> int:
        return self._paging.first

    def _advance(self, rows: int) -> int:
        return 1


class OffsetPager(_Counted):
    """By the number of rows to skip, from 0."""

    def _beginning(self) -> int:
        return 0

    def _advance(self, rows: int) -> int:
        return rows or self._largest or self._paging.page_size


class _GivenPager:
    """By the way on that the last answer gives; where that page failed, there is none."""

    survives_faults = False

    def __init__(self, paging: Paging) -> None:
        """Take the card's paging."""
        self._paging = paging
        self._used: set[str] = set()
        self._rows = self._pages = 0

    def first(self) -> Step:
        """Return the first page's parameters."""
        return Step(_size(self._paging))

    def after_fault(self) -> Step | None:
        """Return the end."""
        return None

    def _count(self, seen: Seen) -> None:
        self._rows, self._pages = self._rows + seen.rows, self._pages + 1

    def _refuse_endless(self, seen: Seen) -> None:
        """Refuse a way on far behind all that the last page declares; a page and a tenth more may be a wrong count."""
        is_pages = seen.declared_pages is not None
        declared, read = (seen.declared_pages, self._pages) if is_pages else (seen.declared_rows, self._rows)
        more = 1 if is_pages else self._paging.page_size
        if declared and read > declared + more + declared // 10:
            raise LimitExceeded(
                f"{read} {'pages' if is_pages else 'rows'} were read although the platform declares {declared}, and it names "
                "still another page; its paging does not end, ask the platform"
            )

    def _use(self, way: str, problem: str) -> None:
        if way in self._used:
            raise SourceMalformed(f"{problem}; its paging goes in a circle")
        self._used.add(way)


class CursorPager(_GivenPager):
    """By an opaque value of the last answer."""

    def after(self, seen: Seen) -> Step | None:
        """Return the next cursor, or the end where the answer has none."""
        cursor = seen.next_cursor
        self._count(seen)
        if cursor is None:
            return None
        self._refuse_endless(seen)
        self._use(str(cursor), "the platform gives a cursor that it gave before")
        return Step({self._paging.number: cursor, **_size(self._paging)})


class LinkPager(_GivenPager):
    """By the address of the next page that the Link header or the document names, on the same scheme, host and port only."""

    def after(self, seen: Seen) -> Step | None:
        """Return the linked URL, or the end where the answer links to none."""
        link = seen.next_link
        self._count(seen)
        if link is None:
            return None
        self._refuse_endless(seen)
        if origin(link) != origin(seen.url):
            raise AddressRefused(
                f"the next page is linked on {urlsplit(link).netloc!r} and not on {urlsplit(seen.url).netloc!r}; "
                "links to another host are not followed, ask the platform"
            )
        self._use(link, "the platform links to a page that it linked to before")
        return Step(url=link)


def _is_declared(seen: Seen) -> bool:
    """Return whether a page declares a total; zero on a page with rows means that the platform does not count."""
    declared = seen.declared_pages if seen.declared_pages is not None else seen.declared_rows
    return declared is not None and (declared > 0 or not seen.rows)


def _size(paging: Paging) -> dict[str, Any]:
    return {paging.size: paging.page_size} if paging.size else {}


def window_parameters(card: Card, window: Window) -> dict[str, Any]:
    """Return the card's parameters for the beginning and the end of a window, in Asia/Shanghai time.

    A series is asked for by its last day, not by the midnight that ends it.
    """
    cursor = card.cursor
    if cursor is None or window.is_full:
        return {}
    if window.since and not cursor.since:
        raise ConfigurationError(
            f"card {card.source!r} cannot ask for changes: cursor.since names no parameter; read it in full"
        )
    until = window.until - timedelta(days=1) if window.until and card.series else window.until
    pairs = ((cursor.since, window.since), (cursor.until, until))
    return {name: _format(moment, cursor) for name, moment in pairs if name and moment}


def _format(moment: Any, cursor: Cursor) -> str | int:
    if cursor.format == "epoch_ms":
        return int(moment.timestamp() * 1000)
    if cursor.format == "epoch_s":
        return int(moment.timestamp())
    text: str = moment.astimezone(SHANGHAI).strftime(cursor.format)
    return text


def fingerprint(rows: Sequence[dict[str, Any]]) -> bytes:
    """Return a hash by which a page that comes again is recognised.

    Takes the number of rows and 16 whole rows spread over the page, the last one too: all of them would cost a fifth of
    the time of reading, and two pages of different records do not agree in so many.
    """
    step = max(1, len(rows) // _SAMPLED_ROWS)
    sample = orjson.dumps([len(rows), rows[::step], rows[-1:]], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(sample, digest_size=16).digest()
