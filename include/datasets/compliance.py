"""Keep what each day found, by rule and department: `compliance_day`, one row each, appended and never recomputed.

Counts come from the standing verdicts, the findings and the day's events; departments are those of `subject_unit` on the day of
the appending. A rule that broke on the day has no row. `replay` alone writes a past day again, and marks it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, column, delete, func, insert, or_, select, table, update

from include.clock import SHANGHAI
from include.errors import ConfigurationError
from include.findings.held import event_of
from include.findings.rule_titles import sync_rule_titles
from include.findings.story import Handling, Kind, fold
from include.ledger.alert_tables import compliance_day
from include.ledger.tables import evaluation, finding, finding_event, verdict
from include.rules.verdict import Outcome

UNREGISTERED = "未登记单位"
"""The department of subjects of which no unit is known."""

_KEY = ("day", "rule", "department")
_OUTCOMES = {
    Outcome.PASS: "passed", Outcome.WARN: "warned", Outcome.FAIL: "failed", Outcome.UNKNOWN: "unknown",
    Outcome.NOT_APPLICABLE: "not_applicable",
}  # fmt: skip
_EVENTS = {Kind.OPENED: "opened", Kind.RESOLVED: "resolved", Kind.REOPENED: "reopened"}
_COUNTS = (*_OUTCOMES.values(), "waived", "settled", *_EVENTS.values())
_unit = table("subject_unit", column("subject_type"), column("subject"), column("unit_name"))

Place = tuple[str, str]
"""Rule and department."""


@dataclass(frozen=True, slots=True)
class Appended:
    """What appending a day brought: the scopes that were judged on it, how many rows it has, and how many were written."""

    day: date
    scopes: tuple[str, ...]
    rows: int
    written: int


@dataclass(slots=True)
class _Cell:
    """What one rule found in one department; ages of open findings in days."""

    counts: Counter[str] = field(default_factory=Counter)
    ages: list[int] = field(default_factory=list)


def append_day(connection: Connection, day: date, at: datetime, *, replay: bool = False) -> Appended:
    """Append a judged day in the caller's transaction, and bring the rules' titles to the cards; the same again writes nothing.

    A day may be appended while it is the newest judged one, and again as long as it is today. Raises `ConfigurationError` for a
    day that was not judged, or that another one follows, unless `replay` asks to recompute it from the kept timeline.
    """
    sync_rule_titles(connection)
    newest = _newest(connection)
    scopes = tuple(sorted(s for s, days in _judged(connection, day).items() if replay or newest[s] == days))
    if not scopes:
        raise ConfigurationError(_why_not(day, newest))
    kept = _kept(connection, day)
    if kept and day < at.astimezone(SHANGHAI).date() and not replay:
        return Appended(day, scopes, len(kept), 0)
    wanted = {
        place: _row(day, place, cell, is_replay=replay)
        for place, cell in _cells(connection, day, scopes, replay).items()
    }
    return Appended(day, scopes, len(wanted), _write(connection, kept, wanted, at))


def _newest(connection: Connection) -> dict[str, date]:
    query = select(evaluation.c.scope, func.max(evaluation.c.day)).group_by(evaluation.c.scope)
    return {scope: day for scope, day in connection.execute(query)}


def _judged(connection: Connection, day: date) -> dict[str, date]:
    query = select(evaluation.c.scope, evaluation.c.day).where(evaluation.c.day == day).distinct()
    return {scope: found for scope, found in connection.execute(query)}


def _why_not(day: date, newest: Mapping[str, date]) -> str:
    last = max(newest.values(), default=None)
    if last is None:
        return f"compliance of {day} cannot be appended: nothing was ever judged; run: python -m include evaluate"
    if day > last:
        return f"compliance of {day} cannot be appended: it was not judged; the newest judged day is {last}"
    return (
        f"compliance of {day} is past ({last} was judged since) and is not recomputed; ask for a replay to mark it so"
    )


# -- counting -----------------------------------------------------------------------------------------------------------------


def _cells(connection: Connection, day: date, scopes: Sequence[str], replay: bool) -> dict[Place, _Cell]:
    """Return what each rule found in each department."""
    units = _units(connection)
    judged = {(scope, rule) for scope in scopes for rule in _rules_of(connection, scope, day)}
    rules = {rule for _, rule in judged}
    cells: dict[Place, _Cell] = {}
    for scope, rule, *subject, outcome in connection.execute(_verdicts(day, scopes, replay)):
        if (scope, rule) in judged:
            _at(cells, rule, units.get(tuple(subject))).counts[_OUTCOMES[outcome]] += 1
    for rule, *subject, kind in connection.execute(_events(day)):
        if rule in rules:
            _at(cells, rule, units.get(tuple(subject))).counts[_EVENTS[kind]] += 1
    for rule, *subject, opened_on, handling in _then(connection, day) if replay else connection.execute(_standing()):
        if rule in rules:
            cell = _at(cells, rule, units.get(tuple(subject)))
            if handling == Handling.SETTLED:  # it stays as it is for good, and would make the open ones look old
                cell.counts["settled"] += 1
                continue
            cell.ages.append(max((day - opened_on).days, 0))
            cell.counts["waived"] += handling == Handling.WAIVED
    return cells


def _units(connection: Connection) -> dict[tuple[str, ...], str | None]:
    """Return the unit of every subject that has one, read once: the view is worked out anew for every query that names it."""
    query = select(_unit).where(_unit.c.unit_name.is_not(None))
    return {(subject_type, subject): unit for subject_type, subject, unit in connection.execute(query)}


def _at(cells: dict[Place, _Cell], rule: str, unit: str | None) -> _Cell:
    return cells.setdefault((rule, unit or UNREGISTERED), _Cell())


def _rules_of(connection: Connection, scope: str, day: date) -> Iterable[str]:
    """Return the rules that gave verdicts on a day: those of the newest revision that did not break."""
    query = select(evaluation.c.outcomes).where(evaluation.c.scope == scope, evaluation.c.day == day)
    found = json.loads(connection.execute(query.order_by(evaluation.c.revision.desc()).limit(1)).scalar_one())
    return set(found["outcomes"]) - set(found["crashed"])


def _verdicts(day: date, scopes: Sequence[str], replay: bool) -> Select[Any]:
    """Select scope, rule, subject and outcome of the verdicts that stood on a day: on the newest one all that stand."""
    v = verdict.c
    stands = v.until_day.is_(None)
    stood = and_(v.from_day <= day, or_(stands, v.until_day > day)) if replay else stands
    return select(v.scope, v.rule, v.subject_type, v.subject, v.outcome).where(stood, v.scope.in_(scopes))


def _events(day: date) -> Select[Any]:
    """Select rule, subject and kind of what happened to findings on a day."""
    f, e = finding.c, finding_event.c
    joined = finding_event.join(finding, f.finding_id == e.finding_id)
    happened = and_(e.day == day, e.kind.in_([kind.value for kind in _EVENTS]))
    return select(f.rule, f.subject_type, f.subject, e.kind).select_from(joined).where(happened)


def _standing() -> Select[Any]:
    """Select rule, subject, day of the last opening and handling of the open findings."""
    f, e = finding.c, finding_event.c
    comes = e.kind.in_([Kind.OPENED.value, Kind.REOPENED.value])
    opened = select(e.finding_id, func.max(e.day).label("day")).where(comes).group_by(e.finding_id).subquery()
    joined = finding.join(opened, opened.c.finding_id == f.finding_id)
    columns = (f.rule, f.subject_type, f.subject, opened.c.day, f.handling)
    return select(*columns).select_from(joined).where(f.state == "open")


def _then(connection: Connection, day: date) -> Iterator[tuple[str, str, str, date, str]]:
    """Yield the same as it was at the end of a past day, folded from the events until then."""
    f, e = finding.c, finding_event.c
    joined = finding.join(finding_event, e.finding_id == f.finding_id)
    query = select(f.rule, f.subject_type, f.subject, finding_event).select_from(joined).where(e.day <= day)
    rows = connection.execute(query.order_by(e.finding_id, e.number)).mappings()
    for _, group in groupby(rows, key=itemgetter("finding_id")):
        told = list(group)
        events = [event_of(row) for row in told]
        standing = fold(events)
        if standing and standing.is_open:
            opened_on = max(event.day for event in events if event.kind in (Kind.OPENED, Kind.REOPENED))
            yield *itemgetter("rule", "subject_type", "subject")(told[0]), opened_on, standing.handling


# -- writing ------------------------------------------------------------------------------------------------------------------


def _row(day: date, place: Place, cell: _Cell, *, is_replay: bool) -> dict[str, Any]:
    ages = sorted(cell.ages)
    return {
        "day": day, "rule": place[0], "department": place[1], **{name: cell.counts[name] for name in _COUNTS},
        "open_age_p50": _percentile(ages, 50), "open_age_p90": _percentile(ages, 90), "is_replay": is_replay,
    }  # fmt: skip


def _percentile(ordered: Sequence[int], percent: int) -> int | None:
    """Return the value of the nearest rank; None where there are no values."""
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None


def _kept(connection: Connection, day: date) -> dict[Place, dict[str, Any]]:
    rows = connection.execute(select(compliance_day).where(compliance_day.c.day == day)).mappings()
    return {(row["rule"], row["department"]): {n: v for n, v in row.items() if n != "appended_at"} for row in rows}


def _write(
    connection: Connection, kept: Mapping[Place, dict[str, Any]], wanted: Mapping[Place, dict[str, Any]], at: datetime
) -> int:
    """Bring the rows of a day to what is wanted; return how many were touched."""
    this = (compliance_day.c.day == bindparam("this_day")) & (compliance_day.c.rule == bindparam("this_rule"))
    this &= compliance_day.c.department == bindparam("this_department")
    gone = [_bound(kept[place]) for place in kept.keys() - wanted.keys()]
    changed = [
        _bound(row) | row | {"appended_at": at} for place, row in wanted.items() if place in kept and kept[place] != row
    ]
    new = [row | {"appended_at": at} for place, row in wanted.items() if place not in kept]
    if gone:
        connection.execute(delete(compliance_day).where(this), gone)
    if changed:
        values: dict[str, Any] = {
            name: bindparam(name) for name in (*_COUNTS, "open_age_p50", "open_age_p90", "is_replay", "appended_at")
        }
        connection.execute(
            update(compliance_day).where(this).values(values),
            [{n: v for n, v in row.items() if n not in _KEY} for row in changed],
        )
    if new:
        connection.execute(insert(compliance_day), new)
    return len(gone) + len(changed) + len(new)


def _bound(row: Mapping[str, Any]) -> dict[str, Any]:
    return {f"this_{name}": row[name] for name in _KEY}
