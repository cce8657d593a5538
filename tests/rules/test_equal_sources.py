"""Where two rows say a thing otherwise and neither source goes before the other, names decide, so that days can be replayed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, update

from include.ledger.as_known import AsKnown
from include.ledger.tables import ENTITIES
from include.rules.parameters import ParameterBook
from include.rules.records import Contract
from include.rules.register_facts import Registers
from include.rules.window_facts import WindowFacts
from tests.rules.evidence import DAY, Evidence, at
from tests.rules.lives import FULL, Lives

ORDERS = (("city_first", "city_second"), ("city_second", "city_first"))
"""The order in which the two were read and written."""


def _amounts(lives: Lives) -> list[Any]:
    found: tuple[Contract, ...] = lives.of("project")[FULL]["contracts"].value
    return [(one.name, one.amount_yuan) for one in found]


@pytest.mark.parametrize("order", ORDERS)
def test_of_two_sources_the_one_whose_name_comes_first_goes_before_for_each_field(
    engine: Engine, order: tuple[str, ...]
) -> None:
    lives = Lives(engine)
    row = {"contract_no": "HT1", "project_code": FULL}
    said: dict[str, dict[str, Any]] = {
        "city_first": {"name": None, "amount_yuan": Decimal("9.00")},
        "city_second": {"name": "二", "amount_yuan": Decimal("1.00")},
    }
    for source in order:
        lives.put("contract", lives.batch(source, "contract", at(DAY, 2)), [row | said[source]])
    assert _amounts(lives) == [("二", Decimal("9.00"))]


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_of_two_rows_of_one_source_the_one_with_the_lower_key_goes_before(
    engine: Engine, order: tuple[str, ...]
) -> None:
    lives = Lives(engine)
    table = ENTITIES["contract"][0]
    for name, amount in zip(order, ("1.00", "9.00") if order[0] == "b" else ("9.00", "1.00"), strict=True):
        lives.add(
            "contracts", [{"contract_no": "HT1", "project_code": FULL, "name": name, "amount_yuan": Decimal(amount)}]
        )
        with engine.begin() as connection:
            this = update(table).where(table.c.record_key == "HT1")
            assert connection.execute(this.values(record_key=f"HT1|{name}")).rowcount == 1
    assert _amounts(lives) == [("a", Decimal("9.00"))]


@pytest.mark.parametrize("order", ORDERS)
def test_of_two_statistics_of_use_the_one_whose_name_comes_first_is_believed(
    engine: Engine, order: tuple[str, ...]
) -> None:
    ledger, day = Evidence(engine), DAY - timedelta(days=1)
    register = ledger.batch("register", "system", at(DAY, 2))
    ledger.put("system", register, [{"system_code": code, "name": code} for code in ("one", "other")])
    logins = {"city_first": 7, "city_second": 70}
    for source in order:
        batch = ledger.batch(source, "system_usage_day", at(DAY, 2))
        ledger.observed(batch, [day])
        rows = [{"day": day, "system_code": code, "logins": logins[source]} for code in ("other", "one")]
        ledger.put("system_usage_day", batch, rows)
    with engine.connect() as connection:
        windows = WindowFacts(Registers(AsKnown(connection), DAY, 7, {}), DAY, ParameterBook.load().on(DAY))
        found = windows.of(["idle_use"])["idle_use"]
    assert {code: (fact.source, fact.value.logins) for code, fact in found.items()} == {
        "one": ("city_first", 7), "other": ("city_first", 7),
    }  # fmt: skip
