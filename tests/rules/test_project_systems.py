"""The systems of a project with their grades, by which art. 29(2) asks for reports, and the reports on all of them."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine

from include.ledger.as_known import AsKnown
from include.rules.facts_of_day import FactsOfDay
from include.rules.parameters import ParameterBook
from include.rules.source_facts import Sources
from tests.rules.city import REGISTER, City
from tests.rules.evidence import DAY, at

BUSY, NONE = "2611-230500-04-04-000018", "2607-230500-04-04-123459"
CARDS = Sources({"system_register": "systems"}, {}, {})


def test_grades_stand_in_the_order_of_the_systems_and_a_grade_not_stated_keeps_its_place(engine: Engine) -> None:
    city = City(engine)
    rows = [{"system_code": code, "name": code, "project_codes": BUSY} for code in ("ahead", "behind")]
    rows[1] |= {"protection_level": 3}
    city.put("system", city.last["system_register"], [REGISTER | row for row in rows])
    with engine.connect() as connection:
        parameters = ParameterBook.load().on(DAY)
        wanted = ("systems", "protection_levels", "acceptances")
        facts = FactsOfDay(AsKnown(connection), DAY, parameters, CARDS, wanted).of("project")
    assert facts[BUSY]["systems"].value == ("ahead", "behind", "busy")
    assert facts[BUSY]["protection_levels"].value == (None, 3, None)
    assert facts[BUSY]["protection_levels"].evidence == (city.last["system_register"],)
    assert facts[NONE]["protection_levels"].value == ()


def test_the_reports_of_a_project_and_its_systems_are_each_there_once_in_order(engine: Engine) -> None:
    city = City(engine)
    report = {"kind": "cipher", "conclusion": "conform", "has_major_risk": False}
    days = {"R3": date(2026, 5, 1), "R1": date(2026, 5, 2), "R2": date(2026, 5, 2)}
    owners = {
        "R1": {"project_code": BUSY, "system_code": "busy"},
        "R2": {"system_code": "busy"},
        "R3": {"project_code": BUSY},
    }
    batch_id = city.batch("assessments", "assessment", at(DAY, 2))
    city.put("assessment", batch_id, [report | {"report_no": n, "issued_on": days[n]} | owners[n] for n in owners])
    with engine.connect() as connection:
        facts = FactsOfDay(AsKnown(connection), DAY, ParameterBook.load().on(DAY), CARDS, ("assessments",))
        found = [facts.of("project")[BUSY]["assessments"], facts.of("system")["busy"]["assessments"]]
    assert [[one.report_no for one in fact.value] for fact in found] == [["R3", "R1", "R2"]] * 2


@pytest.mark.parametrize("name", ["assessments", "attestations"])
def test_a_system_has_the_records_that_are_wanted_where_they_are_known(engine: Engine, name: str) -> None:
    city, both = City(engine), {"assessments", "attestations"}

    def of_busy(*wanted: str) -> set[str]:
        with engine.connect() as connection:
            facts = FactsOfDay(AsKnown(connection), DAY, ParameterBook.load().on(DAY), CARDS, wanted)
            return both & set(facts.of("system")["busy"])

    assert of_busy(*both) == set(), "nobody has read them"
    city.batch(name, name.removesuffix("s"), at(DAY, 2))
    assert of_busy(*both) == of_busy(name) == {name}
    assert of_busy(*both - {name}) == set()
