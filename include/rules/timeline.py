"""The verdicts as they changed: `verdict` holds one row from the day an outcome or reason began until another took its place.

`until_day` is the first day on which it no longer held. A day judged late finds its place between the days judged around it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, literal, or_, select, true, update

from include.ledger.portions import listed, of_subjects
from include.ledger.tables import verdict as table
from include.rules.verdict import KEY, Key, Subject, Verdict


@dataclass(frozen=True, slots=True)
class Stretch:
    """The days on which a verdict stood: its outcome and reason, and the whole verdict as it was when they began."""

    from_day: date
    until_day: date | None
    outcome: str
    reason: str
    body: str

    def says(self, other: Stretch) -> bool:
        """Return whether both say the same."""
        return (self.outcome, self.reason) == (other.outcome, other.reason)


def placed(around: Iterable[Stretch], new: Stretch) -> list[Stretch] | None:
    """Return what stands instead of the stretches around a judged day; None where nothing changes.

    `around` are those that touch the day or end on it. `new` begins on it and ends with the next judged day, if there is one.
    """
    day, following = new.from_day, new.until_day
    before = next((s for s in around if s.until_day == day), None)
    now = next((s for s in around if s.from_day <= day and s.until_day != day), None)
    if now is not None and now.says(new):
        return None
    result: list[Stretch] = []
    if now is not None and now.from_day < day:
        before = replace(now, until_day=day)
    if before is not None and before.says(new):  # an earlier revision of the day had broken it off
        result.append(replace(before, until_day=following))
    else:
        result += [before, new] if before is not None else [new]
    if now is not None and following is not None and (now.until_day is None or now.until_day > following):
        result.append(replace(now, from_day=following))
    return result


@dataclass(slots=True)
class Edits:
    """The rows to write, gathered so that each kind costs one statement."""

    gone: list[dict[str, Any]] = field(default_factory=list)
    ended: list[dict[str, Any]] = field(default_factory=list)
    new: list[dict[str, Any]] = field(default_factory=list)

    def note(self, key: Key, old: list[Stretch], new: list[Stretch], scope: str) -> None:
        """Note how the stretches of a subject change."""
        named = dict(zip(KEY, key, strict=True))
        bound = {f"this_{name}": value for name, value in named.items()}
        held, wanted = ({s.from_day: s for s in stretches} for stretches in (old, new))
        for first, stretch in held.items():
            if first not in wanted or not stretch.says(wanted[first]):
                self.gone.append(bound | {"this_from_day": first})
            elif wanted[first] != stretch:
                self.ended.append(bound | {"this_from_day": first, "until_day": wanted[first].until_day})
        for first, s in wanted.items():
            if first not in held or not s.says(held[first]):
                self.new.append(
                    named | {"from_day": first, "until_day": s.until_day, "outcome": s.outcome, "reason": s.reason,
                             "scope": scope, "body": s.body}
                )  # fmt: skip

    def write(self, connection: Connection) -> int:
        """Write them; return how many rows were touched."""
        this = and_(*(table.c[name] == bindparam(f"this_{name}") for name in (*KEY, "from_day")))
        if self.gone:
            connection.execute(delete(table).where(this), self.gone)
        if self.ended:
            connection.execute(update(table).where(this), self.ended)
        if self.new:
            connection.execute(table.insert(), self.new)
        return len(self.gone) + len(self.ended) + len(self.new)


_FEW = 5000
"""So many subjects are read by their names; of more every row of a rule is."""


def record(
    connection: Connection,
    scope: str,
    rules: Collection[str],
    verdicts: Iterable[Verdict],
    day: date,
    following: date | None,
    only: Collection[Subject] | None = None,
) -> int:
    """Write what changes with the verdicts of some rules for a day; return how many rows were touched.

    `following` is the next day of the scope that was judged already. A subject that is judged no more ends on the newest day;
    `only` names the subjects that were judged or are judged no more, where all others are known to stand as they are.
    """
    if only is None:
        verdicts = list(verdicts)
        moved = _moved(connection, scope, rules, verdicts, day)
        if len(moved) <= _FEW:
            verdicts, only = [v for v in verdicts if (v.subject_type, v.subject) in moved], moved
    around: dict[Key, list[Stretch]] = {}
    for key, stretch in _around(connection, scope, rules, day, with_body=following is not None, only=only):
        around.setdefault(key, []).append(stretch)
    edits = Edits()
    for verdict in verdicts:
        key = verdict.key
        old = around.pop(key, [])
        new = Stretch(day, following, verdict.outcome.value, verdict.reason, "")
        changed = placed(old, new)
        if changed is not None:
            body = verdict.canonical().decode()
            edits.note(key, old, [replace(s, body=body) if s is new else s for s in changed], scope)
    if following is None:
        for key, old in around.items():
            edits.note(
                key, old, [s if s.until_day else replace(s, until_day=day) for s in old if s.from_day < day], scope
            )
    return edits.write(connection)


def _moved(
    connection: Connection, scope: str, rules: Collection[str], verdicts: Iterable[Verdict], day: date
) -> set[Subject]:
    """Return the subjects of which a verdict does not go on, or that are judged no more.

    Nearly all go on: who says what is told by the database in a row for each outcome and reason, and by the verdicts likewise.
    """
    now: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for v in verdicts:
        now[v.rule, v.subject_type, v.occurrence, v.outcome.value, v.reason].add(v.subject)
    goes_on = and_(table.c.from_day <= day, or_(table.c.until_day.is_(None), table.c.until_day > day))
    said = [table.c[name] for name in ("rule", "subject_type", "occurrence", "outcome", "reason")]
    query = select(*said, listed(connection, table.c.subject)).group_by(*said)
    moved: set[Subject] = set()
    for *of, names in connection.execute(query.where(table.c.rule.in_(sorted(rules)), table.c.scope == scope, goes_on)):
        moved |= {(of[1], subject) for subject in now.pop(tuple(of), set()).symmetric_difference(orjson.loads(names))}
    return moved | {(of[1], subject) for of, subjects in now.items() for subject in subjects}


def _around(
    connection: Connection,
    scope: str,
    rules: Collection[str],
    day: date,
    *,
    with_body: bool,
    only: Collection[Subject] | None,
) -> Iterator[tuple[Key, Stretch]]:
    columns: list[ColumnElement[Any]] = [table.c[name] for name in (*KEY, "from_day", "until_day", "outcome", "reason")]
    # Only a stretch that is split by a day judged late needs its body, to stand on behind it.
    columns.append(table.c.body if with_body else literal("").label("body"))
    touches = and_(table.c.from_day <= day, or_(table.c.until_day.is_(None), table.c.until_day >= day))
    query = select(*columns).where(table.c.rule.in_(sorted(rules)), table.c.scope == scope, touches)
    for part in [true()] if only is None else of_subjects(table, sorted(only)):
        for row in connection.execute(query.where(part)):
            yield (row[0], row[1], row[2], row[3]), Stretch(*row[4:])
