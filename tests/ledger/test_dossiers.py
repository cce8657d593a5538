"""The cards of the dossiers against the sandbox's workbook: rows, quarantine, secrecy, persons; and the treasury's table."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import Engine, func, select

from include.landing.store import LandingStore
from include.ledger.database import open_ledger, writing
from include.ledger.expunge import expunge
from include.ledger.merge import MergeResult
from include.ledger.sync import land, merge_batch
from include.ledger.tables import (
    ENTITIES,
    OF_PROJECTS,
    acceptance,
    assessment,
    attestation,
    contract,
    department_year,
    judged_subject,
    payment,
    performance_review,
    plan_year,
    project_dossier,
    quarantine,
    question,
    rectification,
    suspension,
)
from include.sandbox.dossiers import SHEETS, WORKBOOK
from include.sandbox.server import SandboxServer
from include.sources.card_files import load_card, load_cards
from tests.depth import MOSTLY_SQLITE
from tests.ledger.test_expunge import left
from tests.platform import connect
from tests.traces import traces

SOURCES = sorted(c.source for c in load_cards() if c.group == "dossiers" and c.enabled)
TODAY = date(2026, 11, 27)
Rows = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    with SandboxServer(projects=100, seed=3, today=TODAY, home=tmp_path_factory.mktemp("city")) as server:
        yield server


@pytest.fixture
def city(served: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> SandboxServer:
    connect(monkeypatch, served)
    return served


@pytest.fixture(scope="module")
def home(served: SandboxServer, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a ledger and a landing zone that have read every sheet."""
    folder = tmp_path_factory.mktemp("kept")
    shutil.copy(migrated_sqlite, folder / "ledger.db")
    engine, store = open_ledger(f"sqlite:///{folder / 'ledger.db'}"), LandingStore(str(folder / "landing"))
    with pytest.MonkeyPatch.context() as patch:
        connect(patch, served)
        for source in SOURCES:
            sync(engine, store, source)
    return folder


@pytest.fixture(scope="module")
def kept(home: Path) -> Engine:
    """Return the ledger, for tests that only look."""
    return open_ledger(f"sqlite:///{home / 'ledger.db'}")


@pytest.fixture
def filled(city: SandboxServer, home: Path, engine: Engine, store: LandingStore, tmp_path: Path) -> Engine:
    """Return a ledger that has read every sheet, the landing zone beside it, both of the test's own."""
    if engine.dialect.name == "sqlite":
        shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    else:
        for source in SOURCES:
            sync(engine, store, source)
    return engine


def sync(engine: Engine, store: LandingStore, source: str) -> MergeResult:
    card = load_card(source)
    return merge_batch(engine, store, card, land(engine, store, card).batch_id)


def rows(engine: Engine, table: Any, by: str) -> Rows:
    with engine.connect() as connection:
        return {row[by]: dict(row) for row in connection.execute(select(table)).mappings()}


def test_every_sheet_comes_in_as_it_was_planted_and_the_second_run_writes_nothing(
    city: SandboxServer, engine: Engine, store: LandingStore
) -> None:
    truth = city.truth()["dossiers"]
    read = {source: sync(engine, store, source) for source in SOURCES}
    assert sorted(SHEETS) == SOURCES
    assert {source: result.created for source, result in read.items()} == truth["rows"]
    assert {source: result.refused for source, result in read.items()} == truth["refused"]
    assert {source: result.quarantined for source, result in read.items()} == truth["bad"]
    assert sum(truth["refused"].values()) == 9
    again = {source: sync(engine, store, source) for source in SOURCES}
    assert {source: result.writes for source, result in again.items() if result.writes} == {}
    with engine.connect() as connection:
        kinds = connection.execute(select(question.c.kind).where(question.c.kind.like("unmapped%"))).scalars().all()
    assert kinds == [], "every column and every word of the workbook has its place"


def test_what_nobody_can_read_is_set_aside_with_its_remedy(kept: Engine) -> None:
    with kept.connect() as connection:
        aside = {q.source: json.loads(q.problems) for q in connection.execute(select(quarantine))}
    assert {source: [p["title"] for p in problems] for source, problems in aside.items()} == {
        "project_dossiers": ["开工日期"],
        "contracts": ["合同金额(元)"],
    }
    assert all(p["fix"] for problems in aside.values() for p in problems)


@MOSTLY_SQLITE
def test_no_classified_project_no_name_and_no_number_of_a_person_is_kept(
    city: SandboxServer, filled: Engine, tmp_path: Path
) -> None:
    truth = city.truth()
    sheet = load_workbook(Path(city.options.home or "") / "dossiers" / WORKBOOK)["项目档案"]
    written = [[str(cell) for cell in line] for line in sheet.iter_rows(values_only=True)]
    classified = [line for line in written if "秘密" in line]
    assert len(classified) == 1
    everything = left(filled, tmp_path)
    assert traces(classified[0][:2], everything) == []
    names = {name for line in written for name in line if name in truth["personal"]["names"]}
    assert len(names) > 5
    assert traces(names, everything) == []
    digits = re.compile(truth["personal"]["phone_pattern"].encode())
    assert any(digits.search(" ".join(line).encode()) for line in written)
    assert [name for name, content in everything.items() if digits.search(content)] == []


def test_a_dossier_tells_the_steps_of_its_project(city: SandboxServer, kept: Engine) -> None:
    truth = city.truth()["dossiers"]
    found, planted = rows(kept, project_dossier, "project_code"), truth["planted"]
    whole = found[planted["self_evaluation_late"][0]]
    assert (whole["track"], whole["fund_scope"], whole["content_class"]) == ("bureau", "city", "information_system")
    assert whole["has_responsible_person"] is whole["has_management_system"] is whole["is_scope_completed"] is True
    assert whole["design_submitted_on"] < whole["design_reply_on"] < whole["construction_started_on"]
    assert whole["trial_ended_on"] - whole["trial_started_on"] == timedelta(days=35)
    assert re.fullmatch(r"双数局批〔20\d\d〕\d+号", whole["design_reply_no"])
    assert isinstance(whole["approved_investment_yuan"], Decimal)
    (blank,) = planted["blank_dossier"]
    stated = {name for name, value in found[blank].items() if value is not None and name in _fields("project_dossier")}
    assert stated == {"project_code", "name"}
    (unapproved,), (filed_not,) = planted["unit_built_without_approval"], planted["not_filed"]
    assert (found[unapproved]["track"], found[unapproved]["self_build_approval_no"]) == ("unit", None)
    assert found[filed_not]["feasibility_filed_on"] is found[filed_not]["design_filed_on"] is None
    assert {c for c, row in found.items() if row["track"] == "unit"} - set(truth["unit_built"]) == set(
        code for codes in truth["county"].values() for code in codes
    )
    (merged,) = planted["merged_with_ground"]
    assert (found[merged]["merged_ground"], found[merged]["design_reply_on"]) == ("extension", None)
    assert {c for c, row in found.items() if row["merged_ground"]} == {merged}
    assert found[planted["own_machine_room"][0]]["content_class"] == "machine_room"
    assert found[planted["excluded_class"][0]]["content_class"] == "upkeep"
    upgraded = {code: row["upgrades_system_code"] for code, row in found.items() if row["upgrades_system_code"]}
    assert upgraded == truth["upgrades"]


def _fields(entity: str) -> set[str]:
    table = ENTITIES[entity][0]
    own = {"source", "record_key", "source_hash", "created_batch", "changed_batch", "tombstoned_at"}
    return {column.name for column in table.c} - own


def test_contracts_payments_and_acceptances_are_what_was_planted(city: SandboxServer, kept: Engine) -> None:
    truth = city.truth()["dossiers"]
    found, planted = rows(kept, contract, "contract_no"), truth["contracts"]
    amounts = {plant: sorted(found[number]["amount_yuan"] for number in planted[plant]) for plant in planted}
    assert amounts["amount_exactly_a_million"] == [Decimal("1000000.00")]
    assert amounts["amount_just_below_a_million"] == [Decimal("999999.99")]
    assert amounts["split_contracts"] == [Decimal("950000.00"), Decimal("960000.00")]
    assert [n for n, row in found.items() if row["states_ip"] is False] == planted["contract_without_ip"]
    assert [n for n, row in found.items() if row["warranty_months"] < 24] == planted["warranty_12_months"]
    assert {row["procurement_method"] for row in found.values()} <= {"open_tender", "consultation"}
    assert None not in {row[f] for row in found.values() for f in ("signed_on", "award_filed_on", "procurement_kind")}
    paid = rows(kept, payment, "payment_no")
    assert {row["kind"] for row in paid.values()} == {"advance", "progress", "final"}
    assert {row["contract_no"] for row in paid.values()} <= found.keys()
    (failed,) = truth["planted"]["failed_then_paid"]
    held = sorted(
        (row["held_on"], row["result"], row["rectify_by"])
        for row in rows(kept, acceptance, "acceptance_no").values()
        if row["project_code"] == failed
    )
    (final,) = (row["paid_on"] for row in paid.values() if row["project_code"] == failed and row["kind"] == "final")
    assert [result for _, result, _ in held] == ["failed", "passed"]
    assert held[0][0] < final < held[1][0]
    assert held[0][2] is not None


def test_reports_reviews_and_suspensions_are_what_was_planted(city: SandboxServer, kept: Engine) -> None:
    truth = city.truth()["dossiers"]
    planted, held = truth["planted"], {}
    for row in rows(kept, assessment, "report_no").values():
        assert row["has_major_risk"] is False
        held.setdefault(row["project_code"], {}).setdefault(row["kind"], []).append(row["valid_until"])
    accepted = set(truth["accepted"])
    lacking = {kind: {code for code in accepted if kind not in held.get(code, {})} for kind in ("protection", "cipher")}
    assert lacking == {"protection": {*planted["protection_missing"]}, "cipher": {*planted["cipher_missing"]}}
    (expired,) = planted["protection_expired"]
    assert max(held[expired]["protection"]) < TODAY
    assert all(max(held[code]["protection"]) >= TODAY for code in accepted - {expired, *planted["protection_missing"]})
    done = {
        (row["project_code"], row["kind"]): row["done_on"]
        for row in rows(kept, performance_review, "review_no").values()
    }
    lived = {code: row["went_live_on"] for code, row in rows(kept, project_dossier, "project_code").items()}
    days = {plant: done[planted[plant][0], "self"] - lived[planted[plant][0]] for plant in planted if plant in _SELF}
    assert days["self_evaluation_early"] < timedelta(days=150) < timedelta(days=370) < days["self_evaluation_late"]
    assert (planted["self_evaluation_missing"][0], "self") not in done
    stops = rows(kept, suspension, "project_code")
    assert {(row["clock"], row["kind"]) for row in stops.values()} == {
        ("review", "correction"),
        ("design", "third_party"),
    }
    assert "***" in stops[planted["suspended_correction"][0]]["reason"]


_SELF = ("self_evaluation_early", "self_evaluation_late")


def test_notices_attestations_and_years_are_what_was_planted(city: SandboxServer, kept: Engine) -> None:
    truth = city.truth()["dossiers"]
    planted, told = truth["planted"], rows(kept, rectification, "notice_no").values()
    late = {row["project_code"] for row in told if row["due_on"] < TODAY and row["reported_on"] is None}
    paused = {row["project_code"] for row in told if row["funds_paused_on"]}
    assert paused == {*planted["rectification_overdue_funds_paused"]}
    assert late - paused == {*planted["rectification_overdue_funds_flow"]}
    assert [row["project_code"] for row in told if row["result"] == "accepted"] == planted["rectified_in_time"]
    attested = [row for row in rows(kept, attestation, "attestation_no").values() if row["project_code"]]
    expired = {row["project_code"] for row in attested if row["expires_on"] < TODAY}
    refused = {row["project_code"] for row in attested if row["conclusion"] == "not_met"}
    assert (expired, refused) == ({*truth["attestations"]["expired"]}, {*truth["attestations"]["not_met"]})
    years = rows(kept, plan_year, "plan_year")
    assert sorted(years) == [2026, 2027]
    assert (years[2026]["drafted_on"].month, years[2027]["drafted_on"].month) == (11, 10)
    assert years[2027]["issued_on"] is None
    departments = rows(kept, department_year, "unit_name")
    over = [n for n, row in departments.items() if row["budget_units"] and row["applications"] > row["budget_units"]]
    assert sorted(over) == sorted(truth["departments"]["over"])
    assert [n for n, row in departments.items() if row["budget_units"] is None] == truth["departments"]["unknown"]


@MOSTLY_SQLITE
@pytest.mark.parametrize("source", ["project_dossiers", "provincial_approval"])
def test_a_project_that_turns_classified_takes_everything_that_is_kept_of_it_along(
    city: SandboxServer, filled: Engine, store: LandingStore, tmp_path: Path, source: str
) -> None:
    engine = filled
    code = city.truth()["dossiers"]["planted"]["self_evaluation_late"][0]
    held = [table.name for table in OF_PROJECTS if _count(engine, table, code)]
    assert len(held) >= 7
    others = sum(_count(engine, table) for table in OF_PROJECTS) - sum(
        _count(engine, table, code) for table in OF_PROJECTS
    )
    number = rows(engine, contract, "project_code")[code]["contract_no"]
    judged = {
        "scope": "regulation",
        "subject_type": "contract",
        "facts_hash": "",
        "rules_version": "",
        "outcomes": "[]",
        "said": "",
    }
    with writing(engine, "x") as connection:
        connection.execute(judged_subject.insert().values([judged | {"subject": s} for s in (number, f"{number}9")]))
    expunge(engine, store, load_card(source), {code})
    assert [table.name for table in OF_PROJECTS if _count(engine, table, code)] == []
    assert sum(_count(engine, table) for table in OF_PROJECTS) == others
    assert [row["subject"] for row in rows(engine, judged_subject, "subject").values()] == [f"{number}9"]
    with writing(engine, "x") as connection:
        connection.execute(judged_subject.delete())
    assert traces([code, number], left(engine, tmp_path)) == []


def _count(engine: Engine, table: Any, code: str | None = None) -> int:
    query = select(func.count()).select_from(table)
    with engine.connect() as connection:
        return int(connection.execute(query.where(table.c.project_code == code) if code else query).scalar_one())


@MOSTLY_SQLITE
def test_the_treasurys_table_tells_the_latest_valid_payments(
    city: SandboxServer, engine: Engine, store: LandingStore, tmp_path: Path
) -> None:
    card, truth = load_card("payments_frontdb"), city.truth()["dossiers"]
    assert not card.enabled
    result = sync(engine, store, "payments_frontdb")
    found = rows(engine, payment, "payment_no")
    assert sorted(found) == truth["frontdb"]["valid"]
    assert not found.keys() & set(truth["frontdb"]["withdrawn"])
    assert len(truth["frontdb"]["withdrawn"]) >= 1
    assert (result.is_complete, result.refused, result.quarantined) == (True, truth["frontdb"]["classified"], 0)
    assert {row["kind"] for row in found.values()} == {"advance", "progress", "final"}
    assert not re.search(truth_pattern(city), b"".join(left(engine, tmp_path).values()))
    by_hand = sync(engine, store, "payments")
    assert by_hand.created == truth["rows"]["payments"]
    with engine.connect() as connection:
        both = connection.execute(select(payment.c.payment_no, payment.c.amount_yuan, payment.c.paid_on)).all()
    assert len(set(both)) == truth["rows"]["payments"], "both ways tell the same of the same payment"


def truth_pattern(city: SandboxServer) -> bytes:
    return str(city.truth()["personal"]["phone_pattern"]).encode()
