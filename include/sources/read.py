"""Read a source by its card: the reader it names, behind the privacy gate. Nothing of a source comes in by another way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from include.connections import Connection, get_connection
from include.sources.card import Card
from include.sources.mapping import CardMapper
from include.sources.page import KnownPage, Page, PageFault, Window
from include.sources.privacy import Gatekeeper
from include.sources.raw_page import RawPage


def read_pages(
    card: Card, window: Window, refused: set[str], known: Mapping[str, KnownPage]
) -> Iterator[Page | PageFault]:
    """Yield the pages of a source, classified rows refused and persons masked.

    `refused` collects the identities of refused rows so that what is held of them can be removed; never store or log it.
    `known` are answers that came before, by the hash of their bytes: they are neither parsed nor gated again.
    """
    connection = get_connection(card.connection)
    read: Callable[[Card, Connection, Window], Iterator[RawPage | PageFault]]
    if card.reader == "http":
        from include.sources.http_reader import read_http

        read = partial(read_http, known=known)
    elif card.reader == "sql":
        from include.sources.sql_reader import read_sql

        read = read_sql
    else:
        from include.sources.file_reader import read_files

        read = read_files
    gate = Gatekeeper(card)
    for item in read(card, connection, window):
        if isinstance(item, PageFault):
            yield item
            continue
        page = _known(item, item.known) if item.known else gate.admit(item)
        if page.refused and not page.known:
            refused.update(_refused_keys(card, item, page))
        yield page


def _known(raw: RawPage, known: KnownPage) -> Page:
    return Page(
        raw.number, [], known.rows_received, known.refused, known.declared_rows, known.declared_pages,
        raw.received_bytes, raw.is_last, raw.notes, raw.body_sha256, known,
    )  # fmt: skip


def _refused_keys(card: Card, raw: RawPage, page: Page) -> Iterator[str]:
    """Yield the identity of each row that the gate kept out, where it has one."""
    admitted = {id(row) for row in page.rows}
    mapper = CardMapper(card).main
    for row in raw.rows:
        if id(row) not in admitted and isinstance(row, dict):
            key = mapper.record_key(mapper.map(row, dict(card.constants))[0])
            if key is not None:
                yield key
