"""An excerpt has every row that the facts of those looked at rest on, so that they are those of the whole, and few others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from include.ledger.as_known import AsKnown
from include.ledger.database import open_ledger
from include.rules.evaluation import REGULATION, facts_needed, rules_of
from include.rules.excerpt import Excerpt, Looked
from include.rules.facts_of_day import FactsBySubject, FactsOfDay
from include.rules.parameters import ParameterBook
from include.rules.project_register import ProjectRegister
from include.rules.register_facts import Registers
from include.rules.rule_book import load_rules
from include.rules.source_facts import Sources
from tests.rules.evidence import DAY, at
from tests.rules.joined_ledger import ENTRY, JoinedLedger, P

UNIT = {"provider_name": "单位X1"}
"""The unit of the system X1, by its name."""

EXCHANGE, PORTAL = "exchange_catalogue", "open_portal"
ENTRIES = {
    EXCHANGE: {
        "its": {"system_code": "X1"}, "of its project": {"project_codes": P[1]}, "of its unit": UNIT,
        "of a system that is gone": UNIT | {"system_code": "X7"}, "of a system that nobody knows": UNIT | {"system_code": "X99"},
        "of another one that nobody knows": UNIT | {"system_code": "X0"}, "of its unit, by number": {"provider_uscc": "U" * 18},
        "of several projects": UNIT | {"project_codes": f"{P[1]},{P[2]}"},
        "here nobody's": {"code": "K6", "system_code": "X99", "provider_name": None},
        "here its": {"code": "K7", "system_code": "X1"}, "here without a unit": {"code": "K8", "provider_name": None},
        "of a stranger": {"code": "L1"}, "of another system": UNIT | {"code": "K9", "system_code": "X4"},
        "of another's unit and code": {"code": "A1", "provider_name": "单位X5"}, "there of its unit": {},
    },
    PORTAL: {
        "there another's": UNIT | {"code": "K6", "system_code": "X4"}, "there a stranger's": {"code": "K7"},
        "there of its unit": UNIT | {"code": "K8"}, "its": {},
    },
}  # fmt: skip
OTHERS = {
    (EXCHANGE, "of a stranger"), (EXCHANGE, "of another system"), (EXCHANGE, "of another's unit and code"),
    (EXCHANGE, "there of its unit"), (PORTAL, "its"),
}  # fmt: skip
"""What bears on nobody who is looked at, although some bear the key of an entry that does."""


@pytest.fixture(scope="module")
def ledger(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> JoinedLedger:
    file = tmp_path_factory.mktemp("joined") / "ledger.db"
    shutil.copy(migrated_sqlite, file)
    made = JoinedLedger(open_ledger(f"sqlite:///{file}"))
    made.new("system", "system_register", system_code="X7", unit_name="单位X7")
    made.later("system", "system_register", {"system_code": "X7"}, tombstoned_at=at(DAY, 4))
    made.later("system", "system_register", {"system_code": "X1"}, unit_uscc="U" * 18)
    for source, entries in ENTRIES.items():
        for name, entry in entries.items():
            made.new("resource", source, resource_id=name, **ENTRY | entry)
    return made


def _facts(ledger: JoinedLedger, looked: Looked | None) -> dict[str, FactsBySubject]:
    parameters, wanted = ParameterBook.load().on(DAY), facts_needed(rules_of(load_rules(), REGULATION))
    with ledger.engine.connect() as connection:
        known = AsKnown(connection)
        seen = FactsOfDay(Excerpt(known, looked) if looked else known, DAY, parameters, Sources({}, {}, {}), wanted)
        return {kind: seen.of(kind) for kind in ("system", "project", "contract", "rectification", "plan_entry")}


@pytest.mark.parametrize(
    "due", [*((("system", f"X{n}"),) for n in range(1, 6)), (("contract", "C5"), ("project", P[7]))]
)
def test_facts_made_of_an_excerpt_are_those_of_the_whole(
    ledger: JoinedLedger, due: tuple[tuple[str, str], ...]
) -> None:
    looked = ledger.looked(due=due)
    assert looked
    part, whole = _facts(ledger, looked), _facts(ledger, None)
    mine = {*looked.named(), *(("contract", "C7") for _ in due[1:])}
    for kind, subject in mine:
        assert part[kind].get(subject) == whole[kind].get(subject), (kind, subject)
    for subject in due:
        assert subject in mine
        assert whole[subject[0]][subject[1]]


def test_an_excerpt_has_the_entries_that_bear_on_a_system_and_no_others(ledger: JoinedLedger) -> None:
    looked = ledger.looked(due=[("system", "X1")])
    assert looked
    with ledger.engine.connect() as connection:
        rows = Excerpt(AsKnown(connection), looked).rows("resource")
        found = set(connection.execute(select(rows.c.source, rows.c.record_key)).tuples())
    assert found == {(source, name) for source, names in ENTRIES.items() for name in names} - OTHERS


def test_an_excerpt_has_the_attestations_of_every_plan_year(ledger: JoinedLedger) -> None:
    batch = ledger.batch("attestations", "attestation", at(DAY, 2))
    said = {"matter": "guide_deliberated", "conclusion": "met", "attested_on": DAY, "expires_on": DAY}
    ledger.put("attestation", batch, [said | {"attestation_no": "R1", "plan_year": 2027}])
    ledger.put("attestation", batch, [said | {"attestation_no": "R2", "project_code": P[5]}])
    with ledger.engine.connect() as connection:
        for looked, numbers in ((Looked(), ["R1"]), (Looked(projects={P[5]}), ["R1", "R2"])):
            rows = Excerpt(AsKnown(connection), looked).rows("attestation")
            assert sorted(connection.execute(select(rows.c.attestation_no)).scalars()) == numbers


def test_an_excerpt_has_the_records_of_those_looked_at_and_all_of_the_same_number(ledger: JoinedLedger) -> None:
    """Each once; one without a number is the same as no other."""
    ledger.new("contract", "contracts", contract_no=None, project_code=P[8])
    with ledger.engine.connect() as connection:

        def found(looked: Looked) -> list[tuple[str, str]]:
            rows = Excerpt(AsKnown(connection), looked).rows("contract")
            return sorted(connection.execute(select(rows.c.source, rows.c.record_key)).tuples())

        both = [("contracts", "C5"), ("own_workbook", "C5")]
        assert found(Looked(projects={P[5]})) == both
        assert found(Looked(keys={"contract": {"C5"}})) == both
        assert found(Looked(projects={P[7]})) == [("contracts", "C7")]
        assert found(Looked(projects={P[8]})) == [("contracts", "None")]
        assert found(Looked()) == []


def test_whom_a_system_names_is_asked_beside_the_excerpt(ledger: JoinedLedger) -> None:
    """By any code of a project, and also of systems that name several."""
    named = {P[1]: ["X1"], P[9]: ["X1"], P[2]: ["X2"], P[3]: ["X2"], P[8]: []}
    ledger.new("system", "system_register", system_code=None, project_codes=P[8])
    with ledger.engine.connect() as connection:
        known = AsKnown(connection)
        for seen in (known, Excerpt(known, Looked()), Excerpt(known, Looked(systems={"X5"}, projects={P[5]}))):
            register = ProjectRegister(Registers(seen, DAY, 7, {}))
            assert register.naming_of(named) == named
            assert [register.naming_of({code}) for code in named] == [{code: named[code]} for code in named]
