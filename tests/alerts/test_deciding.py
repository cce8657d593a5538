"""`decide`, pure: each reason, each silence, and what must hold of any history."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.alerts.concern import EVERYONE, Concern
from include.alerts.deciding import Notice, Policy, Told, decide, mark
from include.alerts.message import Reason
from include.alerts.office_hours import OfficeHours
from include.alerts.routing import Escalation, Receiver, Reminders
from include.rules.workdays import Workdays
from tests.alerts.town import MONDAY, moment

UNIT = Receiver("unit", "单位", ("spool",))
HEAD = Receiver("section_head", "负责人", ("spool",), escalation=Escalation(5, None, frozenset(("high", "medium"))))
LEADER = Receiver("bureau_leader", "领导", ("spool",), escalation=Escalation(None, 15))
FINANCE = Receiver("finance", "财政", ("spool",), hears_overdue=True)
HOURS = OfficeHours(time(8, 30), time(17, 30))
USUAL = Concern(
    "f", "rule", "topic", "systems", "system", "S", "某局", "fail", "r", "medium", "某事", 0, MONDAY, "new", None, True, False,
    False, ("unit",),
)  # fmt: skip


@cache
def _workdays() -> Workdays:
    return Workdays.load()


def policy(receiver: Receiver = UNIT) -> Policy:
    return Policy(receiver, HOURS, Reminders((3, 7, 15), 20), _workdays())


def told(first: date = MONDAY, last: date | None = None, **how: Any) -> Told:
    usual: dict[str, Any] = {"state": "open", "outcome": "fail", "severity": "medium", "reopened": 0}
    return Told("unit", "f", "某局", "topic", **(usual | how), first_told_on=first, last_told_on=last or first)


def why(before: Told | None, receiver: Receiver = UNIT, at: datetime | date = MONDAY, **now: Any) -> Reason | None:
    at = at if isinstance(at, datetime) else moment(at)
    notice = decide({"f": before} if before else {}, [replace(USUAL, **now)], policy(receiver), at)
    return notice.news[0][0] if notice else None


GONE: dict[str, Any] = {"is_open": False, "outcome": "pass"}


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        (None, {}, Reason.OPENED),
        (None, {"outcome": "warn", "severity": "low"}, Reason.OPENED),
        (None, GONE, None),
        (None, {"handling": "waived"}, None),
        (None, {"handling": "disputed"}, None),
        (None, {"handling": "attested"}, None),
        (None, {"handling": "settled"}, None),
        (None, {"silent_for": frozenset((EVERYONE,))}, None),
        (None, {"silent_for": frozenset(("unit",))}, None),
        (None, {"silent_for": frozenset(("finance",))}, Reason.OPENED),
        (None, {"is_by_rule": True}, Reason.RULE_CHANGED),
        (told(), {}, None),
        (told(), GONE, Reason.RESOLVED),
        (told(), GONE | {"handling": "waived"}, Reason.RESOLVED),
        (told(), GONE | {"is_by_rule": True}, Reason.RULE_CHANGED),
        (told(state="resolved"), GONE, None),
        (told(state="resolved"), {"reopened": 1}, Reason.REOPENED),
        (told(), {"reopened": 1}, Reason.REOPENED),
        (told(outcome="warn", severity="low"), {}, Reason.WORSENED),
        (told(severity="low"), {}, Reason.WORSENED),
        (told(outcome="warn", severity="low"), {"is_by_rule": True}, Reason.RULE_CHANGED),
        (told(), {"outcome": "warn", "severity": "low"}, None),
        (told(severity=None), {}, None),
        (told(state="waived"), {}, Reason.WAIVER_ENDED),
        (told(state="settled"), {}, Reason.WAIVER_ENDED),
        (told(state="settled"), {"handling": "settled"}, None),
        (told(), GONE | {"handling": "settled"}, Reason.RESOLVED),
        (told(state="disputed"), {"is_unverified": True}, Reason.WAIVER_ENDED),
        (told(state="waived"), {"handling": "waived"}, None),
        (told(), {"handling": "rectifying", "is_overdue": True}, Reason.OVERDUE),
        (told(state="overdue"), {"handling": "rectifying", "is_overdue": True}, None),
        (told(), {"is_unverified": True}, None),
    ],
)
def test_what_is_told_and_what_is_not(before: Told | None, now: dict[str, Any], reason: Reason | None) -> None:
    assert why(before, **now) is reason


def test_reminders_come_after_3_7_15_working_days_and_then_every_20() -> None:
    last, found = MONDAY, []
    for number in range(150):
        day = MONDAY + timedelta(days=number)
        if why(told(MONDAY, last), at=day) is Reason.REMINDER:
            last = day
            found.append(_workdays().span(MONDAY, day).least if day.year == 2026 else day)
    assert found[:3] == [3, 7, 15]
    assert len(found) >= 5
    later = [day for day in found if isinstance(day, date)]
    dues = [_workdays().after(MONDAY, count) for count in (35, 55, 75, 95)]
    assert not dues[0].is_certain, "the calendar of 2027 is not loaded"
    assert later == [_weekday_from(due.earliest) for due in dues if due.earliest < MONDAY + timedelta(days=145)]
    assert len(later) >= 2


def _weekday_from(day: date) -> date:
    """Return the day, or the Monday after a weekend: without a calendar nobody is told on one."""
    return day + timedelta(days=7 - day.weekday() if day.weekday() >= 5 else 0)


def test_a_threshold_that_fell_into_a_gap_is_made_good_once() -> None:
    friday = MONDAY + timedelta(days=18)
    assert why(told(MONDAY), at=friday) is Reason.REMINDER
    assert why(told(MONDAY, friday), at=friday) is None
    assert why(told(MONDAY), at=friday, is_unverified=True) is None
    assert why(told(MONDAY), at=friday, silent_for=frozenset((EVERYONE,))) is None


def test_who_is_told_later_enters_once_when_nothing_has_happened() -> None:
    since, fifth = {"told_since": MONDAY}, MONDAY + timedelta(days=7)
    assert why(None, HEAD, at=fifth - timedelta(days=3), **since) is None
    assert why(None, HEAD, at=fifth, **since) is Reason.ESCALATED
    assert why(None, HEAD, at=fifth) is None, "somebody must have been told first"
    assert why(None, HEAD, at=fifth, handling="acknowledged", **since) is None
    assert why(None, HEAD, at=fifth, severity="low", **since) is None
    assert why(None, HEAD, at=fifth, is_unverified=True, **since) is None
    assert why(told(fifth), HEAD, at=fifth + timedelta(days=30), **since) is None, (
        "no reminders for whom it was handed up to"
    )
    assert why(told(fifth), HEAD, at=fifth, is_open=False) is Reason.RESOLVED
    assert why(told(fifth, state="resolved"), HEAD, at=fifth, reopened=1, **since) is Reason.ESCALATED
    assert why(None, LEADER, at=fifth, **since) is None
    assert why(None, LEADER, at=MONDAY + timedelta(days=21), handling="acknowledged", **since) is Reason.ESCALATED


def test_the_finance_office_hears_of_rectifications_that_did_not_come_once_each() -> None:
    late: dict[str, Any] = {"handling": "rectifying", "is_overdue": True}
    assert why(None, FINANCE, **late) is Reason.OVERDUE
    assert why(None, FINANCE) is None
    knows = told(state="overdue")
    assert why(knows, FINANCE, **late) is None
    again = replace(knows, state=mark(knows, replace(USUAL, handling="rectifying")))
    assert again.state == "open"
    assert why(again, FINANCE, **late) is Reason.OVERDUE


def test_outside_office_hours_only_critical_news_is_told() -> None:
    night = moment(MONDAY, 20)
    assert why(None, at=night) is None
    assert why(None, at=night, severity="critical") is Reason.OPENED
    assert why(told(severity="critical"), at=night, is_open=False, severity="critical") is None, "an end can wait"
    assert why(told(severity="critical"), at=night, is_overdue=True, severity="critical") is None, (
        "so can what days bring"
    )
    assert why(told(MONDAY - timedelta(days=30)), at=night, severity="critical") is Reason.WORSENED
    group = [USUAL, replace(USUAL, finding_id="g", severity="critical")]
    notice = decide({}, group, policy(), night)
    assert notice
    assert [c.finding_id for _, c in notice.news] == ["f", "g"]
    assert notice.is_urgent


STATES = st.builds(
    lambda kind, outcome, reopened, silent, overdue: replace(
        USUAL, is_open=kind != "gone", handling="new" if kind in ("gone", "open") else kind, outcome=outcome,
        severity={"fail": "medium", "warn": "low"}[outcome], reopened=reopened, silent_for=frozenset((EVERYONE,) if silent else ()),
        is_overdue=overdue and kind == "rectifying",
    ),
    st.sampled_from(("open", "open", "gone", "waived", "disputed", "rectifying")), st.sampled_from(("fail", "warn")),
    st.integers(0, 2), st.booleans(), st.booleans(),
)  # fmt: skip


def _after(before: Told | None, concern: Concern, notice: Notice | None, day: date) -> Told | None:
    """Return what is remembered after a pass, as a pass writes it."""
    if notice:
        first = before.first_told_on if before else day
        return told(
            first,
            day,
            state=concern.state,
            outcome=concern.outcome,
            severity=concern.severity,
            reopened=concern.reopened,
        )
    return replace(before, state=mark(before, concern)) if before else None


@settings(max_examples=150, deadline=None)
@given(st.lists(STATES, min_size=1, max_size=12))
def test_of_any_history_nothing_is_told_twice_and_the_end_only_after_a_beginning(history: list[Concern]) -> None:
    known: Told | None = None
    knows_open = False
    reopened = 0
    for number, concern in enumerate(history):
        reopened = max(reopened, concern.reopened)
        concern = replace(concern, reopened=reopened)
        day = MONDAY + timedelta(days=number % 5)
        previous = {"f": known} if known else {}
        notice = decide(previous, [concern], policy(), moment(day))
        reasons = {reason for reason, _ in notice.news} if notice else set()
        assert (Reason.RESOLVED not in reasons) or (knows_open and not concern.is_open)
        assert not (reasons - {Reason.RESOLVED}) or (concern.is_open and concern.state not in ("waived", "disputed"))
        known = _after(known, concern, notice, day)
        knows_open = concern.is_open if notice else knows_open
        assert decide({"f": known} if known else {}, [concern], policy(), moment(day)) is None, "the same pass again"
