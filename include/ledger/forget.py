"""Remove what was worked out about records that must leave no trace: verdicts, findings with their history, probes.

Called when records are expunged, for keys that the ledger held. Whatever names such a key goes, also under another subject:
the next judging says it anew without it. Keys are never logged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import Column, Connection, Table, and_, delete, or_, select

from include.ledger.tables import finding, finding_event, probe_day, probe_state, verdict

_PART = r"[0-9A-Za-z_-]"
"""What a key is made of: SYS1 is not named by SYS10."""


def forget_judged(connection: Connection, keys: set[str]) -> None:
    """Remove the verdicts and findings that are about one of these keys or name one."""
    for row in _naming(connection, verdict, (verdict.c.subject, verdict.c.occurrence, verdict.c.body), keys):
        mine = and_(*(column == row[column.name] for column in verdict.primary_key))
        connection.execute(delete(verdict).where(mine))
    named = {
        row["finding_id"]
        for table, columns in (
            (finding, (finding.c.subject, finding.c.occurrence, finding.c.message)),
            (finding_event, (finding_event.c.detail,)),
        )
        for row in _naming(connection, table, columns, keys)
    }
    for finding_id in sorted(named):
        connection.execute(delete(finding_event).where(finding_event.c.finding_id == finding_id))
        connection.execute(delete(finding).where(finding.c.finding_id == finding_id))


def forget_probes(connection: Connection, services: set[str]) -> None:
    """Remove what probes found of these services."""
    for code in sorted(services):
        for table in (probe_day, probe_state):
            connection.execute(delete(table).where(table.c.service_code == code))


def _naming(
    connection: Connection, table: Table, columns: tuple[Column[str], ...], keys: set[str]
) -> Iterator[dict[str, str]]:
    """Yield primary key and texts of the rows in which a key stands for itself and not within a longer one."""
    for key in sorted(keys):
        whole = re.compile(f"(?<!{_PART}){re.escape(key)}(?!{_PART})")
        likely = or_(*(column.contains(key, autoescape=True) for column in columns))
        for row in connection.execute(select(*table.primary_key, *columns).where(likely)).mappings().all():
            if any(whole.search(row[column.name]) for column in columns):
                yield dict(row)
