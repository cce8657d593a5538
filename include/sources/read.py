"""Read a source by its card: the reader it names, behind the privacy gate. Nothing of a source comes in by another way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial

from include.connections import Connection, get_connection
from include.errors import ShuhengError
from include.sources.card import Card
from include.sources.page import KnownAnswers, KnownPage, Page, PageFault, Window
from include.sources.page_gate import Behind
from include.sources.raw_page import RawPage
from include.sources.second_gate import Gates
from include.sources.second_process import SecondProcess


def read_pages(
    card: Card,
    window: Window,
    refused: set[str],
    known: KnownAnswers,
    process: SecondProcess | None = None,
    behind: Behind | None = None,
) -> Iterator[Page | PageFault]:
    """Yield the pages of a source, classified rows refused and persons masked.

    `refused` collects the identities of refused rows so that what is held of them can be removed; never store or log it.
    `known` are answers that came before, by the hash of their bytes: they are neither parsed nor gated again. `process` helps
    where a read is large; without one a process of its own does. `behind` makes more of each page of such a read.
    """
    connection = get_connection(card.connection)
    with (
        nullcontext(process) if process else SecondProcess() as beside,
        Gates(card, refused, beside, is_all_new=not known, behind=behind) as gates,
    ):
        try:
            for item in _reader_of(card, known, beside)(card, connection, window):
                if isinstance(item, PageFault):
                    yield from gates.pass_by(item)
                else:
                    yield from gates.pass_by(_known(item, item.known)) if item.known else gates.admit(item)
        except ShuhengError:
            yield from gates.rest()  # what came before the error is landed
            raise
        yield from gates.rest()


def _reader_of(
    card: Card, known: KnownAnswers, beside: SecondProcess
) -> Callable[[Card, Connection, Window], Iterator[RawPage | PageFault]]:
    if card.reader == "http":
        from include.sources.http_reader import read_http

        return partial(read_http, known=known, beside=beside)
    if card.reader == "sql":
        from include.sources.sql_reader import read_sql

        return read_sql
    from include.sources.file_reader import read_files

    return read_files


def _known(raw: RawPage, known: KnownPage) -> Page:
    return Page(
        raw.number, [], known.rows_received, known.refused, known.declared_rows, known.declared_pages,
        raw.received_bytes, raw.is_last, raw.notes, raw.body_sha256, known, None, raw.part,
    )  # fmt: skip
