"""The proof of a batch: every reason why pages cannot be all that was asked for, and none where they are."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from include.clock import now
from include.collection import MANY_YOUNG, no_collection
from include.errors import ShuhengError, SourceMalformed, SourceThrottled, SourceUnreachable
from include.landing.batch import Manifest, known_pages, land_pages, new_batch_id
from include.landing.store import LandingStore
from include.sources.page import KnownPage, Page, PageFault

Item = Page | PageFault


def manifest(since: str | None = None) -> Manifest:
    return Manifest("s-1", "s", "project", "c" * 16, "f" * 16, "2026-11-23T09:00:00+08:00", since, None)


def page(number: int, *ids: int, total: int | None = None, pages: int | None = None, **more: Any) -> Page:
    rows = [{"id": i} for i in ids]
    more.setdefault("rows_received", len(rows))
    return Page(number, rows, declared_rows=total, declared_pages=pages, **more)


def largest(rows: list[dict[str, Any]], mark: str | None) -> str | None:
    return max([str(r["id"]) for r in rows] + ([mark] if mark else []), default=None)


def land(store: LandingStore, *items: Item, since: str | None = None) -> tuple[Manifest, ShuhengError | None]:
    batch = manifest(since)
    return batch, land_pages(batch, items, store, largest)


def codes(batch: Manifest) -> list[str]:
    return [reason.code for reason in batch.reasons]


def test_pages_that_add_up_to_the_total_are_complete(store: LandingStore) -> None:
    batch, error = land(store, page(1, 1, 2, total=3), page(2, 3, total=3, is_last=True))
    assert (error, batch.reasons, batch.is_complete) == (None, [], True)
    assert (batch.rows_received, [p.rows for p in batch.pages], batch.high_water) == (3, [2, 1], "3")
    assert [store.get_page("s", p.sha256) for p in batch.pages] == [[b'{"id":1}', b'{"id":2}'], [b'{"id":3}']]


def test_refused_rows_count_towards_the_total(store: LandingStore) -> None:
    batch, _ = land(store, page(1, 1, total=3, rows_received=3, refused=2, is_last=True))
    assert (batch.is_complete, batch.refused, batch.rows_received) == (True, 2, 3), batch.reasons


@pytest.mark.parametrize("total", [2, 4])
def test_another_number_of_rows_than_declared_is_not_complete(store: LandingStore, total: int) -> None:
    batch, _ = land(store, page(1, 1, 2, 3, total=total, is_last=True))
    assert codes(batch) == ["total_mismatch"]
    assert batch.reasons[0].text == f"the source declares {total} rows and sent 3"


def test_a_total_that_changes_during_the_read_is_not_complete(store: LandingStore) -> None:
    batch, _ = land(store, page(1, 1, 2, total=3), page(2, 3, 4, total=4, is_last=True))
    assert codes(batch) == ["total_changed"]
    batch, _ = land(store, page(1, 5, pages=2), page(2, 6, pages=3, is_last=True))
    assert codes(batch) == ["total_changed"]


def test_a_total_that_is_due_and_comes_nowhere_is_not_complete(store: LandingStore) -> None:
    def due(*pages: Page) -> list[str]:
        batch = manifest()
        land_pages(batch, pages, store, largest, is_total_due=True)
        return codes(batch)

    assert due(page(1, 1), page(2, 2, is_last=True)) == ["total_missing"]
    assert due(page(1, 1, total=2), page(2, 2, is_last=True)) == []
    assert due(page(1, 1, pages=2), page(2, 2, is_last=True)) == []
    assert due(page(1, is_last=True)) == ["empty"], "a platform without rows may leave out everything"


def test_the_same_page_twice_is_not_complete(store: LandingStore) -> None:
    batch, _ = land(store, page(1, 1, 2, total=4), page(2, 1, 2, total=4, is_last=True))
    assert codes(batch) == ["page_repeated"]
    assert "page 2 is the same as page 1" in batch.reasons[0].text


def test_empty_pages_are_no_repeats(store: LandingStore) -> None:
    batch, _ = land(store, page(1, 1), page(2), page(3, is_last=True))
    assert batch.reasons == []


def test_a_read_that_does_not_reach_the_last_page_is_not_complete(store: LandingStore) -> None:
    assert codes(land(store, page(1, 1))[0]) == ["no_last_page"]
    assert "no_last_page" in codes(land(store)[0])


def test_an_empty_full_read_is_not_believed_but_an_empty_window_is(store: LandingStore) -> None:
    assert codes(land(store, page(1, total=0, is_last=True))[0]) == ["empty"]
    assert codes(land(store, page(1, total=0, is_last=True), since="2026-11-01T00:00:00+08:00")[0]) == []


def test_a_page_that_failed_is_named_and_the_others_are_landed(store: LandingStore) -> None:
    fault = PageFault(2, SourceUnreachable("connection reset"))
    batch, error = land(store, page(1, 1, total=3), fault, page(3, 3, total=3, is_last=True))
    assert codes(batch) == ["page_failed"]
    assert batch.reasons[0].text == "page 2: SourceUnreachable: connection reset"
    assert (error, batch.error_type, batch.is_retryable) == (fault.error, "SourceUnreachable", True)
    assert [p.number for p in batch.pages] == [1, 3]


def test_a_batch_is_retryable_only_if_every_fault_is(store: LandingStore) -> None:
    faults = [PageFault(1, SourceThrottled("slow down")), PageFault(2, SourceMalformed("HTML"))]
    assert land(store, *faults)[0].is_retryable is False
    assert land(store, faults[0])[0].is_retryable is True


def test_a_reader_that_breaks_off_keeps_what_was_landed_and_says_where(store: LandingStore) -> None:
    def broken() -> Iterator[Item]:
        yield page(1, 1)
        raise SourceMalformed("cut JSON")

    batch = manifest()
    error = land_pages(batch, broken(), store, largest)
    assert isinstance(error, SourceMalformed)
    assert batch.reasons[0].text == "page 2: SourceMalformed: cut JSON"
    assert len(batch.pages) == 1


def test_an_error_that_nobody_foresaw_is_not_swallowed(store: LandingStore) -> None:
    def broken() -> Iterator[Item]:
        yield page(1, 1)
        raise KeyError("a defect")

    with pytest.raises(KeyError):
        land_pages(manifest(), broken(), store, largest)
    assert gc.isenabled()


def test_notes_are_kept_once_and_progress_is_told(store: LandingStore) -> None:
    told: list[tuple[int, int, int | None]] = []
    batch = manifest()
    items = [
        page(1, 1, total=2, notes=("decoded as GB18030",)),
        page(2, 2, total=2, notes=("decoded as GB18030",), is_last=True),
    ]
    land_pages(batch, items, store, largest, lambda *step: told.append(step))
    assert batch.notes == ["decoded as GB18030"]
    assert told == [(1, 1, 2), (2, 2, 2)]


def test_a_known_answer_is_not_stored_again_and_keeps_its_figures(store: LandingStore) -> None:
    first, _ = land(
        store, page(1, 1, 2, total=3, body_sha256="B1", notes=("GBK",), refused=1, rows_received=3, is_last=True)
    )
    known = known_pages(first, store)
    assert known == {"B1": (KnownPage(first.pages[0].sha256, 2, 3, 1, 3, None, "2", ("GBK",)),)}
    again, _ = land(store, Page(1, [], 3, 1, 3, is_last=True, body_sha256="B1", known=known["B1"][0], notes=("GBK",)))
    assert again.pages == first.pages
    assert (again.reasons, again.high_water) == ([], "2")


def test_an_answer_whose_page_is_gone_is_not_known(store: LandingStore) -> None:
    batch, _ = land(store, page(1, 1, body_sha256="B1", is_last=True), page(2, 2, is_last=True))
    store.drop_page("s", batch.pages[0].sha256)
    assert known_pages(batch, store) == {}


def test_a_manifest_comes_back_from_its_file(store: LandingStore) -> None:
    batch, _ = land(store, page(1, 1, total=2, notes=("GBK",)), PageFault(2, SourceUnreachable("reset")))
    store.put_manifest("s", batch.batch_id, batch.to_dict())
    assert Manifest.from_dict(store.get_manifest("s", batch.batch_id)) == batch
    assert batch.reasons


def test_batch_ids_sort_by_time_and_never_meet() -> None:
    ids = [new_batch_id("s", now()) for _ in range(50)]
    assert len(set(ids)) == 50
    assert [i[:25] for i in ids] == sorted(i[:25] for i in ids)


def test_the_collector_is_left_as_it_was_found() -> None:
    gc.disable()
    try:
        with no_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
    with no_collection():
        assert not gc.isenabled()
    assert gc.isenabled()


@pytest.mark.parametrize("many", [False, True])
def test_what_others_froze_stays_frozen(many: bool) -> None:
    """The suite itself has frozen what stays to its end (tests/conftest.py)."""
    frozen = gc.get_freeze_count()
    assert frozen > 0
    with no_collection():
        made = [[n] for n in range(2 * MANY_YOUNG if many else 10)]
        assert (gc.get_count()[0] > MANY_YOUNG) == many
    assert made and gc.get_freeze_count() == frozen


def test_what_was_made_meanwhile_counts_as_old() -> None:
    gc.unfreeze()
    try:
        with no_collection():
            made = [[n] for n in range(2 * MANY_YOUNG)]
        assert made and gc.get_count()[0] < MANY_YOUNG
        assert gc.get_freeze_count() == 0
        assert any(one is made for one in gc.get_objects(generation=2))
    finally:
        gc.freeze()
