"""Everything that is known about one verdict or finding, gathered to be told on one screen; or what is said of one subject.

Reads the ledger and the cards, judges nothing, writes nothing.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, ColumnElement, RowMapping, or_, select

from include.errors import ConfigurationError
from include.findings.story import identity
from include.ledger.tables import evaluation, finding, finding_event, verdict
from include.rules.exceptions import EXCEPTIONS
from include.rules.rule import Rule
from include.rules.rule_book import load_rules
from include.sources.card_files import outline_cards

_KEY = ("rule", "subject_type", "subject", "occurrence")
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

    `body` is the verdict as it was recorded when it last changed, `judged` the last day of its evaluation and the revision of it.
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
    sources: Mapping[str, str]

    def fact_title(self, name: str) -> str:
        """Return what the card calls a fact."""
        if self.rule is None:
            return name
        titles = {**self.rule.needs, **self.rule.weighs}
        for exception in self.rule.exceptions:
            titles = {**EXCEPTIONS[exception].facts, **titles}
        return titles.get(name, name)

    def summary(self) -> dict[str, Any]:
        """Return all of it for programs."""
        rule = self.rule
        return {
            "finding_id": self.finding_id, "rule": self.rule_id, "subject_type": self.subject_type, "subject": self.subject,
            "occurrence": self.occurrence, "title": rule.title if rule else None,
            "clause": asdict(rule.article) if rule else None, "remedy": rule.remedy if rule else None,
            "told": list(rule.told) if rule else [], "is_waivable": rule.is_waivable if rule else None,
            "finding": dict(self.finding) if self.finding else None, "events": [asdict(e) for e in self.events],
            "stretches": [asdict(s) for s in self.stretches], "verdict": dict(self.body),
            "judged": {"day": self.judged[0], "revision": self.judged[1]} if self.judged else None,
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
        return _explained(connection, mine[0], rules) if rule and len(mine) == 1 else _overview(connection, what, mine, rules)
    return _explained(connection, _finding(connection, what, rule), rules)


def _verdicts(connection: Connection, subject: str) -> list[RowMapping]:
    """Return what is said of a subject now; of one that is judged no more, what was said last."""
    query = select(verdict).where(verdict.c.subject == subject).order_by(*verdict.primary_key)
    newest = {tuple(row[name] for name in _KEY): row for row in connection.execute(query).mappings()}
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
    """Return subjects whose code or sentence holds the words, else those whose code or finding's id resembles them."""
    like = [verdict.c.subject.contains(what, autoescape=True)]
    if len(what) > 1:
        like.append(finding.c.message.contains(what, autoescape=True))
    for column, table, where in zip((verdict.c.subject, finding.c.subject), (verdict, finding), like, strict=False):
        query = select(column).select_from(table).where(where).distinct().order_by(column).limit(NEAREST)
        if found := list(connection.execute(query).scalars()):
            return found
    subjects = list(connection.execute(select(verdict.c.subject).distinct()).scalars())
    ids = [i[:12] for i in connection.execute(select(finding.c.finding_id)).scalars()]
    close = difflib.get_close_matches(what, subjects, NEAREST, 0.5) or difflib.get_close_matches(what, ids, NEAREST, 0.4)
    return close or sorted(subjects)[:NEAREST]


def _overview(
    connection: Connection, subject: str, rows: list[RowMapping], rules: Mapping[str, Rule]
) -> Overview:
    query = select(finding.c.finding_id, finding.c.state).where(finding.c.subject == subject)
    states = {i: state for i, state in connection.execute(query)}
    found = []
    for row in rows:
        key = identity(*(row[name] for name in _KEY))
        title = rules[row["rule"]].title if row["rule"] in rules else row["rule"]
        message = json.loads(row["body"])["message"]
        found.append(
            Current(
                row["rule"], title, row["subject_type"], row["occurrence"], row["outcome"], row["reason"], row["from_day"],
                message, key, states.get(key),
            )
        )  # fmt: skip
    return Overview(subject, tuple(sorted(found, key=lambda c: (_ORDER.index(c.outcome), c.rule, c.occurrence))))


def _explained(connection: Connection, named: RowMapping, rules: Mapping[str, Rule]) -> Explained:
    """Gather what there is of one verdict, which a row of `verdict` or of `finding` names."""
    key = tuple(str(named[name]) for name in _KEY)
    finding_id = identity(*key)
    this = [verdict.c[name] == value for name, value in zip(_KEY, key, strict=True)]
    stood = list(connection.execute(select(verdict).where(*this).order_by(verdict.c.from_day)).mappings())
    mine = connection.execute(select(finding).where(finding.c.finding_id == finding_id)).mappings().first()
    told = select(finding_event).where(finding_event.c.finding_id == finding_id).order_by(finding_event.c.number)
    return Explained(
        finding_id, *key, rules.get(key[0]), mine,
        tuple(
            Told(e["number"], e["kind"], e["day"], e["outcome"], e["reason"], json.loads(e["detail"]))
            for e in connection.execute(told).mappings()
        ),
        tuple(Stands(s["from_day"], s["until_day"], s["outcome"], s["reason"]) for s in stood),
        json.loads(stood[-1]["body"]) if stood else {},
        _judged(connection, stood[-1]["scope"]) if stood else None,
        {card.source: card.title for card in outline_cards()},
    )  # fmt: skip


def _judged(connection: Connection, scope: str) -> tuple[date, int] | None:
    query = select(evaluation.c.day, evaluation.c.revision).where(evaluation.c.scope == scope)
    row = connection.execute(query.order_by(evaluation.c.day.desc(), evaluation.c.revision.desc()).limit(1)).first()
    return (row[0], row[1]) if row else None
