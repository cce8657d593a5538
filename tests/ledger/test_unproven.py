"""What a platform stops saying is no proof: nothing is deleted on the word of a batch that cannot be proven complete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from include.errors import SourceUnreachable
from include.landing.store import LandingStore
from include.ledger.merge import MergeResult
from include.ledger.sync import land, merge_batch
from include.sources.card import Card
from include.sources.page import PageFault
from tests.depth import MOSTLY_SQLITE
from tests.ledger.catalogue import entry, item, living, living_items, write_catalogue_card
from tests.ledger.rows import land as land_pages
from tests.ledger.rows import pages_of, sync
from tests.sources.answering import AnsweringServer, reply

ALL, LEFT = 8, 7
REACH: dict[str, Any] = {"conn_type": "http", "extra": {"networks": ["127.0.0.0/8"]}}


class Platform:
    """A catalogue in one page, whose envelope declares what a test wants."""

    def __init__(self, engine: Engine, store: LandingStore, card: Card) -> None:
        self._engine, self._store, self._card = engine, store, card
        self.rows = ALL
        self.said: dict[str, Any] = {"total": ALL}

    def answer(self, _: Any) -> Any:
        return reply({"code": "0", "data": {"list": [entry(n) for n in range(self.rows)], **self.said}})

    def read(self) -> MergeResult:
        batch = land(self._engine, self._store, self._card, "full")
        return merge_batch(self._engine, self._store, self._card, batch.batch_id)


def read_twice_less(platform: Platform, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any]) -> list[MergeResult]:
    """Read everything, then twice without one record, the envelope saying something else."""
    with AnsweringServer(platform.answer) as server:
        monkeypatch.setenv("AIRFLOW_CONN_CITY_CATALOGUE", json.dumps(REACH | {"host": server.url}))
        first = platform.read()
        assert first.is_complete, first.reasons
        platform.rows, platform.said = LEFT, said
        return [platform.read(), platform.read()]


@MOSTLY_SQLITE
@pytest.mark.parametrize("said", [{}, {"total": None}, {"total": "many"}, {"count": LEFT}])
def test_a_platform_that_stops_declaring_its_total_deletes_nothing(
    engine: Engine, store: LandingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any]
) -> None:
    platform = Platform(engine, store, write_catalogue_card(tmp_path))
    results = read_twice_less(platform, monkeypatch, said)
    assert [[r["code"] for r in result.reasons] for result in results] == [["total_missing"]] * 2
    assert [(r.absent, r.tombstoned) for r in results] == [(0, 0)] * 2
    assert len(living(engine)) == ALL


@MOSTLY_SQLITE
@pytest.mark.parametrize("is_declared", [True, False])
def test_a_total_that_is_declared_or_not_looked_for_proves_what_is_gone(
    engine: Engine, store: LandingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_declared: bool
) -> None:
    envelope = {"rows": "data.list", "code": "code"} | ({"total": {"path": "data.total"}} if is_declared else {})
    platform = Platform(engine, store, write_catalogue_card(tmp_path, envelope=envelope))
    results = read_twice_less(platform, monkeypatch, {"total": LEFT} if is_declared else {})
    assert [(r.is_complete, r.tombstoned) for r in results] == [(True, 0), (True, 1)], results
    assert len(living(engine)) == LEFT


@MOSTLY_SQLITE
@pytest.mark.parametrize("is_full", [True, False])
def test_a_degraded_batch_tombstones_no_nested_record_and_the_next_healthy_one_does(
    engine: Engine, store: LandingStore, tmp_path: Path, is_full: bool
) -> None:
    card = write_catalogue_card(tmp_path)
    rows = [entry(n) for n in range(12)]
    sync(engine, store, card, rows)
    before = living_items(engine)
    less = [entry(0, items=[item("名称")]), *rows[1:]]
    pages = [*pages_of(less, 4)[:2], PageFault(3, SourceUnreachable("reset"))]
    for _ in range(2):
        batch = land_pages(store, card, pages, full=is_full)
        degraded = merge_batch(engine, store, card, batch.batch_id)
        assert ([r["code"] for r in degraded.reasons], degraded.writes) == (["page_failed"], 0), degraded
        assert living_items(engine) == before
    healthy = sync(engine, store, card, less)
    assert (healthy.is_complete, healthy.children["resource_item"]["tombstoned"]) == (True, 1), healthy
    assert len(living_items(engine)) == len(before) - 1
