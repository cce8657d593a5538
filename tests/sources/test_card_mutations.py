"""Whatever is done to a shipped card, the loader loads it or says what is wrong; nothing else ever comes out."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.errors import CardError
from include.sources.card import canonical_schema
from include.sources.card_files import read_card
from include.sources.outlines import SHIPPED
from tests.depth import deep

Data = dict[str, Any]
NAMES = [
    "annual_plan", "approval_frontdb", "provincial_approval", "zj_projects", "exchange_services", "exchange_calls", "usage_files",
]  # fmt: skip
VALUES: list[Any] = [
    None, "", "x", "2026-11-01", 0, -1, 1.5, True, [], [None], ["x", "x"], {}, {"x": 1}, {"from": []},
    {"from": ["A"], "map": {"a": None}}, {"from": "A", "as": "enum"}, "name", "project_code", "\u0000", "a.b.c", 10**30,
    float("inf"), float("nan"), {1: "new"}, {None: 1},
]  # fmt: skip


def _places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, child in children for place in _places(child, (*path, key)))]


def _mutated(data: Data, chance: random.Random) -> Any:
    *way, last = chance.choice(_places(data)[1:])
    parent: Any = data
    for step in way:
        parent = parent[step]
    kind = chance.randrange(4)
    if kind == 0:
        del parent[last]
    elif kind == 1 and isinstance(parent, dict):
        parent[chance.choice(["x", "name", "as", "map", "from", "enum", 7, "entity"])] = parent.pop(last)
    elif kind == 2 and isinstance(parent[last], dict | list) and parent[last]:
        parent[last] = chance.choice(list(parent[last]))
    else:
        parent[last] = copy.deepcopy(chance.choice(VALUES))
    return data


@settings(max_examples=deep(40, 120), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**32), times=st.integers(1, 3))
def test_no_mutation_of_a_shipped_card_crashes_the_loader(name: str, seed: int, times: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    data = yaml.safe_load((SHIPPED / f"{name}.yaml").read_text("utf-8"))
    for _ in range(times):
        _mutated(data, chance)
    try:
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
        card = read_card(path)
    except CardError as error:
        assert error.line >= 1
        assert error.problem
        assert error.fix
    else:
        assert set(canonical_schema(card.entity)["properties"]) >= {f.name for f in card.fields}


@settings(max_examples=deep(30, 80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**32))
def test_no_spoilt_line_of_a_shipped_card_crashes_the_loader(name: str, seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    lines = (SHIPPED / f"{name}.yaml").read_text("utf-8").split("\n")
    at = chance.randrange(len(lines))
    lines[at] = chance.choice(
        [
            "",
            "  " + lines[at],
            lines[at][2:],
            lines[at] + chance.choice(":{}[]\"'&*!|>%@`,#\t\x07"),
            lines[at].replace(":", "", 1),
        ]
    )
    path = tmp_path / f"{name}.yaml"
    path.write_text("\n".join(lines), "utf-8")
    try:
        read_card(path)
    except CardError as error:
        assert 1 <= error.line <= len(lines) + 1
