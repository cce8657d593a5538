"""A batch: what one read of a source brought, and the proof whether it is complete.

Nothing here judges records; it counts pages and rows, compares them with what the source declared, and keeps the reasons why
the batch must not be taken for the whole.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from include.collection import no_collection
from include.errors import Retryable, ShuhengError
from include.landing.store import LandingStore
from include.sources.high_water import HighWater
from include.sources.page import DETAIL_MISSING, ROWS_LEFT_OUT, KnownPage, Page, PageFault


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One landed page of a batch."""

    number: int
    sha256: str
    rows: int
    rows_received: int
    refused: int
    declared_rows: int | None
    declared_pages: int | None
    received_bytes: int
    is_last: bool
    body_sha256: str | None = None
    high_water: str | None = None
    part: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a batch is not complete: a code for machines, a sentence for people."""

    code: str
    text: str


@dataclass(slots=True)
class Manifest:
    """The record of one batch; written last, so that a batch without one never happened."""

    batch_id: str
    source: str
    entity: str
    card_digest: str
    filter_digest: str
    started_at: str
    since: str | None
    until: str | None
    dry_run: bool = False
    sealed_at: str = ""
    high_water: str | None = None
    pages: list[PageEntry] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error_type: str | None = None
    is_retryable: bool = False

    @property
    def is_full(self) -> bool:
        """Return whether the whole of the source was asked for."""
        return self.since is None and self.until is None

    @property
    def rows_received(self) -> int:
        """Return the rows that the source sent, classified ones included."""
        return sum(p.rows_received for p in self.pages)

    @property
    def refused(self) -> int:
        """Return how many rows the secrecy gate refused."""
        return sum(p.refused for p in self.pages)

    @property
    def is_complete(self) -> bool:
        """Return whether nothing speaks against this being all that was asked for."""
        return not self.reasons

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the manifest file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Manifest:
        """Build a manifest from its file."""
        pages = [PageEntry(**p) for p in data.pop("pages")]
        reasons = [Reason(**r) for r in data.pop("reasons")]
        return cls(**data, pages=pages, reasons=reasons)


def new_batch_id(source: str, started: datetime) -> str:
    """Return an id that sorts by time within its source."""
    return f"{source}-{started:%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"


def land_pages(
    manifest: Manifest,
    pages: Iterable[Page | PageFault],
    store: LandingStore,
    high_water: HighWater,
    progress: Callable[[int, int, int | None], None] = lambda page, rows, total: None,
    *,
    is_total_due: bool = False,
) -> ShuhengError | None:
    """Store every page as it comes and note in the manifest what stands against completeness.

    `high_water` finds the largest moment of change in rows; `progress` is told the page, the rows so far and the declared total;
    `is_total_due` says that rows without a declared total prove nothing.
    Returns the first error that a page ended with, for the caller to raise where nothing could be read.
    """
    faults: list[PageFault] = []
    try:
        for item in _uncollected(pages):
            if isinstance(item, PageFault):
                faults.append(item)
                continue
            sha256, rows, mark = _landed(manifest.source, item, store, high_water)
            if mark and (manifest.high_water is None or mark > manifest.high_water):
                manifest.high_water = mark
            manifest.pages.append(
                PageEntry(
                    item.number, sha256, rows, item.rows_received, item.refused,
                    item.declared_rows, item.declared_pages, item.received_bytes, item.is_last,
                    item.body_sha256, mark, item.part, list(item.notes),
                )
            )  # fmt: skip
            manifest.notes.extend(n for n in item.notes if n not in manifest.notes)
            progress(item.number, manifest.rows_received, item.declared_rows)
    except ShuhengError as error:
        faults.append(PageFault(len(manifest.pages) + 1, error))
    if faults:
        first = faults[0].error
        manifest.error_type = type(first).__name__
        manifest.is_retryable = _is_retryable(faults)
    manifest.reasons.extend(prove(manifest.pages, faults, manifest.is_full, is_total_due))
    return faults[0].error if faults else None


def _landed(source: str, page: Page, store: LandingStore, high_water: HighWater) -> tuple[str, int, str | None]:
    """Store a page, unless it is known; return its name, its rows and its latest moment of change."""
    if page.known:
        return page.known.page, page.known.rows, page.known.high_water
    if page.lines:
        return store.put_packed(source, page.lines.packed), page.lines.rows, page.lines.high_water
    return store.put_page(source, page.rows), len(page.rows), high_water(page.rows, None)


def _uncollected(pages: Iterable[Page | PageFault]) -> Iterator[Page | PageFault]:
    with no_collection():
        yield from pages


def known_pages(manifest: Manifest, store: LandingStore) -> dict[str, tuple[KnownPage, ...]]:
    """Return what a batch knows of its answers by the hash of their bytes; only those whose pages are all still landed."""
    found: dict[str, list[KnownPage]] = {}
    for p in manifest.pages:
        if not p.body_sha256:
            continue
        known = KnownPage(
            p.sha256, p.rows, p.rows_received, p.refused, p.declared_rows, p.declared_pages, p.high_water, tuple(p.notes)
        )  # fmt: skip
        if p.part == 0:
            found[p.body_sha256] = []
        found[p.body_sha256].append(known)
    return {
        body: tuple(pages)
        for body, pages in found.items()
        if all(store.has_page(manifest.source, page.page) for page in pages)
    }


def _is_retryable(faults: list[PageFault]) -> bool:
    return all(isinstance(f.error, Retryable) for f in faults)


def prove(pages: list[PageEntry], faults: list[PageFault], is_full: bool, is_total_due: bool = False) -> list[Reason]:
    """Return every reason why the pages cannot be all that was asked for; none = proven complete."""
    reasons = [_failed(fault) for fault in faults]
    totals = {p.declared_rows for p in pages if p.declared_rows is not None}
    received = sum(p.rows_received for p in pages)
    if len(totals) > 1:
        reasons.append(Reason("total_changed", f"the source's own total changed during the read: {sorted(totals)}"))
    elif totals and not faults and received not in totals:
        reasons.append(Reason("total_mismatch", f"the source declares {max(totals)} rows and sent {received}"))
    declared_pages = {p.declared_pages for p in pages if p.declared_pages is not None}
    if len(declared_pages) > 1:
        reasons.append(
            Reason(
                "total_changed", f"the source's own number of pages changed during the read: {sorted(declared_pages)}"
            )
        )
    if is_total_due and received and not (faults or totals or declared_pages):
        reasons.append(
            Reason(
                "total_missing",
                "no page declared the total that the card says where to find; a source that never declares one is read by "
                "a card without envelope.total",
            )
        )
    reasons.extend(_repeats(pages))
    if not faults and not (pages and pages[-1].is_last):
        reasons.append(Reason("no_last_page", "the last page was not reached"))
    if is_full and not faults and received == 0:
        reasons.append(Reason("empty", "a full read brought no row at all; an empty source is not believed"))
    return reasons


def _failed(fault: PageFault) -> Reason:
    sentence = f"page {fault.number}: {type(fault.error).__name__}: {fault.error}"
    return Reason(fault.code if fault.code in (DETAIL_MISSING, ROWS_LEFT_OUT) else "page_failed", sentence)


def _repeats(pages: list[PageEntry]) -> list[Reason]:
    seen: dict[str, int] = {}
    reasons = []
    for page in pages:
        if page.rows and page.sha256 in seen:
            reasons.append(Reason("page_repeated", f"page {page.number} is the same as page {seen[page.sha256]}"))
        seen.setdefault(page.sha256, page.number)
    return reasons
