"""One batch's way through the merge: feed, merge, settle what is gone, what is odd and what is set aside, move the watermark.

The caller holds the transaction and decides whether it is kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select, text

from include.landing.batch import Manifest, Reason
from include.landing.store import LandingStore
from include.ledger import absence, merge, observed, repeat
from include.ledger.ahead import Ahead
from include.ledger.batch_record import REPEATED, note_records, note_warned
from include.ledger.day_window import leaves_gap
from include.ledger.feed import Feed, load_known
from include.ledger.last_batch import holds_any
from include.ledger.oddity import settle_oddities
from include.ledger.recoined import ask_recoined, hold, rename, repoint
from include.ledger.stage import Stage
from include.ledger.tables import watermark
from include.ledger.two_owners import ask_two_owners
from include.sources.card import Card
from include.sources.page import DETAIL_MISSING
from include.sources.second_process import SecondProcess

if TYPE_CHECKING:
    from include.ledger.begun_merge import Begun

Progress = Callable[[str, int, int | None], None]


class BatchMerge:
    """The merge of one landed batch."""

    def __init__(
        self,
        connection: Connection,
        store: LandingStore,
        card: Card,
        manifest: Manifest,
        at: datetime,
        *,
        is_forced: bool = False,
        process: SecondProcess | None = None,
        ahead: Ahead | None = None,
        begun: Begun | None = None,
    ) -> None:
        """`begun` is what the connection's transaction was begun with, while pages were landed."""
        self._connection, self._store, self._card, self._manifest, self._at = connection, store, card, manifest, at
        self._is_forced, self._process, self._begun = is_forced, process, begun
        self._ahead = ahead.of(card, manifest.batch_id) if ahead else None
        self._reasons = list(manifest.reasons)
        self._is_new_question = absence.has_new_question(connection, card.source, manifest.filter_digest)
        self._bind: dict[str, Any] = {
            "source": card.source, "entity": card.entity, "batch": manifest.batch_id,
            "at": merge.bind_moment(connection, at), "at_text": at.isoformat(),
        }  # fmt: skip
        self._days: dict[date, observed.DayCount] = {}
        self._result = merge.MergeResult(
            manifest.batch_id, card.source, manifest.is_full, False, manifest.rows_received, manifest.refused,
            declared=_declared(manifest), notes=list(manifest.notes),
        )  # fmt: skip

    def run(self, progress: Progress) -> merge.MergeResult:
        """Bring the ledger to the batch and return what that did."""
        card, result = self._card, self._result
        same = None if self._is_forced else repeat.same_again(self._connection, self._store, card, self._manifest)
        if same:
            return same
        is_first = self._run_directly(progress)
        if not is_first:
            self._run_staged(progress, direct=None)
        if card.entity == "project":
            merge.note_aliases(self._connection, self._bind, is_first=is_first)
        if card.series:
            observed.observe(
                self._connection, card, card.series, self._manifest, self._days, is_complete=result.is_complete
            )
        if result.is_complete:
            self._move_watermark()
        self._note_authority()
        return result

    def _run_directly(self, progress: Progress) -> bool:
        """Take the first full batch of a source, or of a series, straight into the ledger's tables; return whether it could.

        Nothing is there to compare it with. A key that comes twice breaks it off, and the careful way is taken.
        """
        is_first_kind = self._result.is_full or self._card.series is not None
        if not self._begun and (not is_first_kind or holds_any(self._connection, self._card)):
            return False
        savepoint = self._begun.savepoint if self._begun else self._connection.begin_nested()
        try:
            self._run_staged(progress, direct=self._manifest.batch_id)
        except _refusals_of_doubles(self._connection):
            savepoint.rollback()
            return False
        savepoint.commit()
        return True

    def _run_staged(self, progress: Progress, *, direct: str | None) -> None:
        card, result = self._card, self._result
        begun = self._begun if direct else None
        with begun.stage if begun else Stage(self._connection) as stage:
            # A full read meets nearly every known record, a window only a few: those are compared where they are staged.
            is_compared = result.is_full and not direct
            known = load_known(self._connection, card) if is_compared else set()
            ahead = self._ahead if direct else None
            feed = begun.feed if begun else Feed(card, stage, known, direct, self._is_forced, self._process, ahead)
            feed.run(self._manifest, self._store, lambda done, of: progress(f"合并 {card.source}", done, of))
            if result.is_full:
                absence.stage_unseen(stage, card, feed.known)
            if card.series:
                self._days = observed.count_days(self._connection, card.entity, staged=not direct, source=card.source)
            if feed.counts.quarantined:
                self._count_bad_repeats(feed)
            if direct:
                self._count_direct(feed)
            else:
                self._judge(stage, feed)
                self._merge_rows(feed)
            self._count(stage, feed, direct=bool(direct))
            self._settle_gone(stage, feed)
            is_proof = result.is_full and not self._reasons
            merge.store_quarantine(self._connection, feed, self._bind, is_proof=is_proof)
            result.is_complete = not self._reasons
            result.reasons = [asdict(r) for r in self._reasons]
            if self._is_new_question and result.is_full:
                result.notes.append(
                    "the question put to the source changed: what lies outside it is not taken for gone"
                )
            settle_oddities(self._connection, card, feed, result, self._at)
            if card.entity == "resource":
                ask_recoined(self._connection, card, result.batch_id, self._at)
                ask_two_owners(self._connection, card, result.batch_id, self._at)

    def _count_bad_repeats(self, feed: Feed) -> None:
        """Bad rows move with the listing like good ones."""
        again = merge.count_bad_repeats(self._connection)
        feed.counts.quarantined -= again
        feed.counts.repeated += again
        if again:
            self._doubt_repeats(again)

    def _doubt_repeats(self, across: int) -> None:
        if not (self._card.series and self._card.files):  # a corrected file delivers days once more
            self._doubt("repeated_rows", f"{across} rows came on two pages: the listing moved while it was read")

    def _count_direct(self, feed: Feed) -> None:
        """Note what went straight into the ledger; keys that come twice have broken it off before."""
        if feed.counts.keyless:
            self._doubt(
                "keyless_rows", f"{feed.counts.keyless} quarantined rows have no key, so absence cannot be told"
            )
        for entity, created in feed.counts.rows.items():
            merge.renew_statistics(self._connection, entity, created)
            if entity == self._card.entity:
                self._result.created = created
            else:
                self._result.children[entity] = asdict(merge.Counts(created))

    def _count(self, stage: Stage, feed: Feed, *, direct: bool) -> None:
        """Count what became of the rows. Unchanged ones are counted for themselves, so that the sum can be checked."""
        result, counts = self._result, feed.counts
        result.quarantined, result.repeated, result.held = (
            counts.quarantined,
            counts.repeated + counts.twice,
            counts.held,
        )
        touched = result.created + result.changed + result.restored
        result.unchanged = counts.unchanged + counts.staged - touched - counts.twice - counts.held
        if self._card.entity == "resource":
            result.warned = note_warned(self._connection, self._bind, self._card.entity, direct=direct)
        if feed.repeats and not self._card.series:
            self._note_repeated_lines(stage, feed)

    def _note_repeated_lines(self, stage: Stage, feed: Feed) -> None:
        """Note the records of lines that a page held more than once; the ledger knows them by hash."""
        entity = self._card.entity
        stage.create_table("stage_repeated", entity, ["source_hash"])
        stage.add("stage_repeated", [[digest.hex()] for digest in feed.repeats])
        stage.finish()
        known = f"SELECT record_key, '' AS detail FROM {entity} WHERE source = :source AND source_hash IN"
        note_records(self._connection, self._bind, REPEATED, f"{known} (SELECT source_hash FROM stage_repeated)")

    def _judge(self, stage: Stage, feed: Feed) -> None:
        """Add to the proof what only shows when records are looked at: rows met twice, rows without a key."""
        counts, result, is_resource = feed.counts, self._result, self._card.entity == "resource"
        if counts.staged and is_resource:
            rename(self._connection, stage, self._card, self._bind, is_full=result.is_full)
        absence.clear_seen(self._connection, self._card, feed.known, self._bind, is_full=result.is_full)
        if counts.staged:
            if any(reason.code == DETAIL_MISSING for reason in self._reasons):
                merge.keep_details(self._connection, self._card, self._bind)
            self._drop_rows(stage, feed)
            if is_resource:
                repoint(self._connection, self._card, self._bind)
        if counts.keyless:
            self._doubt("keyless_rows", f"{counts.keyless} quarantined rows have no key, so absence cannot be told")

    def _drop_rows(self, stage: Stage, feed: Feed) -> None:
        """Take rows that came twice, and those that are held, out of what is staged; close the quarantine of the others."""
        counts, result, card, connection = feed.counts, self._result, self._card, self._connection
        twice, across = merge.drop_repeats(connection, card.entity, self._bind, is_noted=not card.series)
        if card.entity == "resource":
            counts.held = hold(connection, stage, self._store, self._manifest, self._bind, is_full=result.is_full)
        merge.heal_quarantine(connection, card.entity, self._bind)
        if not result.is_full:
            merge.drop_known(connection, card.entity, self._bind)
        elif not self._is_forced:
            again = merge.count_known(connection, card.entity, self._bind)
            twice, across = twice + again, across + again
            twice += merge.drop_brought_before(connection, card.entity, self._bind)
        counts.twice = twice
        if twice or counts.held:
            merge.drop_orphans(connection, card)
        if across:
            self._doubt_repeats(across)

    def _merge_rows(self, feed: Feed) -> None:
        card, result, is_proven = self._card, self._result, not self._reasons
        if feed.counts.staged:
            if result.is_full:
                absence.take_out_staged(self._connection, card, self._bind)
            how = {"is_forced": self._is_forced}
            own = merge.merge_entity(self._connection, card.entity, self._bind, is_child=False, **how)
            result.created, result.changed, result.restored = own.created, own.changed, own.restored
            for nested in card.nested:
                merge.drop_repeats(self._connection, nested.entity, self._bind)
                # Before new ones come in: only what was there can be gone.
                gone, held = merge.tombstone_children(
                    self._connection, nested.entity, card.entity, self._bind, card, is_proven=is_proven
                )
                counts = merge.merge_entity(self._connection, nested.entity, self._bind, is_child=True)
                counts.tombstoned = gone
                self._reasons += [held] if held else []
                result.children[nested.entity] = asdict(counts)

    def _settle_gone(self, stage: Stage, feed: Feed) -> None:
        result = self._result
        if result.is_full and not self._reasons:
            found = absence.settle_absent(
                self._connection, stage, self._card, self._bind, is_new_question=self._is_new_question
            )
            result.absent, result.tombstoned, held = found
            self._reasons += [held] if held else []

    def _doubt(self, code: str, sentence: str) -> None:
        self._reasons.append(Reason(code, sentence))

    def _move_watermark(self) -> None:
        if not self._manifest.high_water:
            return
        since = self._manifest.since
        values = {
            "changed_until": datetime.fromisoformat(self._manifest.high_water),
            "filter_digest": self._manifest.filter_digest, "batch_id": self._manifest.batch_id,
        }  # fmt: skip
        old = (
            self._connection.execute(select(watermark).where(watermark.c.source == self._card.source))
            .mappings()
            .first()
        )
        if self._card.series:
            if leaves_gap(self._manifest, self._card.series, old["changed_until"] if old else None):
                return
        elif since and (old is None or datetime.fromisoformat(since) > old["changed_until"]):
            return  # a window that begins behind the watermark leaves a gap, which must be read yet
        if old is None:
            self._connection.execute(watermark.insert().values(source=self._card.source, **values))
        elif old["changed_until"] < values["changed_until"] or old["filter_digest"] != self._manifest.filter_digest:
            self._connection.execute(watermark.update().where(watermark.c.source == self._card.source).values(**values))

    def _note_authority(self) -> None:
        self._connection.execute(
            text(
                "INSERT INTO source_authority (source, authority) VALUES (:source, :authority) "
                "ON CONFLICT (source) DO UPDATE SET authority = excluded.authority "
                "WHERE source_authority.authority <> excluded.authority"
            ),
            {"source": self._card.source, "authority": self._card.authority},
        )


def _refusals_of_doubles(connection: Connection) -> type[Exception]:
    """Return what the driver raises for a key that is there already; each driver is imported where it is in use only."""
    if connection.dialect.name == "sqlite":
        return sqlite3.IntegrityError
    from psycopg.errors import UniqueViolation

    return UniqueViolation


def _declared(manifest: Manifest) -> int | None:
    """Return how many rows the source says it has; the largest where it changed its mind."""
    return max((p.declared_rows for p in manifest.pages if p.declared_rows is not None), default=None)
