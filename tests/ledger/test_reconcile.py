"""Reconciling plan and platform: every disagreement once, none invented, none claimed on incomplete evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include.errors import CardError
from include.landing.store import LandingStore
from include.ledger.reconcile import Reconciled, Scope, folded, load_scope, reconcile
from include.ledger.sync import land, merge_batch
from include.ledger.tables import question
from include.sandbox.server import SandboxServer
from include.sources.card_files import load_card
from tests.depth import MOSTLY_SQLITE
from tests.ledger.rows import code, row
from tests.ledger.rows import sync as sync_rows
from tests.platform import connect, platform


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("sandbox")
        with platform(patch, projects=1200, seed=5, home=home) as server:
            yield server


def everything() -> Scope:
    """Compare all years, as the generator's own truth does."""
    return replace(load_scope(), years_before_plan=100)


def read_all(engine: Engine, store: LandingStore) -> None:
    for source in ("provincial_approval", "annual_plan"):
        card = load_card(source)
        merge_batch(engine, store, card, land(engine, store, card, "full").batch_id)


def open_questions(engine: Engine) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    with engine.connect() as connection:
        rows = connection.execute(
            select(question).where(question.c.source == "reconciliation", question.c.closed_at.is_(None))
        )
        for q in rows.mappings():
            found.setdefault(q["kind"], []).append(q)
    return found


def names(questions: list[Any]) -> set[str]:
    return {json.loads(q["detail"])["name"] for q in questions}


def test_every_planted_disagreement_is_found_and_nothing_else(
    engine: Engine, store: LandingStore, world: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, world)
    read_all(engine, store)
    result = reconcile(engine, everything())
    assert result is not None
    truth = world.truth()["plan"]
    found = open_questions(engine)
    assert names(found["name_disagrees"]) == {e["name"] for e in truth["name_differs"]}
    assert names(found["amount_disagrees"]) == {e["name"] for e in truth["amount_differs"]}
    assert names(found["code_check_failed"]) == {e["name"] for e in truth["code_check_fails"]}
    assert names(found["plan_without_code"]) >= {e["name"] for e in truth["code_missing_matched"]}
    hinted = [q for q in found["plan_without_code"] if json.loads(q["detail"])["candidates"]]
    assert names(hinted) == {e["name"] for e in truth["code_missing_matched"]}
    assert len(found["same_project_two_codes"]) == len(truth["two_codes"]) > 0
    assert {q["subject"] for q in found["platform_not_in_plan"]} == set(truth["not_in_plan"])
    listed = names(found["plan_not_on_platform"]) | names(found["plan_without_code"]) - names(hinted)
    assert listed == {e["name"] for e in truth["not_on_platform"]}
    assert sum(result.open.values()) == sum(len(q) for q in found.values()) > 10


@MOSTLY_SQLITE
def test_reconciling_again_writes_nothing(
    engine: Engine, store: LandingStore, world: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, world)
    read_all(engine, store)
    first = reconcile(engine, everything())
    before = open_questions(engine)
    again = reconcile(engine, everything())
    assert first is not None
    assert again is not None
    assert first.opened > 0
    assert (again.opened, again.closed) == (0, 0)
    assert open_questions(engine) == before


def plan_row(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "项目代码": code(number), "项目名称": f"测试系统{number}", "建设单位": "市教育局",
        "计划投资(万元)": "123.45", "_year": 2027,
    } | changed  # fmt: skip


def both(engine: Engine, store: LandingStore, platform_rows: list[Any], plan_rows: list[Any], **how: Any) -> Reconciled:
    sync_rows(engine, store, load_card("provincial_approval"), platform_rows, **how)
    sync_rows(engine, store, load_card("annual_plan"), plan_rows)
    result = reconcile(engine, load_scope())
    assert result is not None
    return result


@MOSTLY_SQLITE
def test_agreeing_sides_raise_no_question(engine: Engine, store: LandingStore) -> None:
    result = both(engine, store, [row(1), row(2)], [plan_row(1), plan_row(2)])
    assert (result.compared_projects, result.compared_entries, sum(result.open.values())) == (2, 2, 0), result


@MOSTLY_SQLITE
@pytest.mark.parametrize(("planned", "questions"), [("111.11", 0), ("111.10", 1), ("137.16", 0), ("137.17", 1)])
def test_the_tolerance_of_amounts_is_a_tenth_of_the_larger(
    engine: Engine, store: LandingStore, planned: str, questions: int
) -> None:
    result = both(engine, store, [row(1)], [plan_row(1, **{"计划投资(万元)": planned})])
    assert result.open["amount_disagrees"] == questions, result


@MOSTLY_SQLITE
def test_a_reissued_code_still_pairs(engine: Engine, store: LandingStore) -> None:
    rows = [row(1, VALIDITY_FLAG="0"), row(2, OLD_PROJECT_CODE=code(1), PROJECT_NAME="测试系统1")]
    result = both(engine, store, rows, [plan_row(1)])
    assert sum(result.open.values()) == 0, result


@MOSTLY_SQLITE
def test_a_void_code_in_the_plan_is_asked_about(engine: Engine, store: LandingStore) -> None:
    result = both(engine, store, [row(1, VALIDITY_FLAG="0"), row(2)], [plan_row(1), plan_row(2)])
    assert {k: n for k, n in result.open.items() if n} == {"void_code_in_plan": 1}


@MOSTLY_SQLITE
def test_an_incomplete_platform_never_makes_an_entry_missing(engine: Engine, store: LandingStore) -> None:
    from include.errors import SourceUnreachable
    from include.sources.page import PageFault
    from tests.ledger.rows import land as land_pages
    from tests.ledger.rows import pages_of

    card = load_card("provincial_approval")
    pages = [*pages_of([row(1)]), PageFault(2, SourceUnreachable("reset"))]
    merge_batch(engine, store, card, land_pages(store, card, pages).batch_id)
    sync_rows(engine, store, load_card("annual_plan"), [plan_row(1), plan_row(2)])
    result = reconcile(engine, load_scope())
    assert result is not None
    assert not result.is_certain
    assert result.open["plan_not_on_platform"] == 0


@MOSTLY_SQLITE
def test_an_answered_question_closes(engine: Engine, store: LandingStore) -> None:
    both(engine, store, [row(1)], [plan_row(1), plan_row(2)])
    assert list(open_questions(engine)) == ["plan_not_on_platform"]
    result = both(engine, store, [row(1), row(2)], [plan_row(1), plan_row(2)])
    assert (result.closed, open_questions(engine)) == (1, {})


@MOSTLY_SQLITE
def test_without_a_plan_there_is_nothing_to_reconcile(engine: Engine, store: LandingStore) -> None:
    sync_rows(engine, store, load_card("provincial_approval"), [row(1)])
    assert reconcile(engine, load_scope()) is None


def test_names_are_compared_without_brackets_and_blanks() -> None:
    assert folded("智慧 教育（一期）平台") == folded("智慧教育(一期)平台".replace("(", "（"))
    assert folded("智慧教育平台") != folded("智慧养老平台")


def test_a_bureaus_own_scope_replaces_ours_and_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = Path("include/ledger/reconciliation.yaml").read_text("utf-8")
    (tmp_path / "reconciliation.yaml").write_text(shipped.replace('"230500"', '"2306"'), "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    assert load_scope().division_prefix == "2306"
    (tmp_path / "reconciliation.yaml").write_text(shipped.replace("0.1", "10"), "utf-8")
    with pytest.raises(CardError, match="amount_tolerance"):
        load_scope()
