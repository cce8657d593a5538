"""Sweeps written by hand, and services, for the tests of what becomes of probes in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Engine, Table, select

from include.clock import SHANGHAI
from include.ledger.tables import probe_day, probe_state, probe_sweep
from include.sources.probing.result import Cause, Outcome, ProbeResult, Sweep
from tests.rules.evidence import Evidence

_BATCHES = count(1)
NOON = datetime(2026, 11, 20, 12, tzinfo=SHANGHAI)
TABLES = (probe_sweep, probe_day, probe_state)


def result(code: str, outcome: Outcome = Outcome.SUCCEEDED, **changed: Any) -> ProbeResult:
    """Return a result of a service; a success took 20.4 ms."""
    took = 20.4 if outcome is Outcome.SUCCEEDED else None
    values: dict[str, Any] = {
        "status": None, "connect_ms": None, "first_byte_ms": None, "total_ms": took, "certificate_expires_on": None,
        "detail": None if took else "未成功", "started_at": NOON,
    }  # fmt: skip
    return ProbeResult(code, outcome, **(values | changed))


def swept(
    sweep_id: str, results: Sequence[ProbeResult], causes: Sequence[Cause] = (), *, is_cut_off: bool = False
) -> Sweep:
    """Return a sweep that found these results."""
    return Sweep(sweep_id, NOON, NOON + timedelta(seconds=9), tuple(results), is_cut_off, 3, tuple(causes))


def rows(engine: Engine, table: Table) -> list[dict[str, Any]]:
    """Return all rows of a table in the order of its key."""
    with engine.connect() as connection:
        query = select(table).order_by(*table.primary_key.columns)
        return [dict(row) for row in connection.execute(query).mappings()]


def everything(engine: Engine) -> list[list[dict[str, Any]]]:
    """Return all that probes have left in the ledger."""
    return [rows(engine, table) for table in TABLES]


def list_services(engine: Engine, urls: dict[str, str], **changed: Any) -> None:
    """List published interfaces with these addresses, each of a system named as the service with `sys-` before it."""
    evidence = Evidence(engine)
    with evidence.together():
        batch = evidence.batch("exchange_services", "exchange_service", NOON + timedelta(seconds=next(_BATCHES)))
        evidence.put(
            "exchange_service", batch,
            [{"service_code": code, "name": code, "system_code": f"sys-{code}", "kind": "api", "state": "published",
              "endpoint": url} | changed for code, url in urls.items()],
        )  # fmt: skip
