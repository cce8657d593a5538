"""Which news the rule alone made: such are told as one count for each rule, never as hundreds of breaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import orjson
from sqlalchemy import Connection, select

from include.alerts.concern import EVERYONE, QUIET, Concern
from include.alerts.told_rows import Known, is_known
from include.findings.cause import Cause
from include.findings.story import Kind
from include.ledger.portions import portions
from include.ledger.tables import finding_event

_KINDS = (Kind.OPENED, Kind.REOPENED, Kind.WORSENED, Kind.RULE_CHANGED, Kind.RESOLVED)


def by_rule(connection: Connection, concerns: Sequence[Concern], known: Known) -> list[Concern]:
    """Return the concerns, those whose news is due to the rule alone marked so.

    The event that matters is the one that the news is about: of a finding that nobody knows its opening, of a known one that it got
    worse, of a resolved one that it was.
    """
    asked = {c.finding_id: _kinds(c, known) for c in concerns if _may_be_news(c, known)}
    marked = _marked(connection, asked)
    return [replace(c, is_by_rule=True) if c.finding_id in marked else c for c in concerns]


def _may_be_news(concern: Concern, known: Known) -> bool:
    """Return whether some receiver may be told something else than it knows; cheap, and never false where one is."""
    if concern.is_open and (concern.state in QUIET or EVERYONE in concern.silent_for):
        return False
    rows = known.get(concern.finding_id, {})
    now = concern.state, concern.outcome, concern.severity, concern.reopened
    return not rows or any((r.state, r.outcome, r.severity or "", r.reopened) != now for r in rows.values())


def _kinds(concern: Concern, known: Known) -> tuple[Kind, ...]:
    if not concern.is_open:
        return (Kind.RESOLVED,)
    if is_known(known.get(concern.finding_id, {}).values(), concern.reopened):
        return (Kind.WORSENED, Kind.RULE_CHANGED)
    return (Kind.OPENED, Kind.REOPENED)


def _marked(connection: Connection, asked: dict[str, tuple[Kind, ...]]) -> set[str]:
    last: dict[str, str] = {}
    for some in portions(sorted(asked)):
        e = finding_event.c
        query = select(e.finding_id, e.kind, e.detail).where(e.finding_id.in_(some), e.kind.in_(_KINDS))
        for finding_id, kind, detail in connection.execute(query.order_by(e.finding_id, e.number)):
            if kind in asked[finding_id]:
                last[finding_id] = detail
    return {finding_id for finding_id, detail in last.items() if orjson.loads(detail).get("cause") == Cause.RULE}
