"""The ledger at a frontier is what it was then: rows, fields, tombstones, observed days and sums."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text

from include.errors import Permanent
from include.ledger.as_known import AsKnown, frontier
from include.ledger.call_sums import CallSums
from include.ledger.day_sums import DaySums, Host, Span
from include.ledger.snapshot import snapshot
from include.ledger.tables import evaluation
from tests.rules.evidence import DAY, Evidence, at, days_before


@pytest.fixture
def evidence(engine: Engine) -> Evidence:
    return Evidence(engine)


def _known(engine: Engine, entity: str, known: dict[str, str] | None) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        rows = AsKnown(connection, known).rows(entity)
        return [dict(r) for r in connection.execute(select(rows).order_by(rows.c.record_key)).mappings()]


def _frontier(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return frontier(connection)


def test_what_later_batches_created_changed_and_tombstoned_is_set_back(engine: Engine, evidence: Evidence) -> None:
    first = evidence.batch("register", "system", at(DAY))
    evidence.put(
        "system", first,
        [
            {"system_code": "A", "name": "甲系统", "deployment": "own_room", "registered_users": 5,
             "went_live_on": date(2024, 2, 29), "updated_at": at(DAY, 1)},
            {"system_code": "B", "name": "乙系统", "tombstoned_at": None},
        ],
    )  # fmt: skip
    then, was = _frontier(engine), evidence.read("system")
    second = evidence.batch("register", "system", at(DAY, 7))
    new = {
        "deployment": "city_cloud",
        "registered_users": None,
        "went_live_on": date(2025, 1, 1),
        "updated_at": at(DAY, 5),
    }
    evidence.change("system", second, {"system_code": "A"}, at(DAY, 7), **new)
    evidence.change("system", second, {"system_code": "B"}, at(DAY, 7), tombstoned_at=at(DAY, 7))
    evidence.put("system", second, [{"system_code": "C", "name": "丙系统"}])
    middle, between = _frontier(engine), evidence.read("system")
    third = evidence.batch("register", "system", at(DAY, 8))
    evidence.change(
        "system", third, {"system_code": "A"}, at(DAY, 8), deployment="mixed", name="甲二", registered_users=0
    )
    evidence.change("system", third, {"system_code": "B"}, at(DAY, 8), tombstoned_at=None)

    assert _known(engine, "system", then) == was
    assert _known(engine, "system", middle) == between
    assert _known(engine, "system", None) == _known(engine, "system", _frontier(engine)) == evidence.read("system")
    assert _known(engine, "system", {}) == []


def test_money_and_flags_come_back_in_their_own_type(engine: Engine, evidence: Evidence) -> None:
    first = evidence.batch("platform", "project", at(DAY))
    row = {"project_code": "X", "name": "项目", "total_investment_yuan": Decimal("12.30"), "is_void": False,
           "code_form": "gb40058", "code_check": "ok"}  # fmt: skip
    evidence.put("project", first, [row])
    then, was = _frontier(engine), evidence.read("project")
    second = evidence.batch("platform", "project", at(DAY, 7))
    new = {"total_investment_yuan": Decimal("99.00"), "is_void": True, "start_year": 2027}
    evidence.change("project", second, {"project_code": "X"}, at(DAY, 7), **new)
    assert _known(engine, "project", then) == was
    assert was[0]["is_void"] is False
    assert was[0]["total_investment_yuan"] == Decimal("12.30")


def test_a_frontier_of_one_source_leaves_the_others_where_they_are_named(engine: Engine, evidence: Evidence) -> None:
    one, two = (evidence.batch(s, "system", at(DAY)) for s in ("one", "two"))
    for batch_id in (one, two):
        evidence.put("system", batch_id, [{"system_code": "A", "name": batch_id}])
    later = evidence.batch("two", "system", at(DAY, 9))
    evidence.change("system", later, {"system_code": "A"}, at(DAY, 9), name="later")
    assert [r["name"] for r in _known(engine, "system", {"one": one, "two": two})] == [one, two]
    assert [r["name"] for r in _known(engine, "system", {"two": later})] == ["later"]


def test_a_frontier_whose_batches_are_gone_is_refused(engine: Engine, evidence: Evidence) -> None:
    evidence.batch("one", "system", at(DAY))
    with pytest.raises(Permanent, match="no longer in the ledger"):
        _known(engine, "system", {"one": "one-20200101T000000-0"})


def test_the_frontier_of_a_past_moment_ends_there(engine: Engine, evidence: Evidence) -> None:
    first = evidence.batch("one", "system", at(DAY))
    evidence.batch("one", "system", at(DAY, 9))
    evidence.batch("two", "system", at(DAY, 9))
    with engine.connect() as connection:
        assert frontier(connection, at(DAY, 8)) == {"one": first}
        assert frontier(connection, at(DAY, 5)) == {}


def test_a_day_once_read_whole_stays_trusted_but_not_before_it_was(engine: Engine, evidence: Evidence) -> None:
    day = DAY - timedelta(days=1)
    bad = evidence.batch("calls", "exchange_call_day", at(DAY, 1), complete=False)
    evidence.observed(bad, [day], trusted=False)
    good = evidence.batch("calls", "exchange_call_day", at(DAY, 2))
    evidence.observed(good, [day])
    worse = evidence.batch("calls", "exchange_call_day", at(DAY, 3), complete=False)
    evidence.observed(worse, [day], trusted=False)
    found = {}
    for known in (bad, good, worse):
        with engine.connect() as connection:
            days = AsKnown(connection, {"calls": known}).observed_days()
            found[known] = connection.execute(select(days.c.is_trusted, days.c.batch_id)).all()
    assert found == {bad: [(False, bad)], good: [(True, good)], worse: [(True, good)]}


def _calls(day: date, service: str, caller: str, calls: int, failures: int = 0, **more: Any) -> dict[str, Any]:
    return {"day": day, "service_code": service, "caller_code": caller, "calls": calls, "failures": failures} | more


def test_calls_are_added_up_by_who_received_and_who_made_them(engine: Engine, evidence: Evidence) -> None:
    days = days_before(DAY, 4)  # Monday to Thursday
    batch_id = evidence.batch("calls", "exchange_call_day", at(DAY))
    evidence.observed(batch_id, days[:3])
    evidence.put("exchange_call_day", batch_id, [
        _calls(days[0], "s1", "B", 10, 4), _calls(days[1], "s1", "B", 3, 3), _calls(days[1], "s2", "C", 2),
        _calls(days[2], "s1", "A", 7), _calls(days[2], "s1", "prober", 100), _calls(days[2], "s1", "P", 50, is_probe=True),
        _calls(days[3], "s1", "B", 5), _calls(days[0] - timedelta(days=1), "s1", "B", 1000),
    ])  # fmt: skip
    with engine.connect() as connection:
        sums = DaySums(AsKnown(connection), [("s1", "A"), ("s2", "A")], [])
        calls = CallSums(sums, ["prober"])
        span = Span.before(DAY, 4)
        trusted = sums.trusted_days("exchange_call_day", span)
        assert trusted == days[:3]
        received = calls.calls_received(span, trusted)
        assert dict(received["A"]) == {
            "system_code": "A", "calls": 20, "successes": 13, "probe_calls": 150, "last_success_on": days[3],
            "last_failure_on": days[1], "flat_days": 2, "flat_sum": 15, "flat_squares": 125, "flat_weekend": 0,
        }  # fmt: skip
        assert set(received) == {"A"}
        made = calls.calls_made(span)
        assert set(made) == {"B", "C"}
        assert list(made["B"].values()) == ["B", 18, 11, days[3], days[1]]
        assert calls.last_successes(span) == {"A": days[3], "B": days[3], "C": days[1]}


def test_the_sums_of_a_past_frontier_take_back_a_correction(engine: Engine, evidence: Evidence) -> None:
    day = DAY - timedelta(days=1)
    first = evidence.batch("calls", "exchange_call_day", at(DAY))
    evidence.observed(first, [day])
    evidence.put("exchange_call_day", first, [_calls(day, "s1", "B", 10)])
    then = _frontier(engine)
    second = evidence.batch("calls", "exchange_call_day", at(DAY, 7))
    evidence.observed(second, [day])
    key = {"day": day, "service_code": "s1", "caller_code": "B"}
    evidence.change("exchange_call_day", second, key, at(DAY, 7), calls=30, failures=30)
    evidence.put("exchange_call_day", second, [_calls(day, "s1", "C", 1, 1)])
    found = []
    for known in (then, None):
        with engine.connect() as connection:
            sums = DaySums(AsKnown(connection, known), [("s1", "A")], [])
            received = CallSums(sums).calls_received(Span.before(DAY, 5), [day])["A"]
            found.append((received["calls"], received["successes"], received["flat_sum"]))
    assert found == [(10, 10, 10), (31, 0, 31)]


def test_enormous_counts_are_cut_not_overflown(engine: Engine, evidence: Evidence) -> None:
    days = days_before(DAY, 30)
    batch_id = evidence.batch("calls", "exchange_call_day", at(DAY))
    evidence.put("exchange_call_day", batch_id, [_calls(d, "s1", c, 2**31 - 1) for d in days for c in "BC"])
    with engine.connect() as connection:
        received = CallSums(DaySums(AsKnown(connection), [("s1", "A")], [])).calls_received(Span.before(DAY, 30), days)[
            "A"
        ]
    assert received["calls"] == 60 * (2**31 - 1)
    assert received["flat_squares"] == 30 * 10**16


def _usage(day: date, resource: str, mean: int | None, top: int | None, memory: int | None = None) -> dict[str, Any]:
    return {"day": day, "resource_code": resource, "cpu_mean_bp": mean, "cpu_max_bp": top, "memory_max_bp": memory}


def test_the_load_of_a_system_is_that_of_all_its_hosts_on_whole_days(engine: Engine, evidence: Evidence) -> None:
    days = days_before(DAY, 5)
    batch_id = evidence.batch("metrics", "cloud_usage_day", at(DAY))
    evidence.observed(batch_id, days[:4])
    evidence.put("cloud_usage_day", batch_id, [
        _usage(days[0], "h1", 100, 1000, 4000), _usage(days[0], "h2", 401, 3000, 3000),
        _usage(days[1], "h1", 0, 0, 0), _usage(days[1], "h2", 0, 0, 0),  # zero is a value
        _usage(days[2], "h1", 9000, 9999, 9999),  # the other host is missing
        _usage(days[3], "h1", 9000, 9999, 9999), _usage(days[3], "h2", None, None, None),
        _usage(days[4], "h1", 9000, 9999, 9999), _usage(days[4], "h2", 9000, 9999, 9999),  # nobody believes that day
    ])  # fmt: skip
    hosts = [
        Host("h1", "A", 1, None),
        Host("h2", "A", 3, None),
        Host("silent", "A", 8, None),
        Host("none", "B", 1, None),
    ]
    with engine.connect() as connection:
        load = DaySums(AsKnown(connection), [], hosts).load(Span.before(DAY, 5))
    assert set(load) == {"A"}
    assert dict(load["A"]) == {
        "system_code": "A", "observed": 2, "cpu_mean_sum": (100 + 3 * 401) // 4, "cpu_max_sum": 3000, "memory_max_bp": 4000,
        "seen_until": days[1],
    }  # fmt: skip


def test_a_host_opened_within_the_window_is_waited_for_from_then_on(engine: Engine, evidence: Evidence) -> None:
    days = days_before(DAY, 4)
    batch_id = evidence.batch("metrics", "cloud_usage_day", at(DAY))
    evidence.observed(batch_id, days)
    evidence.put(
        "cloud_usage_day", batch_id, [_usage(d, "old", 100, 100) for d in days] + [_usage(days[3], "new", 300, 300)]
    )
    found = {}
    for opened in (None, days[3], days[2]):
        hosts = [Host("old", "A", 1, date(2020, 1, 1)), Host("new", "A", 1, opened)]
        with engine.connect() as connection:
            row = DaySums(AsKnown(connection), [], hosts).load(Span.before(DAY, 4))["A"]
            found[opened] = (row["observed"], row["cpu_mean_sum"])
    assert found == {None: (1, 200), days[3]: (4, 500), days[2]: (3, 400)}


def test_use_counts_logins_of_every_day_and_believes_zeros_of_trusted_ones(engine: Engine, evidence: Evidence) -> None:
    days = days_before(DAY, 5)
    batch_id = evidence.batch("usage", "system_usage_day", at(DAY))
    evidence.observed(batch_id, days[:3])
    logins = [3, 0, None, 4, 0]
    evidence.put("system_usage_day", batch_id, [
        {"day": d, "system_code": "A", "logins": n, "active_users": n, "registered_users": 40}
        for d, n in zip(days, logins, strict=True)
    ])  # fmt: skip
    with engine.connect() as connection:
        use = DaySums(AsKnown(connection), [], []).use(Span.before(DAY, 5))
    assert dict(use[("usage", "A")]) == {
        "source": "usage", "system_code": "A", "observed": 2, "logins": 7, "login_days": 2, "active_users": 4,
        "registered_users": 40, "seen_until": days[1],
    }  # fmt: skip


def test_probes_age_by_the_days_that_concluded_something(engine: Engine, evidence: Evidence) -> None:
    days = days_before(DAY, 8)
    evidence.probed("s1", days[0], successes=24)  # before the window of four days
    evidence.probed("s1", days[3], failures=24)
    evidence.probed("s1", days[5], inconclusive=24)
    evidence.probed("s1", days[7], failures=20, inconclusive=4)
    evidence.probed("s2", days[6], failures=1)
    evidence.probed("other", days[6], failures=1)
    with engine.connect() as connection:
        sums = DaySums(AsKnown(connection), [("s1", "A"), ("s2", "A")], [])
        calls = CallSums(sums)
        probes, aged = calls.probes(Span.before(DAY, 4)), calls.aged(Span.before(DAY, 8))
        never = calls.aged(Span.before(DAY, 7))["A"]
    assert set(probes) == set(aged) == {"A"}
    assert probes["A"] == {
        "system_code": "A", "probes": 49, "successes": 0, "failures": 21, "inconclusive": 28, "observed": 2
    }  # fmt: skip
    assert aged["A"] == {
        "system_code": "A", "last_success_on": days[0], "days_since_success": 3, "seen_until": days[7], "newest_successes": 0,
    }  # fmt: skip
    assert (never["last_success_on"], never["days_since_success"]) == (None, 3), (
        "none succeeded: all days that were observed"
    )


def test_nothing_temporary_stays_behind(engine: Engine) -> None:
    with engine.begin() as connection:
        DaySums(AsKnown(connection), [("s", "A")], [])
        DaySums(AsKnown(connection), [("s", "A")], [])
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            left = "SELECT count(*) FROM pg_class WHERE relname IN ('service_owner', 'trusted_day')"
            assert connection.execute(text(left)).scalar() == 0


def test_a_snapshot_sees_no_merge_that_ends_meanwhile(engine: Engine, evidence: Evidence) -> None:
    if engine.dialect.name == "sqlite":
        return  # there is one writer, and the merge waits
    evidence.batch("one", "system", at(DAY))
    with snapshot(engine, "judging x") as connection:
        before = frontier(connection)
        evidence.batch("one", "system", at(DAY, 9))
        assert frontier(connection) == before
    assert _frontier(engine) != before


def test_a_snapshot_of_the_same_name_waits_and_then_sees_what_the_first_wrote(engine: Engine) -> None:
    counted: list[int] = []

    def judge() -> None:
        with snapshot(engine, "judging x") as connection:
            counted.append(connection.execute(select(func.count()).select_from(evaluation)).scalar_one())
            row = {"known": "", "rules_version": "", "digest": "", "verdicts": 0, "outcomes": "", "rates": ""}
            connection.execute(
                evaluation.insert().values(scope="x", day=DAY, revision=counted[-1], evaluated_at=at(DAY), **row)
            )

    threads = [threading.Thread(target=judge) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counted) == [0, 1, 2, 3, 4]
