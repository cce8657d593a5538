"""Read a paged JSON interface by its card: sign, ask, open the envelope, go on to the next page.

A page that cannot be had becomes a `PageFault` in its place. Nothing here looks into rows or keeps them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar

from include.collection import give_back
from include.connections import Connection
from include.errors import (
    AddressRefused,
    ConfigurationError,
    LimitExceeded,
    ShuhengError,
    SourceMalformed,
    SourceRefused,
)
from include.sources.call import KNOWN, SYSTEM_TIMING, Answer, Call, Timing, build_call
from include.sources.card import Card, Request
from include.sources.decoding import decode_json
from include.sources.detail_step import DetailStep
from include.sources.document import open_document
from include.sources.envelope import SKEW_NOTE, Opened, SecretExpired, check, skew_note
from include.sources.http import HttpSession
from include.sources.page import KnownAnswers, KnownPage, PageFault, Window
from include.sources.paging import Seen, Step, fingerprint, make_pager, window_parameters
from include.sources.raw_page import RawPage
from include.sources.second_process import SecondProcess
from include.sources.signers import make_signer
from include.sources.unread_rows import Decode, UnreadRows, decoder_of

log = logging.getLogger(__name__)

T = TypeVar("T")

_RENEWALS = 2
_FAULTS_IN_A_ROW = 3
_FAULTS_IN_ALL = 10

_LARGE_DOCUMENT = 20_000_000
"""Bytes of a document from which what is left of it is worth a look."""


def read_http(
    card: Card,
    connection: Connection,
    window: Window,
    timing: Timing = SYSTEM_TIMING,
    known: KnownAnswers = MappingProxyType({}),
    beside: SecondProcess | None = None,
) -> Iterator[RawPage | PageFault]:
    """Yield the pages of a source in order, and a fault in the place of each page that could not be had.

    `known` are answers that came before, by the SHA-256 of their bytes; such a page is yielded without rows. `beside` may help to
    read a large document.
    Raises `ConfigurationError` before the first page where card and connection do not fit together.
    """
    if card.request is None or card.paging is None:
        raise ConfigurationError(f"card {card.source!r} has no request or no paging; the http reader needs both")
    is_tif = card.signer.profile == "tif"
    if card.paging.style in ("cursor", "link", "hydra"):
        known = {}  # the way to the next page stands in the answer
    is_rdf = card.document is not None and card.document.format == "rdf"
    with HttpSession(connection, card.limits, timing, error_is_answer=is_tif, known=known, is_rdf=is_rdf) as session:
        yield from _Reading(card, card.request, connection, session, window, timing, known, beside).pages()


@dataclass(frozen=True, slots=True)
class _Received:
    """An opened answer and what its page says of the next one."""

    opened: Opened
    seen: Seen
    received_bytes: int
    notes: tuple[str, ...]
    body_sha256: str
    known: tuple[KnownPage, ...] = ()
    answer: Answer | None = None
    """Where its rows are all that a page is made of."""


class _Reading:
    """One read of one source; the state of its paging, faults and repetitions."""

    def __init__(
        self,
        card: Card,
        request: Request,
        connection: Connection,
        session: HttpSession,
        window: Window,
        timing: Timing,
        known: KnownAnswers,
        beside: SecondProcess | None,
    ) -> None:
        if card.paging is None:
            raise ConfigurationError(f"card {card.source!r} has no paging")
        self._card, self._request, self._session, self._known = card, request, session, known
        self._beside = beside
        self._pager = make_pager(card.paging)
        self._signer = make_signer(card, connection, self._call_for_secret, timing.now)
        self._fixed = {**request.parameters, **window_parameters(card, window)}
        self._details = DetailStep(card, card.detail, self._ask_detail, session) if card.detail else None
        self._decode = decoder_of(card)
        self._marks: dict[bytes, int] = {}
        self._faults = self._faults_in_a_row = self._further = 0
        self._is_over = self._is_skew_told = False

    def pages(self) -> Iterator[RawPage | PageFault]:
        step: Step | None = self._pager.first()
        number = 0
        while step and not self._is_over:
            number += 1
            try:
                self._check_limits(number)
                received = self._receive(number, step)
            except ShuhengError as error:
                yield self._fault(number, error)
                step = self._pager.after_fault()
                continue
            self._faults_in_a_row = 0
            fault = None
            try:
                step = self._pager.after(received.seen)
            except ShuhengError as error:
                fault, self._is_over = self._fault(number + 1, error), True
            lacking = self._details.complete(number, received.opened.rows) if self._details else None
            yield from self._parts(number + self._further, received, is_last=step is None and fault is None)
            del received  # the rows belong to the gate now
            yield from filter(None, (lacking, fault))

    def _check_limits(self, number: int) -> None:
        limits = self._card.limits
        problem = None
        if number > limits.pages:
            problem = f"more than {limits.pages} pages (pages)"
        elif self._session.seconds_left <= 0:
            problem = f"reading took longer than {limits.seconds} s (seconds), {number - 1} pages were asked for"
        if problem:
            self._is_over = True
            raise LimitExceeded(f"{problem}; narrow what is asked for or raise the limit in the card")

    def _fault(self, number: int, error: ShuhengError) -> PageFault:
        """Count a fault, and end the reading where going on is of no use."""
        self._faults += 1
        self._faults_in_a_row += 1
        is_hopeless = number == 1 and isinstance(error, SourceRefused | AddressRefused | ConfigurationError)
        too_many = self._faults_in_a_row >= _FAULTS_IN_A_ROW or self._faults >= _FAULTS_IN_ALL
        self._is_over = self._is_over or is_hopeless or too_many or not self._pager.survives_faults
        log.warning(
            "page failed source=%s page=%d goes_on=%s error=%s: %s",
            self._card.source, number, not self._is_over, type(error).__name__, error,
        )  # fmt: skip
        return PageFault(number + self._further, error)

    def _parts(self, number: int, received: _Received, is_last: bool) -> Iterator[RawPage]:
        """Yield the pages that an answer makes: one, or several where it is a document of many records."""
        known, opened = received.known, received.opened
        held = RawPage(
            number, opened.rows, opened.declared_rows, opened.declared_pages, received.received_bytes, False,
            received.notes, received.body_sha256, known[0] if known else None, answer=received.answer,
        )  # fmt: skip
        further = ((None, k) for k in known[1:]) if known else ((rows, None) for rows in opened.more or ())
        if opened.more and received.received_bytes > _LARGE_DOCUMENT:
            give_back()  # the document is read and gone; its rows are made with less
        for part, (rows, page) in enumerate(further, 1):
            yield held
            self._further += 1
            held = replace(
                held, number=number + part, rows=rows or [], notes=(), known=page, part=part, received_bytes=0
            )
        yield replace(held, is_last=is_last)

    def _receive(self, number: int, step: Step) -> _Received:
        """Ask for a page, and once more if it is one that came before; the second time it is an error."""
        earlier = None
        for _ in range(2):
            received = self._ask(lambda: self._unsigned(step), self._open, self._decode)
            if not received.seen.rows:
                return received
            is_whole = received.known or self._card.document
            mark = received.body_sha256.encode() if is_whole else fingerprint(received.opened.rows)
            earlier = self._marks.setdefault(mark, number)
            if earlier == number:
                return received
        self._is_over = True
        raise SourceMalformed(
            f"page {number} is the same as page {earlier}, and was again when asked for once more; the platform's "
            "paging does not move on, compare paging in the card with its manual"
        )

    def _ask(self, make: Callable[[], Call], read: Callable[[Answer], T], decode: Decode = decode_json) -> T:
        """Ask with the secret there is, and again with a renewed one where the platform says it has run out."""
        renewals = 0
        while True:
            try:
                return self._session.fetch(lambda: self._signed(make()), read, decode)
            except SecretExpired as expired:
                if renewals == _RENEWALS or not self._signer.can_renew:
                    raise expired.plain from None
            log.info("secret has run out, renewing source=%s renewal=%d", self._card.source, renewals + 1)
            self._signer.renew(fully=renewals > 0)
            renewals += 1

    def _open(self, answer: Answer) -> _Received:
        if answer.document is KNOWN:
            return self._recall(answer, self._known[answer.body_sha256])
        check(answer, self._card, self._signer.hide)
        opened = open_document(answer, self._card, self._beside)
        notes = answer.notes + opened.notes + self._skew(answer)
        seen = Seen(
            len(opened.rows), opened.declared_rows, opened.declared_pages,
            opened.next_cursor, opened.next_link or answer.next_link, answer.url,
        )  # fmt: skip
        is_all = self._details is None and self._card.document is None
        # Unread rows are handed on as they are.
        kept = replace(answer, document=None) if is_all and not isinstance(opened.rows, UnreadRows) else None
        return _Received(opened, seen, len(answer.body), notes, answer.body_sha256, answer=kept)

    def _recall(self, answer: Answer, known: tuple[KnownPage, ...]) -> _Received:
        """Say of an answer that came before what it said then."""
        rows, first = sum(page.rows_received for page in known), known[0]
        seen = Seen(rows, first.declared_rows, first.declared_pages, url=answer.url)
        opened = Opened([], first.declared_rows, first.declared_pages)
        # How the clocks differed then is of no interest now.
        told = tuple(note for page in known for note in page.notes if not note.startswith(SKEW_NOTE))
        return _Received(opened, seen, len(answer.body), told + self._skew(answer), answer.body_sha256, known)

    def _skew(self, answer: Answer) -> tuple[str, ...]:
        """Return the note of differing clocks, once: every page would show another second."""
        skew = () if self._is_skew_told else skew_note(answer, self._card)
        self._is_skew_told = self._is_skew_told or bool(skew)
        return skew

    def _unsigned(self, step: Step) -> Call:
        return build_call(self._request, {} if step.url else {**self._fixed, **step.parameters}, step.url)

    def _signed(self, call: Call) -> Call:
        signature = self._signer.sign(call)
        return replace(call, headers={**call.headers, **signature.headers}, query={**call.query, **signature.query})

    def _ask_detail(self, call: Call) -> Any:
        """Return the JSON value of an accepted answer to a signed call."""
        return self._ask(lambda: call, self._accepted)

    def _accepted(self, answer: Answer) -> Any:
        check(answer, self._card, self._signer.hide)
        return answer.document

    def _call_for_secret(self, make: Callable[[], Call]) -> Any:
        """Send a call of the signer and return the JSON value of an accepted answer."""
        try:
            return self._session.fetch(make, self._accepted)
        except SecretExpired as expired:
            raise expired.plain from None
