"""How far a source was read, and which of its records come and go."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from include.ledger.as_known import AsKnown
from include.ledger.tables import ENTITIES
from include.rules.register_facts import Registers
from include.rules.source_facts import Flapping, Sources, source_facts
from tests.rules.evidence import DAY, Evidence, at


def test_what_a_source_is_read_to_and_what_is_unsteady_in_it(engine: Engine) -> None:
    ledger = Evidence(engine)
    first = DAY - timedelta(days=90)
    moments = {0: at(first, 0), 1: at(first, 0) - timedelta(seconds=1), 2: at(DAY, 1), 3: at(DAY, 2), 4: at(DAY, 3)}
    batches = {n: ledger.batch("register", "system", when, restored=int(n != 4)) for n, when in moments.items()}
    back = {
        "twice": (0, 2),
        "thrice": (0, 2, 3),
        "too early": (1, 2),
        "early, too": (1, 3),
        "once": (3,),
        "not back": (2, 4),
    }
    exact = [ledger.batch("exact", "system", at(DAY, hour), restored=1) for hour in (1, 2)]
    lines = [
        {"source": "register", "record_key": key, "batch_id": batches[n], "field": "tombstoned_at", "old": "then", "new": None,
         "changed_at": moments[n]}
        for key, numbers in back.items() for n in numbers
    ] + [
        {"source": "exact", "record_key": "r", "batch_id": one, "field": "tombstoned_at", "old": "then", "new": None,
         "changed_at": at(DAY)} for one in exact
    ] + [
        {"source": "register", "record_key": "renamed", "batch_id": batches[n], "field": "name", "old": "then", "new": "now",
         "changed_at": moments[n]} for n in (0, 2, 3)
    ]  # fmt: skip
    calls = ledger.batch("calls", "exchange_call_day", at(DAY, 2))
    for ago, is_trusted in ((2, True), (1, False), (0, True), (-1, True)):
        ledger.observed(calls, [DAY - timedelta(days=ago)], trusted=is_trusted)
    with engine.begin() as connection:
        connection.execute(ENTITIES["system"][1].insert(), lines)
    with engine.connect() as connection:
        registers = Registers(AsKnown(connection), DAY, 7, {})
        found = source_facts(registers, DAY, Sources({}, {}, {}), Flapping(90, 2))
    assert [found[source]["unsteady"].value for source in ("register", "exact")] == [2, 1]
    assert (found["calls"]["trusted_until"].value, found["calls"]["doubts"].value) == (
        DAY - timedelta(days=2),
        "read_incomplete",
    )
