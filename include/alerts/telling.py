"""A pass over all that is open: decide who is told of what, put the messages into the outbox, remember what was told.

Called at the end of every transaction that changes findings, and every few minutes beside. It compares states, not events: a pass
that was lost is made good by the next one, and a pass with nothing to say writes nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from include.alerts.composing import Desk, Digest, compose
from include.alerts.concern import EVERYONE, QUIET, RESOLVED, Concern
from include.alerts.deciding import ANEW, Notice, Policy, Told, decide, enters, mark
from include.alerts.gathering import gather
from include.alerts.holds import Hold, end_holds, keep_holds, too_many, waiting
from include.alerts.message import Reason
from include.alerts.outbox import put
from include.alerts.routing import Receiver, Routing, load_routing
from include.alerts.subjects import UNREGISTERED, Subjects
from include.alerts.switchboard import OPERATOR
from include.alerts.told_rows import Changes, Known, is_known, read_told, write_told
from include.errors import CardError
from include.findings.knowing import not_arrived
from include.rules.rule import Rule
from include.rules.rule_book import load_rules
from include.rules.verdict import Outcome
from include.rules.workdays import Workdays
from include.settings import load_settings

log = logging.getLogger(__name__)

Group = tuple[str, str, str]
"""Receiver, department, topic."""


@dataclass(slots=True)
class Telling:
    """What a pass brought: messages by channel put into the outbox, news by reason, and findings that are held since."""

    messages: int = 0
    news: Counter[str] = field(default_factory=Counter)
    held: int = 0

    def summary(self) -> dict[str, Any]:
        """Return counts; never names."""
        return {"messages": self.messages, "news": dict(sorted(self.news.items())), "held": self.held}


@dataclass(frozen=True, slots=True)
class Orders:
    """By what a pass is made: the rules in force, who is told of them, the calendar, and the address for links."""

    rules: Mapping[str, Rule]
    routing: Routing
    workdays: Workdays
    public_url: str | None

    @classmethod
    def load(cls) -> Orders:
        """Read them; raise `CardError` where rules or routing cannot be used."""
        rules = {rule.id: rule for rule in load_rules()}
        return cls(rules, load_routing(rules.values()), Workdays.load(), load_settings().public_url)


def tell(connection: Connection, at: datetime, orders: Orders | None = None) -> Telling:
    """Make one pass in the caller's transaction, which holds the lock `include.ledger.snapshot.FINDINGS`.

    `at` is the moment of the pass; `orders` are read anew by default. Raises `CardError` where they cannot be used; then nothing is
    lost, only not told yet.
    """
    by = orders or Orders.load()
    subjects = Subjects.load(connection, by.routing.cards)
    return _Pass(connection, Desk(by.routing, by.rules, subjects, by.workdays, at, by.public_url)).run()


def tell_if_possible(connection: Connection, at: datetime) -> Telling | None:
    """Make a pass at the end of a judging or a decision; one that cannot be made keeps neither from being recorded.

    A later pass makes it good, and `deliver_alerts` tells the operator what is wrong with the routing.
    """
    try:
        orders = Orders.load()
    except CardError as error:
        log.error("nobody is told yet: %s", error)
        return None
    return tell(connection, at, orders)


class _Pass:
    """One pass inside its transaction."""

    def __init__(self, connection: Connection, desk: Desk) -> None:
        self.connection, self.desk, self.routing = connection, desk, desk.routing
        self.known: Known = read_told(connection)
        self.waiting = waiting(connection)
        self.policies = {r.id: _policy(r, desk) for r in self.routing.receivers.values()}
        self.changes, self.told = Changes(), Telling()

    def run(self) -> Telling:
        """Decide, compose, write."""
        concerns = gather(
            self.connection, self.desk.rules, self.routing, self.desk.subjects, self.known, set(self.waiting.held)
        )
        holds = too_many(self.connection, self._new(concerns), self.routing.blast_guard, self.desk.at)
        digests = self._digests(_without(concerns, holds), holds)
        messages = []
        desk = replace(self.desk, not_arrived=not_arrived(self.connection, _escalated(digests)))
        for digest in digests:
            written = compose(digest, desk)
            messages += written
            if written:
                self._remember(digest, written[0].message_id)
        keep_holds(self.connection, holds, self.desk.at)
        self.told.held = sum(len(hold.finding_ids) for hold in holds)
        self.told.messages = put(self.connection, messages, self.desk.at)
        write_told(self.connection, self.changes, self.known)
        self._end_holds()
        if self.told.messages or self.told.held:
            log.info("told: %s", self.told.summary())
        return self.told

    def _new(self, concerns: Iterable[Concern]) -> Iterator[Concern]:
        """Yield what nobody was told of, or not as a lead, and would be now, but for what was released or the rule alone made."""
        for c in concerns:
            if c.state in QUIET or not c.is_open or c.is_by_rule or EVERYONE in c.silent_for:
                continue
            told = self.known.get(c.finding_id, {}).values()
            is_worse = c.outcome == Outcome.FAIL and all(one.outcome != Outcome.FAIL for one in told)
            if (is_worse or not is_known(told, c.reopened)) and c.finding_id not in self.waiting.released:
                yield c

    def _digests(self, concerns: Iterable[Concern], holds: Sequence[Hold]) -> list[Digest]:
        """Return what each receiver is told, of all its groups together."""
        found: dict[tuple[str, str], dict[str, list[Notice]]] = {(OPERATOR, ""): {}} if holds else {}
        for (receiver, department, topic), (previous, now) in sorted(self._groups(concerns).items()):
            notice = decide(previous, now, self.policies[receiver], self.desk.at)
            self._mark(previous, now, notice)
            if notice:
                mine = department if self.routing.receivers[receiver].is_per_department else ""
                found.setdefault((receiver, mine), {}).setdefault(topic, []).append(notice)
                for before, moved in self._moved(receiver, mine, notice):
                    found.setdefault((receiver, before), {}).setdefault(topic, []).append(moved)
        return [
            Digest(receiver, department, notices, holds if receiver == OPERATOR else ())
            for (receiver, department), notices in sorted(found.items())
        ]

    def _moved(self, receiver: str, department: str, notice: Notice) -> Iterator[tuple[str, Notice]]:
        """Yield the departments that hear with a notice to another one that some of its findings are not theirs any more."""
        left: dict[str, list[tuple[Reason, Concern]]] = {}
        for _, concern in notice.news:
            told = self.known.get(concern.finding_id, {}).get(receiver)
            if department and told and told.state != RESOLVED and told.department not in (department, UNREGISTERED):
                left.setdefault(told.department, []).append((Reason.MOVED, concern))
        for before, news in left.items():
            yield before, Notice(tuple(news), is_urgent=False)

    def _groups(self, concerns: Iterable[Concern]) -> dict[Group, tuple[dict[str, Told], list[Concern]]]:
        """Return, by group, what was told of its findings and how they stand."""
        groups: dict[Group, tuple[dict[str, Told], list[Concern]]] = {}
        for concern in concerns:
            known = self.known.get(concern.finding_id, {})
            for receiver in self._concerned(concern, known):
                told = known.get(receiver)
                department = self._department(concern, told, receiver)
                previous, now = groups.setdefault((receiver, department, concern.topic), ({}, []))
                now.append(concern)
                if told and (told.department == department or not self.routing.receivers[receiver].is_per_department):
                    previous[concern.finding_id] = told
        return groups

    def _concerned(self, concern: Concern, known: Iterable[str]) -> set[str]:
        """Return who may have to be told of a finding."""
        names = {*concern.receivers, *(name for name in known if name in self.policies)}
        day = self.desk.day
        names.update(r.id for r in self.routing.later if enters(concern, self.policies[r.id], day))
        if concern.is_overdue:
            names.update(r.id for r in self.routing.receivers.values() if r.hears_overdue)
        return names

    def _department(self, concern: Concern, told: Told | None, receiver: str) -> str:
        """Return whose group a finding is in: of a unit's that which was told of it, until it is known to belong to another."""
        if not self.routing.receivers[receiver].is_per_department:
            return concern.department
        if told and (not concern.is_open or concern.department in ("", UNREGISTERED)):
            return told.department
        return concern.department or UNREGISTERED

    def _mark(self, previous: dict[str, Told], now: Iterable[Concern], notice: Notice | None) -> None:
        """Notice in silence what receivers are not told."""
        told_now = {concern.finding_id for _, concern in notice.news} if notice else set()
        for concern in now:
            told = previous.get(concern.finding_id)
            if told and concern.finding_id not in told_now and (state := mark(told, concern)) != told.state:
                self.changes.marks.append((told, state))

    def _remember(self, digest: Digest, message: str) -> None:
        """Remember what a digest tells, a row for each finding."""
        for topic, notices in digest.notices.items():
            for reason, concern in (one for notice in notices for one in notice.news):
                self.told.news[reason.value] += 1
                if reason is Reason.MOVED:  # the row is of the department that has it now
                    continue
                row = self._row(digest, topic, reason, concern)
                self.changes.rows[row.receiver, row.finding_id] = row, message

    def _row(self, digest: Digest, topic: str, reason: Reason, concern: Concern) -> Told:
        before, day = self.known.get(concern.finding_id, {}).get(digest.receiver), self.desk.day
        department = digest.department or concern.department
        is_anew = before is None or reason in ANEW or before.state == RESOLVED or before.reopened != concern.reopened
        is_anew = is_anew or (before is not None and bool(digest.department) and before.department != department)
        return Told(
            digest.receiver, concern.finding_id, department, topic, concern.state, concern.outcome, concern.severity,
            concern.reopened, day if before is None or (is_anew and concern.is_open) else before.first_told_on, day,
        )  # fmt: skip

    def _end_holds(self) -> None:
        if self.waiting.held or self.waiting.released:
            told = {finding_id for _, finding_id in self.changes.rows}
            end_holds(self.connection, told & set(self.waiting.released))


def _policy(receiver: Receiver, desk: Desk) -> Policy:
    routing: Routing = desk.routing
    return Policy(receiver, routing.office_hours, routing.reminders, desk.workdays)


def _escalated(digests: Iterable[Digest]) -> set[str]:
    """Return the findings that somebody is told of because nothing has happened."""
    notices = (notice for digest in digests for some in digest.notices.values() for notice in some)
    return {concern.finding_id for notice in notices for concern in notice.of(Reason.ESCALATED)}


def _without(concerns: Iterable[Concern], holds: Iterable[Hold]) -> list[Concern]:
    """Return the concerns, those of new holds silent for everybody."""
    held = {finding_id for hold in holds for finding_id in hold.finding_ids}
    nobody = frozenset((EVERYONE,))
    return [replace(c, silent_for=nobody) if c.finding_id in held else c for c in concerns]
