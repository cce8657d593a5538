"""What catalogues say of systems on a real ledger: joins, unlinked entries, several sources, and catalogues that say nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from include.clock import now
from include.ledger.as_known import AsKnown
from include.ledger.undo import clear_source
from include.rules.catalogue_facts import KINDS
from include.rules.entry_totals import entry_totals
from include.rules.facts import Catalogued, Project
from include.rules.facts_of_day import FactsOfDay
from include.rules.parameters import ParameterBook
from include.rules.rates import rates_of_entries
from include.rules.source_facts import Sources
from include.rules.verdict import Fact
from tests.depth import BOTH, MOSTLY_SQLITE
from tests.rules.catalogued_city import EXCHANGE, PORTAL, CataloguedCity
from tests.rules.evidence import DAY, at

pytestmark = MOSTLY_SQLITE

CARDS = Sources({EXCHANGE: "catalogues", PORTAL: "catalogues"}, {}, {})
PROJECT = "2611-230500-04-04-000018"
"""Named by the system busy alone."""
ONE = Catalogued(1, shared=1, mounted=1, due=1, delivered=1, timely=1)
"""What one good entry comes to."""


@pytest.fixture
def city(engine: Engine) -> CataloguedCity:
    return CataloguedCity(engine)


def _ask(engine: Engine, what: Callable[[FactsOfDay], Any], day: date = DAY, **how: Any) -> Any:
    with engine.connect() as connection:
        known = AsKnown(connection, how.pop("known", None))
        return what(FactsOfDay(known, day, ParameterBook.load().on(day), CARDS, how.pop("wanted", tuple(KINDS))))


def _facts(engine: Engine, day: date = DAY, **how: Any) -> dict[str, dict[str, Fact]]:
    return dict(_ask(engine, lambda facts: facts.systems, day, **how))


def _totals(engine: Engine, day: date = DAY) -> tuple[Catalogued, int, bool]:
    """Return all entries of the data catalogues, counted one by one, and in the database."""

    def both(facts: FactsOfDay) -> tuple[tuple[Catalogued, int, bool], tuple[Catalogued, bool]]:
        grace = int(facts.parameters["catalogue_grace_percent"])
        return facts.catalogues.totals(), entry_totals(facts.registers, grace)

    (data, linked, are_known), alike = _ask(engine, both, day)
    assert alike == (data, are_known)
    return data, linked, are_known


def test_entries_that_differ_in_anything_that_counts_are_counted_apart(engine: Engine, city: CataloguedCity) -> None:
    """Alike ones are counted in the database; those that several catalogues list one by one."""
    one = {"system_code": "busy"}
    others: list[dict[str, Any]] = [
        {}, {"state": "draft"}, {"state": "withdrawn"}, {"share_type": "none"}, {"share_type": "none", "share_basis": "文号"},
        {"share_type": "none", "share_condition": "条件"}, {"share_type": None}, {"share_type": None, "open_type": "open"},
        {"distribution_count": 0}, {"distribution_count": None}, {"collection": None}, {"collection": "partly"},
        {"update_cycle": None}, {"update_cycle": "daily"}, {"data_updated_on": None},
        {"data_updated_on": None, "data_updated_raw": None},
        {"data_updated_on": None, "modified_on": date(2026, 11, 19), "modified_raw": "x"}, {"system_code": "nobody"},
        {"system_code": None, "project_codes": PROJECT}, {"kind": "component"}, {"code": "K1"}, {"code": "K1"}, {"code": "K2"},
    ]  # fmt: skip
    city.enter(*(one | other for other in others))
    city.enter({"code": "K1", "collection": "partly"}, {"code": "K3", "project_codes": PROJECT}, one, source=PORTAL)
    data, linked, are_known = _totals(engine)
    assert (data.entries, linked, are_known) == (23, 22, True)
    assert (data.drafts, data.withheld, data.without_basis, data.share_unknown) == (1, 3, 1, 1)
    assert (data.collection_unknown, data.partly, data.cycle_missing, data.overdue) == (1, 1, 1, 1)
    assert (data.date_inexact, data.date_missing) == (1, 1)


def _data(engine: Engine, system: str, day: date = DAY, **how: Any) -> Catalogued | str:
    facts = _facts(engine, day, **how)[system]
    return facts["data_entries"].value if "data_entries" in facts else "absent"


@BOTH
def test_entries_are_joined_by_system_code_and_counted_as_they_stand(engine: Engine, city: CataloguedCity) -> None:
    bad = {"system_code": "busy", "share_type": "none", "collection": "not_delivered", "distribution_count": 0,
           "data_updated_on": date(2026, 9, 1), "state": "draft"}  # fmt: skip
    unknown = {
        "system_code": "busy",
        "share_type": None,
        "collection": None,
        "update_cycle": None,
        "distribution_count": 0,
    }
    city.enter({"system_code": "busy"}, bad, unknown, {"system_code": "busy", "state": "withdrawn"})
    fact = _facts(engine)["busy"]["data_entries"]
    assert fact.value == Catalogued(
        3, drafts=1, shared=1, mounted=1, withheld=1, without_basis=1, share_unknown=1, due=2, delivered=1,
        collection_unknown=1, timely=1, overdue=1, cycle_missing=1,
    )  # fmt: skip
    assert (fact.source, fact.seen_until, fact.evidence) == (EXCHANGE, DAY, (city.last[EXCHANGE],))
    assert _data(engine, "idle") == Catalogued()


def test_each_kind_is_a_fact_of_its_own(engine: Engine, city: CataloguedCity) -> None:
    listed: set[str] = set()
    for name, kind in KINDS.items():
        city.enter({"system_code": "busy", "kind": kind})
        listed.add(name)
        facts = _facts(engine)["busy"]
        known = {name for name in KINDS if name in facts}
        assert known == listed, "of a kind that nobody lists it is not known whether anybody would"
        assert facts[name].value == ONE


@BOTH
def test_a_project_that_one_system_names_joins_and_one_that_two_name_does_not(
    engine: Engine, city: CataloguedCity
) -> None:
    register, shared, nobodys = (
        city.read_again("system_register", at(DAY, 3)),
        "2511-230500-04-04-908767",
        "2607-230500-04-04-123459",
    )
    for system in ("idle", "away"):
        city.change("system", register, {"system_code": system}, at(DAY, 3), project_codes=shared)
    cases = (
        (PROJECT, True),
        (f"{nobodys},{PROJECT}", True),
        (nobodys, False),
        (shared, False),
        (f"{PROJECT},{shared}", False),
        (None, False),
    )
    found = [0, 0]
    for codes, is_joined in cases:
        city.enter({"project_codes": codes})
        found[0 if is_joined else 1] += 1
        busy = _data(engine, "busy")
        assert isinstance(busy, Catalogued)
        assert [busy.entries, busy.unlinked] == found, codes


def test_the_system_code_goes_before_the_project_and_an_unknown_code_does_not_hide_it(
    engine: Engine, city: CataloguedCity
) -> None:
    city.enter({"system_code": "idle", "project_codes": PROJECT}, {"system_code": "SYS-TYPO", "project_codes": PROJECT})
    assert _data(engine, "idle") == ONE
    assert _data(engine, "busy") == ONE


@BOTH
def test_an_entry_without_a_system_is_of_its_unit_by_uscc_else_by_name(engine: Engine, city: CataloguedCity) -> None:
    cases = (
        (("市{}局", "U{}"), ("市{}局", "U{}"), 1), ((None, "U{}"), ("{}局", "U{}"), 1), (("市{}局", "V{}"), ("市{}局", "U{}"), 0),
        (("市{}局", None), ("市{}局", "U{}"), 1), (("市{}局", "U{}"), ("市{}局", None), 1),
        ((" 市{}局 ", None), ("市{}局", None), 1),
        (("县{}局", None), ("市{}局", None), 0), ((None, None), ("市{}局", None), 0), ((None, None), (None, None), 0),
        ((None, "U{}"), ("市{}局", None), 0),
    )  # fmt: skip
    for n, (entry, system, _) in enumerate(cases):
        (name, uscc), (unit, of_unit) = ([part and part.format(n) for part in pair] for pair in (entry, system))
        city.put(
            "system", city.last["system_register"], [{"system_code": f"s{n}", "unit_name": unit, "unit_uscc": of_unit}]
        )
        city.enter({"provider_name": name, "provider_uscc": uscc})
    facts = _facts(engine)
    for n, (entry, system, unlinked) in enumerate(cases):
        assert facts[f"s{n}"]["data_entries"].value == Catalogued(unlinked=unlinked), (entry, system)


@BOTH
def test_one_entry_in_two_catalogues_is_one_and_the_better_source_speaks(engine: Engine, city: CataloguedCity) -> None:
    late = {"data_updated_on": date(2025, 1, 1), "system_code": "idle"}
    city.enter({"system_code": "busy", "code": "307001/1", "collection": None})
    city.enter({"code": "307001/1", **late}, source=PORTAL)
    assert _data(engine, "busy") == ONE, "what the better source leaves out comes from the other"
    assert _data(engine, "idle") == Catalogued()
    city.enter({"code": "307001/1", "provider_name": "市民政局", **late}, source=PORTAL)
    assert _data(engine, "idle") == Catalogued(1, shared=1, mounted=1, due=1, delivered=1, overdue=1), "another unit's"
    city.enter({"system_code": "busy", "code": "307001/1"})
    busy = _data(engine, "busy")
    assert isinstance(busy, Catalogued)
    assert busy.entries == 2, "twice in one catalogue are two"


@BOTH
def test_one_code_of_two_units_is_two_entries_and_the_uscc_tells_units_apart(
    engine: Engine, city: CataloguedCity
) -> None:
    city.enter({"system_code": "busy", "code": "307001/1"}, {"system_code": "away", "code": "9", "provider_uscc": "U1"})
    city.enter(
        {"system_code": "idle", "code": "307001/1", "provider_name": "市民政局"},
        {"system_code": "spare", "code": "9", "provider_uscc": "U1", "provider_name": "教育局"}, source=PORTAL,
    )  # fmt: skip
    assert [_data(engine, system) for system in ("busy", "idle", "away", "spare")] == [ONE, ONE, ONE, Catalogued()]


def test_a_basis_may_stand_where_others_write_the_condition(engine: Engine, city: CataloguedCity) -> None:
    withheld = {"system_code": "busy", "share_type": "none"}
    city.enter(withheld | {"share_basis": "统计法第九条"}, withheld | {"share_condition": "统计法第九条"}, withheld)
    busy = _data(engine, "busy")
    assert isinstance(busy, Catalogued)
    assert (busy.withheld, busy.without_basis) == (3, 1)


def test_what_is_open_to_the_public_is_shared_although_no_sharing_is_stated(
    engine: Engine, city: CataloguedCity
) -> None:
    for number, open_type in enumerate(("unconditional", "conditional", "closed", None)):
        city.enter({"system_code": "busy", "share_type": None, "open_type": open_type, "code": f"c{number}"})
        found = _data(engine, "busy")
        assert isinstance(found, Catalogued)
        assert (found.shared, found.share_unknown) == (min(number + 1, 2), max(number - 1, 0)), open_type


@BOTH
def test_dates_are_weighed_as_of_the_reading_not_of_the_judging(engine: Engine, city: CataloguedCity) -> None:
    dates = {"system_code": "busy", "update_cycle": "daily", "data_updated_on": None, "data_updated_raw": None}
    city.enter(
        dates | {"data_updated_on": DAY - timedelta(days=1)}, dates | {"modified_on": DAY - timedelta(days=2)}, dates,
        dates | {"data_updated_raw": "2025-03"}, dates | {"data_updated_on": DAY + timedelta(days=1)},
    )  # fmt: skip
    for day in (DAY, DAY + timedelta(days=7)):
        busy = _data(engine, "busy", day)
        assert isinstance(busy, Catalogued)
        found = (busy.timely, busy.overdue, busy.date_missing, busy.date_inexact, busy.date_in_future)
        assert found == (1, 1, 1, 1, 1), "a day on which nobody read ages nothing"
    assert _data(engine, "busy", DAY + timedelta(days=8)) == "absent"


@BOTH
def test_a_catalogue_not_read_whole_lately_says_nothing_of_its_kinds(engine: Engine, city: CataloguedCity) -> None:
    city.enter({"system_code": "busy"}, {"system_code": "busy", "kind": "component"})
    city.enter({"system_code": "busy", "code": "other"}, source=PORTAL)
    late = DAY + timedelta(days=8)
    city.read_again("system_register", at(late, 1))
    city.read_catalogue(EXCHANGE, at(late, 1))
    city.read_catalogue(PORTAL, at(late, 1), complete=False)
    facts = _facts(engine, late)["busy"]
    assert "data_entries" not in facts, "the portal holds data and was not read whole"
    assert facts["component_entries"].value.entries == 1, "the portal never had a component"
    data, linked, are_known = _totals(engine, late)
    assert (data.entries, linked, are_known) == (2, 2, False)


def test_a_catalogue_never_read_whole_may_hold_anything(engine: Engine, city: CataloguedCity) -> None:
    city.enter({"system_code": "busy"}, {"system_code": "busy", "kind": "component"})
    assert {"data_entries", "component_entries"} <= set(_facts(engine)["busy"])
    city.read_catalogue("third_catalogue", at(DAY, 3), complete=False)
    assert not set(KINDS) & set(_facts(engine)["busy"])


@BOTH
def test_tombstoned_entries_are_gone_and_still_tell_what_their_catalogue_lists(
    engine: Engine, city: CataloguedCity
) -> None:
    city.enter({"system_code": "busy", "resource_id": "gone"})
    again = city.read_catalogue(EXCHANGE, at(DAY, 3))
    known = dict(city.last) | {EXCHANGE: city.last[EXCHANGE]}
    assert _data(engine, "busy", known=known) == ONE
    later = city.read_catalogue(EXCHANGE, at(DAY, 4))
    city.change("resource", later, {"resource_id": "gone"}, at(DAY, 4), tombstoned_at=at(DAY, 4))
    assert _data(engine, "busy") == Catalogued()
    assert _data(engine, "busy", known=known | {EXCHANGE: again}) == ONE, "then it was there"


@BOTH
def test_all_entries_together_make_the_rates(engine: Engine, city: CataloguedCity) -> None:
    city.enter(
        {"system_code": "busy"}, {}, {"share_type": "none", "distribution_count": 0, "collection": "not_required"}
    )
    city.enter({"share_type": None, "update_cycle": "never", "collection": None}, {"distribution_count": 0})
    city.enter({"kind": "component", "system_code": "busy"})
    data, linked, are_known = _totals(engine)
    lines = [rate.line() for rate in rates_of_entries(data, linked, are_known=are_known)]
    assert lines == [
        "目录挂接率 66.67%(2/3),未知 1,豁免 1", "数据归集率 100.00%(3/3),未知 1,豁免 1",
        "更新及时率 100.00%(4/4),未知 0,豁免 1", "目录关联系统率 20.00%(1/5),未知 0,豁免 0",
    ]  # fmt: skip
    unknown = rates_of_entries(data, linked, are_known=False)
    assert [(r.numerator, r.denominator, r.unknown, r.exempt) for r in unknown] == [(0, 0, 5, 0)] * 4


def test_nothing_is_counted_before_an_entry_is() -> None:
    assert set(astuple(Catalogued())) == {0}
    assert not Project("c", "名").is_planned_upgrade


def test_partly_delivered_entries_are_due_and_not_delivered() -> None:
    data = replace(
        Catalogued(), entries=4, due=4, delivered=1, partly=2, timely=1, overdue=1, date_missing=1, date_in_future=1
    )
    rates = {r.name: r for r in rates_of_entries(data, 0, are_known=True)}
    assert (rates["collected_rate"].numerator, rates["collected_rate"].denominator) == (1, 4)
    updated = rates["updated_rate"]
    assert (updated.numerator, updated.denominator, updated.unknown) == (1, 2, 2)


def _sources(engine: Engine, day: date = DAY, **how: Any) -> dict[str, dict[str, Fact]]:
    return dict(_ask(engine, lambda facts: facts.sources, day, **({"wanted": ["unsteady"]} | how)))


def _unsteady(engine: Engine, day: date = DAY, **how: Any) -> Any:
    fact = _sources(engine, day, **how)[EXCHANGE].get("unsteady")
    return fact.value if fact else "absent"


@BOTH
def test_a_record_is_unsteady_that_came_back_twice_within_ninety_days(engine: Engine, city: CataloguedCity) -> None:
    assert _unsteady(engine) == 0
    then = dict(city.last)
    ids = [f"f{n}" for n in range(6)]
    city.enter(*({"resource_id": i} for i in ids))
    city.flap(ids[:5], [at(DAY - timedelta(days=90), 3)])
    city.flap(ids[1:], [at(DAY - timedelta(days=10), 3)])
    assert _unsteady(engine) == 4, "f0 and f5 came back but once"
    city.flap(ids[:1], [at(DAY, 3)])
    assert _unsteady(engine) == 5
    assert _unsteady(engine, known=then) == 4, "what was known then"
    assert _unsteady(engine, DAY + timedelta(days=1)) == 0, "the first return was 91 days ago"


def test_of_a_register_that_is_not_fresh_nobody_knows_whether_it_is_steady(
    engine: Engine, city: CataloguedCity
) -> None:
    assert _unsteady(engine, DAY + timedelta(days=7)) == 0
    assert _unsteady(engine, DAY + timedelta(days=8)) == "absent"
    assert "unsteady" not in _sources(engine)["exchange_calls"], "a series is never tombstoned"
    assert "unsteady" not in _sources(engine, wanted=[])[EXCHANGE], "nobody asked"


@BOTH
def test_a_source_that_a_person_cleared_says_nothing_until_it_is_read_again(
    engine: Engine, city: CataloguedCity
) -> None:
    city.enter({"system_code": "busy"})
    clear_source(engine, EXCHANGE, EXCHANGE)
    facts = _facts(engine)
    assert "busy" in facts
    assert not [name for name in KINDS if name in facts["busy"]]
    city.read_catalogue(EXCHANGE, now() + timedelta(seconds=1))
    assert _data(engine, "busy") == Catalogued(0)
