"""The waivers that hold: which end soon, and which have had nothing to waive for long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Connection, select

from include.findings.door import NOTICE_DAYS
from include.findings.story import Handling
from include.ledger.tables import decision, finding

USELESS_DAYS = 30
"""Days without anything to waive after which a waiver is proposed for removal."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A waiver of one finding; `idle_since` is the day on which the finding was resolved, if it is."""

    decision_id: str
    finding_id: str
    rule: str
    subject_type: str
    subject: str
    until: date
    ground: str
    requested_by: str
    approved_by: str
    idle_since: date | None


def ending_waivers(connection: Connection, day: date, within: int = NOTICE_DAYS) -> list[Waiver]:
    """Return the waivers of open findings whose last day is among the next ones, the first to end first."""
    last = day + timedelta(days=within)
    return _waivers(connection, finding.c.state == "open", finding.c.handled_until.between(day, last))


def useless_waivers(connection: Connection, day: date, after: int = USELESS_DAYS) -> list[Waiver]:
    """Return the waivers that hold though their findings have been resolved for so many days."""
    since = day - timedelta(days=after)
    return _waivers(
        connection, finding.c.state == "resolved", finding.c.judged_on <= since, finding.c.handled_until >= day
    )


def _waivers(connection: Connection, *conditions: ColumnElement[bool]) -> list[Waiver]:
    query = (
        select(finding, decision.c.ground, decision.c.requested_by, decision.c.approved_by)
        .join(
            decision,
            (decision.c.decision_id == finding.c.decision_id) & (decision.c.finding_id == finding.c.finding_id),
        )
        .where(finding.c.handling == Handling.WAIVED.value, *conditions)
        .order_by(finding.c.handled_until, finding.c.finding_id)
    )
    return [
        Waiver(
            r["decision_id"], r["finding_id"], r["rule"], r["subject_type"], r["subject"], r["handled_until"], r["ground"],
            r["requested_by"], r["approved_by"], None if r["state"] == "open" else r["judged_on"],
        )
        for r in connection.execute(query).mappings()
    ]  # fmt: skip


def decisions_of(waivers: Sequence[Waiver]) -> dict[str, list[str]]:
    """Return the findings of each decision, as a form wants them to withdraw it."""
    found: dict[str, list[str]] = {}
    for waiver in waivers:
        found.setdefault(waiver.decision_id, []).append(waiver.finding_id)
    return found
