"""What need not be judged again: subjects whose facts and rules are as they were, while their verdicts hold.

`judged_subject` has one row a subject with the hash of the facts it was judged on and what came of it, in short, and one of the
scope itself: what all facts rested on, what was known, and the counts. It is a shortcut and no record: without it, or with
`--full`, a judging says the same (ADR 0020, ADR 0031).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, delete, func, insert, select, text, update

from include.ledger.portions import of_subjects
from include.ledger.tables import judged_subject as table
from include.rules.excerpt import Looked
from include.rules.tally import Said, Tally, mark, written
from include.rules.verdict import Fact, Subject, Verdict, plain

_NAMES = ("subject_type", "subject", "facts_hash", "rules_version", "holds_until", "said")
_THIS = ("scope", "subject_type", "subject")
_SAID = ("facts_hash", "rules_version", "holds_until", "outcomes", "said")
_RENEW = text(
    f"UPDATE judged_subject AS t SET {', '.join(f'{name} = n.{name}' for name in _SAID)} "  # noqa: S608 - names of ours
    "FROM json_to_recordset(CAST(:rows AS json)) AS n(scope text, subject_type text, subject text, facts_hash text, "
    "rules_version text, holds_until date, outcomes text, said text) "
    f"WHERE {' AND '.join(f't.{name} = n.{name}' for name in _THIS)}"
)
_SCOPE = "scope"
"""The subject type of the row of the scope itself. Its `facts_hash` is that of the grounds, empty where a rule broke; it holds
until the Sunday after, so that the first judging of a week looks at everything; `said` is the sum of the marks of all others."""

_SEVERAL = ("project", "system", "plan_entry", "contract", "rectification")
"""Subject types of which there are so many that only those looked at are read; the others have a dozen subjects."""


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

    def text(self) -> str:
        """Return the outcomes as they are kept."""
        return orjson.dumps(self.outcomes).decode()


class KeptVerdicts:
    """The kept verdicts of a scope under one version of its rules.

    `said` are the subjects that need not be judged again, with the hash of what each says; where only some are looked at, all that
    were not read hold besides. Rows that are not all there, because somebody removed some of them, are not used at all.
    """

    def __init__(
        self,
        connection: Connection,
        scope: str,
        rules_version: str,
        day: date,
        types: Collection[str] = (),
        *,
        is_used: bool = True,
    ) -> None:
        self.connection, self.scope, self.rules_version, self.day = connection, scope, rules_version, day
        self.said: dict[Subject, str] = {}
        self.looked: Looked | None = None
        self._types = types
        self._notes: dict[Subject, _Note] = {}
        self._moved: dict[str, set[str] | None] = {}
        self._rows: dict[Subject, _Row] = {}
        self._asked: set[Subject] = set()
        self._outcomes: dict[Subject, str] = {}
        self._last = self._read_scope()
        self._due, kept = self._read_ends() if is_used and self._last else ([], 0)
        self.is_used = bool(self._last) and kept == self._before.get("subjects")

    @property
    def _whole(self) -> Subject:
        return _SCOPE, self.scope

    # -- reading --------------------------------------------------------------------------------------------------------------

    def _read_scope(self) -> _Row | None:
        return next(self._read(table.c.subject_type == _SCOPE), (None, None))[1]

    def _read(self, mine: ColumnElement[bool]) -> Iterator[tuple[Subject, _Row]]:
        query = select(*(table.c[name] for name in _NAMES)).where(table.c.scope == self.scope, mine)
        for kind, subject, *values in self.connection.execute(query):
            yield (kind, subject), _Row(*values)

    def _read_ends(self) -> tuple[list[Subject], int]:
        """Return the subjects of which a verdict has ended, and how many are kept: both by one look at every row."""
        has_ended = table.c.holds_until < self.day
        ended = [case((has_ended, table.c[name])) for name in ("subject_type", "subject")]
        mine = table.c.scope == self.scope, table.c.subject_type != _SCOPE
        found = self.connection.execute(select(*ended, func.count()).where(*mine).group_by(*ended)).all()
        return [(kind, subject) for kind, subject, _ in found if kind], sum(count for *_, count in found)

    @cached_property
    def _before(self) -> Mapping[str, Any]:
        """Return what the row of the scope tells: the frontier, the number of rows, the counts, and entries joined to a system."""
        query = select(table.c.outcomes).where(table.c.scope == self.scope, table.c.subject_type == _SCOPE)
        found: Mapping[str, Any] = orjson.loads(self.connection.execute(query).scalar() or "{}")
        return found

    def known_before(self, grounds: str) -> Mapping[str, str] | None:
        """Return the frontier that the kept hashes are of, if only what changed since it need be looked at; else None."""
        last = self._last
        if not (self.is_used and last and last.facts_hash == grounds and last.rules_version == self.rules_version):
            return None
        known: Mapping[str, str] = self._before["known"]
        return known if last.holds_until and last.holds_until >= self.day else None

    @property
    def linked(self) -> int:
        """Return how many entries of the catalogues were joined to a system: as many as now, where only some are looked at."""
        found: int = self._before["linked"]
        return found

    def due(self) -> list[Subject]:
        """Return the subjects of which a verdict has ended."""
        return self._due

    def look_at_all(self) -> None:
        """Read every row; one that somebody changed makes all of them useless."""
        self._rows = dict(self._read(table.c.subject_type != _SCOPE))
        whole = written(sum(mark(subject, row.said) for subject, row in self._rows.items()))
        self.is_used = self.is_used and self._last is not None and self._last.said == whole

    def look_only_at(self, looked: Looked, due: Iterable[Subject]) -> None:
        """Read the rows of the subjects that are due or looked at, and let all others hold."""
        self.looked = looked
        self._fetch([*due, *looked.named()])
        if looked.lines:
            lines = (table.c.subject_type == "plan_entry") & table.c.subject.contains(":")
            self._rows |= {s: row for s, row in self._read(lines) if s[1].partition(":")[2] in looked.lines}
        few = sorted(set(self._types) - set(_SEVERAL))
        self._rows |= dict(self._read(table.c.subject_type.in_(few)))

    def fetch(self, subject_type: str, subjects: Iterable[str]) -> None:
        """Read the rows of subjects that are about to be asked for, as far as they were not read."""
        if self.looked:
            self._fetch([(subject_type, subject) for subject in subjects])

    def _fetch(self, subjects: Iterable[Subject]) -> None:
        new = set(subjects) - self._asked
        self._asked |= new
        query = select(*(table.c[name] for name in (*_NAMES, "outcomes"))).where(table.c.scope == self.scope)
        for mine in of_subjects(table, sorted(new)):
            for kind, subject, *values, told in self.connection.execute(query.where(mine)):
                # Most of them are about to be judged anew, and then what they told is asked for.
                self._rows[kind, subject], self._outcomes[kind, subject] = _Row(*values), told

    # -- asking ---------------------------------------------------------------------------------------------------------------

    def holds(self, subject: Subject, facts: str) -> bool:
        """Return whether a subject with these facts need not be judged again."""
        row = self._rows.get(subject)
        is_same = row is not None and row.facts_hash == facts and row.rules_version == self.rules_version
        if not (row and is_same and self.is_used and (row.holds_until is None or row.holds_until >= self.day)):
            self._notes[subject] = _Note(facts)
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
            is_kept = self.looked is not None or any(kind == subject_type for kind, _ in self.said)
            found = {subject for kind, subject in (*self._notes, *self._gone()) if kind == subject_type}
            self._moved[subject_type] = found if is_kept else None
        return self._moved[subject_type]

    def changed(self, subject_type: str) -> list[Subject] | None:
        """Return those of the moved subjects of which outcomes or reasons are others than before; None as for `moved`.

        Of the rest every stretch goes on: both are written in one transaction, so what is kept tells what stands.
        """
        found = self.moved(subject_type)
        if found is None:
            return None
        subjects = [(subject_type, subject) for subject in sorted(found)]
        before = self._outcomes_of([s for s in subjects if s in self._rows and s in self._notes])
        return [s for s in subjects if s not in before or self._notes[s].text() != before[s]]

    def _gone(self) -> list[Subject]:
        """Return the subjects that are kept but were not there to be judged."""
        return [s for s in self._rows if s not in self._notes and s not in self.said]

    # -- what holds -----------------------------------------------------------------------------------------------------------

    def _replaced(self) -> list[Subject]:
        """Return the kept subjects that do not hold."""
        return [s for s in self._rows if s not in self.said]

    @cached_property
    def _is_some_held(self) -> bool:
        return bool(self.said) or self.looked is not None

    @cached_property
    def marks(self) -> int:
        """Return the sum of the marks of the subjects that need not be judged again."""
        if not (self._is_some_held and self._last):
            return 0
        return int(self._last.said, 16) - sum(mark(s, self._rows[s].said) for s in self._replaced())

    @cached_property
    def counts(self) -> Counter[Said]:
        """Return how many verdicts of which rule, outcome and reason the subjects have that need not be judged again."""
        if not self._is_some_held:
            return Counter()
        found = Counter({(rule, outcome, reason): n for rule, outcome, reason, n in self._before["counts"]})
        for told in self._outcomes_of(self._replaced()).values():
            found.subtract((rule, outcome, reason) for rule, _, outcome, reason in orjson.loads(told))
        return +found

    def _outcomes_of(self, subjects: Iterable[Subject]) -> dict[Subject, str]:
        """Return what the kept rows of some subjects tell of outcomes; each is read once."""
        asked = list(subjects)
        for mine in of_subjects(table, [s for s in asked if s not in self._outcomes]):
            query = select(table.c.subject_type, table.c.subject, table.c.outcomes).where(
                table.c.scope == self.scope, mine
            )
            self._outcomes |= {(kind, subject): told for kind, subject, told in self.connection.execute(query)}
        return {s: self._outcomes[s] for s in asked}

    # -- writing --------------------------------------------------------------------------------------------------------------

    def write(
        self, tally: Tally, crashed_types: Collection[str], grounds: str, known: Mapping[str, str], linked: int = 0
    ) -> int:
        """Write what changed; subjects of a type that a rule broke on are not kept. Return how many rows were touched."""
        counts, broken = self.counts.copy(), set(crashed_types)
        kept = {subject: note for subject, note in self._notes.items() if subject[0] not in broken}
        rows = {s: _Row(n.facts_hash, self.rules_version, n.holds_until, tally.said(s)) for s, n in kept.items()}
        for note in kept.values():
            counts.update((rule, outcome, reason) for rule, _, outcome, reason in note.outcomes)
        changed = {s: (row, kept[s].text()) for s, row in rows.items() if row != self._rows.get(s)}
        told = {"known": dict(sorted(known.items())), "linked": linked}
        changed |= self._of_scope(rows, counts, "" if broken else grounds, told)
        dropped = self._gone() + [s for s in self._notes if s[0] in broken and s in self._rows]
        return self._put(dropped, changed)

    def _of_scope(
        self, rows: Mapping[Subject, _Row], counts: Counter[Said], grounds: str, told: Mapping[str, Any]
    ) -> dict[Subject, tuple[_Row, str]]:
        """Return the row of the scope itself, if it is another one."""
        marks = self.marks + sum(mark(subject, row.said) for subject, row in rows.items())
        held = self._before["subjects"] - len(self._replaced()) if self._is_some_held else 0
        sunday = self.day + timedelta(days=6 - self.day.weekday())
        row = _Row(grounds, self.rules_version, sunday, written(marks))
        lines = [[*said, n] for said, n in sorted(counts.items())]
        told = {**told, "subjects": held + len(rows), "counts": lines}
        is_same = row == self._last and told == self._before
        return {} if is_same else {self._whole: (row, orjson.dumps(told).decode())}

    def _put(self, dropped: list[Subject], changed: Mapping[Subject, tuple[_Row, str]]) -> int:
        new: list[dict[str, Any]] = []
        old: list[dict[str, Any]] = []
        for (subject_type, subject), (row, outcomes) in changed.items():
            is_there = (subject_type, subject) in self._rows or (subject_type == _SCOPE and self._last)
            values = {"subject_type": subject_type, "subject": subject, **row._asdict(), "outcomes": outcomes}
            (old if is_there else new).append({"scope": self.scope, **values})
        if dropped:
            this = and_(*(table.c[name] == bindparam(f"this_{name}") for name in _THIS))
            self.connection.execute(delete(table).where(this), [self._this(s) for s in dropped])
        if old:
            self._renew(old)
        if new:
            self.connection.execute(insert(table), new)
        return len(dropped) + len(old) + len(new)

    def _renew(self, rows: list[dict[str, Any]]) -> None:
        """Update rows; in PostgreSQL all of them by one statement, as each of its own would cost both sides more than its work."""
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(_RENEW, {"rows": orjson.dumps(rows).decode()})
            return
        this = and_(*(table.c[name] == bindparam(f"this_{name}") for name in _THIS))
        bound = [{f"this_{name}": row[name] for name in _THIS} | {name: row[name] for name in _SAID} for row in rows]
        self.connection.execute(update(table).where(this).values({name: bindparam(name) for name in _SAID}), bound)

    def _this(self, subject: Subject) -> dict[str, Any]:
        return {f"this_{name}": value for name, value in zip(_THIS, (self.scope, *subject), strict=True)}
