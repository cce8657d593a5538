"""Sum up the day before it is published: titles of the rules as they are now, and the compliance of the newest judged day."""

from __future__ import annotations

import logging
from datetime import date

from sqlalchemy import Engine, func, select

from include.clock import now
from include.datasets.compliance import append_day
from include.findings.rule_titles import sync_rule_titles
from include.ledger.snapshot import FINDINGS, snapshot
from include.ledger.tables import evaluation

log = logging.getLogger(__name__)


def sum_up_newest(engine: Engine) -> date | None:
    """Append the compliance of the newest judged day and return the day; None where nothing was ever judged.

    It may be called as often as one likes: the same again writes nothing, and a day that is past and was appended is left alone.
    """
    at = now()
    with snapshot(engine, FINDINGS) as connection:
        sync_rule_titles(connection)
        day: date | None = connection.execute(select(func.max(evaluation.c.day))).scalar()
        if day is None:
            log.info("nothing to sum up: nothing was ever judged")
            return None
        appended = append_day(connection, day, at)
    log.info("summed up day=%s rows=%d written=%d", day, appended.rows, appended.written)
    return day
