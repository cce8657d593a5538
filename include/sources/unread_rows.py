"""Rows of a large JSON answer, cut apart where they stand and not read yet.

Whoever needs them reads a few at a time: the objects of a few rows stay within the fast caches, those of a whole page do not,
and the reader of the page needs little more than their number. What is cut is JSON but for numbers beyond a double, which are
found where the row is read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, overload

import orjson

from include.errors import SourceMalformed
from include.sources.card import Card
from include.sources.decoding import decode_json, describe_body, is_plain_utf8, unreadable

Row = dict[str, Any]
Decode = Callable[[bytes, str], tuple[Any, tuple[str, ...]]]

_LARGE = 200_000
"""Bytes of an answer from which its rows are cut apart; a smaller one is read in a millisecond."""


class UnreadRows(Sequence[Row]):
    """The rows of one answer; a slice of them is read anew each time it is asked for."""

    def __init__(self, cut: list[Any], body: bytes) -> None:
        """Take the rows as they stand in the body, each something like bytes."""
        self._cut, self._body = cut, body

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._cut)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        """Return one row, or a list of some; raises `SourceMalformed` as `decode_json` does."""
        cut = self._cut[place] if isinstance(place, slice) else [self._cut[place]]
        try:
            rows: list[Row] = orjson.loads(_listed(cut))
        except orjson.JSONDecodeError as error:
            raise SourceMalformed(unreadable(error, describe_body(self._body))) from None
        return rows if isinstance(place, slice) else rows[0]

    def json(self, start: int, end: int) -> bytes:
        """Return some rows as a JSON list, as they were written."""
        return _listed(self._cut[start:end])


def _listed(cut: list[Any]) -> bytes:
    return b"[" + b",".join(cut) + b"]"


def decoder_of(card: Card, large: int = _LARGE) -> Decode:
    """Return what makes a document of an answer: `decode_json`, or what leaves the rows unread in one of so many bytes and more."""
    envelope, paging = card.envelope, card.paging
    told = [envelope.code, envelope.message, envelope.total_path, paging.next if paging else None]
    paths = [tuple(path.split(".")) for path in told if path]
    rows = tuple(envelope.rows[0].split(".")) if len(envelope.rows) == 1 and envelope.rows[0] else ()
    within = any(path == rows[: len(path)] or path[: len(rows)] == rows for path in paths)
    if card.document or card.detail or not rows or within:
        return decode_json

    def decode(body: bytes, content_type: str) -> tuple[Any, tuple[str, ...]]:
        if len(body) >= large and is_plain_utf8(body, content_type):
            from include.sources.cutting import cut  # small answers need none of it

            document = cut(body, rows, tuple(paths))
            if document is not None:
                return document, ()
        return decode_json(body, content_type)

    return decode
