"""The story of a finding: which event a verdict adds to it, and what its events fold into. Pure; the door does the writing.

A finding opens on `fail` or `warn`, and only positive evidence resolves it: silence and `unknown` never do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from include.rules.verdict import Outcome, Verdict

_WEIGHT = {Outcome.WARN: 1, Outcome.FAIL: 2}


class Kind(StrEnum):
    """What can happen to a finding."""

    OPENED = "opened"
    WORSENED = "worsened"
    EASED = "eased"
    REASON_CHANGED = "reason_changed"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    UNVERIFIED = "unverified"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, never changed afterwards; `message` is the sentence for people at that time."""

    number: int
    kind: Kind
    day: date
    outcome: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What the events of a finding come to; `judged_on` is the day of the last of them, `reopened` counts its returns."""

    state: str
    outcome: str
    reason: str
    message: str
    first_seen_on: date
    judged_on: date
    unverified_since: date | None = None
    reopened: int = 0

    @property
    def is_open(self) -> bool:
        """Return whether the finding waits for somebody."""
        return self.state == "open"


def identity(rule: str, subject_type: str, subject: str, occurrence: str) -> str:
    """Return the id of a finding: rule, subject and occurrence make it; wording, severity, department and parameters do not."""
    name = "\x1f".join((rule, subject_type, subject, occurrence))
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def next_kinds(before: Standing | None, verdict: Verdict) -> list[Kind]:
    """Return what a verdict means for a finding, in order; nothing where all is as it was."""
    is_bad = verdict.outcome in _WEIGHT
    if before is None:
        return [Kind.OPENED] if is_bad else []
    if not before.is_open:
        return [Kind.REOPENED] if is_bad else []
    if verdict.outcome is Outcome.UNKNOWN:
        return [] if before.unverified_since else [Kind.UNVERIFIED]
    if not is_bad:
        return [Kind.RESOLVED]
    verified = [Kind.VERIFIED] if before.unverified_since else []
    return verified + _difference(before, verdict)


def _difference(before: Standing, verdict: Verdict) -> list[Kind]:
    was, is_now = _WEIGHT[Outcome(before.outcome)], _WEIGHT[verdict.outcome]
    if is_now != was:
        return [Kind.WORSENED if is_now > was else Kind.EASED]
    return [Kind.REASON_CHANGED] if verdict.reason != before.reason else []


def tell(before: Standing | None, event: Event) -> Standing:
    """Return the standing after one more event."""
    if before is None:
        return Standing("open", event.outcome, event.reason, event.message, event.day, event.day)
    if event.kind is Kind.UNVERIFIED:  # what was found stands until something else is known
        return replace(before, judged_on=event.day, unverified_since=event.day)
    if event.kind is Kind.VERIFIED:
        return replace(before, judged_on=event.day, unverified_since=None)
    return replace(
        before,
        state="resolved" if event.kind is Kind.RESOLVED else "open",
        outcome=event.outcome,
        reason=event.reason,
        message=event.message,
        judged_on=event.day,
        unverified_since=None,
        reopened=before.reopened + (event.kind is Kind.REOPENED),
    )


def fold(events: Iterable[Event]) -> Standing | None:
    """Return what events come to, taken in order of their number; None where there are none."""
    standing = None
    for event in sorted(events, key=lambda e: e.number):
        standing = tell(standing, event)
    return standing
