"""Why a verdict changed: the world did, or the rule that looks at it.

`rule_version` keeps, per scope, the version by which a rule last judged. While that stays, only the world can have changed a
verdict. Where it moved, the facts that both versions looked at decide: equal facts, the rule alone; other facts, one cannot tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Connection, insert, or_, select, update

from include.ledger.tables import rule_version
from include.ledger.tables import verdict as stretch
from include.rules.verdict import Key, Verdict


class Cause(StrEnum):
    """What made a verdict differ from the last one."""

    WORLD = "world"
    RULE = "rule"
    BOTH = "rule_and_world"


def moved_rules(connection: Connection, scope: str, versions: Mapping[str, str], day: date) -> set[str]:
    """Remember the versions by which rules judge now; return those that judged by another one before."""
    if not versions:
        return set()
    mine = rule_version.c.scope == scope
    query = select(rule_version.c.rule, rule_version.c.version).where(mine, rule_version.c.rule.in_(sorted(versions)))
    known = {rule: version for rule, version in connection.execute(query)}
    moved = {rule for rule, version in known.items() if versions[rule] != version}
    new = [{"rule": r, "scope": scope, "version": v, "since": day} for r, v in versions.items() if r not in known]
    if new:
        connection.execute(insert(rule_version), new)
    for rule in sorted(moved):
        values = {"version": versions[rule], "since": day}
        connection.execute(update(rule_version).where(mine, rule_version.c.rule == rule).values(**values))
    return moved


def causes(connection: Connection, moved: Iterable[str], told: Sequence[Verdict], day: date) -> dict[Key, Cause]:
    """Return why each of the verdicts differs from the one before it."""
    moved = set(moved)
    before = _facts_before(connection, moved, {v.key for v in told if v.rule in moved}, day) if moved else {}
    found = {}
    for verdict in told:
        key = verdict.key
        if verdict.rule not in moved:
            found[key] = Cause.WORLD
        else:
            found[key] = Cause.RULE if _is_same_world(before.get(key), _facts(verdict.canonical())) else Cause.BOTH
    return found


def _is_same_world(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> bool:
    """Return whether the facts that both looked at are equal; where nothing was seen before, nothing can be said."""
    return before is not None and all(before[name] == now[name] for name in before.keys() & now.keys())


def _facts_before(connection: Connection, rules: set[str], keys: set[Key], day: date) -> dict[Key, dict[str, Any]]:
    """Return the facts of the stretches that reached to the day judged."""
    touches = or_(stretch.c.until_day.is_(None), stretch.c.until_day >= day)
    query = select(stretch.c.rule, stretch.c.subject_type, stretch.c.subject, stretch.c.occurrence, stretch.c.body)
    found = {}
    for *key, body in connection.execute(
        query.where(stretch.c.rule.in_(sorted(rules)), stretch.c.from_day < day, touches).order_by(stretch.c.from_day)
    ):
        if (mine := tuple(key)) in keys:
            found[mine] = _facts(body)
    return found


def _facts(body: str | bytes) -> dict[str, Any]:
    """Return the values of the facts that a verdict used; where they were read, and when, is not the world."""
    used = orjson.loads(body)["facts_used"]
    return {name: fact["value"] if isinstance(fact, dict) and "value" in fact else fact for name, fact in used.items()}
