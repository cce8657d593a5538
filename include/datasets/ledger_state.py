"""What a publication is a picture of: evaluations, what is unknown, waived, settled, how often classified records went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from include.findings.story import Handling
from include.ledger.alert_tables import expunged
from include.ledger.database import HEAD
from include.ledger.tables import evaluation, finding, verdict
from include.rules.verdict import Outcome


@dataclass(frozen=True, slots=True)
class LedgerState:
    """The state of the ledger that a transaction sees."""

    evaluations: list[dict[str, Any]]
    unknown: int
    waived: int
    settled: int
    expunged_rows: int
    expunged_at: datetime | None

    def expunged(self) -> dict[str, Any]:
        """Return what tells whether something was expunged since."""
        return {"rows": self.expunged_rows, "last": self.expunged_at.isoformat() if self.expunged_at else None}

    def is_before(self, said: Mapping[str, Any]) -> bool:
        """Return whether something was expunged after the state of which `said` is the note; without a note: if ever."""
        if not self.expunged_rows:
            return False
        return bool(said.get("rows", 0) < self.expunged_rows or said.get("last") != self.expunged()["last"])

    def summary(self) -> dict[str, Any]:
        """Return it for the manifest: digests of the newest evaluations, counts of verdicts and findings."""
        return {
            "migration": HEAD, "evaluations": self.evaluations, "unknown_verdicts": self.unknown,
            "waived_findings": self.waived, "settled_findings": self.settled,
        }  # fmt: skip


def ledger_state(connection: Connection) -> LedgerState:
    """Return what the transaction sees."""
    rows, last = connection.execute(select(func.count(), func.max(expunged.c.expunged_at))).one()
    is_unknown = verdict.c.until_day.is_(None) & (verdict.c.outcome == Outcome.UNKNOWN.value)
    handled = select(finding.c.handling, func.count()).where(finding.c.state == "open").group_by(finding.c.handling)
    handlings = {handling: count for handling, count in connection.execute(handled)}
    unknown = connection.execute(select(func.count()).select_from(verdict).where(is_unknown)).scalar_one()
    waived, settled = (handlings.get(handling.value, 0) for handling in (Handling.WAIVED, Handling.SETTLED))
    return LedgerState(_evaluations(connection), unknown, waived, settled, rows, last)


def _evaluations(connection: Connection) -> list[dict[str, Any]]:
    """Return the newest judging of each scope."""
    e = evaluation.c
    query = select(e.scope, e.day, e.revision, e.digest, e.rules_version).order_by(e.scope, e.day, e.revision)
    newest = {row["scope"]: row for row in connection.execute(query).mappings()}
    return [dict(row) | {"day": row["day"].isoformat()} for row in newest.values()]
