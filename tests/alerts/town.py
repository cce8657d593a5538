"""A small town for the tests of alerts: subjects of departments, verdicts as a judging makes them, and what was told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, select

from include.alerts.message import Message
from include.alerts.telling import Orders, Telling, tell
from include.clock import SHANGHAI
from include.findings.decisions import Decision, decide
from include.findings.door import end_decisions, settle
from include.findings.story import Kind, identity
from include.ledger.alert_tables import alert_hold, held_finding, outbox, told
from include.ledger.snapshot import FINDINGS, snapshot
from include.rules import timeline
from include.rules.rule import Rule
from include.rules.rule_book import load_rules
from include.rules.verdict import Fact, Outcome, Used, Verdict
from tests.rules.evidence import Evidence, rows_of

CLOUD, USE, CONNECTED, MOUNTED = (
    "resources-not-idle", "system-in-regular-use", "interconnected-with-exchange", "shared-entries-mounted",
)  # fmt: skip
PAID, SOURCE, PROCEDURES, SECURITY = (
    "no-final-payment-before-acceptance", "evidence-current", "procedures-completed", "security-duties-current",
)  # fmt: skip
MONDAY = date(2026, 11, 16)
"""Five plain working days follow from here."""


@cache
def rules() -> Mapping[str, Rule]:
    """Return the rules of the book, read once."""
    return {rule.id: rule for rule in load_rules()}


@cache
def orders() -> Orders:
    """Return what passes are made by, read once; the calendar and the rules are the same for every test."""
    return Orders.load()


def telling(connection: Connection, at: datetime) -> Telling:
    """Make a pass by the shipped orders."""
    return tell(connection, at, orders())


def moment(day: date, hour: int = 9, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI)


def id_of(subject: str, rule: str = USE) -> str:
    return identity(rule, rules()[rule].subject, subject, "")


def said(
    outcome: str, subject: str, rule: str = USE, *, reason: str = "r", version: str = "v1", **facts: Any
) -> Verdict:
    """Return a verdict as the rule of the book would give it."""
    card = rules()[rule]
    used = {name: Fact(value, "s") for name, value in facts.items()}
    return Verdict(
        rule, card.subject, subject, "", Outcome(outcome), reason, f"“{subject}”{outcome}", (), Used(used), {}, card.article.id,
        card.severity.get(outcome), version, MONDAY, None,
    )  # fmt: skip


@dataclass(slots=True)
class Town:
    """The ledger of the town, and its days."""

    engine: Engine
    tells: Callable[[Connection, datetime], Telling] = telling

    def plant(self, systems: Mapping[str, str] | None = None, projects: Mapping[str, str] | None = None) -> None:
        """Let systems and projects, by code, belong to departments."""
        evidence, when = Evidence(self.engine), moment(date(2026, 1, 5))
        with evidence.together():
            for entity, key, codes in (("system", "system_code", systems), ("project", "project_code", projects)):
                batch = evidence.batch(f"register_{entity}", entity, when)
                rows = [{key: code, "unit_name": unit, "name": f"{code}名"} for code, unit in (codes or {}).items()]
                evidence.put(entity, batch, rows)

    def judge(self, at: datetime, *verdicts: Verdict, tells: bool = True) -> Telling:
        """Settle a day as a judging does, rule after rule, and tell in the same transaction."""
        with snapshot(self.engine, FINDINGS) as connection:
            return self.judge_in(connection, at, verdicts, tells=tells)

    def judge_in(self, connection: Connection, at: datetime, verdicts: Iterable[Verdict], *, tells: bool) -> Telling:
        by_rule: dict[str, list[Verdict]] = {}
        for verdict in verdicts:
            by_rule.setdefault(verdict.rule, []).append(verdict)
        for rule, mine in by_rule.items():
            scope = rules()[rule].scope
            timeline.record(
                connection, scope, [rule], mine, at.date(), None, {(v.subject_type, v.subject) for v in mine}
            )
            settle(connection, mine, [rule], at.date(), at, None, scope)
        end_decisions(connection, at.date(), at)
        return self.tells(connection, at) if tells else Telling()

    def tell(self, at: datetime) -> Telling:
        """Make a pass as `deliver_alerts` does."""
        with snapshot(self.engine, FINDINGS) as connection:
            return self.tells(connection, at)

    def decide(self, at: datetime, kind: Kind, *subjects: str, rule: str = USE, days: int = 5, **how: Any) -> None:
        """Decide about findings, and tell in the same transaction; `days` until its end."""
        until = (
            at.date() + timedelta(days=days) if kind not in (Kind.WITHDRAWN, Kind.ACKNOWLEDGED, Kind.SETTLED) else None
        )
        result = "criticised" if kind is Kind.SETTLED else None
        ground = "双数通报〔2026〕3号" if kind is Kind.SETTLED else "第二十条"
        decision = Decision(
            f"{kind.value}-{at.isoformat()}", kind, tuple(id_of(s, rule) for s in subjects), "engineer", at, "ops",
            ground, "说明", None, until, result,
        )  # fmt: skip
        decide(self.engine, decision, tell=self.tells, **how)

    def messages(self, receiver: str | None = None) -> list[Message]:
        """Return all that was put into the outbox, in its order."""
        query = select(outbox.c.body).order_by(
            outbox.c.decided_at, outbox.c.receiver, outbox.c.department, outbox.c.channel
        )
        with self.engine.connect() as connection:
            found = [Message.loads(body) for body in connection.execute(query).scalars()]
        return [m for m in found if receiver in (None, m.receiver)]

    def lines(self, receiver: str | None = None) -> list[str]:
        """Return the messages as lines: when, who, and for each reason and topic of how many and whom."""
        return [_line(message) for message in self.messages(receiver)]

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        """Return every row that a pass writes."""
        with self.engine.connect() as connection:
            return {t.name: rows_of(connection, t) for t in (told, outbox, alert_hold, held_finding)}


def _line(message: Message) -> str:
    who = f"{message.receiver}({message.department})" if message.department else message.receiver
    parts = []
    for section in message.sections:
        names = " ".join(sorted(item.text.split("”")[0].strip("“") for item in section.items))
        parts.append(f"{section.reason.value} {section.topic} {section.count}: {names}")
    urgent = " !" if message.is_urgent else ""
    return f"{message.decided_at.astimezone(SHANGHAI):%m-%d %H:%M} {who}{urgent} | {' | '.join(parts)}"


def reasons(lines: Iterable[str]) -> list[str]:
    """Return the reasons of lines, each with whom it is about."""
    return [part.strip() for line in lines for part in line.split("|")[1:]]
