"""Feed landed pages into staging: skip what the ledger knows by hash, have the rest mapped and checked, set aside what is bad."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from include.collection import no_collection
from include.landing.batch import Manifest, PageEntry
from include.landing.store import LandingStore
from include.ledger.ahead import Ahead
from include.ledger.page_mapper import MappedPage, PageMapper, sift
from include.ledger.second_mapper import SecondMapper
from include.ledger.stage import Stage
from include.sources.card import Card
from include.sources.mapping import Oddities
from include.sources.second_process import SecondProcess, pays

AHEAD = 5
"""Pages given to the second mapper before one is done here: while the server is waited for, it has enough to do."""

QUARANTINE_COLUMNS = ["record_hash", "record_key", "page", "line", "problems", "raw", "new_key"]


@dataclass(slots=True)
class FeedCounts:
    """What feeding one batch met."""

    unchanged: int = 0
    staged: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    quarantined: int = 0
    keyless: int = 0
    twice: int = 0
    """Staged rows whose record came in another row as well; `repeated` are lines that one page held twice."""
    held: int = 0


@dataclass(slots=True)
class Feed:
    """Feeds the pages of one batch; `known` shrinks to the hashes that the batch did not bring."""

    card: Card
    stage: Stage
    known: set[bytes]
    direct: str | None = None
    """The batch, where rows go into the ledger's tables themselves."""
    is_forced: bool = False
    """Whether lines that the ledger knows are mapped as well."""
    process: SecondProcess | None = None
    """What maps beside this one where there is much to map; without it a process of its own does."""
    ahead: Ahead | None = None
    """What is mapped already, where rows go into the ledger's tables themselves."""
    staged_before: set[tuple[int, str]] = field(default_factory=set)
    """Numbers and names of the pages that were staged while they were landed."""
    repeats: set[bytes] = field(default_factory=set)
    """Hashes of lines that a page holds more than once."""
    counts: FeedCounts = field(default_factory=FeedCounts)
    oddities: Oddities = field(default_factory=Oddities)
    _mapper: PageMapper = field(init=False, repr=False)
    _elsewhere: deque[Future[MappedPage]] = field(default_factory=deque, repr=False)

    def __post_init__(self) -> None:
        """Compile the card and create the staging tables."""
        self._mapper = PageMapper(self.card, as_text=self.stage.takes_text, batch_id=self.direct)
        for entity in (self.card.entity, *(n.entity for n in self.card.nested)):
            self.stage.create(entity)
            if self.direct:
                self.stage.open_ledger_table(entity)
        self.stage.create_table("stage_quarantine", "quarantine", QUARANTINE_COLUMNS)

    def run(self, manifest: Manifest, store: LandingStore, progress: Callable[[int, int], None]) -> None:
        """Feed every page of the batch."""
        ahead = self.ahead or Ahead()
        left = sum(page.rows for page in manifest.pages if not (ahead.has(page) or self._was_staged(page)))
        left -= 0 if self.is_forced else len(self.known)
        checks = []
        with no_collection(), ExitStack() as stack:
            second = None
            if pays(self.card.entity, left):
                beside = stack.enter_context(nullcontext(self.process) if self.process else SecondProcess())
                second = stack.enter_context(
                    SecondMapper(beside, self.card, as_text=self.stage.takes_text, batch_id=self.direct)
                )
            checking = stack.enter_context(ThreadPoolExecutor(2))  # both cores are free of other work in the end
            for done, page in enumerate(manifest.pages, 1):
                if self._has(page, ahead):
                    # Its file was not read yet: whether it holds what it is named by is looked at beside.
                    checks.append(checking.submit(store.check_page, manifest.source, page.sha256))
                else:
                    self._map(page.number, store.get_lines(manifest.source, page.sha256), second)
                progress(done, len(manifest.pages))
            while self._elsewhere:
                self._stage(self._elsewhere.popleft().result())
            self._add_oddities(self._mapper.card_mapper.oddities)
            if second:
                self._add_oddities(second.finish())
            for check in checks:
                check.result()
        self.stage.finish()

    def stage_before(self, page: int, name: str, mapped: tuple[MappedPage, Oddities]) -> None:
        """Stage a page that is being landed; `run` will not map it again."""
        self.staged_before.add((page, name))
        self._stage_ahead(*mapped)

    def _was_staged(self, page: PageEntry) -> bool:
        return (page.number, page.sha256) in self.staged_before

    def _has(self, page: PageEntry, ahead: Ahead) -> bool:
        """Return whether a page was mapped as it was gated; it is staged now if it was not before."""
        if mapped := ahead.take(page):
            self._stage_ahead(*mapped)
        return mapped is not None or self._was_staged(page)

    def _map(self, page: int, content: bytes, second: SecondMapper | None) -> None:
        """Map what is new of a page, here or in the second process, whichever is free; stage what has come back."""
        sifted = sift(content, self.card, self.known, is_forced=self.is_forced)
        self.counts.unchanged += sifted.unchanged
        self._note_repeats(sifted.repeats)
        if not sifted.new:
            return
        while self._elsewhere and self._elsewhere[0].done():
            self._stage(self._elsewhere.popleft().result())
        if len(self._elsewhere) >= AHEAD and self.stage.is_sending:
            # Whoever maps here holds the interpreter's lock, which the thread that sends would wait for again and again.
            self._stage(self._elsewhere.popleft().result())
        if second and len(self._elsewhere) < AHEAD:
            self._elsewhere.append(second.submit(page, sifted.new))
        else:
            self._stage(self._mapper.map(page, sifted.new))

    def _stage_ahead(self, mapped: MappedPage, oddities: Oddities) -> None:
        """Stage a page that was mapped when it was gated."""
        self._note_repeats(mapped.repeats)
        self._add_oddities(oddities)
        self._stage(mapped)

    def _note_repeats(self, repeats: list[bytes]) -> None:
        self.counts.repeated += len(repeats)
        self.repeats.update(repeats)

    def _stage(self, mapped: MappedPage) -> None:
        self.counts.staged += mapped.counts.get(self.card.entity, 0)
        self.counts.rows.update(mapped.counts)
        self.counts.quarantined += len(mapped.bad)
        self.counts.keyless += mapped.keyless
        for entity, rows in mapped.rows.items():
            self.stage.add(entity if self.direct else f"stage_{entity}", rows)
        self.stage.add("stage_quarantine", mapped.bad)

    def _add_oddities(self, more: Oddities) -> None:
        self.oddities.fields.update(more.fields)
        self.oddities.values.update(more.values)


def load_known(connection: Connection, card: Card) -> set[bytes]:
    """Return the hashes of the source's living records: 0.1 KB each."""
    column = "uuid_send(source_hash)" if connection.dialect.name == "postgresql" else "source_hash"
    query = text(f"SELECT {column} FROM {card.entity} WHERE source = :source AND tombstoned_at IS NULL")
    found: Any = connection.execute(query, {"source": card.source}, execution_options={"stream_results": True})
    known: set[bytes] = set()
    for rows in found.partitions(10_000):
        known.update(bytes(v) if not isinstance(v, str) else bytes.fromhex(v) for (v,) in rows)
    return known
