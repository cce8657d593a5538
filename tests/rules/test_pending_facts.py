"""What a unit has applied for and nobody has decided: the city's projects, each once, by the unit's number or else by its name."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from include.rules.pending_facts import PENDING
from tests.depth import BOTH, MOSTLY_SQLITE
from tests.rules.evidence import at
from tests.rules.lives import BARE, FORMER, FULL, ROAD, Lives

pytestmark = MOSTLY_SQLITE

REPORT = "政府投资项目可行性研究报告审批"
ONE, OTHER = "11230500MB1234567A", "11230500MB1234567B"
APPLIED = date(2026, 11, 2)


def item(number: str, project: str, state: str | None = "in_review", **fields: Any) -> dict[str, Any]:
    return {
        "item_id": number, "project_code": project, "item_name": REPORT, "state": state, "submitted_at": at(APPLIED),
    } | fields  # fmt: skip


def pending(lives: Lives, *items: dict[str, Any], **unit: Any) -> list[tuple[str, date]]:
    lives.add("platform", list(items), "approval_item")
    lives.add("system_register", [{"system_code": "s1", "name": "甲系统", "unit_name": "市教育局"} | unit])
    fact = lives.of("system", wanted=(PENDING,))["s1"][PENDING]
    return [(project.code, project.applied_on) for project in fact.value]


@BOTH
def test_what_is_handed_in_and_not_decided_is_pending(engine: Engine) -> None:
    assert pending(Lives(engine), item("A1", FULL), item("A2", BARE, submitted_at=None, accepted_at=at(APPLIED))) == [
        (BARE, APPLIED),
        (FULL, APPLIED),
    ]


@pytest.mark.parametrize(
    "other",
    [
        item("A1", FULL, "approved", decided_at=at(APPLIED)), item("A1", FULL, "approved"), item("A1", FULL, "rejected"),
        item("A1", FULL, "draft"), item("A1", FULL, "withdrawn"), item("A1", FULL, submitted_at=None),
        item("A1", FULL, item_name="政府投资项目初步设计及概算审批"),
    ],
)  # fmt: skip
def test_what_was_decided_or_asks_for_nothing_is_not(other: dict[str, Any], engine: Engine) -> None:
    assert pending(Lives(engine), item("A2", ROAD), other) == [(ROAD, APPLIED)]


@pytest.mark.parametrize("decided", [{"decided_at": at(APPLIED)}, {}])
def test_a_project_that_was_once_approved_is_not_pending_with_another_item(
    decided: dict[str, Any], engine: Engine
) -> None:
    assert pending(Lives(engine), item("A1", FULL), item("A2", FULL, "approved", **decided)) == []


@BOTH
def test_one_that_was_refused_and_applied_for_anew_is_pending_since_then(engine: Engine) -> None:
    refused = item("A1", FULL, "rejected", submitted_at=at(date(2026, 9, 1)), decided_at=at(date(2026, 10, 1)))
    assert pending(Lives(engine), refused, item("A2", FULL)) == [(FULL, APPLIED)]


@BOTH
def test_a_former_code_stands_for_the_present_one(engine: Engine) -> None:
    lives = Lives(engine)
    lives.reissue()
    assert pending(lives, item("A1", FORMER)) == [(FULL, APPLIED)]


@BOTH
def test_units_are_told_apart_by_number_and_by_name_where_one_has_none(engine: Engine) -> None:
    lives = Lives(engine)
    named = [
        ("市教育局", ONE, "230500"),
        ("市教育局", OTHER, "230500"),
        ("别名", ONE, "230500"),
        ("市教育局", ONE, "230521"),
    ]
    codes = [f"2611-230500-04-04-00001{n}" for n in range(4)]
    names = ("project_code", "name", "unit_name", "unit_uscc", "division_code")
    rows = [(code, "丁项目", *unit) for code, unit in zip(codes, named, strict=True)]
    lives.add("platform", [dict(zip(names, row, strict=True)) for row in rows])
    items = [item(f"A{code[-1]}", code) for code in codes]
    found = pending(lives, *items, item("B1", FULL), unit_uscc=ONE)
    assert [code for code, _ in found] == [codes[0], codes[2], FULL]


def test_neither_a_number_nor_a_name_nor_a_city_that_comes_before_or_behind_is_the_same(engine: Engine) -> None:
    lives = Lives(engine)
    others = [
        ("市教育局", "11230500MB1234560A", "230500"), ("市交通局", None, "230500"), ("市水务局", None, "230500"),
        (None, None, "230500"),
        ("市教育局", ONE, "230100"), ("市教育局", ONE, "230600"), ("市教育局", ONE, "230500000000"),
    ]  # fmt: skip
    names = ("project_code", "name", "unit_name", "unit_uscc", "division_code")
    codes = [f"2611-230500-04-04-00002{n}" for n in range(len(others))]
    rows = [(code, "戊项目", *unit) for code, unit in zip(codes, others, strict=True)]
    lives.add("platform", [dict(zip(names, row, strict=True)) for row in rows])
    assert pending(lives, *(item(f"A{code[-1]}", code) for code in codes), unit_uscc=ONE) == [(codes[-1], APPLIED)]
    (found,) = lives.of("system", wanted=(PENDING,))["s1"][PENDING].value
    assert found.name == "戊项目"
