"""The systems of a project with their grades, by which art. 29(2) asks for reports."""

from __future__ import annotations

from sqlalchemy import Engine

from include.ledger.as_known import AsKnown
from include.rules.facts_of_day import FactsOfDay
from include.rules.parameters import ParameterBook
from include.rules.source_facts import Sources
from tests.rules.city import REGISTER, City
from tests.rules.evidence import DAY

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
