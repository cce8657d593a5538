"""The one door to the findings: verdicts go in, events come of them, and `finding` is kept equal to the fold of its events.

The caller holds the transaction. Verdicts that change nothing write nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from include.findings.story import Event, Kind, Standing, identity, next_kinds, tell
from include.ledger.tables import finding, finding_event
from include.rules.facts_of_day import WITHDRAWN, Subject
from include.rules.verdict import Outcome, Verdict

_AT_ONCE = 500
_SUBJECT = ("rule", "subject_type", "subject", "occurrence")
_STANDING = tuple(Standing.__dataclass_fields__)

_GONE = {WITHDRAWN: "两次完整读取均未见该对象,来源已撤下,线索随之了结"}
_ELSEWISE = "该对象已不在评判范围,线索随之了结"


@dataclass(frozen=True, slots=True)
class Change:
    """One event as a report shows it; `message` is Chinese and complete in itself."""

    kind: Kind
    rule: str
    subject_type: str
    subject: str
    outcome: str
    reason: str
    message: str


@dataclass(slots=True)
class Settled:
    """What a call brought: every event, and how many findings of the rules are open and unverified after it."""

    changes: list[Change] = field(default_factory=list)
    open: int = 0
    unverified: int = 0

    def add(self, other: Settled) -> None:
        """Add what another call brought."""
        self.changes += other.changes
        self.open += other.open
        self.unverified += other.unverified

    def counts(self) -> dict[str, int]:
        """Return how many events of each kind there were."""
        return dict(sorted(Counter(change.kind.value for change in self.changes).items()))

    def of(self, *kinds: Kind) -> list[Change]:
        """Return the events of some kinds."""
        return [change for change in self.changes if change.kind in kinds]


@dataclass(slots=True)
class _Known:
    """A finding of the ledger, or one about to be."""

    finding_id: str
    subject: tuple[str, str, str, str]
    standing: Standing | None
    events: list[Event] = field(default_factory=list)


def settle(
    connection: Connection,
    verdicts: Iterable[Verdict],
    rules: Collection[str],
    day: date,
    at: datetime,
    gone: Mapping[Subject, str] | None = None,
) -> Settled:
    """Bring the findings of some rules to their verdicts of the newest day; verdicts may come as a stream.

    `gone` are subjects that are judged no more, with the reason: their findings are resolved. A subject that merely has no verdict
    changes nothing.
    """
    known = {k.subject: k for k in _load(connection, rules)}
    new: list[_Known] = []
    for verdict in verdicts:
        subject = (verdict.rule, verdict.subject_type, verdict.subject, verdict.occurrence)
        held = known.get(subject)
        standing = held.standing if held else None
        kinds = next_kinds(standing, verdict)
        if not kinds:
            continue
        if held is None:
            held = known[subject] = _Known(identity(*subject), subject, None)
            new.append(held)
        held.events += [Event(0, k, day, verdict.outcome.value, verdict.reason, verdict.message) for k in kinds]
    _resolve_gone(known.values(), gone or {}, day)
    told = [k for k in known.values() if k.events]
    _number(connection, told, {k.finding_id for k in new})
    for one in told:
        for event in one.events:
            one.standing = tell(one.standing, event)
    _write(connection, told, {k.finding_id for k in new}, at)
    standings = [k.standing for k in known.values() if k.standing and k.standing.is_open]
    changes = [Change(e.kind, *k.subject[:3], e.outcome, e.reason, e.message) for k in told for e in k.events]
    return Settled(changes, len(standings), sum(s.unverified_since is not None for s in standings))


def _load(connection: Connection, rules: Collection[str]) -> Iterator[_Known]:
    query = select(finding).where(finding.c.rule.in_(sorted(rules))).order_by(finding.c.finding_id)
    for row in connection.execute(query).mappings():
        standing = Standing(**{name: row[name] for name in _STANDING})
        yield _Known(row["finding_id"], (row["rule"], row["subject_type"], row["subject"], row["occurrence"]), standing)


def _resolve_gone(known: Iterable[_Known], gone: Mapping[Subject, str], day: date) -> None:
    for one in known:
        reason = gone.get((one.subject[1], one.subject[2]))
        if reason and one.standing and one.standing.is_open and not one.events:
            text = _GONE.get(reason, _ELSEWISE)
            one.events.append(Event(0, Kind.RESOLVED, day, Outcome.NOT_APPLICABLE.value, reason, text))


def _number(connection: Connection, told: list[_Known], new: Collection[str]) -> None:
    """Give the events the numbers that follow those of the ledger."""
    old = [k.finding_id for k in told if k.finding_id not in new]
    last: dict[str, int] = {}
    for at in range(0, len(old), _AT_ONCE):
        ids = finding_event.c.finding_id.in_(old[at : at + _AT_ONCE])
        query = select(finding_event.c.finding_id, func.max(finding_event.c.number)).where(ids)
        last |= {i: n for i, n in connection.execute(query.group_by(finding_event.c.finding_id))}
    for one in told:
        first = last.get(one.finding_id, 0) + 1
        one.events = [
            Event(number, e.kind, e.day, e.outcome, e.reason, e.message) for number, e in enumerate(one.events, first)
        ]


def _write(connection: Connection, told: list[_Known], new: Collection[str], at: datetime) -> None:
    rows: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    events: list[dict[str, Any]] = []
    for one in told:
        assert one.standing is not None  # noqa: S101 - it has events
        is_new = one.finding_id in new
        values = asdict(one.standing)
        if is_new:
            values |= {"finding_id": one.finding_id, **dict(zip(_SUBJECT, one.subject, strict=True))}
        else:
            values["this"] = one.finding_id
        rows[is_new].append(values)
        for e in one.events:
            detail = json.dumps({"message": e.message}, ensure_ascii=False)
            events.append(
                {"finding_id": one.finding_id, "number": e.number, "kind": e.kind.value, "day": e.day, "recorded_at": at,
                 "outcome": e.outcome, "reason": e.reason, "detail": detail}
            )  # fmt: skip
    if rows[True]:
        connection.execute(finding.insert(), rows[True])
    if rows[False]:
        connection.execute(update(finding).where(finding.c.finding_id == bindparam("this")), rows[False])
    if events:
        connection.execute(finding_event.insert(), events)


def told_events(connection: Connection, finding_id: str) -> list[Event]:
    """Return the events of a finding in order."""
    query = select(finding_event).where(finding_event.c.finding_id == finding_id).order_by(finding_event.c.number)
    return [
        Event(r["number"], Kind(r["kind"]), r["day"], r["outcome"], r["reason"], json.loads(r["detail"])["message"])
        for r in connection.execute(query).mappings()
    ]
