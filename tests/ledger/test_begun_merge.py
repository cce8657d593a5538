"""A merge begun while pages are landed: the ledger is what it is without, nobody waits, nothing is left of what broke off."""

from __future__ import annotations

import logging
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from include.errors import LandingCorrupt
from include.landing.store import LandingStore
from include.ledger import begun_merge
from include.ledger.ahead import Ahead
from include.ledger.database import prepare_writing, writing
from include.ledger.merge import MergeResult
from include.ledger.sync import land, merge_batch
from include.ledger.tables import contract, metadata, project
from include.sources import second_process, unread_rows
from include.sources.card import Card
from include.sources.card_files import load_card
from include.sources.second_process import SecondProcess
from tests.depth import deep
from tests.findings.killed import killed_before
from tests.ledger.project_platform import PAGE, PAGES, Platform, serving
from tests.ledger.rows import code

POSTGRES = pytest.param("postgresql", marks=pytest.mark.postgres)
pytestmark = pytest.mark.parametrize("ledger_url", [POSTGRES], indirect=True)

NEVER = 10**6
MOMENTS = ("_at", "_on", "batch", "id", "detail", "declared")
SESSIONS = (
    "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    monkeypatch.setattr(second_process, "WORTH_A_PROCESS", 10)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    there = Platform()
    with serving(monkeypatch, tmp_path_factory.mktemp("config"), there.answer, PAGE):
        yield there
    assert there.errors == []


@pytest.fixture
def card(platform: Platform) -> Card:
    return load_card("provincial_approval")


class Way:
    """What a first load leaves in a ledger and in a landing zone of its own."""

    def __init__(self, engine: Engine, folder: Path, card: Card) -> None:
        self.engine, self.store, self.card = engine, LandingStore(str(folder)), card
        self.sent = 0

    def sync(self, *, is_ahead: bool = True, dry_run: bool = False) -> MergeResult:
        with SecondProcess() as process, Ahead() as ahead:
            how: dict[str, Any] = {"process": process, "ahead": ahead if is_ahead else None}
            manifest = land(self.engine, self.store, self.card, "full", dry_run=dry_run, **how)
            self.sent = ahead.begun.sent if ahead.begun else 0
            return merge_batch(self.engine, self.store, self.card, manifest.batch_id, **how)

    def holds(self) -> dict[str, list[str]]:
        """Return all rows of all tables but for ids and moments, which no two runs share."""
        with self.engine.connect() as connection:
            return {
                table.name: sorted(
                    re.sub(
                        r"provincial_approval-\d{8}T\S+",
                        "BATCH",
                        repr({k: v for k, v in one.items() if not k.endswith(MOMENTS)}),
                    )
                    for one in connection.execute(select(table)).mappings()
                )
                for table in metadata.sorted_tables
            }

    def empty(self) -> None:
        with self.engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())


@pytest.fixture
def way(engine: Engine, tmp_path: Path, card: Card) -> Way:
    return Way(engine, tmp_path / "with", card)


@pytest.fixture
def as_without(way: Way, tmp_path: Path) -> Callable[[MergeResult], bool]:
    """Return what says whether ledger, landing zone and result are what a load leaves of which nothing is sent before."""

    def compare(result: MergeResult) -> bool:
        held, pages = way.holds(), way.store.pages(way.card.source)
        way.empty()
        without = Way(way.engine, tmp_path / "without", way.card)
        plain = without.sync(is_ahead=False)
        assert (result.account(), result.is_complete, result.reasons) == (
            plain.account(), plain.is_complete, plain.reasons,
        )  # fmt: skip
        for table, found in without.holds().items():
            assert held[table] == found, table
        assert pages == without.store.pages(way.card.source)
        return len(held["project"]) > 100 and len(held["approval_item"]) > 200

    return compare


@pytest.mark.parametrize("large", [100, 10**6])
def test_a_first_load_is_the_same_with_and_without(
    way: Way, as_without: Callable[[MergeResult], bool], monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    monkeypatch.setattr(unread_rows, "_LARGE", large)
    result = way.sync()
    assert (way.sent, result.quarantined, result.repeated, result.refused) == (PAGES, 2, 1, 2)
    held = way.holds()
    assert any("NEW_FIELD" in one for one in held["question"])
    assert len(held["project_alias"]) == 1
    assert as_without(result)
    assert way.sync().writes == 0
    assert way.sent == 0  # the ledger holds the source already


def test_a_record_that_comes_twice_is_merged_the_careful_way(
    way: Way, platform: Platform, as_without: Callable[[MergeResult], bool]
) -> None:
    platform.rows[100] |= {"PROJECT_CODE": code(20), "PROJECT_NAME": "另一版本"}
    result = way.sync()
    assert not result.is_complete
    assert as_without(result)


def test_a_reading_that_lacks_a_page_ends_as_it_does_without(
    way: Way, platform: Platform, as_without: Callable[[MergeResult], bool]
) -> None:
    platform.broken = {7}
    result = way.sync()
    assert (way.sent, result.is_complete) == (PAGES - 1, False)
    assert as_without(result)


def test_nobody_sees_or_waits_for_what_is_sent_but_writers_of_the_source(way: Way, platform: Platform) -> None:
    seen: list[tuple[int, bool, bool]] = []

    def look(page: int) -> None:
        with way.engine.connect() as connection:
            connection.exec_driver_sql("SET lock_timeout = '10s'")
            found = connection.exec_driver_sql("SELECT count(*) FROM project").scalar_one()
            free = [prepare_writing(connection, source, wait=False) for source in ("zj_projects", way.card.source)]
            connection.execute(insert(project).values(one_of_another(page)))
            connection.exec_driver_sql("ANALYZE project")
            seen.append((found, *free))
            connection.commit()

    platform.before = look
    assert way.sync().created == PAGES * PAGE - 5
    assert seen == [(page, True, page == 0) for page in range(PAGES)]
    with writing(way.engine, way.card.source) as connection:  # the lock went with the transaction
        assert connection.exec_driver_sql(f"SELECT count(*) {SESSIONS}").scalar_one() == 0


def one_of_another(number: int) -> dict[str, Any]:
    """Return a project as another source brings it."""
    named = {"source": "zj_projects", "record_key": code(number), "project_code": code(number)}
    return named | {"source_hash": f"{number:032x}", "created_batch": "b", "changed_batch": "b"}


def test_where_another_writes_of_the_source_nothing_is_sent(
    way: Way, platform: Platform, as_without: Callable[[MergeResult], bool]
) -> None:
    with way.engine.connect() as other:

        def hold(page: int) -> None:
            if page == 1:
                assert prepare_writing(other, way.card.source, wait=False)
            if page == PAGES:
                other.rollback()

        platform.before = hold
        result = way.sync()
        assert way.sent == 0
    platform.before = lambda page: None
    assert as_without(result)


def end_sessions(engine: Engine) -> int:
    """Have the server end whatever transactions are open; return how many there were."""
    with engine.connect() as connection:
        ended = connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid) {SESSIONS}").all()
        connection.rollback()  # within one transaction the view shows the same
        while connection.exec_driver_sql(f"SELECT count(*) {SESSIONS}").scalar_one():
            connection.rollback()
            time.sleep(0.01)
        return len(ended)


@pytest.mark.parametrize("at", [2, 6, PAGES])
def test_a_server_that_ends_the_session_costs_nothing(
    way: Way, platform: Platform, as_without: Callable[[MergeResult], bool], at: int
) -> None:
    ended = []
    platform.before = lambda page: ended.append(end_sessions(way.engine)) if page == at else None
    result = way.sync()
    platform.before = lambda page: None
    assert ended == [1]
    assert as_without(result)


def test_a_source_that_is_silent_for_long_keeps_no_transaction_open(
    way: Way, platform: Platform, as_without: Callable[[MergeResult], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(begun_merge, "_LONGEST_PAUSE", "50ms")
    gone: list[int] = []

    def wait(page: int) -> None:
        while page == 5 and not gone:
            with way.engine.connect() as connection:
                if not connection.exec_driver_sql(f"SELECT count(*) {SESSIONS}").scalar_one():
                    gone.append(page)

    platform.before = wait
    result = way.sync()
    assert gone == [5]
    platform.before = lambda page: None
    assert as_without(result)


def test_a_reading_that_takes_long_goes_on_without(
    way: Way, platform: Platform, as_without: Callable[[MergeResult], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.before = lambda page: monkeypatch.setattr(begun_merge, "_LONGEST", timedelta(0)) if page == 4 else None
    result = way.sync()
    assert 0 < way.sent < PAGES
    assert as_without(result)


def test_what_other_sources_keep_of_refused_projects_is_expunged_first(
    way: Way, platform: Platform, as_without: Callable[[MergeResult], bool], caplog: pytest.LogCaptureFixture
) -> None:
    theirs = one_of_another(3) | {"source": "contracts", "record_key": "C1", "contract_no": "C1"}
    with way.engine.begin() as connection:
        connection.execute(insert(contract).values(theirs))
    with caplog.at_level(logging.INFO, begun_merge.__name__):
        result = way.sync()
    assert [r.getMessage().rpartition(": ")[2] for r in caplog.records if r.name == begun_merge.__name__] == [
        "records of other sources are expunged"
    ]
    assert way.holds()["contract"] == []
    with way.engine.begin() as connection:
        connection.execute(metadata.tables["expunged"].delete())
    assert as_without(result)


def test_a_dry_run_leaves_nothing(way: Way) -> None:
    result = way.sync(dry_run=True)
    assert (way.sent, result.created) == (PAGES, PAGES * PAGE - 5)
    assert len(result.sample) > 0
    assert not any(way.holds().values())


def test_a_page_that_was_damaged_meanwhile_stops_the_merge(way: Way, tmp_path: Path) -> None:
    with SecondProcess() as process, Ahead() as ahead:
        how: dict[str, Any] = {"process": process, "ahead": ahead}
        manifest = land(way.engine, way.store, way.card, "full", **how)
        (file,) = tmp_path.rglob(f"{manifest.pages[4].sha256}.jsonl.zst")
        file.write_bytes(file.read_bytes()[:-9])
        with pytest.raises(LandingCorrupt, match="read the source again"):
            merge_batch(way.engine, way.store, way.card, manifest.batch_id, **how)
    assert not any(way.holds().values())
    assert way.sync().created == PAGES * PAGE - 5


def test_what_was_sent_counts_for_its_own_batch_and_card_alone(
    way: Way, as_without: Callable[[MergeResult], bool]
) -> None:
    with SecondProcess() as process, Ahead() as ahead:
        other = land(way.engine, way.store, way.card, "full", process=process)
        land(way.engine, way.store, way.card, "full", process=process, ahead=ahead)
        assert ahead.begun and ahead.begun.holds_lock
        result = merge_batch(way.engine, way.store, way.card, other.batch_id, process=process, ahead=ahead)
        assert not ahead.begun.holds_lock
    assert as_without(result)


def test_what_nobody_merges_is_given_up(way: Way) -> None:
    with SecondProcess() as process, Ahead() as ahead:
        land(way.engine, way.store, way.card, "full", process=process, ahead=ahead)
        assert ahead.begun and ahead.begun.holds_lock
    with writing(way.engine, way.card.source):
        assert not any(way.holds().values())


def test_killed_at_any_page_or_statement_the_next_run_leaves_what_an_undisturbed_one_leaves(
    way: Way, ledger_url: str, as_without: Callable[[MergeResult], bool]
) -> None:
    def work(engine: Engine, *, last: int = NEVER) -> None:
        def progress(step: str, done: int, total: int | None) -> None:
            if done >= last:
                os.kill(os.getpid(), signal.SIGKILL)

        with SecondProcess() as process, Ahead() as ahead:
            how: dict[str, Any] = {"process": process, "ahead": ahead, "progress": progress}
            merge_batch(engine, way.store, way.card, land(engine, way.store, way.card, "full", **how).batch_id, **how)

    for done in deep((1, 65), (1, 10, 40, 65, 90, 115)):
        assert killed_before(ledger_url, NEVER, lambda engine, done=done: work(engine, last=done)), done
        assert way.holds()["project"] == []
    for after in deep((8, 18, 30), tuple(range(0, 34, 2))):
        assert killed_before(ledger_url, after, work), after
        assert way.holds()["project"] == []
    result = way.sync()
    assert result.created == PAGES * PAGE - 5
    assert as_without(result)
