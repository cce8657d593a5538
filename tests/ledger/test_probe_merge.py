"""A sweep enters the ledger once, whole or not at all, and only what was concluded moves a state."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from include.clock import SHANGHAI
from include.landing.store import LandingStore
from include.ledger.alert_tables import expunged
from include.ledger.probe_merge import ProbeCounts, merge_sweep
from include.ledger.tables import probe_day, probe_state, probe_sweep
from include.sources.probing.policy import ProbePolicy, load_policy
from include.sources.probing.result import Cause, Outcome, ProbeResult
from tests.depth import MOSTLY_SQLITE
from tests.findings.killed import killed_before
from tests.ledger.probing import NOON, everything, list_services, result, rows, swept

GOOD, BAD, UNREACHED = Outcome.SUCCEEDED, Outcome.REFUSED, Outcome.OUT_OF_TIME


@pytest.fixture
def policy() -> ProbePolicy:
    return replace(load_policy(), confirm_after=3, clear_after=2)


class Merging:
    """Merges sweeps one after the other, an hour apart."""

    def __init__(self, engine: Engine, store: LandingStore, policy: ProbePolicy) -> None:
        self.engine, self.store, self.policy = engine, store, policy
        self.count = 0

    def __call__(self, *results: ProbeResult, at: datetime = NOON, **more: Any) -> ProbeCounts:
        self.count += 1
        return merge_sweep(self.engine, self.store, swept(f"run/{self.count}", results, **more), self.policy, at)

    def states(self) -> dict[str, tuple[str, int, int]]:
        return {
            r["service_code"]: (r["state"], r["failures_in_a_row"], r["successes_in_a_row"])
            for r in rows(self.engine, probe_state)
        }


@pytest.fixture
def merge(engine: Engine, store: LandingStore, policy: ProbePolicy) -> Merging:
    return Merging(engine, store, policy)


def test_the_day_sums_what_its_sweeps_found(merge: Merging, engine: Engine) -> None:
    expiry = date(2027, 2, 1)
    counts = merge(result("a", certificate_expires_on=expiry), result("b", BAD), result("c", UNREACHED))
    assert (counts.endpoints, counts.succeeded, counts.failed, counts.inconclusive) == (3, 1, 1, 1)
    assert counts.outcomes == {"out_of_time": 1, "refused": 1, "succeeded": 1}
    later = NOON + timedelta(hours=1)
    merge(result("a", total_ms=80.0, started_at=later), result("b", GOOD, started_at=later), result("c", BAD))
    a, b, c = rows(engine, probe_day)
    assert a == {
        "service_code": "a", "day": NOON.date(), "probes": 2, "successes": 2, "failures": 0, "inconclusive": 0,
        "total_ms_sum": 100, "total_ms_max": 80, "last_success_at": later, "last_failure_at": None,
        "last_outcome": "succeeded", "last_detail": None, "certificate_expires_on": expiry,
    }  # fmt: skip
    assert (b["successes"], b["failures"], b["last_success_at"], b["last_failure_at"]) == (1, 1, later, NOON)
    assert (b["last_outcome"], b["total_ms_sum"]) == ("succeeded", 20)
    assert (c["probes"], c["failures"], c["inconclusive"], c["last_detail"]) == (2, 1, 1, "未成功")


def test_probes_count_for_the_shanghai_day_of_the_merge(merge: Merging, engine: Engine) -> None:
    midnight = datetime(2026, 11, 21, tzinfo=SHANGHAI)
    merge(result("a"), at=midnight - timedelta(seconds=1))
    merge(result("a"), at=midnight)
    assert [(r["day"].day, r["probes"]) for r in rows(engine, probe_day)] == [(20, 1), (21, 1)]


def test_a_state_turns_only_after_enough_in_a_row(merge: Merging, engine: Engine) -> None:
    seen = []
    for outcome in (GOOD, GOOD, BAD, BAD, GOOD, BAD, BAD, UNREACHED, BAD, GOOD, GOOD):
        merge(result("a", outcome), at=NOON + timedelta(minutes=merge.count))
        seen.append(merge.states()["a"][0])
    assert seen == ["unknown", "up", "up", "up", "up", "up", "up", "up", "down", "down", "up"]
    (row,) = rows(engine, probe_state)
    assert (row["since_at"], row["sweep_id"]) == (NOON + timedelta(minutes=10), "run/11")


@MOSTLY_SQLITE
def test_one_failure_or_success_confirms_nothing(merge: Merging) -> None:
    merge(result("a", BAD), result("b", GOOD), result("c", UNREACHED))
    assert merge.states() == {"a": ("unknown", 1, 0), "b": ("unknown", 0, 1)}


@MOSTLY_SQLITE
@pytest.mark.parametrize("outcome", [o for o in Outcome if o.is_inconclusive])
def test_what_concludes_nothing_moves_no_state(merge: Merging, engine: Engine, outcome: Outcome) -> None:
    counts = merge(result("a", outcome))
    assert (counts.inconclusive, counts.failed, counts.succeeded) == (1, 0, 0)
    assert rows(engine, probe_state) == []
    (row,) = rows(engine, probe_day)
    assert (row["inconclusive"], row["failures"], row["last_outcome"]) == (1, 0, str(outcome))


def test_a_common_cause_is_one_cause_and_no_failure(merge: Merging, engine: Engine) -> None:
    services = tuple(f"s{n}" for n in range(5))
    cause = Cause("gateway.example", BAD, 6, services)
    found = [*(result(code, BAD) for code in services), result("s9", Outcome.WRONG_STATUS), result("alone", BAD)]
    for _ in range(3):
        counts = merge(*found, causes=[cause])
    assert (counts.failed, counts.inconclusive) == (2, 5)
    assert counts.causes == [{"host": "gateway.example", "outcome": "refused", "endpoints": 6, "failed": 5}]
    assert json.loads(rows(engine, probe_sweep)[0]["causes"])["causes"] == counts.causes
    assert set(merge.states()) == {"s9", "alone"}
    assert {r["service_code"] for r in rows(engine, probe_day) if r["failures"]} == {"s9", "alone"}


@MOSTLY_SQLITE
def test_a_network_that_is_cut_off_leaves_its_sweep_and_nothing_else(merge: Merging, engine: Engine) -> None:
    counts = merge(*(result(f"s{n}", Outcome.TIMED_OUT) for n in range(9)), is_cut_off=True)
    assert (counts.is_cut_off, counts.failed, counts.inconclusive) == (True, 0, 9)
    (row,) = rows(engine, probe_sweep)
    assert (row["is_cut_off"], row["failed"]) == (True, 0)
    assert (rows(engine, probe_day), rows(engine, probe_state)) == ([], [])


def test_a_sweep_merged_twice_writes_once(
    engine: Engine, store: LandingStore, policy: ProbePolicy, merge: Merging
) -> None:
    first = merge(result("a"), result("b", BAD))
    before = everything(engine)
    other = swept("run/1", [result("a", BAD), result("c")])
    again = merge_sweep(engine, store, other, policy, NOON + timedelta(days=1))
    assert again == replace(first, was_merged=True)
    assert everything(engine) == before


@MOSTLY_SQLITE
def test_the_raw_results_are_landed_and_the_sweep_names_them(
    merge: Merging, engine: Engine, store: LandingStore
) -> None:
    merge(result("a", tls_ms=1.5, certificate_expires_on=date(2027, 2, 1)), result("b", BAD))
    page = json.loads(rows(engine, probe_sweep)[0]["causes"])["page"]
    a, b = (json.loads(line) for line in store.get_page("probe", page))
    assert (a["service_code"], a["total_ms"], a["tls_ms"], a["certificate_expires_on"]) == (
        "a",
        20.4,
        1.5,
        "2027-02-01",
    )
    assert (b["outcome"], b["started_at"], b["detail"]) == ("refused", "2026-11-20T12:00:00+08:00", "未成功")


@MOSTLY_SQLITE
def test_an_empty_sweep_is_recorded(merge: Merging, engine: Engine) -> None:
    assert merge().endpoints == 0
    assert len(rows(engine, probe_sweep)) == 1


def test_more_services_than_fit_into_one_statement(merge: Merging, engine: Engine) -> None:
    for _ in range(2):
        merge(*(result(f"s{n:04d}") for n in range(1203)))
    assert set(merge.states().values()) == {("up", 0, 2)}
    assert {r["probes"] for r in rows(engine, probe_day)} == {2}
    assert len(rows(engine, probe_day)) == 1203


@MOSTLY_SQLITE
def test_killed_in_mid_merge_nothing_is_left_and_the_next_try_merges_once(
    engine: Engine, ledger_url: str, store: LandingStore
) -> None:
    before = everything(engine)

    def work(ledger: Engine) -> None:
        results = [result(f"s{n}", Outcome.REFUSED if n % 3 else Outcome.SUCCEEDED) for n in range(900)]
        merge_sweep(ledger, store, swept("run/killed", results), load_policy(), NOON)

    for after in (3, 6, 7):
        assert killed_before(ledger_url, after, work), after
        assert everything(engine) == before == [[], [], []]  # the kills fell into the transaction, not behind it
    assert not killed_before(ledger_url, 10**6, work)
    sweeps, days, states = everything(engine)
    assert (len(sweeps), len(days), len(states)) == (1, 900, 900)
    assert not killed_before(ledger_url, 10**6, work)
    assert everything(engine) == [sweeps, days, states]


def test_a_service_that_turned_classified_while_it_was_probed_is_left_out(
    merge: Merging, engine: Engine, store: LandingStore
) -> None:
    list_services(engine, {"stays": "http://10.0.0.9/stays"})
    with engine.begin() as connection:
        connection.execute(expunged.insert().values(expunged_at=NOON, source="exchange_services", records=1))
    counts = merge(result("stays"), result("secret"))
    assert (counts.endpoints, counts.succeeded) == (1, 1)
    assert [row["service_code"] for row in rows(engine, probe_day)] == ["stays"]
    assert set(merge.states()) == {"stays"}
    pages = b"".join(line for name in store.pages("probe") for line in store.get_page("probe", name))
    assert b"stays" in pages and b"secret" not in pages
