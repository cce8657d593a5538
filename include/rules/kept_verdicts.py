"""What need not be judged again: subjects whose facts and rules are as they were, while their verdicts hold.

`judged_subject` has one row a subject with the hash of the facts it was judged on and what came of it, in short, and one of the
scope itself: what all facts rested on, what was known, and the counts. It is a shortcut and no record: without it, or with
`--full`, a judging says the same (ADR 0020, ADR 0031).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update

from include.ledger.portions import of_subjects
from include.ledger.tables import judged_subject as table
from include.rules.excerpt import Looked
from include.rules.tally import Said, Tally
from include.rules.verdict import Fact, Subject, Verdict, plain

_NAMES = ("subject_type", "subject", "facts_hash", "rules_version", "holds_until", "said")
_THIS = ("scope", "subject_type", "subject")
_SCOPE = "scope"
"""The subject type of the row of the scope itself. Its `facts_hash` is that of the grounds, empty where a rule broke; it holds
until the Sunday after, so that the first judging of a week looks at everything; `said` is the hash of all other rows."""


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
    said: str


@dataclass(slots=True)
class _Note:
    facts_hash: str
    outcomes: list[tuple[str, str, str, str]] = field(default_factory=list)
    holds_until: date | None = None


class KeptVerdicts:
    """The kept verdicts of a scope under one version of its rules.

    `said` are the subjects that need not be judged again, with the hash of what each says. Rows that are not all there, because
    somebody removed some of them, are not used at all.
    """

    def __init__(
        self, connection: Connection, scope: str, rules_version: str, day: date, *, is_used: bool = True
    ) -> None:
        self.connection, self.scope, self.rules_version, self.day = connection, scope, rules_version, day
        self.said: dict[Subject, str] = {}
        self.looked: Looked | None = None
        self._notes: dict[Subject, _Note] = {}
        self._moved: dict[str, set[str] | None] = {}
        query = select(*(table.c[name] for name in _NAMES)).where(table.c.scope == scope)
        self._rows: dict[Subject, _Row] = {(r[0], r[1]): _Row(*r[2:]) for r in connection.execute(query)}
        self._last = self._rows.pop(self._whole, None)
        told = ((subject, row.said) for subject, row in self._rows.items())
        self.is_used = is_used and self._last is not None and self._last.said == _together(told)

    @property
    def _whole(self) -> Subject:
        return _SCOPE, self.scope

    def known_before(self, grounds: str) -> Mapping[str, str] | None:
        """Return the frontier that the kept hashes are of, if only what changed since it need be looked at; else None."""
        last = self._last
        if not (self.is_used and last and last.facts_hash == grounds and last.rules_version == self.rules_version):
            return None
        known: Mapping[str, str] = self._before["known"]
        return known if last.holds_until and last.holds_until >= self.day else None

    def due(self) -> list[Subject]:
        """Return the subjects of which a verdict has ended."""
        return [s for s, row in self._rows.items() if row.holds_until is not None and row.holds_until < self.day]

    def look_only_at(self, looked: Looked) -> None:
        """Let all subjects hold that are neither looked at nor due."""
        self.looked, due = looked, set(self.due())
        for subject, row in self._rows.items():
            if subject not in due and not looked.covers(*subject):
                self.said[subject] = row.said

    def holds(self, subject: Subject, facts: str) -> bool:
        """Return whether a subject with these facts need not be judged again."""
        row = self._rows.get(subject)
        is_same = row is not None and row.facts_hash == facts and row.rules_version == self.rules_version
        if not (row and is_same and self.is_used and (row.holds_until is None or row.holds_until >= self.day)):
            self._notes[subject] = _Note(facts)
            self.said.pop(subject, None)
            return False
        self.said[subject] = row.said
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

    # -- counts ---------------------------------------------------------------------------------------------------------------

    @cached_property
    def _before(self) -> dict[str, Any]:
        """Return what the row of the scope keeps: what was known, and how many verdicts there were of each kind."""
        query = select(table.c.outcomes).where(table.c.scope == self.scope, table.c.subject_type == _SCOPE)
        found: dict[str, Any] = orjson.loads(self.connection.execute(query).scalar_one())
        return found

    @cached_property
    def counts(self) -> Counter[Said]:
        """Return how many verdicts of which rule, outcome and reason the subjects have that need not be judged again."""
        if not self.said:
            return Counter()
        found = Counter({(rule, outcome, reason): n for rule, outcome, reason, n in self._before["counts"]})
        for text in self._outcomes([s for s in self._rows if s not in self.said]):
            found.subtract((rule, outcome, reason) for rule, _, outcome, reason in orjson.loads(text))
        return +found

    def _outcomes(self, subjects: Iterable[Subject]) -> list[str]:
        found: list[str] = []
        for mine in of_subjects(table, subjects):
            query = select(table.c.outcomes).where(table.c.scope == self.scope, mine)
            found += self.connection.execute(query).scalars()
        return found

    # -- writing --------------------------------------------------------------------------------------------------------------

    def write(self, tally: Tally, crashed_types: Collection[str], grounds: str, known: Mapping[str, str]) -> int:
        """Write what changed; subjects of a type that a rule broke on are not kept. Return how many rows were touched."""
        counts, broken = self.counts.copy(), set(crashed_types)
        kept = {subject: note for subject, note in self._notes.items() if subject[0] not in broken}
        rows = {s: _Row(n.facts_hash, self.rules_version, n.holds_until, tally.said(s)) for s, n in kept.items()}
        for note in kept.values():
            counts.update((rule, outcome, reason) for rule, _, outcome, reason in note.outcomes)
        changed = {
            s: (row, orjson.dumps(kept[s].outcomes).decode()) for s, row in rows.items() if row != self._rows.get(s)
        }
        changed |= self._of_scope(rows, counts, "" if broken else grounds, known)
        dropped = self._gone() + [s for s in self._notes if s[0] in broken and s in self._rows]
        return self._put(dropped, changed)

    def _of_scope(
        self, rows: Mapping[Subject, _Row], counts: Counter[Said], grounds: str, known: Mapping[str, str]
    ) -> dict[Subject, tuple[_Row, str]]:
        """Return the row of the scope itself, if it is another one."""
        whole = _together([*self.said.items(), *((subject, row.said) for subject, row in rows.items())])
        sunday = self.day + timedelta(days=6 - self.day.weekday())
        row = _Row(grounds, self.rules_version, sunday, whole)
        lines = [[*said, n] for said, n in sorted(counts.items())]
        told = {"known": dict(sorted(known.items())), "counts": lines}
        is_same = row == self._last and told == self._before
        return {} if is_same else {self._whole: (row, orjson.dumps(told).decode())}

    def _put(self, dropped: list[Subject], changed: Mapping[Subject, tuple[_Row, str]]) -> int:
        new, old = [], []
        for subject, (row, outcomes) in changed.items():
            values = row._asdict() | {"outcomes": outcomes}
            if subject in self._rows or (subject == self._whole and self._last):
                old.append(self._this(subject) | values)
            else:
                new.append(dict(zip(_THIS, (self.scope, *subject), strict=True)) | values)
        this = and_(*(table.c[name] == bindparam(f"this_{name}") for name in _THIS))
        if dropped:
            self.connection.execute(delete(table).where(this), [self._this(s) for s in dropped])
        if old:
            self.connection.execute(update(table).where(this), old)
        if new:
            self.connection.execute(insert(table), new)
        return len(dropped) + len(old) + len(new)

    def _this(self, subject: Subject) -> dict[str, Any]:
        return {f"this_{name}": value for name, value in zip(_THIS, (self.scope, *subject), strict=True)}


def _together(told: Iterable[tuple[Subject, str]]) -> str:
    """Return the hash of what many subjects say."""
    whole = hashlib.blake2b(digest_size=20)
    for subject, said in sorted(told):
        whole.update(f"{subject[0]}\x1f{subject[1]}\x1f{said}\n".encode())
    return whole.hexdigest()
