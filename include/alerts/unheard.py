"""What nobody hears of until people act, as incidents: mass changes that are held, and departments that no channel reaches.

A hold is told once when it is raised; here it comes back every working morning, as any incident that is still seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, select

from include.alerts import incidents
from include.alerts.concern import OPEN
from include.alerts.holds import standing_holds
from include.alerts.incident_notice import REPEATED_FROM
from include.alerts.incidents import Cause, Sighting
from include.alerts.office_hours import people_work
from include.alerts.pipelines import DELIVERY
from include.alerts.routing import Routing
from include.clock import SHANGHAI
from include.findings.story import Handling
from include.ledger.alert_tables import told
from include.ledger.tables import finding
from include.rules.workdays import Workdays

_MOST_NAMES = 10


def note_unheard(connection: Connection, routing: Routing | None, workdays: Workdays | None, at: datetime) -> None:
    """Write down what waits unheard and close what does not any more; without a routing nobody knows of the departments."""
    holds = standing_holds(connection)
    if _is_working_morning(workdays, at):
        day = at.astimezone(SHANGHAI).date()
        incidents.see(connection, [_held(hold) for hold in holds if hold["day"] < day], at)
    incidents.resolve(connection, DELIVERY, [Cause.HELD], at, [hold["hold_id"] for hold in holds])
    if routing:
        found = list(_without_address(connection, routing))
        incidents.see(connection, found, at)
        incidents.resolve(connection, DELIVERY, [Cause.NO_ADDRESS], at, [one.part for one in found])


def _is_working_morning(workdays: Workdays | None, at: datetime) -> bool:
    """Return whether it is a working day, and not before people come."""
    local = at.astimezone(SHANGHAI)
    return people_work(local.date(), workdays) and local.time() >= REPEATED_FROM


def _held(hold: dict[str, object]) -> Sighting:
    detail = f"{hold['day']} 起暂缓 {hold['findings']} 条,尚未通知任何单位;核实后由两人放行,属来源或规则有误的先更正"
    return Sighting(DELIVERY, Cause.HELD, str(hold["hold_id"]), detail)


def _without_address(connection: Connection, routing: Routing) -> Iterator[Sighting]:
    """Yield of each receiver the departments with open findings whose messages only the spool takes for want of an address."""
    for receiver in routing.receivers.values():
        if receiver.is_per_department:
            query = select(told.c.department).distinct().join(finding, finding.c.finding_id == told.c.finding_id)
            is_open = (finding.c.state == OPEN) & (finding.c.handling != Handling.SETTLED.value)
            query = query.where(told.c.receiver == receiver.id, is_open).order_by(told.c.department)
            names = [d for d in connection.execute(query).scalars() if not routing.is_reached(receiver.id, d)]
            if names:
                listed = "、".join(names[:_MOST_NAMES]) + ("等" if len(names) > _MOST_NAMES else "")
                detail = (
                    f"{listed}共 {len(names)} 个单位,通知只写入本地文件,请转交并在 routing.yaml 的 departments 补充地址"
                )
                yield Sighting(DELIVERY, Cause.NO_ADDRESS, receiver.id, detail)
