"""Reading a source anew whatever is known, judging it without keeping anything, and looking at its first records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from include.errors import SourceRefused
from include.landing.store import LandingStore
from include.ledger.merge import MergeResult
from include.ledger.rehearsal import preview, validate
from include.ledger.sync import land, merge_batch
from include.ledger.tables import batch, batch_record, quarantine, question, resource, resource_change
from include.sources.card import Card
from tests.depth import MOSTLY_SQLITE
from tests.ledger.catalogue import Row, entry, living, renamed, write_catalogue_card
from tests.sources.answering import AnsweringServer, Asked, Reply, reply


class Portal:
    """A portal that lists its entries ten a page and counts how often it was asked."""

    def __init__(self) -> None:
        self.rows: list[Row] = [entry(n) for n in range(45)]
        self.asked = 0
        self.code = "0"

    def answer(self, asked: Asked) -> Reply:
        """Return one page."""
        self.asked += 1
        begin = (int(asked.query["pageNo"]) - 1) * 10
        data = {"list": self.rows[begin : begin + 10], "total": len(self.rows)}
        return reply({"code": self.code, "message": "维护中", "data": data})


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    there = Portal()
    with AnsweringServer(there.answer) as server:
        known = {"conn_type": "http", "host": "127.0.0.1", "port": server.port, "extra": {"networks": ["127.0.0.0/8"]}}
        monkeypatch.setenv("AIRFLOW_CONN_CITY_CATALOGUE", json.dumps(known))
        yield there


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return write_catalogue_card(tmp_path / "cards", limits={"attempts": 1})


def harvest(engine: Engine, store: LandingStore, card: Card, *, force: bool = False) -> MergeResult:
    return merge_batch(engine, store, card, land(engine, store, card, "full", force=force).batch_id, force=force)


def rows_of(engine: Engine, *tables: Any) -> list[Any]:
    with engine.connect() as connection:
        return [connection.execute(select(t)).all() for t in tables]


@MOSTLY_SQLITE
def test_a_forced_harvest_looks_at_every_record_and_writes_what_differs(
    engine: Engine, store: LandingStore, card: Card, portal: Portal
) -> None:
    harvest(engine, store, card)
    with engine.begin() as connection:  # as if it had been mapped by a version of ours that was wrong
        connection.execute(text("UPDATE resource SET description = '错' WHERE record_key = 'R3'"))
    assert harvest(engine, store, card).writes == 0
    forced = harvest(engine, store, card, force=True)
    assert (forced.changed, forced.unchanged, forced.created, forced.is_complete) == (1, 44, 0, True), forced
    with engine.connect() as connection:
        (line,) = connection.execute(select(resource_change)).mappings()
    assert (line["record_key"], line["old"], line["new"]) == ("R3", "错", "许可结果")
    again = harvest(engine, store, card, force=True)
    assert (again.writes, again.unchanged, again.repeated) == (0, 45, 0), again
    assert harvest(engine, store, card).unchanged == 45


def test_a_forced_harvest_tombstones_with_proof_like_any_other(
    engine: Engine, store: LandingStore, card: Card, portal: Portal
) -> None:
    harvest(engine, store, card)
    portal.rows.pop()
    found = [harvest(engine, store, card, force=True) for _ in range(2)]
    assert [(r.absent, r.tombstoned) for r in found] == [(1, 0), (1, 1)]


def test_validating_tells_every_problem_and_keeps_nothing(
    engine: Engine, store: LandingStore, card: Card, portal: Portal
) -> None:
    harvest(engine, store, card)
    kept = (resource, resource_change, batch, batch_record, quarantine, question)
    before = rows_of(engine, *kept)
    portal.rows = [
        renamed(portal.rows[0]), entry(1, rows="若干", mtime="昨天"), *portal.rows[2:], entry(60, rows=-1), entry(2),
    ]  # fmt: skip
    steps: list[str] = []
    report = validate(engine, store, card, lambda step, done, of: steps.append(step))
    assert rows_of(engine, *kept) == before
    assert (report.result.quarantined, report.result.held, report.result.repeated) == (2, 1, 1), report.result
    told = {o.record_key: o for o in report.records if o.outcome != "warned"}
    assert {k: o.outcome for k, o in told.items()} == {
        "R1": "quarantined", "R60": "quarantined", "new-R0": "held", "R2": "repeated",
    }  # fmt: skip
    assert {p["field"] for p in told["R1"].detail["problems"]} == {"record_count", "updated_at"}
    assert {"读取 city_catalogue", "合并 city_catalogue"} <= set(steps)
    assert harvest(engine, store, card).quarantined == 2


@MOSTLY_SQLITE
def test_validating_an_unread_source_is_possible(
    engine: Engine, store: LandingStore, card: Card, portal: Portal
) -> None:
    portal.rows[7] |= {"rows": "若干"}
    report = validate(engine, store, card)
    assert [o.record_key for o in report.records if o.outcome == "quarantined"] == ["R7"]
    assert (report.result.created, living(engine)) == (44, {})


def test_a_preview_maps_the_first_records_and_stores_nothing(card: Card, portal: Portal, tmp_path: Path) -> None:
    portal.rows[1] |= {"rows": "若干"}
    portal.rows[2] |= {"secret": "1"}
    found = preview(card)
    assert len(found) == 20
    assert portal.asked <= 4
    assert [p.record_key for p in found][:3] == ["R0", "R1", "R3"]
    assert (found[0].record["title"], found[0].problems) == ("行政许可信息0", [])
    assert [p["field"] for p in found[1].problems] == ["record_count"]
    assert [child["name"] for _, child in found[0].children] == ["名称", "日期"]
    assert not (tmp_path / "landing").exists()


def test_a_preview_of_a_source_that_refuses_says_why(card: Card, portal: Portal) -> None:
    portal.code = "500"
    with pytest.raises(SourceRefused, match="维护中"):
        preview(card)
