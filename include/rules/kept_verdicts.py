"""What need not be judged again: subjects whose facts and rules are as they were, while their verdicts hold.

`judged_subject` has one row a subject with the hash of the facts it was judged on and what came of it, in short. It is a
shortcut and no record: without it, or with `--full`, a judging says the same (ADR 0020).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update

from include.ledger.tables import judged_subject as table
from include.rules.tally import Tally
from include.rules.verdict import Fact, Subject, Verdict, plain

_NAMES = ("subject_type", "subject", "facts_hash", "rules_version", "holds_until", "outcomes", "said")


def facts_hash(facts: Mapping[str, Fact], oldest: Iterable[date]) -> str:
    """Return the hash of what a subject is judged on: values and evidence; of its reach only whether it is too old for a rule.

    `oldest` are the days that the reach of evidence is held against, in order.
    """
    limits = tuple(oldest)
    newest = max(limits, default=date.min)
    parts: list[Any] = []
    for name in sorted(facts):
        fact = facts[name]
        parts += (name, fact.value, fact.source, fact.evidence)
        if fact.seen_until and fact.seen_until < newest:
            parts.append([fact.seen_until < day for day in limits])
    return hashlib.blake2b(orjson.dumps(parts, default=plain), digest_size=16).hexdigest()


class _Row(NamedTuple):
    facts_hash: str
    rules_version: str
    holds_until: date | None
    outcomes: str
    said: str


@dataclass(slots=True)
class _Note:
    facts_hash: str
    outcomes: list[tuple[str, str, str, str]] = field(default_factory=list)
    holds_until: date | None = None


class KeptVerdicts:
    """The kept verdicts of a scope under one version of its rules.

    `said` and `outcomes` are of the subjects that need not be judged again: the hash of what each says, and how many have which
    verdicts, written as JSON: rule, occurrence, outcome, reason.
    """

    def __init__(
        self, connection: Connection, scope: str, rules_version: str, day: date, *, is_used: bool = True
    ) -> None:
        self.connection, self.scope, self.rules_version, self.day = connection, scope, rules_version, day
        self.is_used = is_used
        self.said: dict[Subject, str] = {}
        self.outcomes: Counter[str] = Counter()
        self._notes: dict[Subject, _Note] = {}
        self._moved: dict[str, set[str] | None] = {}
        query = select(*(table.c[name] for name in _NAMES)).where(table.c.scope == scope)
        self._rows: dict[Subject, _Row] = {(r[0], r[1]): _Row(*r[2:]) for r in connection.execute(query)}

    def holds(self, subject: Subject, facts: str) -> bool:
        """Return whether a subject with these facts need not be judged again."""
        row = self._rows.get(subject)
        is_same = row is not None and row.facts_hash == facts and row.rules_version == self.rules_version
        if not (row and is_same and self.is_used and (row.holds_until is None or row.holds_until >= self.day)):
            self._notes[subject] = _Note(facts)
            return False
        self.said[subject] = row.said
        self.outcomes[row.outcomes] += 1
        return True

    def note(self, verdict: Verdict) -> None:
        """Note a verdict of a subject that is judged anew."""
        note = self._notes[verdict.subject_type, verdict.subject]
        note.outcomes.append((verdict.rule, verdict.occurrence, verdict.outcome.value, verdict.reason))
        if verdict.holds_until and (note.holds_until is None or verdict.holds_until < note.holds_until):
            note.holds_until = verdict.holds_until

    def moved(self, subject_type: str) -> set[str] | None:
        """Return the subjects of a type that are judged anew or are there no more; None where none of the type is kept.

        Asked when all subjects of the type have been.
        """
        if subject_type not in self._moved:
            is_kept = any(kind == subject_type for kind, _ in self.said)
            found = {subject for kind, subject in (*self._notes, *self._gone()) if kind == subject_type}
            self._moved[subject_type] = found if is_kept else None
        return self._moved[subject_type]

    def _gone(self) -> list[Subject]:
        """Return the subjects that are kept but were not there to be judged."""
        return [s for s in self._rows if s not in self._notes and s not in self.said]

    def write(self, tally: Tally, crashed_types: Iterable[str]) -> int:
        """Write what changed; subjects of a type that a rule broke on are not kept. Return how many rows were touched."""
        broken, new, changed = set(crashed_types), [], []
        dropped = self._gone() + [s for s in self._notes if s[0] in broken and s in self._rows]
        for subject, note in self._notes.items():
            if subject[0] in broken:
                continue
            short = orjson.dumps(note.outcomes).decode()
            row = _Row(note.facts_hash, self.rules_version, note.holds_until, short, tally.said(subject))
            if subject not in self._rows:
                new.append({"scope": self.scope, "subject_type": subject[0], "subject": subject[1], **row._asdict()})
            elif row != self._rows[subject]:
                changed.append(self._this(subject) | row._asdict())
        this = and_(*(table.c[n] == bindparam(f"this_{n}") for n in ("scope", "subject_type", "subject")))
        if dropped:
            self.connection.execute(delete(table).where(this), [self._this(s) for s in dropped])
        if changed:
            self.connection.execute(update(table).where(this), changed)
        if new:
            self.connection.execute(insert(table), new)
        return len(dropped) + len(changed) + len(new)

    def _this(self, subject: Subject) -> dict[str, Any]:
        return {"this_scope": self.scope, "this_subject_type": subject[0], "this_subject": subject[1]}
