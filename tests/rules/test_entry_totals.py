"""Entries that several catalogues list are one, however many catalogues there are; other totals: `test_catalogue_facts.py`."""

from __future__ import annotations

from sqlalchemy import Engine

from include.ledger.as_known import AsKnown
from include.rules.entry_totals import entry_totals
from include.rules.register_facts import Registers
from tests.depth import MOSTLY_SQLITE
from tests.rules.catalogued_city import EXCHANGE, PORTAL, CataloguedCity
from tests.rules.evidence import DAY, at

pytestmark = MOSTLY_SQLITE


def test_what_two_of_three_catalogues_list_is_one_entry(engine: Engine) -> None:
    city = CataloguedCity(engine)
    city.read_catalogue("own_list", at(DAY, 2), authority=300)
    for source in (EXCHANGE, "own_list"):
        city.enter({"code": "K1", "system_code": "busy"}, source=source)
    city.enter({"system_code": "busy"}, source=PORTAL)
    with engine.connect() as connection:
        data, are_known = entry_totals(Registers(AsKnown(connection), DAY, 7, {}), 10)
    assert (data.entries, are_known) == (2, True)
