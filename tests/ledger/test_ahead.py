"""Pages mapped ahead of the merge: the ledger is what it is without, whatever stands in the rows and wherever it breaks off."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include.errors import LandingCorrupt
from include.landing.store import LandingStore
from include.ledger import ahead as mapped_ahead
from include.ledger.ahead import Ahead
from include.ledger.database import migrate, open_ledger
from include.ledger.merge import MergeResult
from include.ledger.sync import land, merge_batch
from include.ledger.tables import metadata
from include.sources import second_process
from include.sources.card import Card
from include.sources.second_process import SecondProcess
from tests.depth import deep
from tests.findings.killed import killed_before
from tests.ledger.catalogue import Row, entry, item, write_catalogue_card
from tests.sources.answering import AnsweringServer, Asked, Reply, reply

PAGE, PAGES, NEVER = 10, 12, 10**6
PAGING = {"style": "page", "number": "page", "size": "size", "page_size": PAGE}
MOMENTS = ("_at", "_on", "batch", "id", "detail", "declared")


def rows() -> list[Row]:
    """Return entries of all sorts: plain ones, ones with persons, refused, bad, odd and repeated ones."""
    found = [entry(n, mtime="2026-11-03 09:00:00") for n in range(PAGE * PAGES - 2)]
    found[3] |= {"secret": "1"}
    for at in (15, 47, 88):
        found[at] |= {"about": "联系人:张三,电话13800138000"}
    found[31] |= {"rows": "若干"}
    found[32] |= {"id": None, "title": {"b": 1, "a": 2}}
    found[55] |= {"items": []}
    found[56] |= {"items": {"name": "单项"}}
    found[64] |= {"new_field": {"z": 1, "a": [{"y": 2, "b": 3}]}}
    found[77] |= {"items": [item("名称"), {"about": "无名"}]}
    found.insert(92, dict(found[91]))
    return [dict(sorted(row.items(), reverse=at % 2 == 0)) for at, row in enumerate(found)]


@pytest.fixture(autouse=True)
def _two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_process, "WORTH_OF_ENTRIES", 10)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Row]]:
    """Serve entries in pages; a test may change them."""
    served = rows()

    def answer(asked: Asked) -> Reply:
        page = int(asked.query.get("page", "1"))
        some = served[(page - 1) * PAGE : page * PAGE]
        return reply({"code": "0", "data": {"total": len(served), "list": some}})

    with AnsweringServer(answer) as server:
        where = {"conn_type": "http", "host": "127.0.0.1", "port": server.port, "extra": {"networks": ["127.0.0.0/8"]}}
        monkeypatch.setenv("AIRFLOW_CONN_CITY_CATALOGUE", json.dumps(where))
        yield served


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return write_catalogue_card(tmp_path / "cards", paging=PAGING)


class Way:
    """A ledger and a landing zone of their own."""

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder}/ledger.db"
        folder.mkdir()
        migrate(url)
        self.engine, self.store = open_ledger(url), LandingStore(str(folder / "landing"))

    def sync(self, card: Card, ahead: Ahead | None) -> MergeResult:
        with SecondProcess() as process:
            how: dict[str, Any] = {"process": process, "ahead": ahead}
            batch_id = land(self.engine, self.store, card, "full", **how).batch_id
            return merge_batch(self.engine, self.store, card, batch_id, **how)

    def holds(self) -> dict[str, list[str]]:
        """Return all rows of all tables but for ids and moments, which no two runs share."""
        with self.engine.connect() as connection:
            return {
                table.name: sorted(
                    repr({k: v for k, v in row.items() if not k.endswith(MOMENTS) or k.startswith("resource")})
                    for row in connection.execute(select(table)).mappings()
                )
                for table in metadata.sorted_tables
            }


def test_a_first_load_is_the_same_with_and_without(tmp_path: Path, portal: list[Row], card: Card) -> None:
    with_it, without = Way(tmp_path / "with"), Way(tmp_path / "without")
    ahead = Ahead()
    first, plain = with_it.sync(card, ahead), without.sync(card, None)
    assert ahead.pages >= 4
    assert (first.account(), first.is_complete) == (plain.account(), plain.is_complete)
    assert first.quarantined == 3
    assert first.repeated == 1
    assert first.created > 100
    held = with_it.holds()
    assert held == without.holds()
    assert any("new_field" in row for row in held["question"])
    assert len(held["resource_item"]) > 200
    assert with_it.store.pages(card.source) == without.store.pages(card.source)
    assert with_it.sync(card, Ahead()).writes == 0


def test_a_record_that_comes_twice_is_merged_the_careful_way(tmp_path: Path, portal: list[Row], card: Card) -> None:
    portal[100] |= {"id": "R20", "about": "另一版本"}
    with_it, without = Way(tmp_path / "with"), Way(tmp_path / "without")
    ahead = Ahead()
    assert with_it.sync(card, ahead).account() == without.sync(card, None).account()
    assert ahead.pages
    assert with_it.holds() == without.holds()


def test_no_more_is_kept_than_there_is_room_for(
    tmp_path: Path, portal: list[Row], card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped_ahead, "_MOST_BYTES", 1)
    with_it, without = Way(tmp_path / "with"), Way(tmp_path / "without")
    ahead = Ahead()
    with_it.sync(card, ahead)
    without.sync(card, None)
    assert ahead.pages == 1
    assert with_it.holds() == without.holds()


def test_what_is_kept_is_of_one_batch_and_one_card(tmp_path: Path, portal: list[Row], card: Card) -> None:
    way, ahead = Way(tmp_path / "one"), Ahead()
    with SecondProcess() as process:
        manifest = land(way.engine, way.store, card, "full", process=process, ahead=ahead)
    other = write_catalogue_card(tmp_path / "other", paging=PAGING, constants={"kind": "component"})
    assert ahead.of(card, manifest.batch_id) is ahead
    assert ahead.of(card, "another") is None
    assert ahead.of(other, manifest.batch_id) is None
    result = merge_batch(way.engine, way.store, other, manifest.batch_id, ahead=ahead)
    assert result.created == manifest.rows_received - manifest.refused - result.quarantined - result.repeated
    later = Ahead()
    with SecondProcess() as process:
        batch_id = land(way.engine, way.store, card, "full", force=True, process=process, ahead=later).batch_id
    assert later.of(card, batch_id) is None  # the ledger holds the source already: there is something to compare with


def test_killed_at_any_statement_the_next_run_leaves_what_an_undisturbed_one_leaves(
    tmp_path: Path, portal: list[Row], card: Card
) -> None:
    disturbed, plain = Way(tmp_path / "disturbed"), Way(tmp_path / "plain")
    plain.sync(card, Ahead())
    ledger_url = str(disturbed.engine.url)

    def work(engine: Engine) -> None:
        with SecondProcess() as process:
            how: dict[str, Any] = {"process": process, "ahead": Ahead()}
            merge_batch(
                engine, disturbed.store, card, land(engine, disturbed.store, card, "full", **how).batch_id, **how
            )

    for after in deep((6, 18, 30), tuple(range(0, 40, 3))):
        assert killed_before(ledger_url, after, work), after
        assert disturbed.holds()["resource"] == []
    assert not killed_before(ledger_url, NEVER, work)
    held = disturbed.holds()
    assert held == plain.holds()
    assert len(held["resource"]) > 100


def test_a_page_that_was_damaged_meanwhile_stops_the_merge(tmp_path: Path, portal: list[Row], card: Card) -> None:
    way, ahead = Way(tmp_path / "one"), Ahead()
    with SecondProcess() as process:
        manifest = land(way.engine, way.store, card, "full", process=process, ahead=ahead)
    kept = next(page for page in manifest.pages if ahead.has(page))
    (file,) = (tmp_path / "one").rglob(f"{kept.sha256}.jsonl.zst")
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(LandingCorrupt, match="read the source again"):
        merge_batch(way.engine, way.store, card, manifest.batch_id, ahead=ahead)
    assert way.holds()["resource"] == []
    assert way.sync(card, Ahead()).created > 100


def test_postgresql_takes_rows_in_while_others_are_mapped(
    engine: Engine, store: LandingStore, portal: list[Row], card: Card
) -> None:
    ahead = Ahead()
    with SecondProcess() as process:
        how: dict[str, Any] = {"process": process, "ahead": ahead}
        batch_id = land(engine, store, card, "full", **how).batch_id
        assert merge_batch(engine, store, card, batch_id, **how).created > 100
    assert bool(ahead.pages) == (engine.dialect.name == "sqlite")
