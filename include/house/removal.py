"""What is to go and the proof of what went: a list of hashes with reasons in the landing zone, written before anything is removed.

Killed in between, the proof names what is still there; the next run removes it and names it once more. Nothing goes unproven.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Engine

from include.house.retention import Retention
from include.landing.store import LandingStore


@dataclass(frozen=True, slots=True)
class House:
    """What a cleaning works on, and the moment by which it counts days."""

    engine: Engine
    store: LandingStore
    retention: Retention
    at: datetime
    spool_url: str
    datasets_url: str

    @property
    def today(self) -> date:
        """Return the day by which ages are counted."""
        return self.at.date()


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing that may go: `name` finds it, `hash` is what the proof says of it; `size` in bytes or, of rows, their number."""

    name: tuple[str, ...]
    hash: str
    reason: str
    source: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What of a kind may go, and how much of what is old enough stays, by why it does."""

    kind: str
    things: Sequence[Thing] = ()
    stays: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Removed:
    """What a run came to for one kind: `is_applied` false is a dry run, in which nothing was touched."""

    kind: str
    things: int
    size: int
    reasons: Mapping[str, int]
    stays: Mapping[str, int]
    is_applied: bool


Planner = Callable[[House], Plan]
Remover = Callable[[House, Sequence[Thing]], None]


def carry_out(house: House, plan: Plan, remove: Remover, *, apply: bool) -> Removed:
    """Prove and remove what a plan names, or only count it."""
    if apply and plan.things:
        _prove(house, plan)
        remove(house, plan.things)
    reasons: dict[str, int] = {}
    for thing in plan.things:
        reasons[thing.reason] = reasons.get(thing.reason, 0) + 1
    size = sum(thing.size for thing in plan.things)
    return Removed(plan.kind, len(plan.things), size, reasons, dict(plan.stays), apply)


def _prove(house: House, plan: Plan) -> None:
    """Add the things to the day's proof; what stands there already is not written twice."""
    day = house.today.isoformat()
    known = house.store.get_proof(day)
    said = set(known)
    lines = [
        orjson.dumps(
            {"kind": plan.kind, "source": t.source, "hash": t.hash, "reason": t.reason, "size": t.size, "removed_on": day},
            option=orjson.OPT_SORT_KEYS,
        )
        for t in plan.things
    ]  # fmt: skip
    new = [line for line in dict.fromkeys(lines) if line not in said]
    if new:
        house.store.put_proof(day, [*known, *new])


def hash_of_rows(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the hash of rows of the ledger in their order: whoever has them elsewhere can tell that they are those."""
    lines = (orjson.dumps({str(k): v for k, v in row.items()}, option=orjson.OPT_SORT_KEYS) for row in rows)
    return hashlib.sha256(b"\n".join(lines)).hexdigest()
