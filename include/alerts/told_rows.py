"""What receivers were last told: the only place that reads and writes the table `told`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from sqlalchemy import Connection, and_, bindparam, insert, or_, select, update

from include.alerts.concern import OPEN, RESOLVED
from include.alerts.deciding import Told
from include.ledger.alert_tables import told
from include.ledger.tables import finding

Known = Mapping[str, Mapping[str, Told]]
"""Finding → receiver → what it was last told."""


@dataclass(slots=True)
class Changes:
    """What is to be written: rows with the message that brought them, and states that are noticed in silence."""

    rows: dict[tuple[str, str], tuple[Told, str]] = field(default_factory=dict)
    marks: list[tuple[Told, str]] = field(default_factory=list)


def read_told(connection: Connection) -> dict[str, dict[str, Told]]:
    """Return all that was told of open findings, and of others what has not been told to its end."""
    names = [told.c[name] for name in Told.__dataclass_fields__]
    query = select(*names).join(finding, finding.c.finding_id == told.c.finding_id)
    found: dict[str, dict[str, Told]] = {}
    for row in connection.execute(query.where(or_(finding.c.state == OPEN, told.c.state != RESOLVED))).all():
        one = Told(*row)
        found.setdefault(one.finding_id, {})[one.receiver] = one
    return found


def write_told(connection: Connection, changes: Changes, known: Known) -> None:
    """Write what was told; one row for a receiver and a finding."""
    rows = [asdict(one) | {"message_id": message} for one, message in changes.rows.values()]
    there = [row for row in rows if row["receiver"] in known.get(row["finding_id"], {})]
    new = [row for row in rows if row["receiver"] not in known.get(row["finding_id"], {})]
    key = and_(told.c.receiver == bindparam("this_receiver"), told.c.finding_id == bindparam("this_finding"))
    if new:
        connection.execute(insert(told), new)
    if there:
        values = [_named(row.pop("receiver"), row.pop("finding_id")) | row for row in there]
        connection.execute(update(told).where(key), values)
    if changes.marks:
        states = [_named(one.receiver, one.finding_id) | {"state": state} for one, state in changes.marks]
        connection.execute(update(told).where(key), states)


def _named(receiver: str, finding_id: str) -> dict[str, object]:
    return {"this_receiver": receiver, "this_finding": finding_id}


def is_known(rows: Iterable[Told], reopened: int) -> bool:
    """Return whether anybody was told of a finding since it last opened, and has not heard that it is resolved."""
    return any(one.state != RESOLVED and one.reopened == reopened for one in rows)
