"""A few documents for each target of `python -m tests.fuzz`, and that the targets read what is well-formed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.depth import deep
from tests.fuzz import pages
from tests.fuzz.__main__ import TARGETS, run
from tests.fuzz.mutation import mutated


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_read_ends_in_rows_or_in_named_errors(name: str) -> None:
    chance, begun = random.Random(name), TARGETS[name].begun()
    some = begun if len(begun) < 12 else chance.sample(begun, 4)
    for data in [*some, *(mutated(chance.choice(some), begun, chance) for _ in range(deep(2, 400)))]:
        TARGETS[name].read(data)


def test_a_document_that_breaks_its_reader_ends_the_run_and_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    breaking = TARGETS["fuzz_json"]._replace(read=lambda data: print(1 // (len(data) % 7)))
    monkeypatch.setitem(TARGETS, "fuzz_json", breaking)
    with pytest.raises(ZeroDivisionError):
        run("fuzz_json", 5, 1)
    assert len((tmp_path / "fuzz_json.document").read_bytes()) % 7 == 0


@pytest.mark.parametrize("name", sorted({name for names in pages.PAGES.values() for name in names}))
def test_the_pages_to_begin_with_become_records(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taken, take = [], pages._Way.take
    monkeypatch.setattr(pages._Way, "take", lambda way, rows: taken.append((len(rows), take(way, rows))))
    for data in pages.pages_of((name,)):
        pages.fuzz_page((name,), data)
    assert len(taken) == 3
    assert all(received == staged for received, staged in taken)
    assert [staged > 0 for _, staged in taken] == [True, True, False]
