"""Time in the catalogues: what changes, appears, vanishes, returns and is recoded is told and shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sandbox_client import ExchangeCaller
from sqlalchemy import text

from include.sandbox.server import SandboxServer
from include.sandbox.stack import DAY


@pytest.fixture
def moving(tmp_path: Path) -> Iterator[SandboxServer]:
    with SandboxServer(projects=100, seed=9, systems=120, home=tmp_path) as server:
        yield server


def titles(server: SandboxServer, source: str) -> dict[str, str]:
    """Return native identifier → title of what a keyed source lists."""
    if source == "catalogue":
        return {row["cataId"]: row["cataTitle"] for row in ExchangeCaller(server).rows("catalog/list")}
    if source == "ckan":
        path = "/ckan/api/3/action/package_search?rows=1000"
        return {p["id"]: p["title"] for p in requests.get(server.url + path, timeout=5).json()["result"]["results"]}
    rows = requests.get(f"{server.url}/datajson/data.json", timeout=5).json()["dataset"]
    return {row["identifier"]: row["title"] for row in rows}


def test_a_day_does_just_what_is_asked(moving: SandboxServer):
    sources = ("catalogue", "ckan", "datajson")
    before = {source: titles(moving, source) for source in sources}
    moved = moving.advance(catalogue={"changes": 9, "new": 4, "vanish": 12, "recode": 8})["catalogue"]
    assert {name: len(found) for name, found in moved.items()} == {
        "changed": 9, "new": 4, "vanished": 12, "returned": 0, "recoded": 8,
    }  # fmt: skip
    for source in sources:
        after, gone = titles(moving, source), {m["key"] for m in moved["vanished"] if m["source"] == source}
        recoded = {m["old"]: m["new"] for m in moved["recoded"] if m["source"] == source}
        fresh = {m["key"]: m["title"] for m in moved["new"] if m["source"] == source}
        kept = {recoded.get(key, key): title for key, title in before[source].items() if key not in gone}
        assert after == kept | fresh
    back = moving.advance(catalogue={"return": 12})["catalogue"]["returned"]
    assert [one["key"] for one in back] == [one["key"] for one in moved["vanished"]]


def test_changes_come_into_the_listing_the_truth_and_the_files(moving: SandboxServer, tmp_path: Path):
    workbook = tmp_path / "catalogues" / "部门资源目录.xlsx"
    before, rows = workbook.read_bytes(), count(moving)
    moved = moving.advance(catalogue={"changes": 0.9})["catalogue"]["changed"]
    assert {one["source"] for one in moved} >= {"catalogue", "ckan", "dcat", "municipal", "workbook", "frontdb"}
    shown = {row["cataId"]: row["cataAbstract"] for row in ExchangeCaller(moving).rows("catalog/list")}
    ours = [one for one in moved if one["source"] == "catalogue"]
    assert ours and all(shown[one["key"]] == one["fields"]["summary"][1] for one in ours)
    assert workbook.read_bytes() != before
    assert count(moving) == rows + 2 * sum(one["source"] == "frontdb" for one in moved)
    unchanged = workbook.read_bytes()
    moving.advance(catalogue={"new": 3})
    assert workbook.read_bytes() == unchanged


def count(server: SandboxServer) -> int:
    assert server.sandbox.engine
    with server.sandbox.engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM ML_ZYML")).scalar_one())


def test_a_hole_opens_where_the_only_entry_vanishes(moving: SandboxServer):
    before = moving.truth()["catalogues"]["systems"]
    moving.advance(catalogue={"vanish": 0.9})
    after = moving.truth()["catalogues"]["systems"]
    opened = [code for code in before if before[code]["expected"]["data"] == "pass" != after[code]["expected"]["data"]]
    assert len(opened) > 20


def test_the_usual_day_moves_the_catalogues_and_no_catalogue_asked_for_moves_none(moving: SandboxServer):
    moved = moving.advance(**DAY)["catalogue"]
    assert moved["changed"] and moved["new"] and moved["vanished"]
    before = moving.truth()["catalogues"]
    assert "catalogue" not in moving.advance(changes=2)
    assert moving.truth()["catalogues"] == before


@pytest.mark.parametrize("wanted", [{"reissue": 1}, {"changes": -1}, {"new": "many"}, 7])
def test_a_movement_that_is_none_is_refused_before_anything_moves(server: SandboxServer, wanted: Any):
    day = server.truth()["day"]
    url, headers = f"{server.url}/control/advance", server.control_headers
    answer = requests.post(url, json={"changes": 1, "catalogue": wanted}, headers=headers, timeout=5)
    assert (answer.status_code, server.truth()["day"]) == (400, day)
