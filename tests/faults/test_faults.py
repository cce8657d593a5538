"""Every fault of the platform: the run says what was wrong, loses nothing, deletes nothing, and the next healthy run heals it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include.errors import ShuhengError
from include.landing.store import LandingStore
from include.ledger.database import open_ledger
from include.ledger.merge import MergeResult
from include.ledger.sync import land, merge_batch
from include.ledger.tables import absence, project, project_change
from include.sandbox.server import SandboxServer
from include.sources.card_files import load_card
from tests.depth import deep
from tests.platform import overlay_card, platform

SIZE = 230
FAST = {
    "backoff_seconds": 0.01,
    "attempts": 3,
    "page_seconds": 2,
    "read_seconds": 1,
    "page_bytes": 1_000_000,
    "pages": 30,
}


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[SandboxServer, pytest.MonkeyPatch]]:
    with pytest.MonkeyPatch.context() as patch, platform(patch, projects=SIZE, seed=11) as server:
        yield server, patch


@pytest.fixture
def ledger(
    world: tuple[SandboxServer, pytest.MonkeyPatch], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_ledger: None
) -> Iterator[tuple[SandboxServer, Engine, LandingStore]]:
    server, _ = world
    from tests.platform import connect

    connect(monkeypatch, server)
    paging = {"page_size": 50}
    overlay_card(monkeypatch, tmp_path / "config", "provincial_approval", paging=paging, limits=FAST)
    server.clear_faults()
    yield server, open_ledger(), LandingStore(str(tmp_path / "landing"))
    server.clear_faults()


def run(engine: Engine, store: LandingStore, mode: str = "full") -> MergeResult:
    card = load_card("provincial_approval")
    return merge_batch(engine, store, card, land(engine, store, card, mode).batch_id)


def content(engine: Engine) -> list[Any]:
    skip = {"created_batch", "changed_batch"}
    columns = [c for c in project.c if c.name not in skip]
    with engine.connect() as connection:
        return list(connection.execute(select(*columns).order_by(project.c.record_key)))


def count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return len(list(connection.execute(select(table))))


# scenario, page, times (0 = until cleared), words that the run's own explanation must hold
RECOVERED = [
    ("error_500", 3, 1),
    ("error_429", 3, 1),
    ("reset_90", 3, 1),
    ("truncated_json", 3, 1),
    ("expired_secret", 3, 1),
    ("repeated_page", 3, 1),
]
DEGRADED = [
    ("error_500", 3, "500"),
    ("error_429", 3, "429"),
    ("reset_90", 3, "page 3"),
    ("html_200", 3, "HTML"),
    ("truncated_json", 3, "JSON"),
    ("wrong_total", None, "declares"),
    ("repeated_page", 3, "same as page 2"),
    ("skipped_page", 3, "same as page"),
    ("endless_paging", None, "total"),
    ("shifting_pages", None, "two pages"),
    ("slow_drip", 3, "page_seconds"),
    ("huge_page", 3, "page_bytes"),
    ("redirect", 3, "redirect"),
    ("deep_json", 3, "depth"),
    ("wrong_type", 3, "GB18030"),
]
FAILED = [
    ("html_200", "HTML"),
    ("expired_secret", "secret"),
    ("skewed_clock", "clock"),
    ("error_500", "500"),
]


@pytest.mark.parametrize(("scenario", "page", "times"), RECOVERED)
def test_a_passing_fault_leaves_a_complete_batch(
    ledger: tuple[SandboxServer, Engine, LandingStore], scenario: str, page: int, times: int
) -> None:
    server, engine, store = ledger
    server.fault(scenario, page=page, times=times)
    result = run(engine, store)
    assert result.is_complete, result.reasons
    assert result.created == server.truth()["provincial"]["good"]


@pytest.mark.parametrize(("scenario", "page", "words"), DEGRADED)
def test_a_lasting_fault_degrades_the_run_and_the_next_one_heals(
    ledger: tuple[SandboxServer, Engine, LandingStore], scenario: str, page: int | None, words: str
) -> None:
    server, engine, store = ledger
    assert run(engine, store).is_complete
    healthy = content(engine)
    assert len(healthy) == server.truth()["provincial"]["good"] > 200
    for _ in range(2):  # two bad runs in a row must not add up to a deletion
        server.fault(scenario, page=page, times=0)
        result = run(engine, store)
        server.clear_faults()
        assert not result.is_complete
        assert words in " ".join(r["text"] for r in result.reasons), result.reasons
        assert (result.tombstoned, result.absent) == (0, 0), result
    assert content(engine) == healthy
    assert (count(engine, absence), count(engine, project_change)) == (0, 0)
    healed = run(engine, store)
    assert healed.is_complete, healed.reasons
    assert healed.writes == 0
    assert content(engine) == healthy


@pytest.mark.parametrize(("scenario", "page", "words"), deep(DEGRADED[::3], DEGRADED))
def test_a_fault_in_the_first_run_loses_no_row_for_good(
    ledger: tuple[SandboxServer, Engine, LandingStore], scenario: str, page: int | None, words: str
) -> None:
    server, engine, store = ledger
    server.fault(scenario, page=page, times=0)
    result = run(engine, store)
    server.clear_faults()
    assert not result.is_complete, words
    assert 0 < result.created <= server.truth()["provincial"]["good"]
    healed = run(engine, store)
    assert healed.is_complete, healed.reasons
    assert len(content(engine)) == server.truth()["provincial"]["good"]


@pytest.mark.parametrize(("scenario", "words"), FAILED)
def test_where_nothing_can_be_read_the_run_fails_and_names_the_cause(
    ledger: tuple[SandboxServer, Engine, LandingStore], scenario: str, words: str
) -> None:
    server, engine, store = ledger
    run(engine, store)
    healthy = content(engine)
    server.fault(scenario, page=None, times=0)
    with pytest.raises(ShuhengError, match=f"(?i){words}"):
        run(engine, store)
    server.clear_faults()
    assert content(engine) == healthy
    assert run(engine, store).is_complete


def test_an_empty_list_is_not_believed(ledger: tuple[SandboxServer, Engine, LandingStore]) -> None:
    server, engine, store = ledger
    run(engine, store)
    healthy = content(engine)
    for _ in range(3):
        server.fault("empty_list", page=None, times=0)
        result = run(engine, store)
        assert [r["code"] for r in result.reasons] == ["empty"]
    server.clear_faults()
    assert content(engine) == healthy


def test_text_in_another_encoding_than_labelled_is_read_and_told(
    ledger: tuple[SandboxServer, Engine, LandingStore],
) -> None:
    server, engine, store = ledger
    server.fault("gbk_as_utf8", page=3, times=0)
    result = run(engine, store)
    server.clear_faults()
    assert any("GB18030" in note for note in result.notes), result
    misread = content(engine)
    assert run(engine, store).is_complete
    assert content(engine) == misread
    assert len(misread) == server.truth()["provincial"]["good"]
