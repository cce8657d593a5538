"""Everything that is known about one verdict or finding, gathered to be told on one screen; or what is said of one subject.

Reads the ledger and the cards and writes nothing.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, or_, select

from include.errors import ConfigurationError
from include.findings.judged_again import judged_again
from include.findings.knowing import Knows, is_held_back, who_knows
from include.findings.story import identity
from include.ledger.tables import finding, finding_event, verdict
from include.rules.evaluation import last_evaluation
from include.rules.exceptions import EXCEPTIONS
from include.rules.rule import Rule
from include.rules.rule_book import load_rules
from include.rules.verdict import KEY
from include.sources.outlines import outline_cards

_ID = re.compile(r"[0-9a-f]{4,32}")
_ORDER = ("fail", "warn", "unknown", "pass", "not_applicable")
NEAREST = 5
"""How many names are offered where none fits."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event of a finding as it is told; `detail` is what was recorded with it."""

    number: int
    kind: str
    day: date
    outcome: str
    reason: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stands:
    """The days on which a verdict had an outcome and a reason; `until_day` is the first on which it no longer had."""

    from_day: date
    until_day: date | None
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Explained:
    """One verdict with its rule, its finding and its story; what there is not is None or empty.

    `judged` is the day of the last evaluation and its revision. `body` is the verdict as that gave it or, where it cannot be worked
    out again, as it was recorded when it last changed. `would_be` is what the rules say of the same evidence now, where they have
    been changed since and say something else.
    """

    finding_id: str
    rule_id: str
    subject_type: str
    subject: str
    occurrence: str
    rule: Rule | None
    finding: Mapping[str, Any] | None
    events: tuple[Told, ...]
    stretches: tuple[Stands, ...]
    body: Mapping[str, Any]
    judged: tuple[date, int] | None
    would_be: Mapping[str, Any] | None
    sources: Mapping[str, str]
    knows: tuple[Knows, ...] = ()
    is_held_back: bool = False

    def fact_title(self, name: str) -> str:
        """Return what the card calls a fact."""
        if self.rule is None:
            return name
        titles: dict[str, str] = {}
        for rule in (*self.rule.parts, self.rule):
            for exception in rule.exceptions:
                titles |= EXCEPTIONS[exception].facts
            titles |= {**rule.needs, **rule.weighs}
        return titles.get(name, name)

    def summary(self) -> dict[str, Any]:
        """Return all of it for programs."""
        rule = self.rule
        return {
            "finding_id": self.finding_id, "rule": self.rule_id, "subject_type": self.subject_type, "subject": self.subject,
            "occurrence": self.occurrence, "title": rule.title if rule else None,
            "clause": asdict(rule.article) if rule else None, "remedy": rule.remedy if rule else None,
            "told": list(rule.told) if rule else [], "knows": [asdict(k) for k in self.knows],
            "is_held_back": self.is_held_back, "is_waivable": rule.is_waivable if rule else None,
            "past_mending": list(rule.past_mending) if rule else [],
            "finding": dict(self.finding) if self.finding else None, "events": [asdict(e) for e in self.events],
            "stretches": [asdict(s) for s in self.stretches], "verdict": dict(self.body),
            "judged": {"day": self.judged[0], "revision": self.judged[1]} if self.judged else None,
            "would_be": dict(self.would_be) if self.would_be else None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Current:
    """What a rule says of a subject now."""

    rule: str
    title: str
    subject_type: str
    occurrence: str
    outcome: str
    reason: str
    since: date
    message: str
    finding_id: str
    state: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the rules say of one subject, what falls short first."""

    subject: str
    verdicts: tuple[Current, ...]

    def summary(self) -> dict[str, Any]:
        """Return it for programs."""
        return {"subject": self.subject, "verdicts": [asdict(v) for v in self.verdicts]}


def explain(connection: Connection, what: str, rule: str | None = None) -> Explained | Overview:
    """Return what is known about a finding, by the beginning of its id, or about a subject, by its code.

    With `rule`, the verdict of that rule on the subject. Raises `ConfigurationError` where nothing, or more than one, is meant.
    """
    rules = {r.id: r for r in load_rules()}
    found = _verdicts(connection, what)
    if found:
        mine = [row for row in found if rule in (None, row["rule"])]
        if not mine:
            raise ConfigurationError(
                f"the rule {rule!r} says nothing of {what}; rules that do: {', '.join(sorted({r['rule'] for r in found}))}"
            )
        return (
            explained(connection, mine[0], rules)
            if rule and len(mine) == 1
            else _overview(connection, what, mine, rules)
        )
    return explained(connection, _finding(connection, what, rule), rules)


def _verdicts(connection: Connection, subject: str) -> list[RowMapping]:
    """Return what is said of a subject now; of one that is judged no more, what was said last."""
    query = select(verdict).where(verdict.c.subject == subject).order_by(*verdict.primary_key)
    newest = {tuple(row[name] for name in KEY): row for row in connection.execute(query).mappings()}
    current = [row for row in newest.values() if row["until_day"] is None]
    return current or list(newest.values())


def _finding(connection: Connection, what: str, rule: str | None) -> RowMapping:
    """Return the finding whose id begins so, or the only one of a subject."""
    is_id = _ID.fullmatch(what.lower()) is not None
    this: ColumnElement[bool] = finding.c.subject == what
    if is_id:
        this = or_(this, finding.c.finding_id.startswith(what.lower()))
    query = select(finding).where(this).order_by(finding.c.finding_id)
    if rule:
        query = query.where(finding.c.rule == rule)
    rows = list(connection.execute(query.limit(NEAREST + 1)).mappings())
    if len(rows) == 1:
        return rows[0]
    if rows:
        named = "; ".join(f"{r['finding_id'][:12]} {r['rule']} {r['subject']}" for r in rows[:NEAREST])
        raise ConfigurationError(f"{what!r} means more than one finding, give more of the id: {named}")
    raise ConfigurationError(_not_found(connection, what))


def _not_found(connection: Connection, what: str) -> str:
    near = _nearest(connection, what)
    nearest = f"; nearest: {'; '.join(near)}" if near else "; nothing has been judged yet: python -m include evaluate"
    return f"no finding has an id that begins with {what!r}, and no judged subject has that code{nearest}"


def _nearest(connection: Connection, what: str) -> list[str]:
    """Return subjects whose code or sentence holds the words; else codes, then ids, that resemble them; else any codes."""
    holds = (
        select(verdict.c.subject).where(verdict.c.subject.contains(what, autoescape=True)),
        select(finding.c.subject).where(finding.c.message.contains(what, autoescape=True)),
    )
    for query in holds:
        if found := list(connection.execute(query.distinct().order_by("subject").limit(NEAREST)).scalars()):
            return found
    subjects = sorted(connection.execute(select(verdict.c.subject).distinct()).scalars())
    ids = sorted(connection.execute(select(finding.c.finding_id)).scalars())
    close = difflib.get_close_matches(what, subjects, NEAREST, 0.5)
    return close or difflib.get_close_matches(what, [i[:12] for i in ids], NEAREST, 0.4) or subjects[:NEAREST]


def _overview(connection: Connection, subject: str, rows: list[RowMapping], rules: Mapping[str, Rule]) -> Overview:
    query = select(finding.c.finding_id, finding.c.state).where(finding.c.subject == subject)
    states = {i: state for i, state in connection.execute(query)}
    found = []
    for row in rows:
        key = identity(*(row[name] for name in KEY))
        title = rules[row["rule"]].title if row["rule"] in rules else row["rule"]
        message = json.loads(row["body"])["message"]
        found.append(
            Current(
                row["rule"], title, row["subject_type"], row["occurrence"], row["outcome"], row["reason"], row["from_day"],
                message, key, states.get(key),
            )
        )  # fmt: skip
    return Overview(subject, tuple(sorted(found, key=lambda c: (_ORDER.index(c.outcome), c.rule, c.occurrence))))


def explained(
    connection: Connection,
    named: Mapping[Any, Any],
    rules: Mapping[str, Rule],
    sources: Mapping[str, str] | None = None,
    *,
    is_again: bool = True,
) -> Explained:
    """Gather what there is of one verdict, which a row of `verdict` or of `finding` names.

    `sources` gives the titles of the cards where the caller has them. Without `is_again` the verdict is told as it was recorded
    when it last changed, which takes milliseconds; judging again reads the facts of all subjects of its rule.
    """
    key = tuple(str(named[name]) for name in KEY)
    rule_id, subject_type, subject, occurrence = key
    finding_id = identity(rule_id, subject_type, subject, occurrence)
    this = [verdict.c[name] == value for name, value in zip(KEY, key, strict=True)]
    stood = list(connection.execute(select(verdict).where(*this).order_by(verdict.c.from_day)).mappings())
    held = connection.execute(select(finding).where(finding.c.finding_id == finding_id)).mappings().first()
    told = select(finding_event).where(finding_event.c.finding_id == finding_id).order_by(finding_event.c.number)
    evaluated = last_evaluation(connection, stood[-1]["scope"]) if stood else None
    rule = rules.get(rule_id)
    body, would_be = _body(connection, rule if is_again else None, stood, evaluated)
    return Explained(
        finding_id, rule_id, subject_type, subject, occurrence, rule, dict(held) if held else None,
        tuple(
            Told(e["number"], e["kind"], e["day"], e["outcome"], e["reason"], json.loads(e["detail"]))
            for e in connection.execute(told).mappings()
        ),
        tuple(Stands(s["from_day"], s["until_day"], s["outcome"], s["reason"]) for s in stood), body,
        (evaluated["day"], evaluated["revision"]) if evaluated else None, would_be,
        {card.source: card.title for card in outline_cards()} if sources is None else sources,
        tuple(who_knows(connection, finding_id)), is_held_back(connection, finding_id),
    )  # fmt: skip


def _body(
    connection: Connection, rule: Rule | None, stood: list[RowMapping], evaluated: RowMapping | None
) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    """Return the verdict to explain, and what the rules would say now where that is something else."""
    if not stood:
        return {}, None
    last = stood[-1]
    recorded: Mapping[str, Any] = json.loads(last["body"])
    if rule is None or evaluated is None or last["until_day"] is not None:
        return recorded, None
    again = judged_again(connection, rule, last["subject"], evaluated)
    if again is None or (again["outcome"], again["reason"]) == (last["outcome"], last["reason"]):
        return again or recorded, None
    return recorded, again
