"""The sums of days as rows by their key: how those of some days and of later ones are put together, written and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import orjson

from include.ledger.day_sums import Sums

Rows = dict[Any, Sums]
Join = Callable[[Sums, Sums], Sums]
Signs = Mapping[str, str]
"""System → whose services and hosts its sums rest on."""

_NEWEST = {"memory_max_bp", "seen_until", "active_users", "registered_users", "last_success_on", "last_failure_on"}
"""Columns of which the largest value counts; those of the others are added."""

_NAMING = {"source", "system_code", "resource_code"}
_DAYS = {"seen_until", "last_success_on", "last_failure_on"}


def added(one: Sums, other: Sums) -> Sums:
    """Return the sums of the days of both."""
    return {
        name: value if name in _NAMING else _larger(value, other[name]) if name in _NEWEST else value + other[name]
        for name, value in one.items()
    }


def aged_later(one: Sums, other: Sums) -> Sums:
    """Return how probes have aged over days and those that follow them."""
    found = dict(one)
    if other["last_success_on"]:
        found |= {name: other[name] for name in ("last_success_on", "days_since_success")}
    else:
        found["days_since_success"] += other["days_since_success"]
    if other["seen_until"]:
        found |= {name: other[name] for name in ("seen_until", "newest_successes")}
    return found


def joined(some: Rows, others: Rows, join: Join) -> Rows:
    """Add the sums of later days to those of earlier ones."""
    for key, row in others.items():
        mine = some.get(key)
        some[key] = join(mine, row) if mine else row
    return some


def _larger(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return one if other is None else other
    return max(one, other)


def written(signs: Signs, rows: Rows) -> str:
    """Return sums as they are kept, with what they rest on."""
    names = list(next(iter(rows.values()), {}))
    return orjson.dumps([signs, names, [list(row.values()) for row in rows.values()]]).decode()


def read(body: str) -> tuple[Signs, Rows]:
    """Return what was written: what it rests on, and the sums."""
    signs, names, lines = orjson.loads(body)
    keys, days = (
        [n for n, name in enumerate(names) if name in _NAMING],
        [n for n, name in enumerate(names) if name in _DAYS],
    )
    rows: Rows = {}
    for line in lines:
        for n in days:
            line[n] = line[n] and date.fromisoformat(line[n])
        key = tuple(line[n] for n in keys) if len(keys) > 1 else line[keys[0]]
        rows[key] = dict(zip(names, line, strict=True))
    return signs, rows
