"""A finding in hand: read with its standing, given events, written back. The only place that writes `finding` and `finding_event`.

`finding` is kept equal to the fold of its events. Whoever writes holds the lock `FINDINGS`: numbers follow on without a gap.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, bindparam, func, select, update

from include.findings.story import Event, Kind, Standing, tell
from include.ledger.portions import among
from include.ledger.tables import finding, finding_event
from include.rules.verdict import KEY, Key

Tell = Callable[[Connection, datetime], object]
"""What is done at the end of a transaction that changed findings, inside it: the alerts' pass, which this stage does not know."""

_STANDING = tuple(Standing.__dataclass_fields__)
_AT_ONCE = 2000
"""Rows that are fetched together."""

_DETAIL = ("message", "cause", "rule_version", "severity", "until", "by", "decision_id")
"""What of an event stands in the JSON of `finding_event.detail`, where it is there."""


@dataclass(slots=True)
class Held:
    """A finding of the ledger, or one about to be, with the events that it is given."""

    finding_id: str
    subject: Key
    standing: Standing | None
    is_new: bool = False
    events: list[Event] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Add an event; it gets its number when it is written."""
        self.events.append(event)
        self.standing = tell(self.standing, event)


def load(connection: Connection, condition: ColumnElement[bool]) -> Iterator[Held]:
    """Yield the findings that meet a condition, in order of their ids."""
    columns = [finding.c[name] for name in ("finding_id", *KEY, *_STANDING)]
    found = [
        Held(finding_id, (rule, subject_type, subject, occurrence), Standing(*standing))
        for rows in connection.execute(select(*columns).where(condition)).partitions(_AT_ONCE)
        for finding_id, rule, subject_type, subject, occurrence, *standing in rows
    ]
    # Ordered here: asked for in their order, SQLite reads every finding by its id instead of the few by another index.
    yield from sorted(found, key=lambda one: one.finding_id)


def write(connection: Connection, held: Collection[Held], at: datetime) -> list[Held]:
    """Write the findings that were given events, and those events; return them."""
    told = [one for one in held if one.events]
    _number(connection, told)
    rows: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for one in told:
        assert one.standing is not None  # noqa: S101 - it has events
        name = {"finding_id": one.finding_id, **dict(zip(KEY, one.subject, strict=True))}
        rows[one.is_new].append(asdict(one.standing) | (name if one.is_new else {"this": one.finding_id}))
    if rows[True]:
        connection.execute(finding.insert(), rows[True])
    if rows[False]:
        connection.execute(update(finding).where(finding.c.finding_id == bindparam("this")), rows[False])
    if told:
        connection.execute(finding_event.insert(), [_row(one.finding_id, e, at) for one in told for e in one.events])
    return told


def _number(connection: Connection, told: list[Held]) -> None:
    """Give the events the numbers that follow those of the ledger."""
    old = [one.finding_id for one in told if not one.is_new]
    last: dict[str, int] = {}
    if old:
        query = select(finding_event.c.finding_id, func.max(finding_event.c.number))
        mine = query.where(among(finding_event.c.finding_id, old)).group_by(finding_event.c.finding_id)
        last = {i: n for i, n in connection.execute(mine)}
    for one in told:
        first = last.get(one.finding_id, 0) + 1
        one.events = [replace(event, number=number) for number, event in enumerate(one.events, first)]


def _row(finding_id: str, event: Event, at: datetime) -> dict[str, Any]:
    detail = {name: value for name in _DETAIL if (value := getattr(event, name)) is not None}
    return {
        "finding_id": finding_id, "number": event.number, "kind": event.kind.value, "day": event.day, "recorded_at": at,
        "outcome": event.outcome, "reason": event.reason,
        "detail": json.dumps(detail, ensure_ascii=False, default=date.isoformat),
    }  # fmt: skip


def told_events(connection: Connection, finding_id: str) -> list[Event]:
    """Return the events of a finding in order."""
    query = select(finding_event).where(finding_event.c.finding_id == finding_id).order_by(finding_event.c.number)
    return [event_of(row) for row in connection.execute(query).mappings()]


def waivers_taken(connection: Connection, held: Collection[Held]) -> dict[str, Event]:
    """Return, by finding, the event by which its present waiver began: what the machine saw when it was waived."""
    mine = {one.finding_id: one.standing.decision_id for one in held if one.standing}
    found: dict[str, Event] = {}
    if mine:
        is_waiver = among(finding_event.c.finding_id, sorted(mine)), finding_event.c.kind == Kind.WAIVED.value
        query = select(finding_event).where(*is_waiver).order_by(finding_event.c.number)
        for row in connection.execute(query).mappings():
            if (event := event_of(row)).decision_id == mine[row["finding_id"]]:
                found[row["finding_id"]] = event
    return found


def event_of(row: RowMapping) -> Event:
    """Return an event as the ledger keeps it."""
    detail = json.loads(row["detail"])
    if "until" in detail:
        detail["until"] = date.fromisoformat(detail["until"])
    return Event(row["number"], Kind(row["kind"]), row["day"], row["outcome"], row["reason"], **detail)


def with_events(held: Iterable[Held]) -> Iterator[tuple[Held, Event]]:
    """Yield every event that was given, beside its finding."""
    for one in held:
        for event in one.events:
            yield one, event
