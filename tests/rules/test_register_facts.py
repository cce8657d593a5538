"""What registers say where several speak of one thing, on a ledger of a few rows: whose word counts, and how long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import Engine, update

from include.ledger.as_known import AsKnown
from include.ledger.day_sums import Host
from include.ledger.last_batch import BY_HAND
from include.ledger.tables import batch
from include.rules.facts import Listing
from include.rules.register_facts import Combined, Reading, Registers
from tests.rules.evidence import DAY, Evidence, at

WEEK = timedelta(days=7)
ENTITIES = ("system", "exchange_service", "cloud_resource", "exemption")
GROUPS = {
    f"{name}_{entity}": group
    for name, group in (("better", "exchange"), ("worse", "systems"), ("cloud", "cloud"))
    for entity in ENTITIES
}
"""Sources are named after whose word counts and what they list: each lists one kind of things."""


class Ledger(Evidence):
    """A ledger, with two sources of systems, services and resources read on the day."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.last: dict[tuple[str, str], str] = {}

    def read(self, source: str, entity: str, day: date = DAY, **how: Any) -> str:
        """Record a batch of a source; the better one is believed first."""
        how.setdefault("authority", 1 if source == "better" else 50)
        self.last[source, entity] = self.batch(f"{source}_{entity}", entity, at(day, 2), **how)
        return self.last[source, entity]

    def list(self, source: str, entity: str, *rows: dict[str, Any]) -> str:
        """Put rows that a source of its own reads now."""
        batch_id = self.read(source, entity)
        self.put(entity, batch_id, rows)
        return batch_id

    def clear(self, source: str, entity: str, day: date, gone: int) -> None:
        """Record that a person emptied a source."""
        batch_id = self.batch(f"{source}_{entity}", entity, at(day, 3), complete=False, full=False)
        with self.engine.begin() as connection:
            cleared = {"tombstoned": gone, "reasons": f'["{BY_HAND}"]'}
            connection.execute(update(batch).where(batch.c.batch_id == batch_id).values(cleared))


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)


Look = Callable[[], Registers]


@pytest.fixture
def look(engine: Engine) -> Iterator[Look]:
    """Return what reads the registers as they stand when it is called."""
    with ExitStack() as stack:
        yield lambda: Registers(AsKnown(stack.enter_context(engine.connect())), DAY, WEEK.days, GROUPS)


def test_a_value_comes_from_the_first_that_has_one() -> None:
    combined = Combined(({"a": None, "b": 1}, {"a": 0, "b": 2}))
    assert [combined.get(name) for name in "ab"] == [0, 1]
    assert combined.origin("a") is combined.rows[1]
    assert combined.origin("b") is combined.rows[0]
    assert Combined(({"a": None},)).origin("a") is None


def test_a_source_is_read_as_far_as_its_newest_complete_batch(ledger: Ledger, look: Look) -> None:
    ledger.read("better", "system", DAY - 3 * WEEK)
    ledger.read("better", "system", DAY - WEEK, full=False)
    newest = ledger.read("better", "system", DAY, complete=False)
    old = ledger.read("worse", "system", DAY - WEEK - timedelta(days=1))
    part = ledger.read("cloud", "system", DAY, full=False)
    registers = look()
    assert list(registers.readings.values()) == [
        Reading("better_system", "system", DAY - WEEK, True, newest), Reading("cloud_system", "system", DAY, False, part),
        Reading("worse_system", "system", DAY - WEEK - timedelta(days=1), True, old),
    ]  # fmt: skip
    assert [registers.is_fresh(s) for s in ("better_system", "cloud_system", "worse_system", "nobody")] == [
        True,
        False,
        False,
        False,
    ]
    assert registers.sources("system") == ["better_system", "cloud_system", "worse_system"]
    assert [registers.sources("system", g) for g in ("cloud", "exchange", "systems")] == [
        ["cloud_system"],
        ["better_system"],
        ["worse_system"],
    ]
    assert registers.are_known("system", "exchange")
    assert not registers.are_known("system")
    assert not registers.are_known("contract"), "nobody reads them"
    assert registers.authority("better_system") < registers.authority("worse_system") < registers.authority("nobody")


@pytest.mark.parametrize(
    ("read_on", "gone", "says"),
    [(DAY - timedelta(days=2), 1, False), (DAY - timedelta(days=2), 0, True), (DAY, 1, True)],
)
def test_what_a_person_emptied_says_nothing_until_it_is_read_again(
    ledger: Ledger, look: Look, read_on: date, gone: int, says: bool
) -> None:
    ledger.read("better", "system", DAY - timedelta(days=3))
    ledger.clear("better", "system", DAY - timedelta(days=1), gone)
    ledger.read("better", "system", read_on)
    registers = look()
    reading = registers.readings["better_system"]
    assert (reading.read_on, reading.read_in_full) == ((read_on, True) if says else (None, False))
    assert registers.is_fresh("better_system") is says


def test_calls_of_a_service_are_those_of_the_system_that_has_it_now(ledger: Ledger, look: Look) -> None:
    gone = ledger.list("better", "exchange_service", *({"service_code": c, "system_code": "was"} for c in ("a", "b")))
    ledger.list("worse", "exchange_service", {"service_code": "a", "system_code": "is"}, {"service_code": "c"})
    for code in ("a", "b"):
        ledger.change("exchange_service", gone, {"service_code": code}, at(DAY, 3), tombstoned_at=at(DAY, 3))
    registers = look()
    assert registers.owners == [("a", "is"), ("b", "was")]


def test_hosts_are_the_running_resources_that_have_a_cpu(ledger: Ledger, look: Look) -> None:
    opened = date(2026, 1, 5)
    host = {"system_code": "s1", "status": "running", "resource_type": "host", "vcpu": 4, "opened_on": opened}
    ledger.list(
        "cloud", "cloud_resource", host | {"resource_code": "a"}, host | {"resource_code": "b", "vcpu": None},
        host | {"resource_code": "c", "vcpu": -1}, host | {"resource_code": "d", "resource_type": "storage"},
        host | {"resource_code": "e", "status": "stopped"}, host | {"resource_code": "f", "system_code": None},
        host | {"resource_code": "g", "resource_type": None},
    )  # fmt: skip
    registers = look()
    assert registers.hosts == [Host(code, "s1", n, opened) for code, n in (("a", 4), ("b", 1), ("c", 1), ("g", 4))]


def test_facts_rest_on_the_better_of_two_sources(ledger: Ledger, look: Look) -> None:
    system = {"system_code": "s1", "name": "甲", "project_codes": None}
    service = {"service_code": "a", "system_code": "s1", "state": "published"}
    resource = {"resource_code": "h", "system_code": "s1", "status": "running"}
    exemption = {"exemption_id": "E1", "system_code": "s1", "kind": "idle", "ground": "备用", "expires_on": DAY}
    for entity, row in (("system", system), ("exchange_service", service), ("cloud_resource", resource)):
        for source in ("worse", "better"):
            ledger.list(source, entity, row)
    ledger.list("worse", "exemption", exemption | {"ground": "另一理由"})
    ledger.list("better", "exemption", exemption)
    ledger.list("cloud", "exchange_service", service | {"service_code": "b", "state": "withdrawn"})
    registers = look()
    facts = registers.system_facts("s1", {})
    assert facts["system_code"].source == facts["project_codes"].source == "better_system"
    assert facts["project_codes"].value == ()
    assert facts["listing"].value == Listing(("a",), is_application=True)
    for name, entity in (
        ("listing", "exchange_service"),
        ("cloud_resources", "cloud_resource"),
        ("exemptions", "exemption"),
    ):
        assert facts[name].evidence == (ledger.last["better", entity],), name
    assert [e.ground for e in facts["exemptions"].value] == ["备用"]


def test_a_system_that_the_exchange_does_not_list_is_no_application(ledger: Ledger, look: Look) -> None:
    for source, code in (("better", "s2"), ("worse", "s1")):
        ledger.list(source, "system", {"system_code": code, "name": code})
    ledger.read("better", "exchange_service")
    registers = look()
    assert registers.system_facts("s1", {})["listing"].value == Listing((), is_application=False)
    assert registers.system_facts("s2", {})["listing"].value == Listing((), is_application=True)


def test_evidence_is_named_in_order(look: Look) -> None:
    registers, names = look(), [f"b{n}" for n in range(6)]
    for some in (*combinations(names, 2), tuple(names)):
        rows = [{"changed_batch": name} for name in (*reversed(some), some[0])]
        assert registers.about("system", 1, rows=rows).evidence == some
