"""The story of a finding: which event a verdict adds to it, and what its events fold into. Pure; the door does the writing.

Two axes in one story. What the machine sees: a finding opens on `fail` or `warn`, and only positive evidence resolves it; silence
and `unknown` never do. What people decided: `handling`, with its end. Neither hides the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from include.rules.verdict import Outcome, Verdict

WEIGHT = {Outcome.WARN: 1, Outcome.FAIL: 2}
"""How grave what is seen is; every other outcome is nothing bad."""


class Kind(StrEnum):
    """What can happen to a finding."""

    OPENED = "opened"
    WORSENED = "worsened"
    EASED = "eased"
    REASON_CHANGED = "reason_changed"
    RULE_CHANGED = "rule_changed"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    ACKNOWLEDGED = "acknowledged"
    RECTIFYING = "rectifying"
    WAIVED = "waived"
    DISPUTED = "disputed"
    ATTESTED = "attested"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"
    WAIVER_ENDED = "waiver_ended"
    DISPUTE_ENDED = "dispute_ended"
    ATTESTATION_ENDED = "attestation_ended"
    SETTLEMENT_ENDED = "settlement_ended"
    RECTIFICATION_OVERDUE = "rectification_overdue"


class Handling(StrEnum):
    """What people decided about a finding and still holds."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    RECTIFYING = "rectifying"
    WAIVED = "waived"
    DISPUTED = "disputed"
    ATTESTED = "attested"
    SETTLED = "settled"


DECIDED: Mapping[Kind, Handling] = {Kind(handling.value): handling for handling in Handling if handling != Handling.NEW}
"""The events by which a decision begins, and the handling that it makes."""

_BACK_TO_NEW = (
    Kind.WITHDRAWN, Kind.WAIVER_ENDED, Kind.DISPUTE_ENDED, Kind.ATTESTATION_ENDED, Kind.SETTLEMENT_ENDED,
)  # fmt: skip
_OUTLIVES = (Handling.WAIVED, Handling.ATTESTED)
"""Decisions that hold until their end, whatever comes and goes meanwhile; the others are done when the finding is resolved."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, never changed afterwards; `message` is the sentence for people at that time.

    Of a verdict: outcome and reason, why they changed (`cause`), the version of its rule and the severity. Of a decision: how long
    it holds, who took it, and its id; outcome and reason then say what the machine saw at that time.
    """

    number: int
    kind: Kind
    day: date
    outcome: str
    reason: str
    message: str
    cause: str | None = None
    rule_version: str | None = None
    severity: str | None = None
    until: date | None = None
    by: str | None = None
    decision_id: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the events of a finding come to.

    `judged_on` is the day of the last event that a verdict made, `reopened` counts its returns, `rule_version` is that of the
    last verdict that made one. `handled_until` is the last day of the decision that holds, `overdue_since` the day on which
    a rectification was found not to have come.
    """

    state: str
    outcome: str
    reason: str
    message: str
    first_seen_on: date
    judged_on: date
    unverified_since: date | None = None
    reopened: int = 0
    severity: str | None = None
    rule_version: str | None = None
    handling: str = Handling.NEW.value
    handled_until: date | None = None
    handled_by: str | None = None
    decision_id: str | None = None
    overdue_since: date | None = None

    @property
    def is_open(self) -> bool:
        """Return whether the machine sees it."""
        return self.state == "open"

    @property
    def is_settled(self) -> bool:
        """Return whether two people recorded how what nobody can mend any more was handled."""
        return self.handling == Handling.SETTLED


def identity(rule: str, subject_type: str, subject: str, occurrence: str) -> str:
    """Return the id of a finding: rule, subject and occurrence make it; wording, severity, department and parameters do not."""
    name = "\x1f".join((rule, subject_type, subject, occurrence))
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def next_kinds(before: Standing | None, verdict: Verdict, *, is_past_mending: bool = False) -> list[Kind]:
    """Return what a verdict means for a finding, in order; nothing where all is as it was.

    Of what is past mending the sentence, too, is kept as it is now: it is what can be settled, or was.
    """
    is_bad = verdict.outcome in WEIGHT
    if before is None:
        return [Kind.OPENED] if is_bad else []
    if not before.is_open:
        return [Kind.REOPENED] if is_bad else []
    if verdict.outcome is Outcome.UNKNOWN:
        return [] if before.unverified_since else [Kind.UNVERIFIED]
    if not is_bad:
        return [Kind.RESOLVED]
    verified = [Kind.VERIFIED] if before.unverified_since else []
    return verified + _difference(before, verdict, is_kept_up=is_past_mending or before.is_settled)


def _difference(before: Standing, verdict: Verdict, *, is_kept_up: bool) -> list[Kind]:
    was, is_now = WEIGHT[Outcome(before.outcome)], WEIGHT[verdict.outcome]
    if is_now != was:
        return [Kind.WORSENED if is_now > was else Kind.EASED]
    if verdict.reason != before.reason:
        return [Kind.REASON_CHANGED]
    # The card alone gives the severity of an outcome, so a new one of the same outcome is the rule's doing.
    is_reweighed = None not in (before.severity, verdict.severity) and verdict.severity != before.severity
    if is_reweighed:
        return [Kind.RULE_CHANGED]
    return [Kind.REASON_CHANGED] if is_kept_up and verdict.message != before.message else []


def tell(before: Standing | None, event: Event) -> Standing:
    """Return the standing after one more event."""
    if before is None:
        return Standing(
            "open", event.outcome, event.reason, event.message, event.day, event.day, severity=event.severity,
            rule_version=event.rule_version,
        )  # fmt: skip
    if event.kind in DECIDED:
        return replace(
            before, handling=event.kind.value, handled_until=event.until, handled_by=event.by, decision_id=event.decision_id,
            overdue_since=None,
        )  # fmt: skip
    if event.kind in _BACK_TO_NEW:
        return replace(before, **_unhandled())
    if event.kind is Kind.RECTIFICATION_OVERDUE:
        return replace(before, overdue_since=event.day)
    return _seen(before, event)


def _seen(before: Standing, event: Event) -> Standing:
    """Return the standing after an event of the machine's axis."""
    if event.kind is Kind.UNVERIFIED:  # what was found stands until something else is known
        return replace(before, judged_on=event.day, unverified_since=event.day)
    version = event.rule_version or before.rule_version
    if event.kind is Kind.VERIFIED:
        return replace(before, judged_on=event.day, unverified_since=None, rule_version=version)
    is_resolved = event.kind is Kind.RESOLVED
    after = replace(
        before,
        state="resolved" if is_resolved else "open",
        outcome=event.outcome,
        reason=event.reason,
        message=event.message,
        judged_on=event.day,
        unverified_since=None,
        reopened=before.reopened + (event.kind is Kind.REOPENED),
        severity=event.severity or before.severity,  # a resolved finding keeps the one that it had
        rule_version=version,
    )
    return replace(after, **_unhandled()) if is_resolved and before.handling not in _OUTLIVES else after


def _unhandled() -> dict[str, Any]:
    return {"handling": Handling.NEW.value} | dict.fromkeys(
        ("handled_until", "handled_by", "decision_id", "overdue_since")
    )


def fold(events: Iterable[Event]) -> Standing | None:
    """Return what events come to, each number once and in order, however they were given; None where there are none."""
    standing = None
    for _, event in sorted({event.number: event for event in events}.items()):
        standing = tell(standing, event)
    return standing
