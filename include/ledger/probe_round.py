"""One round of probing: the endpoints of a shard, a sweep over them, its evidence landed, its results merged."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Engine

from include.clock import now
from include.landing.store import LandingStore
from include.ledger.batch_merge import Progress
from include.ledger.probe_merge import merge_sweep, read_counts
from include.ledger.probe_targets import read_targets
from include.sources.probing.connection import widened
from include.sources.probing.policy import load_policy
from include.sources.probing.sweep import sweep


def _quiet(step: str, done: int, total: int | None) -> None:
    """Show nothing."""


def probe_round(
    engine: Engine, store: LandingStore, sweep_id: str, shard: int, of: int, progress: Progress = _quiet
) -> dict[str, Any]:
    """Probe one shard and record it; return counts, outcomes and causes as plain values.

    A sweep that is in the ledger already (a task tried again after its merge) is not run again. Raises `CardError` for a
    policy that is wrong, `ConfigurationError` for such a connection `probing`.
    """
    with engine.connect() as connection:
        known = read_counts(connection, sweep_id)
    if known:
        return asdict(known)
    policy = widened(load_policy())
    targets = read_targets(engine, shard, of, now())
    progress("探测接口", 0, len(targets))
    found = sweep(targets, policy, sweep_id)
    progress("探测接口", len(found.results), len(targets))
    return asdict(merge_sweep(engine, store, found, policy, now()))
