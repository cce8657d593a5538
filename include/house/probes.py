"""Which results of probes may go: the pages of old sweeps, and the daily sums that no day that can be judged again looks at."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby

from sqlalchemy import delete, select

from include.clock import SHANGHAI
from include.house.landing_pages import IN_USE
from include.house.legal_holds import evidence_of, resolve
from include.house.removal import House, Plan, Thing, hash_of_rows
from include.house.retention import LegalHold
from include.ledger.database import writing
from include.ledger.probe_merge import SOURCE
from include.ledger.tables import finding, probe_day, probe_sweep

ROUNDS, DAYS = "probe_rounds", "probe_days"


def plan_rounds(house: House) -> Plan:
    """Return the pages with the single results of sweeps that may go; what a sweep came to stays in the ledger."""
    cutoff = house.retention.cutoff(ROUNDS, house.today)
    kept: set[str] = set()
    old: set[str] = set()
    stays: Counter[str] = Counter()
    with house.engine.connect() as connection:
        evidence = set(evidence_of(connection, finding.c.state == "open"))
        holds = resolve(connection, house.retention.holds_on(house.today))
        query = select(probe_sweep.c.sweep_id, probe_sweep.c.merged_at, probe_sweep.c.causes)
        for sweep_id, merged_at, causes in connection.execute(query):
            page, day = json.loads(causes).get("page"), merged_at.astimezone(SHANGHAI).date()
            why = "open_finding" if sweep_id in evidence else None
            if any(held.keeps_batch(SOURCE, sweep_id, day) for held in holds):
                why = "legal_hold"
            if day >= cutoff or why:
                kept.add(page)
                stays[why or "recent"] += 1
            else:
                old.add(page)
    del stays["recent"]
    return Plan(ROUNDS, list(_pages(house, kept, old)), dict(stays))


def _pages(house: House, kept: set[str], old: set[str]) -> Iterator[Thing]:
    for name in house.store.pages(SOURCE):
        if name in kept:
            continue
        written, size = house.store.page_written_at(SOURCE, name)
        quiet = IN_USE if name in old else timedelta(days=house.retention.keep_days[ROUNDS])
        if house.at.timestamp() - written >= quiet.total_seconds():
            yield Thing((name,), name, "older_than_kept" if name in old else "named_by_no_batch", SOURCE, size)


def remove_rounds(house: House, things: Sequence[Thing]) -> None:
    """Remove the pages of sweeps."""
    for thing in things:
        house.store.drop_page(SOURCE, thing.hash)


def plan_days(house: House) -> Plan:
    """Return the days whose sums of probes may go, each with the hash of its rows: always all days before one.

    So what is left has no gap, and the first day left tells which days can be judged again.
    """
    cutoff = house.retention.cutoff(DAYS, house.today)
    begin = min([cutoff, *(_begin(hold) for hold in house.retention.holds_on(house.today))])
    query = select(probe_day).where(probe_day.c.day < cutoff).order_by(probe_day.c.day, probe_day.c.service_code)
    things: list[Thing] = []
    stays = 0
    with house.engine.connect() as connection:
        found = connection.execution_options(yield_per=5000).execute(query).mappings()
        for day, rows in groupby(found, key=lambda row: row["day"]):
            if day < begin:
                gone = [dict(row) for row in rows]
                things.append(Thing((day.isoformat(),), hash_of_rows(gone), "older_than_kept", SOURCE, len(gone)))
            else:
                stays += 1
    return Plan(DAYS, things, {"legal_hold": stays} if stays else {})


def _begin(hold: LegalHold) -> date:
    """Return the first day whose probes a hold keeps."""
    if hold.source not in (None, SOURCE):
        return date.max
    return hold.first or date.min


def remove_days(house: House, things: Sequence[Thing]) -> None:
    """Remove the sums of the days."""
    with writing(house.engine, SOURCE) as connection:
        for thing in things:
            connection.execute(delete(probe_day).where(probe_day.c.day == date.fromisoformat(thing.name[0])))
