"""The windows of the daily series on a ledger of a few rows, and flat traffic with and without weekends."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from include.ledger.as_known import AsKnown
from include.rules.facts import Calls
from include.rules.parameters import ParameterBook
from include.rules.register_facts import Registers
from include.rules.verdict import Fact
from include.rules.window_facts import WindowFacts
from tests.rules.evidence import DAY, Evidence, at, days_before
from tests.rules.test_facts_of_day import _flatness as is_flat


def test_flat_traffic_was_seen_on_weekends_and_on_working_days() -> None:
    days = days_before(DAY, 60)
    ends, rest = [d for d in days if d.weekday() >= 5], [d for d in days if d.weekday() < 5]
    flat = {name: is_flat(dict.fromkeys(days, 100), days) for name, days in (("ends", ends), ("rest", rest))}
    assert flat == {"ends": False, "rest": False}
    assert is_flat(dict.fromkeys([*rest, ends[0]], 100), [*rest, ends[0]])
    slightly = {d: 949_999 if n % 2 else 1_050_001 for n, d in enumerate(days)}
    assert not is_flat(slightly, days), "a hair more than five percent"


def test_the_calls_of_a_window_and_what_lies_before_it(engine: Engine) -> None:
    ledger = Evidence(engine)
    days = days_before(DAY, 6)
    register = ledger.batch("register", "system", at(DAY, 2))
    ledger.put("system", register, [{"system_code": c, "name": c} for c in ("older", "early", "late", "silent")])
    services = ledger.batch("services", "exchange_service", at(DAY, 2))
    ledger.put(
        "exchange_service", services, [{"service_code": c, "system_code": c} for c in ("older", "early", "late")]
    )
    calls = ledger.batch("calls", "exchange_call_day", at(DAY, 2))
    ledger.observed(calls, [*days[:4], *days[5:]])
    later = ledger.batch("calls", "exchange_call_day", at(DAY, 3))
    ledger.observed(later, [DAY, DAY + timedelta(days=1)])
    rows = [("older", 0, 3), ("early", 2, 3), ("late", 4, 3), ("late", 3, 5)]
    ledger.put("exchange_call_day", calls, [
        {"day": days[n], "service_code": c, "caller_code": "x", "calls": count, "failures": 0} for c, n, count in rows
    ])  # fmt: skip
    ledger.probed("early", days[0], successes=1)
    ledger.probed("early", days[5], failures=1)
    by_role = _windows(engine)
    found, probes = by_role["connection_calls"], by_role["connection_probes"]
    seen = {system: fact.value for system, fact in found.items()}
    assert seen["older"] == Calls(3, 2, 0, 0, 0, 0, days[0], 4, None, is_flat=False), (
        "the first day that is looked back to"
    )
    assert seen["early"] == Calls(3, 2, 0, 0, 0, 0, days[2], 2, None, is_flat=False), "the day before the window"
    assert seen["late"] == Calls(3, 2, 8, 8, 0, 0, days[4], 1, None, is_flat=False)
    assert seen["silent"] == Calls(3, 2, 0, 0, 0, 0, None, None, None, is_flat=False)
    assert (found["silent"].seen_until, found["silent"].evidence) == (days[5], (calls,))
    assert (probes["early"].value.last_success_on, probes["early"].value.failures) == (days[0], 1)


def test_calls_in_a_log_that_cannot_be_trusted_yet_are_calls_all_the_same(engine: Engine) -> None:
    ledger = Evidence(engine)
    register = ledger.batch("register", "system", at(DAY, 2))
    ledger.put("system", register, [{"system_code": "called", "name": "called"}])
    service = ledger.batch("services", "exchange_service", at(DAY, 2))
    ledger.put("exchange_service", service, [{"service_code": "s1", "system_code": "called"}])
    calls, day = ledger.batch("calls", "exchange_call_day", at(DAY, 2)), DAY - timedelta(days=1)
    ledger.observed(calls, [day], trusted=False)
    assert not _windows(engine)["connection_calls"], "nothing was seen"
    ledger.put("exchange_call_day", calls, [
        {"day": day, "service_code": "s1", "caller_code": "x", "calls": 3, "failures": 0}
    ])  # fmt: skip
    assert _windows(engine)["connection_calls"]["called"].value == Calls(3, 0, 3, 3, 0, 0, day, 0, None, is_flat=False)


def test_a_log_that_was_read_and_has_no_call_says_that_there_was_none(engine: Engine) -> None:
    ledger = Evidence(engine)
    ledger.put("system", ledger.batch("register", "system", at(DAY, 2)), [{"system_code": "silent", "name": "silent"}])
    ledger.observed(ledger.batch("calls", "exchange_call_day", at(DAY, 2)), [DAY - timedelta(days=1)])
    assert _windows(engine)["connection_calls"]["silent"].value == Calls(
        3, 1, 0, 0, 0, 0, None, None, None, is_flat=False
    )


def _windows(engine: Engine) -> dict[str, dict[str, Fact]]:
    """Return calls and probes of a window of three days."""
    with engine.connect() as connection:
        parameters = dict(ParameterBook.load().on(DAY)) | {"connected_window_days": 3}
        windows = WindowFacts(Registers(AsKnown(connection), DAY, 7, {}), DAY, parameters)
        return windows.of(["connection_calls", "connection_probes"])
