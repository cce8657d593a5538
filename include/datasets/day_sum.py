"""Sum up the day before it is published: titles of the rules as they are now, and the compliance of today."""

from __future__ import annotations

import logging
from datetime import date

from sqlalchemy import Engine, func, select

from include.clock import now
from include.datasets.compliance import append_day
from include.findings.held import FINDINGS
from include.findings.rule_titles import sync_rule_titles
from include.ledger.snapshot import snapshot
from include.ledger.tables import evaluation

log = logging.getLogger(__name__)


def sum_up_today(engine: Engine) -> date | None:
    """Append the compliance of today and return the day; None where today was not judged: a past day is never written again.

    It may be called as often as the day is judged; the same again changes nothing but the moment.
    """
    at = now()
    with snapshot(engine, FINDINGS) as connection:
        sync_rule_titles(connection)
        day = connection.execute(select(func.max(evaluation.c.day))).scalar()
        if day != at.date():
            log.info("nothing to sum up: the newest judged day is %s", day)
            return None
        append_day(connection, at.date(), at)
    return at.date()
