"""Whether a receiver is told of a group of findings now, and why: `decide`. Pure, so that any past day can be asked again.

It compares what the receiver was last told with what is so now. What waits for office hours is not remembered: the first pass in
them compares again, so nothing is lost, and what has come and gone meanwhile is not told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count

from include.alerts.concern import OVERDUE, QUIET, RESOLVED, Concern
from include.alerts.message import Reason
from include.alerts.office_hours import OfficeHours
from include.alerts.routing import Receiver, Reminders
from include.clock import SHANGHAI
from include.findings.story import Handling
from include.rules.rule_book import SEVERITIES
from include.rules.workdays import Workdays

CRITICAL = "critical"

ANEW = (Reason.OPENED, Reason.REOPENED, Reason.WAIVER_ENDED, Reason.ESCALATED)
"""Reasons with which the receiver's days begin to be counted anew."""

_URGENT = (Reason.OPENED, Reason.REOPENED, Reason.WORSENED)
"""News that does not wait for the morning if it is critical; what only the passing of days brings can, whatever its severity."""

_WEIGHT = {"warn": 1, "fail": 2}


@dataclass(frozen=True, slots=True)
class Told:
    """What a receiver was last told of a finding: a row of `told`.

    `state` is what it knows: open, overdue, resolved, or the decision that has kept the finding quiet since. Days are counted from
    `first_told_on`, the day on which it was told that the finding opened, reopened or that a decision ended.
    """

    receiver: str
    finding_id: str
    department: str
    topic: str
    state: str
    outcome: str
    severity: str | None
    reopened: int
    first_told_on: date
    last_told_on: date


@dataclass(frozen=True, slots=True)
class Policy:
    """By what a receiver is told."""

    receiver: Receiver
    hours: OfficeHours
    reminders: Reminders
    workdays: Workdays


@dataclass(frozen=True, slots=True)
class Notice:
    """What a receiver is told of a group; `is_urgent` where it does not wait for office hours. Never without news."""

    news: tuple[tuple[Reason, Concern], ...]
    is_urgent: bool

    def of(self, reason: Reason) -> list[Concern]:
        """Return the findings that are told for a reason."""
        return [concern for why, concern in self.news if why is reason]


def decide(previous: Mapping[str, Told], now: Sequence[Concern], policy: Policy, moment: datetime) -> Notice | None:
    """Return what a receiver is told of a group of findings at a moment; None where there is nothing to say yet.

    `previous` is what it was told of each finding by id; `now` is the group as it stands.
    """
    day = moment.astimezone(SHANGHAI).date()
    news = []
    for concern in now:
        reason = reason_for(previous.get(concern.finding_id), concern, policy, day)
        if reason:
            news.append((reason, concern))
    if not news:
        return None
    is_urgent = any(concern.severity == CRITICAL and reason in _URGENT for reason, concern in news)
    if not is_urgent and not policy.hours.are_open(moment, policy.workdays):
        return None
    return Notice(tuple(news), is_urgent)


def reason_for(told: Told | None, concern: Concern, policy: Policy, day: date) -> Reason | None:
    """Return why a receiver is told of one finding on a day; None where it is not."""
    knows = told is not None and told.state != RESOLVED
    if not concern.is_open:
        return _by(concern, Reason.RESOLVED) if knows else None
    if concern.state in QUIET or concern.is_silent_for(policy.receiver.id):
        return None
    if policy.receiver.id not in concern.receivers:
        return _for_others(told, concern, policy, day)
    if told is None:
        return _by(concern, Reason.OPENED)
    return _changed(told, concern) or _reminder(told, concern, policy, day)


def mark(told: Told, concern: Concern) -> str:
    """Return the state that a receiver knows where nothing is told: decisions are noticed in silence, so that their end is news."""
    if told.state == RESOLVED or not concern.is_open:
        return told.state
    if concern.state in QUIET or (told.state == OVERDUE and not concern.is_overdue):
        return concern.state
    return told.state


def _by(concern: Concern, reason: Reason) -> Reason:
    """Return the reason, or that the rule changed where the world did not."""
    return Reason.RULE_CHANGED if concern.is_by_rule else reason


def _changed(told: Told, concern: Concern) -> Reason | None:
    """Return what is news of a finding of which the receiver was told."""
    if told.state in QUIET:
        return Reason.WAIVER_ENDED
    if told.state == RESOLVED or concern.reopened > told.reopened:
        return _by(concern, Reason.REOPENED)
    if concern.is_overdue and told.state != OVERDUE:
        return Reason.OVERDUE
    return _by(concern, Reason.WORSENED) if _is_heavier(told, concern) else None


def _is_heavier(told: Told, concern: Concern) -> bool:
    """Return whether outcome or severity is worse than what was told."""
    if _WEIGHT.get(concern.outcome, 0) > _WEIGHT.get(told.outcome, 0):
        return True
    known = told.severity in SEVERITIES and concern.severity in SEVERITIES
    return known and SEVERITIES.index(concern.severity) < SEVERITIES.index(str(told.severity))


def _reminder(told: Told, concern: Concern, policy: Policy, day: date) -> Reason | None:
    """Return whether a threshold was passed since the receiver was last told; what is unknown meanwhile reminds nobody."""
    if concern.is_unverified or day <= told.last_told_on:
        return None
    for number in _thresholds(policy.reminders):
        due = policy.workdays.after(told.first_told_on, number).earliest
        if due > day:
            return None
        if due > told.last_told_on:
            return Reason.REMINDER
    return None


def _thresholds(reminders: Reminders) -> Iterator[int]:
    """Yield the working days after which there are reminders, without an end."""
    yield from reminders.workdays
    yield from count(reminders.workdays[-1] + reminders.then_every, reminders.then_every)


def _for_others(told: Told | None, concern: Concern, policy: Policy, day: date) -> Reason | None:
    """Return why somebody is told whom neither card nor routes name: once a rectification is late, or nothing has happened."""
    knows = told is not None and told.state not in (RESOLVED, *QUIET) and told.reopened == concern.reopened
    if policy.receiver.hears_overdue and concern.is_overdue and not (knows and told and told.state == OVERDUE):
        return Reason.OVERDUE
    if knows or concern.is_unverified or not enters(concern, policy, day):
        return None
    return Reason.ESCALATED


def enters(concern: Concern, policy: Policy, day: date) -> bool:
    """Return whether nothing has happened for so long that a receiver enters."""
    terms, since = policy.receiver.escalation, concern.told_since
    if not terms or since is None or (terms.severities and concern.severity not in terms.severities):
        return False
    is_new = concern.handling == Handling.NEW
    numbers = [terms.unacknowledged_workdays if is_new else None, terms.open_workdays]
    return any(n is not None and policy.workdays.after(since, n).earliest <= day for n in numbers)
