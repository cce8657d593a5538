"""Catalogues judged: holes as planted, silence where a catalogue was not read, replays, and one finding for what flaps."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.depth import BOTH, MOSTLY_SQLITE
from tests.findings.ledger_state import assert_folds, judge_day, ledger_rows, says
from tests.rules.catalogued_city import EXCHANGE, PORTAL, CataloguedCity, write_cards
from tests.rules.evidence import DAY, at

pytestmark = MOSTLY_SQLITE

SCOPE = "catalogues"
OF_ENTRIES = ("data-collected", "shareable-data-shared", "shared-entries-mounted", "entries-updated-in-time")


@pytest.fixture(autouse=True)
def _cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cards(tmp_path / "own")
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path / "own"))


@pytest.fixture
def city(engine: Engine) -> CataloguedCity:
    """The city with one entry of everything that busy should have; other systems have other units, or holes."""
    city = CataloguedCity(engine)
    register = city.read_again("system_register", at(DAY, 3))
    for system, unit in (("idle", "市民政局"), ("away", "市财政局"), ("spare", "市卫健委")):
        city.change("system", register, {"system_code": system}, at(DAY, 3), unit_name=unit)
    kinds = ("data", "component", "cloud_resource")
    city.enter(*({"system_code": "busy", "kind": kind} for kind in kinds))
    return city


def _told(engine: Engine) -> set[tuple[str, str, str, str]]:
    """Return the open findings but those of shipped cards, which nobody reads here."""
    found = [r for r in ledger_rows(engine)["finding"] if r["state"] == "open" and r["reason"] != "never_read"]
    return {(r["rule"], r["subject"], r["outcome"], r["reason"]) for r in found}


@BOTH
def test_holes_are_found_as_they_were_planted(engine: Engine, city: CataloguedCity) -> None:
    late = {"system_code": "away", "data_updated_on": date(2026, 9, 1), "distribution_count": 0, "share_type": "none"}
    city.enter(late | {"collection": "not_delivered"}, late | {"share_type": "unconditional"})
    city.enter({"provider_name": "市卫健委"})
    judged = judge_day(engine, DAY, SCOPE)
    assert not judged.crashed
    assert says(engine, "data-catalogue-compiled") == {
        "busy": ("pass", "compiled"), "idle": ("fail", "not_compiled"), "away": ("pass", "compiled"),
        "spare": ("unknown", "unlinked_entries"), "gone": ("not_applicable", "does_not_apply"),
    }  # fmt: skip
    assert {rule: says(engine, rule)["busy"][0] for rule in OF_ENTRIES} == dict.fromkeys(OF_ENTRIES, "pass")
    assert {rule: says(engine, rule)["idle"][0] for rule in OF_ENTRIES} == dict.fromkeys(OF_ENTRIES, "not_applicable")
    assert {rule: says(engine, rule)["spare"][0] for rule in OF_ENTRIES} == dict.fromkeys(OF_ENTRIES, "unknown")
    assert _told(engine) == {
        ("data-catalogue-compiled", "idle", "fail", "not_compiled"),
        *(("component-catalogue-compiled", system, "warn", "not_compiled") for system in ("idle", "away", "spare")),
        *(("cloud-catalogue-compiled", system, "warn", "not_compiled") for system in ("idle", "spare")),
        ("data-collected", "away", "warn", "not_collected"),
        ("shareable-data-shared", "away", "warn", "withheld_without_basis"),
        ("shared-entries-mounted", "away", "fail", "none_mounted"),
        ("entries-updated-in-time", "away", "warn", "overdue"),
    }  # fmt: skip
    for rule, reason in (("evidence-current", "current"), ("records-steady", "steady")):
        assert {s for s, said in says(engine, rule).items() if said == ("pass", reason)} == {EXCHANGE, PORTAL}
    rates = {r.name: (r.numerator, r.denominator, r.unknown, r.exempt) for r in judged.rates}
    assert rates == {
        "compiled_rate": (2, 3, 1, 0), "mounted_rate": (2, 3, 0, 1), "collected_rate": (3, 4, 0, 0),
        "updated_rate": (2, 4, 0, 0), "linked_rate": (3, 4, 0, 0),
    }  # fmt: skip
    text = "\n".join(judged.lines())
    for words in ("资源目录 2026-11-20 评判", "目录编制率 66.67%(2/3),未知 1", "目录未关联系统 1", "未见“空闲系统”"):
        assert words in text
    assert "违规" not in text
    assert_folds(engine)


@pytest.mark.parametrize("how", ["degraded", "stale"])
def test_a_catalogue_not_read_whole_lately_finds_nothing_and_settles_nothing(
    engine: Engine, city: CataloguedCity, how: str
) -> None:
    judge_day(engine, DAY, SCOPE)
    before = _told(engine)
    assert before
    late = DAY + timedelta(days=8)
    city.read_again("system_register", at(late, 2))
    city.read_again("city_cloud", at(late, 2))
    if how == "degraded":
        city.read_catalogue(EXCHANGE, at(late, 2), complete=False)
    judged = judge_day(engine, late, SCOPE)
    outcomes = {says(engine, rule)[s][0] for rule in OF_ENTRIES for s in ("busy", "idle", "away", "spare")}
    assert outcomes == {"unknown"}
    assert says(engine, "data-catalogue-compiled")["idle"] == ("unknown", "evidence_missing")
    new = _told(engine) - before
    assert new == {("evidence-current", source, "fail", "out_of_date") for source in (EXCHANGE, PORTAL)}
    assert before < _told(engine)
    assert {c.kind.value for c in judged.settled.changes if c.rule != "evidence-current"} == {"unverified"}
    entries = next(r for r in judged.rates if r.name == "mounted_rate")
    assert (entries.denominator, entries.unknown) == (0, 1)


def test_a_catalogue_first_read_in_part_opens_nothing_but_itself(engine: Engine) -> None:
    city = CataloguedCity(engine)
    city.enter({"system_code": "busy"})
    city.read_catalogue("another", at(DAY, 3), complete=False)
    judge_day(engine, DAY, SCOPE)
    assert says(engine, "data-catalogue-compiled")["idle"] == ("unknown", "evidence_missing")
    assert not _told(engine)


@BOTH
def test_a_past_day_replayed_after_later_readings_gives_what_it_gave_then(engine: Engine, city: CataloguedCity) -> None:
    then = judge_day(engine, DAY, SCOPE)
    assert judge_day(engine, DAY, SCOPE, at=at(DAY, 9)).digest == then.digest
    day = city.next_day()
    city.read_catalogue(EXCHANGE, at(day, 2))
    city.change("resource", city.last[EXCHANGE], {"resource_id": "r0"}, at(day, 2), system_code=None, collection=None)
    city.enter({"system_code": "idle"}, {"system_code": "away", "kind": "component"})
    city.read_catalogue(EXCHANGE, at(day, 3))
    city.change("resource", city.last[EXCHANGE], {"resource_id": "r1"}, at(day, 3), tombstoned_at=at(day, 3))
    city.flap(["r2"], [at(day, 4), at(day, 6)])
    city.read_catalogue(PORTAL, at(day, 5))
    city.enter({"system_code": "busy", "data_updated_on": date(2025, 1, 1)}, source=PORTAL)
    now = judge_day(engine, day, SCOPE, at=at(day, 10))
    assert now.digest != then.digest
    assert says(engine, "data-catalogue-compiled")["idle"] == ("pass", "compiled")
    before = ledger_rows(engine)
    replayed = judge_day(engine, DAY, SCOPE, at=at(day, 11))
    assert (replayed.is_replay, replayed.digest) == (True, then.digest)
    assert ledger_rows(engine) == before


@BOTH
def test_five_hundred_flapping_records_are_one_finding_that_resolves_when_they_rest(
    engine: Engine, city: CataloguedCity
) -> None:
    ids = [f"f{n}" for n in range(500)]
    city.enter(*({"resource_id": i, "code": i, "system_code": "busy"} for i in ids))
    city.flap(ids, [at(DAY - timedelta(days=30), 3)])
    judge_day(engine, DAY, SCOPE)
    assert says(engine, "records-steady")[EXCHANGE] == ("pass", "steady")
    day = city.next_day()
    city.flap(ids, [at(day, 3)])
    judged = judge_day(engine, day, SCOPE, at=at(day, 7))
    mine = [c for c in judged.settled.changes if c.rule == "records-steady"]
    assert [(c.kind.value, c.subject, c.reason) for c in mine] == [("opened", EXCHANGE, "unsteady")]
    assert "500 条记录反复消失又出现" in mine[0].message
    assert not [c for c in judged.settled.changes if c.rule.endswith("-compiled")]
    late = day + timedelta(days=70)
    unread = judge_day(engine, late, SCOPE)
    mine = [c for c in unread.settled.changes if c.rule == "records-steady"]
    assert [c.kind.value for c in mine] == ["unverified"], "a source that is not read does not come to rest"
    city.read_catalogue(EXCHANGE, at(late, 7))
    rested = judge_day(engine, late, SCOPE, at=at(late, 9))
    mine = [c for c in rested.settled.changes if c.rule == "records-steady"]
    assert [c.kind.value for c in mine] == ["resolved"]
    assert len([r for r in ledger_rows(engine)["finding"] if r["rule"] == "records-steady"]) == 1


def test_each_scope_judges_its_own_sources_alone(engine: Engine, city: CataloguedCity) -> None:
    of_scope: dict[str, set[str]] = {}
    for scope in ("interconnection", "catalogues", "systems"):
        judge_day(engine, DAY, scope)
        of_scope[scope] = {
            r["subject"]
            for r in ledger_rows(engine)["verdict"]
            if (r["rule"], r["scope"]) == ("evidence-current", scope)
        }
    assert {EXCHANGE, PORTAL} <= of_scope["catalogues"]
    assert {"exchange_calls", "exchange_services", "exchange_systems"} <= of_scope["interconnection"]
    assert {"system_register", "city_cloud", "provincial_approval"} <= of_scope["systems"]
    assert sum(map(len, of_scope.values())) == len(set.union(*of_scope.values()))
