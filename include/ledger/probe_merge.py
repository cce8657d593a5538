"""Enters a sweep of probes into the ledger: one transaction, once for each sweep, and nothing from a network that was cut off.

Results that a common cause explains, that maintenance explains or that were never reached are counted as inconclusive: they
neither make a service down nor up. A service changes its state after so many conclusive probes in a row as the policy says.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from include.clock import SHANGHAI
from include.landing.store import LandingStore
from include.ledger.alert_tables import expunged
from include.ledger.database import writing
from include.ledger.tables import exchange_service, probe_day, probe_state, probe_sweep
from include.sources.probing.policy import ProbePolicy
from include.sources.probing.result import ProbeResult, Sweep

SOURCE = "probe"
UP, DOWN, UNKNOWN = "up", "down", "unknown"
_CHUNK = 500
_MARGIN = timedelta(days=1)
"""Before a sweep began its targets were read, and clocks of workers differ."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ProbeCounts:
    """What one sweep came to; `was_merged` when the ledger had it already and nothing was written."""

    sweep_id: str
    endpoints: int
    succeeded: int
    failed: int
    inconclusive: int
    is_cut_off: bool
    lag_ms: int
    outcomes: dict[str, int]
    causes: list[dict[str, Any]]
    was_merged: bool = False


def merge_sweep(engine: Engine, store: LandingStore, sweep: Sweep, policy: ProbePolicy, at: datetime) -> ProbeCounts:
    """Land the raw results and merge the sweep; a sweep that was merged before changes nothing.

    `at` is the moment of the merge, whose day in Shanghai the probes count for. Raises the database's error, in which case
    nothing of the sweep is in the ledger.
    """
    with writing(engine, SOURCE) as connection:
        known = read_counts(connection, sweep.sweep_id)
        if known:
            return known
        sweep = _without_expunged(connection, sweep)
        page = store.put_page(SOURCE, [_raw(result) for result in sweep.results])
        shared = {(cause.outcome, service) for cause in sweep.causes for service in cause.services}
        probes = [_Probe.of(result, shared) for result in sweep.results]
        counts = _count(sweep, probes)
        if not sweep.is_cut_off:
            _merge_days(connection, probes, at)
            _merge_states(connection, probes, policy, sweep.sweep_id, at)
        _record(connection, sweep, counts, page, at)
    return counts


def _without_expunged(connection: Connection, sweep: Sweep) -> Sweep:
    """Leave out services that turned classified while they were being probed; whoever expunges waits for this transaction."""
    lately = expunged.c.expunged_at >= sweep.started_at - _MARGIN
    if not connection.execute(select(expunged.c.source).where(lately).limit(1)).first():
        return sweep
    left = set(connection.execute(select(exchange_service.c.service_code)).scalars())
    return replace(sweep, results=tuple(result for result in sweep.results if result.service_code in left))


def read_counts(connection: Connection, sweep_id: str) -> ProbeCounts | None:
    """Return what a merged sweep came to, or None for one that was not merged."""
    row = connection.execute(select(probe_sweep).where(probe_sweep.c.sweep_id == sweep_id)).mappings().first()
    if row is None:
        return None
    same = ("sweep_id", "endpoints", "succeeded", "failed", "inconclusive", "is_cut_off", "lag_ms")
    return ProbeCounts(
        **{name: row[name] for name in same}, outcomes=json.loads(row["outcomes"]),
        causes=json.loads(row["causes"])["causes"], was_merged=True,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Probe:
    """One result and what it says of the service: it answers (True), it does not (False), nothing (None)."""

    result: ProbeResult
    verdict: bool | None

    @classmethod
    def of(cls, result: ProbeResult, shared: set[tuple[Any, str]]) -> _Probe:
        """Judge a result; one that a common cause explains says nothing of the service."""
        if result.outcome.is_inconclusive or (result.outcome, result.service_code) in shared:
            return cls(result, None)
        return cls(result, not result.outcome.is_failure)


def _count(sweep: Sweep, probes: Sequence[_Probe]) -> ProbeCounts:
    verdicts: Counter[bool | None] = Counter(None if sweep.is_cut_off else p.verdict for p in probes)
    causes = [
        {"host": c.host, "outcome": str(c.outcome), "endpoints": c.endpoints, "failed": len(c.services)}
        for c in sweep.causes
    ]
    return ProbeCounts(
        sweep.sweep_id, len(probes), verdicts[True], verdicts[False], verdicts[None], sweep.is_cut_off, sweep.lag_ms,
        dict(sorted(Counter(str(p.result.outcome) for p in probes).items())), causes,
    )  # fmt: skip


def _record(connection: Connection, sweep: Sweep, counts: ProbeCounts, page: str, at: datetime) -> None:
    row = asdict(counts)
    del row["was_merged"]
    row["outcomes"] = json.dumps(counts.outcomes, sort_keys=True)
    row["causes"] = json.dumps({"causes": counts.causes, "page": page}, ensure_ascii=False, sort_keys=True)
    times = {"started_at": sweep.started_at, "ended_at": sweep.ended_at, "merged_at": at}
    connection.execute(insert(probe_sweep), [row | times])


def _merge_days(connection: Connection, probes: Sequence[_Probe], at: datetime) -> None:
    """Add the probes to the sums of the day; response times are those of answers that were as expected."""
    day = at.astimezone(SHANGHAI).date()
    statement = _upsert(connection, probe_day)
    old, new = probe_day.c, statement.excluded
    added = ("probes", "successes", "failures", "inconclusive", "total_ms_sum")
    statement = statement.on_conflict_do_update(
        index_elements=["service_code", "day"],
        set_={name: old[name] + new[name] for name in added}
        | {name: func.coalesce(new[name], old[name]) for name in ("last_success_at", "last_failure_at")}
        | {name: new[name] for name in ("last_outcome", "last_detail")}
        | {
            "total_ms_max": _larger(connection, old.total_ms_max, new.total_ms_max),
            "certificate_expires_on": func.coalesce(new.certificate_expires_on, old.certificate_expires_on),
        },
    )
    for rows in _chunks({"day": day, **_day_row(probe)} for probe in probes):
        connection.execute(statement, rows)


def _day_row(probe: _Probe) -> Row:
    result, verdict = probe.result, probe.verdict
    taken = round(result.total_ms or 0) if verdict else 0
    return {
        "service_code": result.service_code, "probes": 1, "successes": int(verdict is True),
        "failures": int(verdict is False), "inconclusive": int(verdict is None), "total_ms_sum": taken,
        "total_ms_max": taken, "last_success_at": result.started_at if verdict is True else None,
        "last_failure_at": result.started_at if verdict is False else None, "last_outcome": str(result.outcome),
        "last_detail": result.detail, "certificate_expires_on": result.certificate_expires_on,
    }  # fmt: skip


def _merge_states(
    connection: Connection, probes: Sequence[_Probe], policy: ProbePolicy, sweep_id: str, at: datetime
) -> None:
    """Move the state of each service that was concluded on; the others stay untouched."""
    statement = _upsert(connection, probe_state)
    moved = [name for name in probe_state.c.keys() if name != "service_code"]  # noqa: SIM118 - a column collection
    statement = statement.on_conflict_do_update(
        index_elements=["service_code"], set_={name: statement.excluded[name] for name in moved}
    )
    for chunk in _chunks(p for p in probes if p.verdict is not None):
        codes = [p.result.service_code for p in chunk]
        known = {
            row["service_code"]: dict(row)
            for row in connection.execute(select(probe_state).where(probe_state.c.service_code.in_(codes))).mappings()
        }
        rows = [moved_state(known.get(p.result.service_code), p, policy, at) | {"sweep_id": sweep_id} for p in chunk]
        connection.execute(statement, rows)


def moved_state(known: Row | None, probe: _Probe, policy: ProbePolicy, at: datetime) -> Row:
    """Return the state of a service after one more conclusive probe; it turns once enough in a row say the same."""
    code = probe.result.service_code
    row = known or {"state": UNKNOWN, "since_at": at, "failures_in_a_row": 0, "successes_in_a_row": 0}
    failures = 0 if probe.verdict else row["failures_in_a_row"] + 1
    successes = row["successes_in_a_row"] + 1 if probe.verdict else 0
    state = row["state"]
    if failures >= policy.confirm_after:
        state = DOWN
    elif successes >= policy.clear_after:
        state = UP
    since = row["since_at"] if state == row["state"] else at
    return {
        "service_code": code, "state": state, "since_at": since, "failures_in_a_row": failures,
        "successes_in_a_row": successes,
    }  # fmt: skip


def _raw(result: ProbeResult) -> Row:
    """Return a result as it is landed: plain values, nothing left out."""
    row = asdict(result)
    row["started_at"] = result.started_at.isoformat()
    row["certificate_expires_on"] = result.certificate_expires_on and result.certificate_expires_on.isoformat()
    return row


def _upsert(connection: Connection, table: Table) -> Any:
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def _larger(connection: Connection, one: Any, other: Any) -> Any:
    return (func.greatest if connection.dialect.name == "postgresql" else func.max)(one, other)


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
