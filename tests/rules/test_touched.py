"""Whom a change bears on: those it names, those it named before, and what hangs together with them, and nobody else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from include.ledger.database import open_ledger
from include.rules import touched
from include.rules.freshness import CYCLE_DAYS, freshness
from include.rules.parameters import ParameterBook
from include.rules.pending_facts import PENDING
from include.rules.plan_facts import line_hash
from tests.rules.evidence import DAY, at
from tests.rules.joined_ledger import ENTRY, Change, JoinedLedger, P

EXCHANGE, PORTAL = "exchange_catalogue", "open_portal"


@pytest.fixture(scope="module")
def made(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., JoinedLedger]:
    """Return the ledger with some catalogues, written once; tests take back what they change."""

    @cache
    def make(*catalogues: str) -> JoinedLedger:
        file = tmp_path_factory.mktemp("joined") / "ledger.db"
        shutil.copy(migrated_sqlite, file)
        return JoinedLedger(open_ledger(f"sqlite:///{file}"), catalogues=catalogues)

    return make


@pytest.fixture(scope="module")
def ledger(made: Callable[..., JoinedLedger]) -> JoinedLedger:
    """Return the ledger with both catalogues."""
    return made(EXCHANGE, PORTAL)


@pytest.fixture(scope="module")
def bare(made: Callable[..., JoinedLedger]) -> JoinedLedger:
    """Return the ledger without a catalogue."""
    return made()


def changed(entity: str, source: str, key: dict[str, Any], **fields: Any) -> Change:
    return lambda ledger: ledger.later(entity, source, key, **fields)


def added(entity: str, source: str, **row: Any) -> Change:
    def write(ledger: JoinedLedger) -> None:
        ledger.read_again(source, at(DAY, 4))
        ledger.new(entity, source, **row)

    return write


def dossier(number: int, **fields: Any) -> Change:
    return changed("project_dossier", "project_dossiers", {"project_code": P[number]}, **fields)


def contract(number: str, **fields: Any) -> Change:
    return changed("contract", "contracts", {"contract_no": number}, **fields)


def system(code: str, **fields: Any) -> Change:
    return changed("system", "system_register", {"system_code": code}, **fields)


def entry(key: str, **fields: Any) -> Change:
    return changed("resource", PORTAL if key.startswith("o") else EXCHANGE, {"resource_id": key}, **fields)


CASES: dict[str, tuple[Change, str, str]] = {
    "nothing": (lambda ledger: ledger.read_again("contracts", at(DAY, 4)), "", ""),
    "a project alone": (dossier(8, track="unit"), "8", ""),
    "a project with a former code and a system": (dossier(1, track="unit"), "19", "X1"),
    "a project whose system names another one": (dossier(2, track="unit"), "23", "X2"),
    "a project that upgrades a system": (dossier(4, track="unit"), "4", "X3"),
    "a project that shares a contract": (dossier(6, track="unit"), "56", ""),
    "a project that upgrades a system no more": (dossier(4, upgrades_system_code=None), "4", ""),
    "a record of a project": (contract("C7", name="合同"), "7", ""),
    "a record that went to another project": (contract("C7", project_code=P[8]), "78", ""),
    "a record that names nobody any more": (contract("C7", project_code=None), "7", ""),
    "a number that was another one": (contract("C7", contract_no="C5"), "567", ""),
    "a new record": (added("contract", "contracts", contract_no="C8", project_code=P[8]), "8", ""),
    "a new record of two sources": (added("contract", "own_workbook", contract_no="C7", project_code=P[8]), "78", ""),
    "a record that went from a system to a project": (
        changed("assessment", "assessments", {"report_no": "R4"}, system_code=None, project_code=P[8]), "8", "X4"
    ),
    "a line of the plan that went to another project": (
        changed("plan_entry", "annual_plan", {"plan_year": 2026, "project_code": P[7]}, project_code=P[8]), "78", ""
    ),
    "a report that went to another project": (
        changed("assessment", "assessments", {"report_no": "R8"}, project_code=P[7]), "78", ""
    ),
    "a system": (system("X2", status="in_use"), "23", "X2"),
    "a system that a project upgrades": (system("X3", status="in_use"), "4", "X3"),
    "a system that nobody names": (system("X5", status="in_use"), "", "X5"),
    "an entry that names a system": (entry("e1", collection="delivered"), "", "X4"),
    "an entry that names a project": (entry("e2", collection="delivered"), "23", "X2"),
    "an entry that names nobody": (entry("e3", collection="delivered"), "", ""),
    "an entry whose other catalogue names a system": (entry("o1", collection="delivered"), "", "X4"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_change_bears_on_whom_it_names_and_named_and_on_what_hangs_together(ledger: JoinedLedger, case: str) -> None:
    change, projects, systems = CASES[case]
    assert ledger.owners(change) == (set(projects), set(filter(None, systems.split(","))))


def test_what_a_unit_applies_for_bears_on_its_systems_and_on_those_of_its_former_unit(ledger: JoinedLedger) -> None:
    """Only where a rule looks at it."""
    of_other, of_mine = (
        changed("project", "provincial_approval", {"project_code": P[8]}, unit_name=unit)
        for unit in ("单位X4", "单位Ｘ５")
    )
    assert ledger.owners(of_other, wanted=[PENDING]) == ({"8"}, {"X4"})
    assert ledger.owners(of_other, of_mine, wanted=[PENDING]) == ({"8"}, {"X4", "X5"})
    assert ledger.owners(of_other, of_mine) == ({"8"}, set())
    item = added(
        "approval_item", "provincial_approval", item_id="F8", project_code=P[8], item_name="可行性研究报告审批"
    )
    assert ledger.owners(item, wanted=[PENDING]) == ({"8"}, set()), "its unit is not known"
    assert ledger.owners(dossier(8, track="unit"), of_mine, wanted=[PENDING]) == ({"8"}, {"X5"})


def test_a_record_that_went_to_another_number_is_looked_at_under_both(ledger: JoinedLedger) -> None:
    found = ledger.looked(contract("C7", contract_no="C5"))
    assert found
    assert found.keys["contract"] == {"C5", "C7"}


UNTOLD: dict[str, Change] = {
    "a new entry": added("resource", EXCHANGE, resource_id="e9", **ENTRY),
    "a new system": added("system", "system_register", system_code="X9"),
    "a system that is gone": system("X5", tombstoned_at=at(DAY, 4)),
    "a system that names other projects": system("X5", project_codes=P[8]),
    **{f"an entry with another {name}": entry("e1", **{name: value}) for name, value in (
        ("kind", "component"), ("code", "K9"), ("provider_name", "市教育局"), ("provider_uscc", "U" * 18), ("system_code", "X5"),
        ("project_codes", P[8]), ("state", "withdrawn"), ("tombstoned_at", at(DAY, 4)),
    )},
}  # fmt: skip


@pytest.mark.parametrize("case", UNTOLD)
def test_what_can_bear_on_any_system_of_the_catalogues_has_all_looked_at(ledger: JoinedLedger, case: str) -> None:
    assert ledger.looked(UNTOLD[case]) is None


def test_without_catalogues_a_system_that_names_others_bears_on_those_and_these(bare: JoinedLedger) -> None:
    assert bare.owners(system("X1", project_codes=P[8])) == ({"1", "8", "9"}, {"X1"})
    new = added("system", "system_register", system_code="X9", project_codes=f"{P[2]},{P[7]}")
    assert bare.owners(new) == ({"2", "3", "7"}, {"X2", "X9"})
    assert bare.owners(system("X2", tombstoned_at=at(DAY, 4))) == ({"2", "3"}, {"X2"})
    assert bare.owners(system("X5", system_code="X6")) == (set(), {"X5", "X6"})


def test_what_is_due_is_looked_at_with_its_owner(ledger: JoinedLedger) -> None:
    assert ledger.owners(due=[("project", P[2])]) == ({"2", "3"}, {"X2"})
    assert ledger.owners(due=[("system", "X1")]) == ({"1", "9"}, {"X1"})
    assert ledger.owners(due=[("rectification", "N7")]) == ({"7"}, set())
    assert ledger.owners(due=[("contract", "C5"), ("plan_entry", P[8])]) == ({"5", "6", "8"}, set())
    found = ledger.looked(due=[("contract", "C5"), ("rectification", "N7")])
    assert found
    assert found.keys == {"contract": {"C5"}, "rectification": {"N7"}}


def test_a_line_of_the_plan_without_a_project_is_told_by_its_key(ledger: JoinedLedger) -> None:
    lines = {row["project_code"]: line_hash(row["record_key"]) for row in ledger.read("plan_entry")}
    found = [ledger.looked(due=[("plan_entry", f"2026:{lines[code]}")]) for code in (None, P[7])]
    assert [one and one.lines for one in found] == [{lines[None]}, set()], "one with a project is told by that"
    rename = changed("plan_entry", "annual_plan", {"plan_year": 2026, "project_code": None}, name="项目")
    written = ledger.looked(rename)
    assert written
    assert written.lines == {lines[None]}


def test_the_units_of_the_systems_are_those_of_the_catalogues(ledger: JoinedLedger) -> None:
    found = ledger.looked(system("X1", unit_name="市民政局 ", unit_uscc="U" * 18))
    assert found
    assert (found.usccs, found.providers) == ({"U" * 18}, {"市民政局"}), "written otherwise it is the same unit"
    found = ledger.looked(system("X1", unit_name=None))
    assert found
    assert (found.usccs, found.providers) == (set(), set())


def test_of_more_than_can_be_named_all_are_looked_at(ledger: JoinedLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    for most, is_named in ((1, True), (0, False)):  # one batch, one number, one project
        monkeypatch.setattr(touched, "MOST", most)
        assert (ledger.looked(contract("C7", name="合同")) is not None) is is_named
    for most, is_named in ((3, True), (2, False)):  # two projects and their system
        monkeypatch.setattr(touched, "MOST", most)
        assert (ledger.looked(dossier(2, track="unit")) is not None) is is_named
    monkeypatch.setattr(touched, "_WRITTEN", 1)
    one, other = entry("e1", collection="delivered"), entry("e2", collection="delivered")
    assert ledger.looked(one) is not None
    assert ledger.looked(one, other) is None


# -- read on another day ----------------------------------------------------------------------------------------------------------

LATER = timedelta(days=2)
"""So much later the catalogue was read again."""


@pytest.mark.parametrize("catalogues", [(EXCHANGE,), (EXCHANGE, PORTAL)])
@pytest.mark.parametrize("name", ["data_updated_on", "modified_on"])
def test_an_entry_that_the_day_of_reading_makes_late_or_timely_is_looked_at(
    made: Callable[..., JoinedLedger], catalogues: tuple[str, ...], name: str
) -> None:
    grace = ParameterBook.load().on(DAY)["catalogue_grace_percent"]
    dated: dict[str, dict[str, Any]] = {}
    for cycle, days in CYCLE_DAYS.items():
        most = days * grace // 100
        for age in (most + 1, most, most - 1, most - 2, 0, -1, -2, -3):
            dated[f"{cycle}{age}"] = {"update_cycle": cycle, name: DAY - timedelta(days=age)}

    def read_later(ledger: JoinedLedger) -> None:
        for code, fields in dated.items():
            row = ENTRY | {"data_updated_on": None} | fields
            ledger.new("resource", EXCHANGE, resource_id=code, system_code=code, **row)
        ledger.read_again(EXCHANGE, at(DAY + LATER, 2))

    found = made(*catalogues).owners(read_later)[1]
    for code, fields in dated.items():
        was, now = (freshness(fields["update_cycle"], fields[name], seen, grace) for seen in (DAY, DAY + LATER))
        assert (code in found) is (was != now), code
    assert len(found) > 2 * len(CYCLE_DAYS)


def test_of_an_entry_in_two_catalogues_the_cycle_of_one_counts_for_the_day_of_the_other(ledger: JoinedLedger) -> None:
    def read_later(ledger: JoinedLedger) -> None:
        dated = ENTRY | {"code": "K8", "update_cycle": None, "data_updated_on": DAY - timedelta(days=8)}
        ledger.new("resource", EXCHANGE, resource_id="a", **dated)
        cycled = ENTRY | {"code": "K8", "data_updated_on": None}
        ledger.new("resource", PORTAL, resource_id="b", system_code="X5", **cycled)
        ledger.read_again(EXCHANGE, at(DAY + LATER, 2))

    assert ledger.owners(read_later) == (set(), {"X5"})


def test_a_catalogue_that_was_never_read_whole_before_has_all_looked_at(made: Callable[..., JoinedLedger]) -> None:
    """Whether it brought entries or none."""
    assert made(EXCHANGE).looked(lambda ledger: ledger.read_again(PORTAL, at(DAY, 4))) is None
