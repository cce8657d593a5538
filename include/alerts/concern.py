"""A concern: a finding as the alerts see it, now, with whom it is for and who is not to hear of it anew. Read from the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, exists, or_, select

from include.findings.story import Handling
from include.ledger.alert_tables import told
from include.ledger.tables import finding

EVERYONE = "*"
"""In `silent_for`: nobody is told anew."""

OPEN, OVERDUE, RESOLVED = "open", "overdue", "resolved"
QUIET = frozenset(
    handling.value for handling in (Handling.WAIVED, Handling.DISPUTED, Handling.ATTESTED, Handling.SETTLED)
)
"""Decisions while which hold nothing is told but their end, and that the finding is resolved."""


@dataclass(frozen=True, slots=True)
class Concern:
    """What is known of a finding at the moment of a pass.

    `receivers` are those whom card and routes name. `told_since` is the first day on which one of them was told since it opened,
    reopened or a decision ended, None where nobody was. `silent_for` are receivers that are not told anew: the finding is held, or
    follows from a cause. `is_by_rule` is true where the rule changed and the world did not.
    """

    finding_id: str
    rule: str
    topic: str
    scope: str
    subject_type: str
    subject: str
    department: str
    outcome: str
    reason: str
    severity: str
    message: str
    reopened: int
    first_seen_on: date
    handling: str
    handled_until: date | None
    is_open: bool
    is_overdue: bool
    is_unverified: bool
    receivers: tuple[str, ...]
    told_since: date | None = None
    silent_for: frozenset[str] = frozenset()
    is_by_rule: bool = False

    @property
    def state(self) -> str:
        """Return what a receiver may know of it: open, overdue, resolved, or the decision that keeps it quiet."""
        if not self.is_open:
            return RESOLVED
        return self.handling if self.handling in QUIET else OVERDUE if self.is_overdue else OPEN

    def is_silent_for(self, receiver: str) -> bool:
        """Return whether a receiver is not told anew."""
        return EVERYONE in self.silent_for or receiver in self.silent_for


def read_findings(connection: Connection) -> Iterator[Mapping[str, Any]]:
    """Yield the findings that are open, and those resolved of which somebody was told and has not heard the end."""
    still_told = exists().where(told.c.finding_id == finding.c.finding_id, told.c.state != RESOLVED)
    names = (
        "finding_id", "rule", "subject_type", "subject", "outcome", "reason", "severity", "message", "reopened", "first_seen_on",
        "handling", "handled_until", "state", "overdue_since", "unverified_since",
    )  # fmt: skip
    query = select(*(finding.c[name] for name in names)).where(or_(finding.c.state == OPEN, still_told))
    for row in connection.execute(query.order_by(finding.c.finding_id)).all():
        yield dict(zip(names, row, strict=True))
