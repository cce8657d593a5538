"""Ask for the detail of each listed row and put it into the row, within the card's rate.

A detail that cannot be had never costs the row: the row comes without it and the page says how many lack theirs. Rows that
the secrecy gate will refuse are not asked about. Does not sign, send or keep anything itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from include.errors import LimitExceeded, ShuhengError, SourceMalformed
from include.sources.call import Call, build_call
from include.sources.card import Card, Detail, Request
from include.sources.envelope import walk
from include.sources.http import HttpSession
from include.sources.page import DETAIL_MISSING, PageFault
from include.sources.privacy import Gatekeeper

log = logging.getLogger(__name__)

Row = dict[str, Any]

_FAULTS_IN_A_ROW = 5
"""After so many in a row no more are asked for: the platform has them no longer, and each attempt takes its time."""


class DetailStep:
    """The details of one read."""

    def __init__(self, card: Card, detail: Detail, ask: Callable[[Call], Any], session: HttpSession) -> None:
        """Take what to ask, and `ask`, which signs and sends a call and returns the JSON value of an accepted answer."""
        self._card, self._detail, self._ask, self._session = card, detail, ask, session
        headers = card.request.headers if card.request else {}
        self._request = Request(detail.path, detail.method, detail.parameters_in, headers=headers)
        self._gate = Gatekeeper(card)
        self._faults_in_a_row = 0

    def complete(self, number: int, rows: list[Row]) -> PageFault | None:
        """Put its detail into each row of page `number`; return a fault that tells how many lack theirs, if any."""
        first: ShuhengError | None = None
        wanted = lacking = 0
        for row in rows:
            if not self._gate.is_open(row):
                continue
            wanted += 1
            try:
                row[self._detail.into] = self._detail_of(row)
                self._faults_in_a_row = 0
            except ShuhengError as error:
                first = first or error
                lacking += 1
        if first is None:
            return None
        sentence = f"{lacking} of {wanted} rows came without their detail; the first: {type(first).__name__}: {first}"
        log.warning("details missing source=%s page=%d: %s", self._card.source, number, sentence)
        return PageFault(number, type(first)(sentence), DETAIL_MISSING)

    def _detail_of(self, row: Row) -> Row:
        if self._faults_in_a_row >= _FAULTS_IN_A_ROW:
            raise LimitExceeded(f"{_FAULTS_IN_A_ROW} details in a row could not be had, so no more were asked for")
        if self._session.seconds_left <= 0:
            raise LimitExceeded("the time of the whole read is over (seconds)")
        self._faults_in_a_row += 1  # until it is there
        values = {name: row.get(field) for name, field in self._detail.parameters.items()}
        if None in values.values() or "" in values.values():
            raise SourceMalformed("a listed row lacks the field by which its detail is asked for")
        call = replace(build_call(self._request, values), sid=self._detail.sid)
        found = walk(self._ask(call), self._detail.rows)
        if not isinstance(found, dict):
            raise SourceMalformed(
                f"the detail at {self._detail.rows!r} should be an object; compare request.detail of the card with the answer"
            )
        return found
