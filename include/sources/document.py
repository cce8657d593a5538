"""Open an answer that was accepted: rows out of an envelope, or out of a whole document of many records.

A document comes in portions, so that what is made of it need not be held at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from include.sources.call import Answer, resolve
from include.sources.card import Card, Document
from include.sources.envelope import Opened, open_envelope
from include.sources.second_process import SecondProcess

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


def open_document(answer: Answer, card: Card, beside: SecondProcess | None = None) -> Opened:
    """Return rows and totals of an answer; `beside` may help with a large one."""
    if card.document is None:
        return open_envelope(answer, card)
    is_rdf = card.document.format == "rdf"
    opened = _open_rdf(answer, card, card.document, beside) if is_rdf else open_envelope(answer, card)
    made = portions(opened.rows)
    return replace(opened, rows=next(made), more=made)


def _open_rdf(answer: Answer, card: Card, options: Document, beside: SecondProcess | None) -> Opened:
    from include.sources.documents.rdf import read_rdf

    hint = f"{answer.content_type} {urlsplit(answer.url).path}"
    found = read_rdf(answer.body, hint, options, card.limits.page_bytes, beside)
    link = resolve(answer.url, found.next_url) if found.next_url else None
    return Opened(found.rows, found.listed, notes=found.notes, next_link=link)
