"""What is released stays as it is, and the page says what it means."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from include.datasets.definitions import DATASETS, SCHEMAS
from include.datasets.reference_page import PAGE, render
from include.datasets.released import breaks, form_of, load_released

Form = dict[str, Any]
RELEASED = load_released()


def test_no_released_data_set_changed_in_a_way_that_breaks_its_readers() -> None:
    problems = {d.id: found for d in DATASETS.values() if (found := breaks(RELEASED[d.id], form_of(d)))}
    assert not problems, problems


def test_every_version_and_every_column_is_recorded() -> None:
    assert set(RELEASED) >= {dataset.id for dataset in DATASETS.values()}
    missing = [dataset.id for dataset in DATASETS.values() if RELEASED[dataset.id] != form_of(dataset)]
    assert not missing, f"record them by python -m include.datasets.released: {missing}"


def test_the_schema_of_every_released_version_is_still_there() -> None:
    assert len(RELEASED) >= 9
    assert not [name for name in RELEASED if not (SCHEMAS / f"{name}.json").is_file()]


def _drop(form: Form) -> None:
    form["columns"].pop()


def _swap(form: Form) -> None:
    form["columns"][0], form["columns"][1] = form["columns"][1], form["columns"][0]


def _set(part: str, value: Any) -> Callable[[Form], None]:
    def change(form: Form) -> None:
        form["columns"][2][part] = value

    return change


def _add(*, nullable: bool, place: int = 10_000) -> Callable[[Form], None]:
    def change(form: Form) -> None:
        form["columns"].insert(place, {"name": "new", "type": "text", "nullable": nullable, "values": []})

    return change


def _key(form: Form) -> None:
    form["key"] = ["name"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_drop, "removed, renamed or moved"), (_swap, "removed, renamed or moved"), (_key, "the key was"),
        (_set("name", "renamed"), "removed, renamed or moved"), (_set("type", "integer"), "type of the column"),
        (_set("nullable", False), "nullable of the column"), (_set("values", ["a"]), "values of the column"),
        (_add(nullable=False), "must be nullable"), (_add(nullable=True, place=3), "removed, renamed or moved"),
    ],
)  # fmt: skip
def test_what_would_break_readers_is_refused(change: Callable[[Form], None], said: str) -> None:
    released = RELEASED["systems.v1"]
    now = copy.deepcopy(released)
    change(now)
    problems = breaks(released, now)
    assert any(said in problem for problem in problems), problems
    assert all(problem.endswith("make v2") for problem in problems)


def test_a_nullable_column_may_be_added_at_the_end() -> None:
    released = RELEASED["systems.v1"]
    now = copy.deepcopy(released)
    _add(nullable=True)(now)
    assert breaks(released, now) == []


def test_the_page_of_the_data_sets_is_in_step_with_the_schemas() -> None:
    assert PAGE.read_text("utf-8") == render(), "write it anew: python -m include.datasets.reference_page"
