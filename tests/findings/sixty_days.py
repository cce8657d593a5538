"""Sixty days of a small city: facts that change, rules that change, systems that come and go, and people who decide.

Everything of a day follows from the seed and the day alone, so that a day can be lived again after a crash.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Engine, func, select

from include.errors import DecisionRefused
from include.findings.decisions import decide
from include.findings.story import Kind
from include.ledger.tables import finding_event
from include.rules.verdict import Verdict
from tests.findings.deciding import FOR_GOOD, GROUND, HIGH, OTHER, PAID, judge_by_hand, said, wanted

DAYS = 60
FIRST = date(2026, 9, 1)
"""So that the days hold the National Day holiday, on which nobody judges."""
HOLIDAYS = {date(2026, 10, 1) + timedelta(days=n) for n in range(7)}
RULES = (HIGH, OTHER, "system-in-regular-use", PAID)
PAST_MENDING = {"fail": FOR_GOOD, "warn": "paid_early"}
"""Reasons of `PAID` that can be settled."""
SUBJECTS = tuple("ABCDE")
OUTCOMES = ("pass", "warn", "fail", "unknown", "not_applicable")
DECISIONS = (
    *[Kind.WAIVED] * 3, *[Kind.SETTLED] * 2, Kind.ACKNOWLEDGED, Kind.RECTIFYING, Kind.DISPUTED, Kind.ATTESTED, Kind.WITHDRAWN,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class City:
    """What happens, day by day."""

    seed: int

    def days(self) -> Iterator[date]:
        """Yield the days on which there is a judging."""
        yield from (day for n in range(DAYS) if (day := FIRST + timedelta(days=n)) not in HOLIDAYS)

    def verdicts(self, day: date) -> list[Verdict]:
        """Return what the rules say; a state lasts for some days, a rule's version for about three weeks, E leaves in the end."""
        found = []
        for rule in RULES:
            number = ((day - FIRST).days + RULES.index(rule) * 5) // 20
            heavy = "high" if rule == OTHER and number % 2 else None
            for subject in SUBJECTS:
                value = self._state(rule, subject, day)
                if (subject == "E" and self.is_gone(day)) or value > 8:
                    continue
                outcome, facts = OUTCOMES[value % 5], {"x": value}
                severity = heavy if outcome in ("warn", "fail") else None
                how: dict[str, Any] = {"day": day, "version": f"v{number}", "facts": facts, "severity": severity}
                reason = PAST_MENDING.get(outcome) if rule == PAID else None
                found.append(said(outcome, subject, rule, reason or f"r{value}", message=f"{subject}:{value}", **how))
        return found

    def _state(self, rule: str, subject: str, day: date) -> int:
        """Return the state of a subject: 9 and 10 are days without a verdict."""
        back = day
        while random.Random(f"{self.seed}{rule}{subject}{back}").random() > 0.3 and back > FIRST:
            back -= timedelta(days=1)
        return random.Random(f"{self.seed}{rule}{subject}{back}s").randrange(11)

    def is_gone(self, day: date) -> bool:
        """Return whether the last system has been withdrawn."""
        return (day - FIRST).days > 45

    def decision(self, day: date) -> Any:
        """Return what somebody wants on a day; now and then it may not be."""
        chance = random.Random(f"{self.seed}{day}d")
        kind = chance.choice(DECISIONS)
        if kind is Kind.WITHDRAWN and day > FIRST:
            earlier = self.decision(day - timedelta(days=1))
            return wanted(kind, day=day, decision_id=f"run-{day}", findings=earlier.findings)
        is_wanted = "warn" if kind is Kind.ATTESTED else chance.choice(("warn", "fail"))
        rules = (PAID,) if kind is Kind.SETTLED else RULES
        seen = [v for v in self.verdicts(day) if v.outcome == is_wanted and v.rule in rules]
        rule = chance.choice([v.rule for v in seen] or rules)
        subjects = [v.subject for v in seen if v.rule == rule][: chance.choice((1, 1, 2))] or ["A"]
        until = day + timedelta(days=chance.randrange(1, 9))
        return wanted(
            kind, *subjects, rule=rule, day=day, until=None if kind is Kind.SETTLED else until, decision_id=f"run-{day}",
            ground=GROUND, approved_by=chance.choice(("ops", "ops", "leader", "engineer")),
        )  # fmt: skip


def live(engine: Engine, seed: int, days: Sequence[date], rules: Sequence[str] = RULES) -> Iterator[date]:
    """Live some days, judging and then deciding; yield each when it is over."""
    city = City(seed)
    for day in days:
        gone = {("system", "E"): "withdrawn_at_source"} if city.is_gone(day) else None
        judge_by_hand(engine, day, *city.verdicts(day), rules=rules, gone=gone)
        with suppress(DecisionRefused):
            decide(engine, city.decision(day))
        yield day


def go_on(engine: Engine, seed: int, days: Sequence[date]) -> None:
    """Live those of some days that are left after a crash, from the last one of which anything is known; again is no harm."""
    with engine.connect() as connection:
        last = connection.execute(select(func.max(finding_event.c.day))).scalar() or FIRST
    for _ in live(engine, seed, [day for day in days if day >= last]):
        pass
