"""The door of the machine to the findings: verdicts go in, events come of them; so does what the passing of days brings.

The caller holds the transaction and the lock `include.ledger.snapshot.FINDINGS`. Verdicts that change nothing write
nothing. What people decide comes in by `decisions.decide`, and by nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, case, func, select

from include.findings import held as rows
from include.findings.cause import Cause, causes, moved_rules
from include.findings.handling import (
    gone_message,
    is_outgrown,
    is_refuted,
    lapse_message,
    lapsed,
    outgrown_message,
    refuted_message,
    told_kinds,
    woken_message,
)
from include.findings.held import Held
from include.findings.story import WEIGHT, Event, Handling, Kind, Standing, identity, next_kinds
from include.ledger.portions import of_subjects
from include.ledger.tables import finding
from include.rules.facts_of_day import WITHDRAWN
from include.rules.verdict import Key, Outcome, Subject, Verdict

told_events = rows.told_events

NOTICE_DAYS = 15
"""Days before its end from which a waiver is listed."""

_GONE = {WITHDRAWN: "两次完整读取均未见该对象,来源已撤下,线索随之了结"}
_ELSEWISE = "该对象已不在评判范围,线索随之了结"
_SENTENCES = {
    Kind.ATTESTATION_ENDED: refuted_message, Kind.WAIVER_ENDED: outgrown_message, Kind.SETTLEMENT_ENDED: woken_message,
}  # fmt: skip
"""How a verdict that ends a decision is told."""


@dataclass(frozen=True, slots=True)
class Change:
    """One event as a report shows it; `message` is Chinese and complete in itself, `handling` what people's decision then is."""

    kind: Kind
    rule: str
    subject_type: str
    subject: str
    outcome: str
    reason: str
    message: str
    finding_id: str = ""
    cause: str | None = None
    handling: str = Handling.NEW.value


@dataclass(slots=True)
class Settled:
    """What a call brought: every event, the rules that judge anew, and how the findings of the rules stand after it.

    `open` counts all that the machine sees but what was handled for good (`handled`: 已处理结案), which stands beside it; `waived`
    those of them that are waived, `ending` the waivers of the next days.
    """

    changes: list[Change] = field(default_factory=list)
    open: int = 0
    unverified: int = 0
    waived: int = 0
    ending: int = 0
    handled: int = 0
    moved: set[str] = field(default_factory=set)

    def add(self, other: Settled) -> None:
        """Add what another call brought."""
        self.changes += other.changes
        self.open += other.open
        self.unverified += other.unverified
        self.waived += other.waived
        self.ending += other.ending
        self.handled += other.handled
        self.moved |= other.moved

    def counts(self) -> dict[str, int]:
        """Return how many events of each kind there were."""
        return dict(sorted(Counter(change.kind.value for change in self.changes).items()))

    def of(self, *kinds: Kind) -> list[Change]:
        """Return the events of some kinds."""
        return [change for change in self.changes if change.kind in kinds]


def settle(
    connection: Connection,
    verdicts: Iterable[Verdict],
    rules: Collection[str],
    day: date,
    at: datetime,
    gone: Mapping[Subject, str] | None = None,
    scope: str = "",
    only: Collection[Subject] | None = None,
    past_mending: Collection[tuple[str, str]] = (),
) -> Settled:
    """Bring the findings of some rules to their verdicts of the newest day; verdicts may come as a stream.

    `only` names the subjects that were judged or are judged no more, where all others are known to stand as they are.

    `gone` are subjects that are judged no more, with the reason: their findings are resolved, and decisions about them end. A
    subject that merely has no verdict changes nothing, but decisions about it end when their day is over. `scope` is the judging's.
    `past_mending` are the reasons, by rule, of what nobody can mend any more.
    """
    known = {one.subject: one for one in _standing(connection, finding.c.rule.in_(sorted(rules)), only, day)}
    versions: dict[str, str] = {}
    heard: list[tuple[Held, Verdict, list[Kind]]] = []
    for verdict in verdicts:
        versions[verdict.rule] = verdict.rule_version
        subject = verdict.key
        held = known.get(subject)
        if held is None and verdict.outcome not in WEIGHT:
            continue
        is_past = (verdict.rule, verdict.reason) in past_mending
        kinds = next_kinds(held.standing if held else None, verdict, is_past_mending=is_past)
        if held and is_refuted(held.standing, verdict):
            kinds.append(Kind.ATTESTATION_ENDED)
        if kinds:
            held = held or known.setdefault(subject, Held(identity(*subject), subject, None, is_new=True))
            heard.append((held, verdict, kinds))
    _end_outgrown(connection, heard, day)
    moved = moved_rules(connection, scope, versions, day)
    why = causes(connection, moved, [verdict for _, verdict, _ in heard], day)
    _hear(heard, why, day)
    _resolve_gone(known.values(), gone or {}, day)
    _end_lapsed(known.values(), day)
    told = rows.write(connection, known.values(), at)
    return _settled(connection, told, rules, day, moved)


def _standing(
    connection: Connection, mine: ColumnElement[bool], only: Collection[Subject] | None, day: date
) -> Iterable[Held]:
    """Return the findings that verdicts or the day can move, in order of their ids."""
    if only is None:
        return rows.load(connection, mine)
    has_ended = finding.c.handled_until < day
    parts = [has_ended, *of_subjects(finding, sorted(only))]  # each by its own index; together they would be a scan
    found = {one.finding_id: one for part in parts for one in rows.load(connection, mine & part)}
    return [found[finding_id] for finding_id in sorted(found)]


def end_decisions(connection: Connection, day: date, at: datetime) -> list[Change]:
    """Say of every finding, also of rules that are not judged now, which decisions have ended or were not kept by a day."""
    known = list(rows.load(connection, finding.c.handled_until < day))
    _end_lapsed(known, day)
    return _changes(rows.write(connection, known, at))


def _end_outgrown(connection: Connection, heard: Iterable[tuple[Held, Verdict, list[Kind]]], day: date) -> None:
    """End the waivers of what is now graver than when it was waived."""
    risen = {
        held.finding_id: (held, verdict, kinds)
        for held, verdict, kinds in heard
        if held.standing and held.standing.handling == Handling.WAIVED and not lapsed(held.standing, day)
        and {Kind.WORSENED, Kind.REOPENED, Kind.RULE_CHANGED} & set(kinds)
    }  # fmt: skip
    for finding_id, waived in rows.waivers_taken(connection, [held for held, _, _ in risen.values()]).items():
        _, verdict, kinds = risen[finding_id]
        if is_outgrown(waived, verdict):
            kinds.append(Kind.WAIVER_ENDED)


def _hear(heard: Iterable[tuple[Held, Verdict, list[Kind]]], why: Mapping[Key, Cause], day: date) -> None:
    for held, verdict, kinds in heard:
        before = held.standing
        for kind in told_kinds(before, verdict, kinds, why[verdict.key]) if before else kinds:
            message = _SENTENCES[kind](verdict) if kind in _SENTENCES else verdict.message
            cause = Cause.RULE if kind is Kind.RULE_CHANGED else why[verdict.key]
            seen = verdict.outcome.value, verdict.reason
            held.add(Event(0, kind, day, *seen, message, cause.value, verdict.rule_version, verdict.severity))


def _resolve_gone(known: Iterable[Held], gone: Mapping[Subject, str], day: date) -> None:
    for one in known:
        reason, was = gone.get((one.subject[1], one.subject[2])), one.standing
        if not reason or was is None or one.events:
            continue
        nothing = Outcome.NOT_APPLICABLE.value
        if was.is_open:
            text, cause = _GONE.get(reason, _ELSEWISE), Cause.WORLD.value
            one.add(Event(0, Kind.RESOLVED, day, nothing, reason, text, cause))
        if one.standing and one.standing.handling != Handling.NEW:
            one.add(Event(0, Kind.WITHDRAWN, day, nothing, reason, gone_message(one.standing)))


def _end_lapsed(known: Iterable[Held], day: date) -> None:
    for one in known:
        if one.standing and (kind := lapsed(one.standing, day)):
            one.add(lapse(one.standing, kind, day))


def lapse(standing: Standing, kind: Kind, day: date) -> Event:
    """Return the event of a decision that has ended, or of a rectification that was not made in time."""
    message = lapse_message(kind, standing)
    seen = standing.outcome, standing.reason
    return Event(0, kind, day, *seen, message, until=standing.handled_until, decision_id=standing.decision_id)


def _settled(connection: Connection, told: list[Held], rules: Collection[str], day: date, moved: set[str]) -> Settled:
    is_waived = finding.c.handling == Handling.WAIVED.value
    ends_soon = is_waived & (finding.c.handled_until <= day + timedelta(days=NOTICE_DAYS))
    is_handled = finding.c.handling == Handling.SETTLED.value
    conditions = (~is_handled, ~is_handled & finding.c.unverified_since.is_not(None), is_waived, ends_soon, is_handled)
    counts = (func.count(case((condition, 1))) for condition in conditions)
    query = select(*counts).where(finding.c.rule.in_(sorted(rules)), finding.c.state == "open")
    is_open, unverified, waived, ending, handled = connection.execute(query).one()
    return Settled(_changes(told), is_open, unverified, waived, ending, handled, moved)


def _changes(told: Iterable[Held]) -> list[Change]:
    return [
        Change(
            e.kind, *one.subject[:3], e.outcome, e.reason, e.message, one.finding_id, e.cause,
            one.standing.handling if one.standing else Handling.NEW.value,
        )
        for one, e in rows.with_events(told)
    ]  # fmt: skip
