"""Which raw pages of sources may go: those of no batch that is recent, not merged yet, the last of a source, or named somewhere.

Manifests and the ledger's batches stay, so that what was read, and its hash, can be proven for ever.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, RowMapping, select

from include.clock import SHANGHAI
from include.house.legal_holds import Held, evidence_of, resolve
from include.house.removal import House, Plan, Thing
from include.landing.batch import Manifest
from include.ledger.probe_merge import SOURCE as PROBES
from include.ledger.tables import batch, finding, quarantine

KIND = "landing_pages"
IN_USE = timedelta(days=3)
"""A page that was written or used since may be about to be named by a batch that is still being read."""
NOT_OURS = {PROBES, "doctor", "removed"}
"""What lies in the landing zone and is no source of records."""


@dataclass(frozen=True, slots=True)
class _Ledger:
    """What the ledger says of the batches of all sources."""

    merged: dict[str, dict[str, RowMapping]]
    evidence: frozenset[str]
    quarantined: dict[str, set[int]]
    held: list[Held]


def plan_pages(house: House) -> Plan:
    """Return the pages of all sources that may go."""
    with house.engine.connect() as connection:
        ledger = _look(connection, house)
    things: list[Thing] = []
    stays: Counter[str] = Counter()
    for source in house.store.sources():
        if source not in NOT_OURS:
            things += _of_source(house, source, ledger, stays)
    return Plan(KIND, things, dict(stays))


def remove_pages(house: House, things: Sequence[Thing]) -> None:
    """Remove page files; one that is gone already is none the worse."""
    for thing in things:
        house.store.drop_page(thing.source, thing.hash)


def _look(connection: Connection, house: House) -> _Ledger:
    merged: dict[str, dict[str, RowMapping]] = defaultdict(dict)
    named = (batch.c.batch_id, batch.c.source, batch.c.is_full, batch.c.is_complete, batch.c.started_at)
    for row in connection.execute(select(*named).order_by(batch.c.started_at)).mappings():
        merged[row["source"]][row["batch_id"]] = row
    pages: dict[str, set[int]] = defaultdict(set)
    waiting = select(quarantine.c.batch_id, quarantine.c.page).where(quarantine.c.state == "open")
    for batch_id, page in connection.execute(waiting):
        pages[batch_id].add(page)
    evidence = frozenset(evidence_of(connection, finding.c.state == "open"))
    return _Ledger(merged, evidence, pages, resolve(connection, house.retention.holds_on(house.today)))


def _of_source(house: House, source: str, ledger: _Ledger, stays: Counter[str]) -> Iterator[Thing]:
    """Yield the pages of one source that may go; a page is kept if one of the batches that name it is."""
    cutoff = house.retention.cutoff(KIND, house.today)
    merged = ledger.merged.get(source, {})
    last = _last_ones(merged)
    kept: dict[str, str] = {}
    old: set[str] = set()
    for batch_id in house.store.manifests(source):
        manifest = Manifest.from_dict(house.store.get_manifest(source, batch_id))
        why = "recent" if batch_id in last else _why_kept(manifest, ledger, batch_id in merged, cutoff)
        of_quarantine = ledger.quarantined.get(batch_id, set())
        for page in manifest.pages:
            reason = why or ("quarantine" if page.number in of_quarantine else None)
            if reason:
                kept[page.sha256] = min(reason, kept.get(page.sha256, reason), key=_WEAKEST.index)
            else:
                old.add(page.sha256)
    for name in house.store.pages(source):
        if (why := kept.get(name)) is None and (thing := _old(house, source, name, named=name in old)):
            yield thing
        elif why and why != "recent":
            stays[why] += 1


_WEAKEST = ("recent", "not_merged", "open_finding", "quarantine", "legal_hold")
"""Why a page stays, what counts first before the rest."""


def _why_kept(manifest: Manifest, ledger: _Ledger, is_merged: bool, cutoff: date) -> str | None:
    day = datetime.fromisoformat(manifest.started_at).astimezone(SHANGHAI).date()
    if day >= cutoff:
        return "recent"
    if not is_merged and not manifest.dry_run:  # a trial run is never merged and waits for nothing
        return "not_merged"
    if manifest.batch_id in ledger.evidence:
        return "open_finding"
    if any(held.keeps_batch(manifest.source, manifest.batch_id, day) for held in ledger.held):
        return "legal_hold"
    return None


def _last_ones(merged: dict[str, RowMapping]) -> set[str]:
    """Return the batches that the next read compares with: the last, the last full, and the last complete full one."""
    found: dict[tuple[bool, bool], str] = {}
    for batch_id, row in merged.items():  # in order of their beginning
        found[False, False] = batch_id
        if row["is_full"]:
            found[True, False] = batch_id
            if row["is_complete"]:
                found[True, True] = batch_id
    return set(found.values())


def _old(house: House, source: str, name: str, *, named: bool) -> Thing | None:
    """Return a page as a thing to remove, unless it was written of late: one that no batch names, for as long as others."""
    written, size = house.store.page_written_at(source, name)
    quiet = IN_USE if named else timedelta(days=house.retention.keep_days[KIND])
    if house.at.timestamp() - written < quiet.total_seconds():
        return None
    return Thing((source, name), name, "older_than_kept" if named else "named_by_no_batch", source, size)
