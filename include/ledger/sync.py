"""The two steps of a sync: land what a source has, merge what was landed. The DAG and the command line call these."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, select, text

from include.clock import now
from include.errors import ConfigurationError, LandingCorrupt
from include.landing.batch import Manifest, known_pages, land_pages, new_batch_id
from include.landing.store import LandingStore
from include.ledger import merge
from include.ledger.ahead import Ahead, MapsAhead
from include.ledger.batch_merge import BatchMerge, Progress
from include.ledger.database import writing
from include.ledger.day_window import choose_days
from include.ledger.last_batch import holds_any, last_full
from include.ledger.tables import watermark as watermark_table
from include.sources.card import Card
from include.sources.envelope import promises_total
from include.sources.high_water import high_water_of
from include.sources.page import KnownAnswers, Window
from include.sources.read import read_pages
from include.sources.second_process import SecondProcess

if TYPE_CHECKING:
    from include.ledger.begun_merge import Begun

log = logging.getLogger(__name__)


def _quiet(step: str, done: int, total: int | None) -> None:
    """Show nothing."""


FULL_EVERY = timedelta(days=7)
"""In mode `auto` a full read is due when the last complete one is older: only full reads can say that records are gone."""


def land(
    engine: Engine,
    store: LandingStore,
    card: Card,
    mode: str = "auto",
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    dry_run: bool = False,
    force: bool = False,
    process: SecondProcess | None = None,
    ahead: Ahead | None = None,
    progress: Progress = _quiet,
) -> Manifest:
    """Read a source into the landing zone and return the sealed batch; `mode` is auto, full or incremental.

    With `force` answers that came before are parsed and gated once more. `process` helps where there is much to do, `ahead` keeps
    what is mapped of a first load meanwhile; who lands and merges gives both the same.

    Raises the source's error where not one page could be read; anything less is a degraded batch that says why.
    """
    started = now()
    with engine.connect() as connection:
        window = choose_window(connection, card, mode, started, since, until)
        is_first = ahead is not None and window.is_full and not holds_any(connection, card)
    manifest = Manifest(
        new_batch_id(card.source, started), card.source, card.entity, card.digest, filter_digest(card),
        started.isoformat(), _iso(window.since), _iso(window.until), dry_run,
    )  # fmt: skip
    refused: set[str] = set()
    behind = _begin_ahead(engine, card, manifest.batch_id, ahead) if ahead and is_first else None
    known = {} if force else _known_pages(engine, store, card)
    pages = read_pages(card, window, refused, known, process, behind)
    error = land_pages(
        manifest,
        ahead.keep(pages) if ahead else pages,
        store,
        high_water_of(card),
        lambda page, rows, total: progress(f"读取 {card.source}", rows, total),
        is_total_due=promises_total(card),
    )
    if card.series:
        manifest.high_water = manifest.until  # days without rows were read as well
    begun = ahead.begun if ahead else None
    if begun:
        begun.settle(manifest)
    if refused:
        from include.ledger.expunge import expunge  # it reaches everything that is kept, and is seldom needed

        # Before the seal: were we to die here, the next run refuses and expunges again.
        expunge(engine, store, card, refused, frozenset(p.sha256 for p in manifest.pages), begun)
    manifest.sealed_at = now().isoformat()
    store.put_manifest(card.source, manifest.batch_id, manifest.to_dict())
    log.info(
        "landed source=%s batch=%s full=%s rows=%d refused=%d complete=%s",
        card.source, manifest.batch_id, manifest.is_full, manifest.rows_received, manifest.refused, manifest.is_complete,
    )  # fmt: skip
    if error and not manifest.pages:
        raise error
    return manifest


def merge_batch(
    engine: Engine,
    store: LandingStore,
    card: Card,
    batch_id: str,
    *,
    force: bool = False,
    look: Callable[[Connection], None] | None = None,
    process: SecondProcess | None = None,
    ahead: Ahead | None = None,
    progress: Progress = _quiet,
) -> merge.MergeResult:
    """Bring the ledger to a landed batch; a dry-run batch is merged, looked at and rolled back.

    With `force` records that are known are mapped and compared as well; what does not differ is not written. `look` is called with
    the merged ledger before it is kept or rolled back.
    """
    manifest = Manifest.from_dict(store.get_manifest(card.source, batch_id))
    at = now().replace(microsecond=0)
    with _writing(engine, card, manifest, ahead) as (connection, begun):
        before = merge.merged_before(connection, manifest)
        if before:
            return before
        merging = BatchMerge(
            connection, store, card, manifest, at, is_forced=force, process=process, ahead=ahead, begun=begun
        )
        result = merging.run(progress)
        if manifest.dry_run:
            result.sample = changed_sample(connection, card.entity, batch_id)
        else:
            merge.record_batch(connection, manifest, result, at)
        if look:
            look(connection)
    log.info(
        "merged source=%s batch=%s created=%d changed=%d unchanged=%d quarantined=%d tombstoned=%d complete=%s%s",
        card.source, batch_id, result.created, result.changed, result.unchanged, result.quarantined,
        result.tombstoned, result.is_complete, " (dry run, rolled back)" if manifest.dry_run else "",
    )  # fmt: skip
    return result


def _begin_ahead(engine: Engine, card: Card, batch_id: str, ahead: Ahead) -> MapsAhead | None:
    """Return what maps the pages of a first load as they are gated, where that pays."""
    is_flat = card.entity != "resource"
    if engine.dialect.name == "postgresql":
        if not is_flat:
            return None  # the server waits for entries anyway
        from include.ledger.begun_merge import BegunMerge  # its driver is imported where it is in use only

        return ahead.begin(card, batch_id, BegunMerge(engine, card, batch_id))
    # Flat records are mapped as fast as SQLite keeps them.
    return None if is_flat else ahead.begin(card, batch_id)


@contextmanager
def _writing(
    engine: Engine, card: Card, manifest: Manifest, ahead: Ahead | None
) -> Iterator[tuple[Connection, Begun | None]]:
    """Open the transaction of a merge, or go on with the one that was begun while its batch was landed."""
    begun, keep = ahead.begun if ahead else None, not manifest.dry_run
    if begun and ahead and not ahead.of(card, manifest.batch_id):
        begun.end("another batch is merged, or by another card")
    if begun and begun.holds_lock:
        with begun.merging(keep=keep) as one:
            yield one.connection, one
    else:
        with writing(engine, card.source, keep=keep) as connection:
            yield connection, None


def _known_pages(engine: Engine, store: LandingStore, card: Card) -> KnownAnswers:
    """Return the answers of the last full batch under this very card, so that the same bytes are not read twice."""
    with engine.connect() as connection:
        last = last_full(connection, card.source)
    if last is None or last["card_digest"] != card.digest or (card.detail and not last["is_complete"]):
        return {}  # a page that lacks details must not be taken for known
    try:
        return known_pages(Manifest.from_dict(store.get_manifest(card.source, last["batch_id"])), store)
    except LandingCorrupt:
        return {}  # swept away by retention: then everything is read anew


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def choose_window(
    connection: Connection,
    card: Card,
    mode: str,
    at: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Window:
    """Decide what to ask for: everything, a window given by hand, or what changed since the watermark less the overlap.

    A series is never asked for everything: in mode full it begins as if it had never been read.
    """
    if until and not (since and since < until):
        raise ConfigurationError(f"the window ends at {until.isoformat()}; give a beginning before it as well")
    if since and mode == "full":
        raise ConfigurationError("a full read has no window; leave the beginning out or choose another mode")
    if mode not in ("auto", "full", "incremental"):
        raise ConfigurationError(f"mode is {mode!r}; use auto, full or incremental")
    if card.series:
        mark = None if mode == "full" else _watermark(connection, card)
        return choose_days(card, card.series, at, mark, since, until)
    if card.cursor is None or mode == "full":
        return Window()
    if since:
        return Window(since, until)
    mark = _watermark(connection, card)
    if mark is None or (mode == "auto" and _full_is_due(connection, card, at)):
        return Window()
    return Window(mark - timedelta(seconds=card.cursor.overlap_seconds))


def _watermark(connection: Connection, card: Card) -> datetime | None:
    """Return the source's watermark; None where there is none, or where the source was asked something else."""
    mark = connection.execute(select(watermark_table).where(watermark_table.c.source == card.source)).mappings().first()
    return mark["changed_until"] if mark and mark["filter_digest"] == filter_digest(card) else None


def _full_is_due(connection: Connection, card: Card, at: datetime) -> bool:
    last = last_full(connection, card.source, complete=True)
    return last is None or at - last["started_at"] > FULL_EVERY


def filter_digest(card: Card) -> str:
    """Return a digest of what the source is asked, so that a narrower question is not taken for vanished records."""
    asked: list[Any] = [card.reader, asdict(card.request) if card.request else None, asdict(card.sql) if card.sql else None,
             asdict(card.files) if card.files else None]  # fmt: skip
    if card.document or len(card.envelope.rows) > 1:
        asked.append([asdict(card.document) if card.document else None, card.envelope.rows])
    return hashlib.blake2b(json.dumps(asked, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()


def changed_sample(connection: Connection, entity: str, batch_id: str, most: int = 20) -> list[dict[str, Any]]:
    """Return some of the fields that a batch changed and records that it created, for a dry run to show."""
    changes = connection.execute(
        text(
            f"SELECT record_key, field, old, new FROM {entity}_change WHERE batch_id = :b ORDER BY record_key, field LIMIT :n"
        ),
        {"b": batch_id, "n": most},
    )
    found = [dict(r) for r in changes.mappings()]
    created = connection.execute(
        text(f"SELECT record_key FROM {entity} WHERE created_batch = :b ORDER BY record_key LIMIT :n"),
        {"b": batch_id, "n": most},
    )
    return found + [{"record_key": key, "field": "(new)", "old": None, "new": None} for (key,) in created]
