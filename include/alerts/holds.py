"""Mass changes wait: a pass that would tell of too many new findings of a scope holds them, until two people release them.

More often than not such a pass means that a source or a card went wrong, not that the city did.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, exists, func, insert, select, update

from include.alerts.concern import OPEN, Concern
from include.alerts.routing import BlastGuard
from include.clock import SHANGHAI
from include.errors import DecisionRefused
from include.findings.decisions import same_person
from include.ledger.alert_tables import alert_hold, held_finding
from include.ledger.portions import portions
from include.ledger.tables import finding
from include.ledger.tables import verdict as stretch
from include.rules.verdict import Outcome

HELD, RELEASED, LAPSED = "held", "released", "lapsed"
"""States of a hold; one lapses when none of its findings is open any more."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Findings of a scope that wait: which, of which rules, how many would have been told at once, out of how many subjects."""

    hold_id: str
    scope: str
    day: date
    finding_ids: tuple[str, ...]
    allowed: int
    subjects: int
    by_rule: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Findings in holds: those that nobody is told of, and those that were released and are not held again."""

    held: Collection[str]
    released: Collection[str]


def waiting(connection: Connection) -> Waiting:
    """Return the findings in holds."""
    query = select(held_finding.c.finding_id, alert_hold.c.state).join(
        alert_hold, alert_hold.c.hold_id == held_finding.c.hold_id
    )
    found: dict[str, set[str]] = {HELD: set(), RELEASED: set()}
    for finding_id, state in connection.execute(query):
        found.setdefault(state, set()).add(finding_id)
    return Waiting(found[HELD], found[RELEASED])


def standing_holds(connection: Connection) -> list[dict[str, Any]]:
    """Return the holds that nobody has released yet, the oldest first, as programs and people read them."""
    names = ("hold_id", "scope", "day", "raised_at", "findings", "allowed", "subjects")
    query = select(*(alert_hold.c[name] for name in names)).where(alert_hold.c.state == HELD)
    return [
        dict(row) for row in connection.execute(query.order_by(alert_hold.c.raised_at, alert_hold.c.hold_id)).mappings()
    ]


def too_many(connection: Connection, new: Iterable[Concern], guard: BlastGuard, at: datetime) -> list[Hold]:
    """Return the holds that new findings ask for, a scope each; not written yet.

    Only fails are counted; where they are too many, all that is new of the scope waits with them.
    """
    by_scope: dict[str, list[Concern]] = {}
    for concern in new:
        by_scope.setdefault(concern.scope, []).append(concern)
    fails = {scope: sum(c.outcome == Outcome.FAIL for c in found) for scope, found in by_scope.items()}
    if all(count <= guard.least for count in fails.values()):
        return []
    subjects = _subjects(connection)
    return [
        _hold(scope, found, guard.allows(subjects.get(scope, 0)), subjects.get(scope, 0), at)
        for scope, found in sorted(by_scope.items())
        if fails[scope] > guard.allows(subjects.get(scope, 0))
    ]


def _subjects(connection: Connection) -> dict[str, int]:
    """Return how many subjects each scope judges now."""
    judged = (
        select(stretch.c.scope, stretch.c.subject_type, stretch.c.subject)
        .where(stretch.c.until_day.is_(None))
        .distinct()
        .subquery()
    )
    query = select(judged.c.scope, func.count()).group_by(judged.c.scope)
    return {scope: count for scope, count in connection.execute(query)}


def _hold(scope: str, found: Sequence[Concern], allowed: int, subjects: int, at: datetime) -> Hold:
    ids = tuple(sorted(c.finding_id for c in found))
    name = "\x1f".join((scope, at.isoformat(), *ids))
    by_rule = Counter(c.rule for c in found)
    return Hold(
        hashlib.blake2b(name.encode(), digest_size=16).hexdigest(), scope, at.astimezone(SHANGHAI).date(), ids, allowed, subjects,
        dict(sorted(by_rule.items(), key=lambda one: (-one[1], one[0]))),
    )  # fmt: skip


def keep_holds(connection: Connection, holds: Sequence[Hold], at: datetime) -> None:
    """Write holds with their findings; a finding that was in another one before is in the new one."""
    for hold in holds:
        connection.execute(
            insert(alert_hold).values(
                hold_id=hold.hold_id, scope=hold.scope, day=hold.day, raised_at=at, findings=len(hold.finding_ids),
                allowed=hold.allowed, subjects=hold.subjects, by_rule=json.dumps(hold.by_rule), state=HELD,
            )
        )  # fmt: skip
        _forget(connection, hold.finding_ids)
        connection.execute(insert(held_finding), [{"finding_id": f, "hold_id": hold.hold_id} for f in hold.finding_ids])


def end_holds(connection: Connection, told: Iterable[str]) -> None:
    """Forget the findings of released holds that were told or are resolved; let holds lapse of which no finding is open."""
    is_over = exists().where(finding.c.finding_id == held_finding.c.finding_id, finding.c.state != OPEN)
    holds = {state: select(alert_hold.c.hold_id).where(alert_hold.c.state == state) for state in (HELD, RELEASED)}
    _forget(connection, sorted(told))
    connection.execute(delete(held_finding).where(held_finding.c.hold_id.in_(holds[RELEASED]), is_over))
    still_open = exists().where(
        held_finding.c.hold_id == alert_hold.c.hold_id, finding.c.finding_id == held_finding.c.finding_id,
        finding.c.state == OPEN,
    )  # fmt: skip
    lapsed = list(connection.execute(holds[HELD].where(~still_open)).scalars())
    if lapsed:
        connection.execute(update(alert_hold).where(alert_hold.c.hold_id.in_(lapsed)).values(state=LAPSED))
        connection.execute(delete(held_finding).where(held_finding.c.hold_id.in_(lapsed)))


def _forget(connection: Connection, finding_ids: Sequence[str]) -> None:
    for some in portions(finding_ids):
        connection.execute(delete(held_finding).where(held_finding.c.finding_id.in_(some)))


@dataclass(frozen=True, slots=True)
class Released:
    """What a release is about: the findings that wait, by rule; `is_new` where it was held until now."""

    scope: str
    findings: int
    by_rule: Mapping[str, int]
    is_new: bool


def release(
    connection: Connection,
    hold_id: str,
    requested_by: str,
    approved_by: str,
    reason: str,
    at: datetime,
    *,
    keep: bool = True,
) -> Released:
    """Release a hold, so that the next pass tells of its findings; with `keep` false only say what would come of it.

    The same release again changes nothing. Raises `DecisionRefused` where there is no such hold, where somebody else released it
    or it has lapsed, where no reason is given, and where the second person is the first.
    """
    row = connection.execute(select(alert_hold).where(alert_hold.c.hold_id == hold_id)).mappings().first()
    if row is None:
        raise DecisionRefused(f"there is no hold {hold_id!r}; take its id from the message that told of it")
    who = {"requested_by": requested_by.strip(), "approved_by": approved_by.strip()}
    is_same = row["state"] == RELEASED and all(row[name] == value for name, value in who.items())
    if problem := None if is_same else _refusal(row, **who, reason=reason.strip()):
        raise DecisionRefused(f"hold {hold_id} is not released: {problem}")
    if keep and not is_same:
        values = {"state": RELEASED, "released_at": at, "reason": reason.strip(), **who}
        connection.execute(update(alert_hold).where(alert_hold.c.hold_id == hold_id).values(**values))
    return Released(row["scope"], row["findings"], json.loads(row["by_rule"]), is_new=not is_same)


def _refusal(row: RowMapping, requested_by: str, approved_by: str, reason: str) -> str | None:
    """Return what speaks against a release."""
    if row["state"] != HELD:
        return f"it is {row['state']} already"
    if not requested_by:
        return "nobody is named who asks for it; log in as yourself"
    if not approved_by:
        return "it needs the approval of a second person"
    if same_person(requested_by, approved_by):
        return f"{requested_by!r} cannot approve what {requested_by!r} asks for; a second person must"
    return None if reason else "it needs a reason: why so many findings at once are the city's doing"
