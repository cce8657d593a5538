"""Time moves: what it says has changed is what has changed, and nothing else."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from include.sandbox.motion import advance, amount
from include.sandbox.server import SandboxServer
from include.sandbox.truth import Counting, Tally
from include.sandbox.world import World


def listed(world: World) -> dict[str, dict[str, Any]]:
    rows = [orjson.loads(world.encoded(index)) for index in world.listing().indexes(0, 10**9)]
    keys = [(row["UPDATETIME"], row["PROJECT_CODE"]) for row in rows]
    assert keys == sorted(keys)
    assert len(rows) == world.listing().total
    return {row["PROJECT_CODE"]: row for row in rows}


def test_changes_are_exactly_those_said():
    world = World(500, 7)
    for _ in range(4):
        before = listed(world)
        said = advance(world, {"changes": 0.05, "new": 4, "vanish": 3, "return": 1, "reissue": 2})
        after = listed(world)
        appeared = {*said["new"], *said["returned"], *(pair["new"] for pair in said["reissued"])}
        assert set(after) - set(before) == appeared
        assert set(before) - set(after) == set(said["vanished"])
        differing = {code for code in before.keys() & after.keys() if before[code] != after[code]}
        assert differing == {c["code"] for c in said["changed"]} | {pair["old"] for pair in said["reissued"]}
        for change in said["changed"]:
            old, new = before[change["code"]], after[change["code"]]
            fields = {name: [old[name], new[name]] for name in old if old[name] != new[name]}
            assert fields == change["fields"]
            assert "UPDATETIME" in fields
        for pair in said["reissued"]:
            assert after[pair["old"]]["VALIDITY_FLAG"] == "0"
            assert after[pair["new"]]["OLD_PROJECT_CODE"] == pair["old"]
        assert len(said["changed"]) == 25
        assert len(said["vanished"]) == 3


def test_a_day_without_wishes_changes_nothing():
    world = World(100, 7)
    before = listed(world)
    assert advance(world)["day"] == "2026-11-21"
    assert listed(world) == before


def test_same_seed_moves_the_same_way():
    first, second = World(300, 4), World(300, 4)
    wanted = {"changes": 10, "new": 2, "vanish": 1}
    assert [advance(first, wanted) for _ in range(3)] == [advance(second, wanted) for _ in range(3)]


def test_changed_records_move_to_the_end_and_into_the_window():
    world = World(300, 7)
    said = advance(world, {"changes": 7, "new": 2})
    window = world.listing(begin=world.day)
    codes = [orjson.loads(world.encoded(index))["PROJECT_CODE"] for index in window.indexes(0, 100)]
    assert window.total == 9
    assert set(codes) == {change["code"] for change in said["changed"]} | set(said["new"])


def test_truth_follows_time_as_if_counted_anew():
    world = World(500, 7)
    counting = Counting(world)
    counting.whole()
    for _ in range(3):
        advance(world, {"changes": 40, "new": 5, "vanish": 4, "return": 2, "reissue": 3})
    anew = Tally()
    for index in world.listing().indexes(0, 10**9):
        anew.add(world.current(index), world.layout.kind(index))
    assert counting.whole().as_truth() == anew.as_truth()


def test_compared_projects_keep_name_code_and_amount():
    world = World(200, 7)
    before = listed(world)
    for _ in range(10):
        advance(world, {"changes": 0.5, "reissue": 5, "vanish": 3})
    after = listed(world)
    for code in Counting(World(200, 7)).whole().as_truth()["digital_codes"]:
        for field in ("PROJECT_NAME", "TOTAL_MONEY", "VALIDITY_FLAG"):
            assert after[code][field] == before[code][field]


def test_amounts_below_one_are_shares():
    assert amount(0.01, 2000) == 20
    assert amount(0.0001, 200) == 1
    assert amount(3, 200) == 3
    with pytest.raises(ValueError, match="not -1"):
        amount(-1, 10)


def test_advance_over_the_wire(server: SandboxServer):
    import requests

    url = f"{server.url}/control/advance"
    wrong = requests.post(url, json={"change": 1}, headers=server.control_headers, timeout=5)
    assert wrong.status_code == 400
    assert "unknown movement" in wrong.json()["error"]
    said = requests.post(url, json={"changes": 3}, headers=server.control_headers, timeout=5).json()
    assert len(said["changed"]) == 3
    assert server.advance(return_=0, new=1)["new"]
