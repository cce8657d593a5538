"""Open an answer that was accepted: rows out of an envelope, or out of a whole document of many records.

A document comes in portions, so that what is made of it need not be held at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from include.sources.call import Answer
from include.sources.card import Card
from include.sources.envelope import Opened, open_envelope

Row = dict[str, Any]

PORTION = 1_000
"""Rows of a page that is made of a part of a document."""


def portions(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield rows in lists of at most `PORTION`; one empty list where there are none."""
    source = iter(rows)
    portion = list(islice(source, PORTION))
    yield portion
    while portion := list(islice(source, PORTION)):
        yield portion


def open_document(answer: Answer, card: Card) -> Opened:
    """Return rows and totals of an answer."""
    if card.document is None:
        return open_envelope(answer, card)
    opened = open_envelope(answer, card)
    made = portions(opened.rows)
    return replace(opened, rows=next(made), more=made)
