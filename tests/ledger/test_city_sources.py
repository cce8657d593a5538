"""The cards of the exchange, the city cloud, usage and the register against the sandbox: rows, details, days, secrecy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from include.clock import SHANGHAI, now
from include.landing.store import LandingStore
from include.ledger.database import writing
from include.ledger.expunge import expunge
from include.ledger.merge import MergeResult, renew_statistics
from include.ledger.probe_merge import SOURCE, merge_sweep
from include.ledger.sync import land, merge_batch
from include.ledger.tables import (
    ENTITIES,
    cloud_usage_day,
    exchange_service,
    exchange_service_change,
    finding,
    finding_event,
    observed_day,
    probe_day,
    probe_state,
    probe_sweep,
    quarantine,
    system,
    verdict,
)
from include.sandbox.server import SandboxServer
from include.sources.card_files import load_card
from include.sources.probing.policy import load_policy
from include.sources.probing.result import Outcome, ProbeResult, Sweep
from tests.depth import MOSTLY_SQLITE, deep
from tests.ledger.test_expunge import dump, left
from tests.platform import connect
from tests.traces import traces

REGISTERS = (
    "exchange_systems",
    "exchange_services",
    "system_register",
    "exemptions",
    "maintenance_windows",
    "city_cloud",
)
SERIES = ("exchange_calls", "cloud_metrics", "usage_statistics", "usage_files")
DAYS = deep(30, 120)
"""Days that a series is read back at first."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    with SandboxServer(projects=100, seed=3, home=tmp_path_factory.mktemp("city")) as server:
        yield server


@pytest.fixture
def city(served: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    """Return the city's platforms, without faults; no test lets a day pass there."""
    connect(monkeypatch, served)
    yield served
    served.clear_faults()


def sync(engine: Engine, store: LandingStore, source: str) -> MergeResult:
    card = load_card(source)
    if card.series:
        card = replace(card, series=replace(card.series, first_days=DAYS))
    return merge_batch(engine, store, card, land(engine, store, card).batch_id)


def count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


@MOSTLY_SQLITE
def test_everything_comes_in_and_the_second_run_writes_nothing(
    city: SandboxServer, engine: Engine, store: LandingStore, tmp_path: Path
) -> None:
    first = {source: sync(engine, store, source) for source in (*REGISTERS, *SERIES)}
    assert [r.source for r in first.values() if not r.is_complete or r.quarantined or not r.created] == []
    truth = city.truth()["systems"]
    listed = set(truth["systems"])
    with engine.connect() as connection:
        register = select(system.c.system_code).where(system.c.source == "system_register")
        assert set(connection.execute(register).scalars()) == listed
        services = {r.service_code: r for r in connection.execute(select(exchange_service))}
        words = {"deployment", "purpose", "status", "declared_connection"}
        filled = [system.c[word].is_not(None) for word in words]
        whole = select(system).where(system.c.source == "system_register", *filled)
        doubted = connection.execute(select(observed_day).where(~observed_day.c.is_trusted)).all()
    assert count(engine, whole.subquery()) == len(listed)
    assert set(services) == set(truth["services"])
    answering = {code: bool(told["url"]) and told["kind"] == "接口" for code, told in truth["services"].items()}
    assert {code: bool(service.endpoint) for code, service in services.items()} == answering
    assert (count(engine, quarantine), doubted) == (0, [])
    again = {source: sync(engine, store, source) for source in (*REGISTERS, *SERIES)}
    assert {source: r.writes for source, r in again.items() if r.writes or not r.is_complete} == {}
    classified = truth["classified"]
    assert all(first[s].refused for s in ("exchange_systems", "exchange_services", "system_register", "city_cloud"))
    assert len(classified["codes"]) == first["system_register"].refused > 0
    names = [text for part in classified.values() for text in part]
    assert traces(names, left(engine, tmp_path)) == []


@MOSTLY_SQLITE
def test_a_service_without_its_detail_comes_all_the_same_and_gets_it_later(
    city: SandboxServer, engine: Engine, store: LandingStore
) -> None:
    city.fault("error_500", platform="exchange", call="detail", times=0)
    card = load_card("exchange_services")
    hasty = replace(card, limits=replace(card.limits, attempts=1))
    result = merge_batch(engine, store, hasty, land(engine, store, hasty).batch_id)
    assert [r["code"] for r in result.reasons] == ["detail_missing"]
    assert result.created == count(engine, exchange_service) > 20
    assert count(engine, select(exchange_service).where(exchange_service.c.endpoint.is_not(None)).subquery()) == 0
    city.clear_faults()
    result = sync(engine, store, "exchange_services")
    assert (result.is_complete, result.created) == (True, 0)
    assert count(engine, select(exchange_service).where(exchange_service.c.endpoint.is_not(None)).subquery()) > 20
    calls = city.calls["exchange.detail"]
    assert sync(engine, store, "exchange_services").unchanged == count(engine, exchange_service)
    assert city.calls["exchange.detail"] == calls  # the listing is as it was, so no detail is asked for again


def test_details_that_are_not_told_today_stay_as_they_were_known(
    city: SandboxServer, engine: Engine, store: LandingStore
) -> None:
    sync(engine, store, "exchange_services")
    with engine.connect() as connection:
        before = connection.execute(select(exchange_service.c.record_key, exchange_service.c.endpoint)).all()
    city.fault("error_500", platform="exchange", call="detail", times=0)
    card = load_card("exchange_services")
    hasty = replace(
        card,
        limits=replace(card.limits, attempts=1),
        paging=replace(card.paging, page_size=100) if card.paging else None,
    )  # other pages, so that none is known
    result = merge_batch(engine, store, hasty, land(engine, store, hasty).batch_id)
    assert ([r["code"] for r in result.reasons], result.writes) == (["detail_missing"] * 2, 0), result
    with engine.connect() as connection:
        assert connection.execute(select(exchange_service.c.record_key, exchange_service.c.endpoint)).all() == before
        assert connection.execute(select(exchange_service_change)).all() == []


@pytest.mark.parametrize(
    ("scenario", "source", "doubts"),
    [
        ("missing_days", "cloud_metrics", ["empty_day"] * 3),
        ("missing_days", "usage_statistics", ["empty_day"] * 3),
        ("missing_days", "exchange_calls", ["empty_day"] * 3),
        ("hour_off", "exchange_calls", ["clock_skew"] * DAYS),
        ("all_zero", "cloud_metrics", ["all_zero"] * DAYS),
    ],
)
@MOSTLY_SQLITE
def test_what_goes_wrong_on_a_platform_is_a_doubt_about_its_days(
    city: SandboxServer, engine: Engine, store: LandingStore, scenario: str, source: str, doubts: list[str]
) -> None:
    name = {"cloud_metrics": "cloud", "usage_statistics": "usage", "exchange_calls": "exchange"}[source]
    city.fault(scenario, platform=name, times=0)
    assert sync(engine, store, source).is_complete
    with engine.connect() as connection:
        found = connection.execute(select(observed_day.c.doubts).where(~observed_day.c.is_trusted)).scalars().all()
    assert found == doubts


def judge(engine: Engine, subject: str, body: str, subject_type: str = "system") -> None:
    """Write a verdict and a finding about a subject, with what they say."""
    today = now().date()
    mine = {
        "rule": "r",
        "subject_type": subject_type,
        "subject": subject,
        "occurrence": "",
        "outcome": "fail",
        "reason": "x",
    }
    with writing(engine, "x") as connection:
        connection.execute(verdict.insert().values(**mine, from_day=today, scope="systems", body=body))
        connection.execute(
            finding.insert().values(
                **mine,
                finding_id=f"F-{subject}",
                state="open",
                message=body,
                first_seen_on=today,
                judged_on=today,
                reopened=0,
            )
        )
        connection.execute(
            finding_event.insert().values(
                finding_id=f"F-{subject}", number=1, kind="opened", day=today, recorded_at=now(), outcome="fail",
                reason="x", detail="{}",
            )
        )  # fmt: skip


def test_a_system_that_turns_classified_takes_its_verdicts_and_findings_along(
    city: SandboxServer, engine: Engine, store: LandingStore, tmp_path: Path
) -> None:
    sync(engine, store, "exchange_systems")
    with engine.connect() as connection:
        one = connection.execute(select(system).order_by(system.c.record_key)).first()
    assert one is not None
    judge(engine, one.system_code, f"系统“{one.name}”提示")
    judge(engine, f"{one.system_code}9", "另一个系统")
    judge(engine, "2611-230500-04-04-000018", f'{{"systems": ["{one.system_code}"]}}', "project")
    words = [one.name, f'"{one.system_code}"']
    assert len({name for _, _, name in traces(words, dump(engine))}) >= 3
    assert expunge(engine, store, load_card("exchange_systems"), {one.system_code}) == 1
    assert traces(words, left(engine, tmp_path)) == []
    with engine.connect() as connection:
        for table in (verdict, finding):
            assert connection.execute(select(table.c.subject)).scalars().all() == [f"{one.system_code}9"]
        assert connection.execute(select(finding_event.c.finding_id)).scalars().all() == [f"F-{one.system_code}9"]


@MOSTLY_SQLITE
def test_a_service_that_turns_classified_takes_its_probes_along(
    city: SandboxServer, engine: Engine, store: LandingStore, tmp_path: Path
) -> None:
    sync(engine, store, "exchange_services")
    with engine.connect() as connection:
        gone, kept = connection.execute(select(exchange_service.c.service_code).limit(2)).scalars().all()
    moment = datetime.now(SHANGHAI)
    results = tuple(ProbeResult(code, Outcome.SUCCEEDED, 200, 1, 1, 2, None, None, moment) for code in (gone, kept))
    merge_sweep(engine, store, Sweep("s1", moment, moment, results, False, 0, ()), load_policy(), moment)
    before = set(store.pages(SOURCE))
    assert traces(
        [gone], {name: c for name, c in left(engine, tmp_path).items() if name in ("probe_day", "probe_state")}
    )
    assert expunge(engine, store, load_card("exchange_services"), {gone}) == 1
    assert traces([gone], left(engine, tmp_path)) == []
    after = store.pages(SOURCE)
    assert before.isdisjoint(after)
    with engine.connect() as connection:
        assert connection.execute(select(probe_day.c.service_code)).scalars().all() == [kept]
        assert connection.execute(select(probe_state.c.service_code)).scalars().all() == [kept]
        assert json.loads(connection.execute(select(probe_sweep.c.causes)).scalar_one())["page"] == after[0]


def test_statistics_are_renewed_for_every_entity(engine: Engine) -> None:
    with writing(engine, "x") as connection:
        for entity in ENTITIES:
            renew_statistics(connection, entity, 100_000)
    assert count(engine, cloud_usage_day) == 0
