"""Where the time of ours goes: the same two steps as `python -m include sync`, timed from inside; prints one JSON.

`python -m benchmarks.steps full|incremental`, with the environment of a sync and `BENCH_BEGUN`: the monotonic clock at its
start. Measures through the public functions alone: a landing store that looks at the clock, and the progress they report.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict

from include.landing.batch import prove
from include.landing.store import LandingStore
from include.ledger.database import open_ledger
from include.ledger.reconcile import reconcile
from include.ledger.sync import land, merge_batch
from include.settings import load_settings
from include.sources.card_files import load_card
from include.sources.page import PackedLines
from include.sources.second_process import SecondProcess

STEPS = (
    "start and imports", "read: fetch, parse, gate", "landing: write pages", "landing: prove", "landing: read pages",
    "merge: map, validate, stage", "merge: SQL and commit", "reconcile",
)  # fmt: skip


class TimedStore(LandingStore):
    """A landing store that adds up the seconds its pages cost."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.put_seconds = self.get_seconds = 0.0

    def put_packed(self, source: str, lines: PackedLines) -> str:
        """Store a page: every way to store one goes through here."""
        begun = time.perf_counter()
        name = super().put_packed(source, lines)
        self.put_seconds += time.perf_counter() - begun
        return name

    def get_lines(self, source: str, name: str) -> bytes:
        """Return the lines of a page: every way to read one goes through here."""
        begun = time.perf_counter()
        lines = super().get_lines(source, name)
        self.get_seconds += time.perf_counter() - begun
        return lines


def main(mode: str) -> None:
    """Sync once and print the seconds of each step."""
    engine, store = open_ledger(), TimedStore(load_settings().landing_url)
    card = load_card("provincial_approval")
    marks = [time.perf_counter()]
    last_page = [marks[0]]

    def progress(step: str, done: int, total: int | None) -> None:
        last_page[0] = time.perf_counter()

    with SecondProcess() as beside:  # one for both steps, as a sync has it
        manifest = land(engine, store, card, mode, process=beside)
        marks.append(time.perf_counter())
        proof = time.perf_counter()
        prove(manifest.pages, [], manifest.is_full)
        proof = time.perf_counter() - proof
        marks.append(time.perf_counter())
        result = merge_batch(engine, store, card, manifest.batch_id, process=beside, progress=progress)
        marks.append(time.perf_counter())
    if result.created and not (store.put_seconds and store.get_seconds):
        raise RuntimeError("pages are stored or read by another way than the one that is timed here")
    staged = max(last_page[0], marks[2] + store.get_seconds)  # no page at all is staged where every one is known
    reconcile(engine)
    marks.append(time.perf_counter())
    seconds = [
        marks[0] - float(os.environ["BENCH_BEGUN"]), marks[1] - marks[0] - store.put_seconds - proof, store.put_seconds,
        proof, store.get_seconds, staged - marks[2] - store.get_seconds, marks[3] - staged,
        marks[4] - marks[3],
    ]  # fmt: skip
    said = {
        k: v for k, v in asdict(result).items() if k in ("created", "changed", "children", "quarantined", "is_complete")
    }
    print(json.dumps({"steps": dict(zip(STEPS, seconds, strict=True)), **said}))


if __name__ == "__main__":
    main(sys.argv[1])
