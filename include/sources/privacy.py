"""The privacy gate: no classified row passes, and no person's name or number.

A classified row is refused without a trace: it is counted and nothing of it is kept, logged or quoted. It fails
closed: what the card does not know to be open is refused. Masking is by name of field (the card's `personal`, and
unmapped fields that look personal) and by form (telephone and identity numbers in any text).

The gate works at one place of the whole way and on every record, so it is built for speed: one plan for each set of
keys, one search over the texts of a column, and a close look only at the rows that were hit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from include.errors import SourceMalformed
from include.sources.alike import AT_ONCE, Alike, Keys, by_keys
from include.sources.card import Card
from include.sources.masking import Level, Paths
from include.sources.page import Page
from include.sources.raw_page import RawPage
from include.sources.secrecy import Secrecy

Row = dict[str, Any]

_TOGETHER = 10
"""Rows with the same keys from which looking at them by column costs less than one by one."""


class Gatekeeper:
    """The gate of one card; keep it for all pages of a read, because its plans are compiled as rows come."""

    def __init__(self, card: Card) -> None:
        self._secrecy = Secrecy(card)
        self._top = Level(Paths.of(card), "")

    def admit(self, page: RawPage) -> Page:
        """Return the page without classified rows and with persons masked; the rows are changed in place.

        Raises:
            SourceMalformed: a record is nested so deeply that it cannot be searched.
        """
        rows = self.admit_rows(page.rows, page.number)
        return page.passed(rows, len(page.rows), len(rows))

    def admit_rows(self, given: Sequence[Row], page: int) -> list[Row]:
        """Return those of some rows of a page that pass, as `admit` does; raises the same."""
        alike = by_keys([row for row in given if type(row) is dict])
        admitted: set[int] = set()
        try:
            for keys, rows in alike.items():
                for at in range(0, len(rows), AT_ONCE):
                    admitted.update(map(id, self._admit(rows[at : at + AT_ONCE], keys)))
        except RecursionError:
            raise SourceMalformed(
                f"page {page}: a record is nested too deeply to be searched for personal data; "
                "ask the platform for a flat record"
            ) from None
        return [row for row in given if id(row) in admitted]

    def is_open(self, row: Row) -> bool:
        """Return whether a row passes the secrecy gate; nothing is masked."""
        return type(row) is dict and self._secrecy.is_open(row, tuple(row))

    def _admit(self, rows: list[Row], keys: Keys) -> list[Row]:
        """Return those of some rows with the same keys that are open, with persons masked."""
        if len(rows) < _TOGETHER or not keys:
            rows = [row for row in rows if self._secrecy.is_open(row, keys)]
            for row in rows:
                self._top.mask(row, keys)
            return rows
        together = Alike(rows, keys)
        if closed := self._secrecy.closed(together):
            rows = [row for at, row in enumerate(rows) if at not in closed]
            if not rows:
                return rows
            together = Alike(rows, keys)
        self._top.mask_alike(together)
        return rows


def gate(card: Card, raw_page: RawPage) -> Page:
    """Gate a single page; for many pages of one card keep a `Gatekeeper`."""
    return Gatekeeper(card).admit(raw_page)
