"""What need not be judged again: subjects whose facts and rules are as they were, while their verdicts hold.

`judged_subject` has one row a subject with the hash of the facts it was judged on and its verdicts in short. It is a shortcut and
no record: without it, or with `--full`, a judging says the same (ADR 0020).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update

from include.ledger.tables import judged_subject as table
from include.rules.verdict import Fact, Verdict, plain

Subject = tuple[str, str]


class Line(NamedTuple):
    """One verdict in short: what the counts and the digest of a judging are made of; `said` is the hash of all it says."""

    rule: str
    subject: str
    occurrence: str
    outcome: str
    reason: str
    said: str


def line(verdict: Verdict) -> Line:
    """Return a verdict in short."""
    v = verdict
    said = hashlib.blake2b(v.said(), digest_size=16).hexdigest()
    return Line(v.rule, v.subject, v.occurrence, v.outcome.value, v.reason, said)


def facts_hash(facts: Mapping[str, Fact], oldest: Iterable[date]) -> str:
    """Return the hash of what a subject is judged on: values and evidence; of its reach only whether it is too old for a rule."""
    limits = sorted(oldest)
    parts = [
        [
            name,
            fact.value,
            fact.source,
            fact.evidence,
            [bool(fact.seen_until and fact.seen_until < day) for day in limits],
        ]
        for name, fact in sorted(facts.items())
    ]
    return hashlib.blake2b(orjson.dumps(parts, default=plain), digest_size=16).hexdigest()


@dataclass(slots=True)
class _Row:
    facts: str
    holds_until: date | None
    verdicts: str


@dataclass(slots=True)
class _Note:
    facts: str
    lines: list[Line] = field(default_factory=list)
    holds_until: date | None = None


class KeptVerdicts:
    """The kept verdicts of a scope under one version of its rules; `judged` are the subjects that were judged anew."""

    def __init__(
        self, connection: Connection, scope: str, rules_version: str, day: date, *, is_used: bool = True
    ) -> None:
        self.connection, self.scope, self.rules_version, self.day = connection, scope, rules_version, day
        self._rows: dict[Subject, _Row] = {}
        self._version: dict[Subject, str] = {}
        self._notes: dict[Subject, _Note] = {}
        self._seen: set[Subject] = set()
        self.is_used = is_used
        names = ("subject_type", "subject", "facts_hash", "holds_until", "verdicts", "rules_version")
        for row in connection.execute(select(*(table.c[n] for n in names)).where(table.c.scope == scope)):
            self._rows[row[0], row[1]] = _Row(row[2], row[3], row[4])
            self._version[row[0], row[1]] = row[5]

    def of(self, subject: Subject, facts: str) -> dict[str, list[Line]] | None:
        """Return the verdicts of a subject by rule where they still hold on the same facts; else note that it is judged anew."""
        self._seen.add(subject)
        row = self._rows.get(subject)
        if row is None or not self._still_holds(subject, row, facts):
            self._notes[subject] = _Note(facts)
            return None
        found: dict[str, list[Line]] = {}
        for rule, occurrence, outcome, reason, said in orjson.loads(row.verdicts):
            found.setdefault(rule, []).append(Line(rule, subject[1], occurrence, outcome, reason, said))
        return found

    def _still_holds(self, subject: Subject, row: _Row, facts: str) -> bool:
        is_same = row.facts == facts and self._version[subject] == self.rules_version
        return self.is_used and is_same and (row.holds_until is None or row.holds_until >= self.day)

    def note(self, verdict: Verdict, short: Line) -> None:
        """Note a verdict of a subject that is judged anew."""
        note = self._notes[verdict.subject_type, verdict.subject]
        note.lines.append(short)
        ends = [d for d in (note.holds_until, verdict.holds_until) if d]
        note.holds_until = min(ends, default=None)

    @property
    def judged(self) -> set[Subject]:
        """Return the subjects that were judged anew."""
        return set(self._notes)

    @property
    def gone(self) -> set[Subject]:
        """Return the subjects that are kept but were not there to be judged."""
        return set(self._rows) - self._seen

    def write(self, crashed_types: Iterable[str]) -> int:
        """Write what changed; subjects of a type that a rule broke on are not kept. Return how many rows were touched."""
        broken, gone = set(crashed_types), self.gone
        dropped = [*gone, *(s for s in self._notes if s in self._rows and s[0] in broken)]
        new, changed = [], []
        for subject, note in self._notes.items():
            if subject[0] in broken:
                continue
            values = self._values(subject, note)
            if subject not in self._rows:
                new.append(values)
            elif self._differs(subject, values):
                changed.append({f"this_{n}": values.pop(n) for n in ("scope", "subject_type", "subject")} | values)
        this = and_(*(table.c[n] == bindparam(f"this_{n}") for n in ("scope", "subject_type", "subject")))
        if dropped:
            keys = [{"this_scope": self.scope, "this_subject_type": t, "this_subject": s} for t, s in sorted(dropped)]
            self.connection.execute(delete(table).where(this), keys)
        if changed:
            self.connection.execute(update(table).where(this), changed)
        if new:
            self.connection.execute(insert(table), new)
        return len(dropped) + len(changed) + len(new)

    def _values(self, subject: Subject, note: _Note) -> dict[str, Any]:
        short = json.dumps(
            [[x.rule, x.occurrence, x.outcome, x.reason, x.said] for x in note.lines], ensure_ascii=False
        )
        return {
            "scope": self.scope, "subject_type": subject[0], "subject": subject[1], "facts_hash": note.facts,
            "rules_version": self.rules_version, "holds_until": note.holds_until, "verdicts": short,
        }  # fmt: skip

    def _differs(self, subject: Subject, values: Mapping[str, Any]) -> bool:
        row = self._rows[subject]
        held = (row.facts, row.holds_until, row.verdicts, self._version[subject])
        return held != (values["facts_hash"], values["holds_until"], values["verdicts"], self.rules_version)
