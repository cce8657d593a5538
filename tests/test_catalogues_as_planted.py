"""The whole way on a city of planted catalogues: harvest every portal, find what was planted, write nothing the second time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from include import tasks
from include.__main__ import main
from include.clock import now
from include.errors import ConfigurationError
from include.findings.judging import judge
from include.harvest_tasks import clear_source, land_catalogue, report_harvest
from include.ledger.database import migrate, open_ledger
from include.ledger.tables import (
    batch,
    finding,
    finding_event,
    quarantine,
    question,
    resource,
    resource_change,
    resource_item,
    verdict,
)
from include.ledger.undo import undo_tombstones
from include.sandbox.server import SandboxServer
from include.tasks import SourcesFailed
from tests.depth import deep
from tests.platform import connections

SOURCES = {
    "exchange_catalogue": "catalogue", "ckan_portal": "ckan", "dcat_portal": "dcat", "datajson_portal": "datajson",
    "dcatus3_portal": "datajson3", "municipal_portal": "municipal", "department_catalogues": "workbook",
    "department_components": "component_file", "catalogue_frontdb": "frontdb",
}  # fmt: skip
"""Card → the source's name in the truth of the sandbox."""

RULES = {
    "data": "data-catalogue-compiled", "component": "component-catalogue-compiled",
    "cloud_resource": "cloud-catalogue-compiled",
}  # fmt: skip
PARTS = {
    "not_collected": "data-collected", "not_mounted": "shared-entries-mounted", "overdue": "entries-updated-in-time",
    "not_shared_without_basis": "shareable-data-shared",
}  # fmt: skip
"""The part that a system plays → the rule that has to say so."""

BAD = {"fail", "warn"}
pytestmark = pytest.mark.xdist_group("catalogues")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    with SandboxServer(projects=deep(200, 600), seed=11, systems=120, home=tmp_path_factory.mktemp("city")) as server:
        yield server


@pytest.fixture(scope="module")
def home(city: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("ledger")
    ledger = {"LEDGER_URL": f"sqlite:///{folder / 'ledger.db'}", "LANDING_URL": str(folder / "landing")}
    return connections(city) | ledger


@pytest.fixture(autouse=True)
def at_home(home: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in home.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def ledger(home: dict[str, str]) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in home.items():
            patch.setenv(name, value)
        migrate()
        for source in tasks.choose_sources("register", "exchange", "projects", "systems"):
            tasks.merge_source(tasks.land_source(source, "auto"))
        yield open_ledger()


@pytest.fixture(scope="module")
def first(ledger: Any) -> dict[str, dict[str, Any]]:
    return harvest()


def harvest(mode: str = "normal") -> dict[str, dict[str, Any]]:
    return {s: tasks.merge_source(land_catalogue(s, mode)) for s in tasks.choose_sources("catalogues")}


def rows(engine: Any, table: Any) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_every_shipped_catalogue_is_read(first: dict[str, dict[str, Any]]) -> None:
    assert set(first) == set(SOURCES)


@pytest.mark.parametrize("card", SOURCES)
def test_counts_are_those_of_the_source(card: str, first: dict[str, dict[str, Any]], city: SandboxServer) -> None:
    truth, got = city.truth()["catalogues"]["sources"][SOURCES[card]], first[card]
    assert truth["good"] > 10
    assert got["refused"] == truth["classified"]
    withdrawn = len(truth.get("void_codes", []))
    assert (got["created"], got["quarantined"]) == (truth["good"] + withdrawn, truth["bad"])
    assert got["is_complete"], got["reasons"]
    if card != "department_catalogues":  # a line for each mounted resource there
        assert (got["rows_received"], got["repeated"]) == (truth["listed"] + withdrawn, truth["duplicates"])


def test_information_items_come_with_their_entries(ledger: Any, first: Any, city: SandboxServer) -> None:
    truth = city.truth()["catalogues"]["sources"]
    with ledger.connect() as connection:
        query = select(resource_item.c.source, func.count()).group_by(resource_item.c.source)
        held = {source: number for source, number in connection.execute(query)}
    assert held == {card: truth[name]["items"] for card, name in SOURCES.items() if truth[name]["items"]}


def test_words_without_a_mapping_are_asked_once_a_source(ledger: Any, first: Any, city: SandboxServer) -> None:
    planted = {
        (card, word)
        for card, name in SOURCES.items()
        for word in city.truth()["catalogues"]["sources"][name]["unmapped"]["update_cycle"]
    }
    assert planted
    with ledger.connect() as connection:
        query = select(question.c.source, question.c.subject).where(question.c.kind == "unmapped_value")
        asked = {(source, subject.partition("=")[2]) for source, subject in connection.execute(query)}
    assert planted <= asked


def test_two_owners_of_a_code_are_reported(ledger: Any, first: Any, city: SandboxServer) -> None:
    planted = city.truth()["catalogues"]["two_owners"]
    assert planted
    with ledger.connect() as connection:
        asked = connection.execute(select(question).where(question.c.kind == "two_owners")).mappings().all()
    assert asked
    named = " ".join(q["detail"] for q in asked)
    assert all(entry["code"] in named for entry in planted)


def test_holes_are_found_where_they_were_planted_and_nowhere_else(ledger: Any, first: Any, city: SandboxServer) -> None:
    judge(ledger, "catalogues", now().date())
    with ledger.connect() as connection:
        query = select(verdict.c.rule, verdict.c.subject, verdict.c.outcome, verdict.c.reason)
        found = {(r.rule, r.subject): (r.outcome, r.reason) for r in connection.execute(query)}
    wrong = []
    planted = city.truth()["catalogues"]["systems"]
    assert len(planted) > 80
    for code, system in planted.items():
        for name, rule in RULES.items():
            outcome, reason = found[rule, code]
            expected = system["expected"][name]
            if expected == "fail" and (outcome in BAD or reason == "unlinked_entries"):
                continue
            if expected != outcome:
                wrong.append((code, system["part"], rule, expected, outcome, reason))
        for part, rule in PARTS.items():
            outcome, reason = found[rule, code]
            is_meant = outcome != "not_applicable" and system["part"] in (part, "complete")
            if is_meant and (outcome in BAD) is not (system["part"] == part):
                wrong.append((code, system["part"], rule, part, outcome, reason))
    assert {s["part"] for s in planted.values()} >= {"complete", *PARTS}
    assert wrong == [], Counter(w[1:] for w in wrong)


def test_the_same_again_writes_nothing_and_judges_alike(ledger: Any, first: Any) -> None:
    judge(ledger, "catalogues", now().date())
    before = [rows(ledger, t) for t in (resource, resource_change, resource_item, finding, finding_event)]
    assert before[0] > 300
    again = harvest()
    assert {
        s: sum(r[c] for c in ("created", "changed", "restored", "tombstoned")) for s, r in again.items()
    } == dict.fromkeys(SOURCES, 0)
    assert not judge(ledger, "catalogues", now().date()).is_new
    forced = harvest("force")
    assert sum(r["changed"] + r["created"] for r in forced.values()) == 0
    assert [rows(ledger, t) for t in (resource, resource_change, resource_item, finding, finding_event)] == before


def test_unchanged_records_are_listed_where_somebody_asks(
    ledger: Any, first: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    again = tasks.merge_source(land_catalogue("ckan_portal", "normal"))
    told = {}
    for more in ([], ["--unchanged"]):
        assert main(["harvest", "ckan_portal", "--records", again["batch_id"], "--json", *more]) == 0
        records = json.loads(capsys.readouterr().out)
        told[bool(more)] = {(r["record_key"], r["outcome"]) for r in records}
    unchanged = {key for key, outcome in told[True] - told[False]}
    assert {outcome for _, outcome in told[True] - told[False]} == {"unchanged"}
    with ledger.connect() as connection:
        living = (resource.c.source == "ckan_portal") & resource.c.tombstoned_at.is_(None)
        keys = set(connection.execute(select(resource.c.record_key).where(living)).scalars())
    assert len(keys) > 10
    assert unchanged == keys - {key for key, _ in told[False]}


def test_looking_keeps_nothing(ledger: Any, first: Any, city: SandboxServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    truth = city.truth()["catalogues"]["sources"]["municipal"]
    tables = (resource, resource_change, question, quarantine, batch, finding)
    before = [rows(ledger, t) for t in tables]
    for mode, shown in (("validate", truth["good"]), ("preview", 20)):
        looked = tasks.merge_source(land_catalogue("municipal_portal", mode))
        assert looked["batch_id"] == ""
        assert looked["counts"].get("shown", truth["good"]) == shown
        report = report_harvest(mode, ["municipal_portal"], [looked], None, None)
        assert report == {"municipal_portal": looked["counts"]}
    with pytest.raises(SourcesFailed, match="ckan_portal"):
        report_harvest("validate", ["municipal_portal", "ckan_portal"], [looked], None, None)
    assert [rows(ledger, t) for t in tables] == before
    assert sum("quarantined" in r.getMessage() for r in caplog.records) >= truth["bad"] > 0


def test_a_source_is_cleared_only_when_confirmed_and_comes_back(ledger: Any, first: Any, city: SandboxServer) -> None:
    for source, confirm in (("all", "all"), ("datajson_portal", ""), ("datajson_portal", "ckan_portal")):
        with pytest.raises(ConfigurationError):
            clear_source(source, confirm)
    good = city.truth()["catalogues"]["sources"]["datajson"]["good"]
    cleared = clear_source("datajson_portal", "datajson_portal")
    assert cleared["tombstoned"] == good
    assert report_harvest("clear", [], [], None, cleared) == cleared
    assert undo_tombstones(ledger, "datajson_portal", cleared["batch_id"]).restored == good
    clear_source("datajson_portal", "datajson_portal")
    again = tasks.merge_source(land_catalogue("datajson_portal", "normal"))
    assert (again["restored"], again["created"], again["is_complete"]) == (good, 0, True)


def test_a_portal_that_moved_changes_addresses_and_no_identity(ledger: Any, first: Any, city: SandboxServer) -> None:
    for platform in ("ckan", "dcat", "municipal"):
        city.fault("moved", platform=platform, times=0)
    try:
        moved = harvest()
    finally:
        city.clear_faults()
    for card in ("ckan_portal", "dcat_portal", "municipal_portal"):
        assert moved[card]["changed"] > 10, card
        assert (moved[card]["created"], moved[card]["tombstoned"], moved[card]["absent"]) == (0, 0, 0), card
    assert sum(r["changed"] for r in harvest().values()) > 30
