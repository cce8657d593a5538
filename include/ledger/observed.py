"""Which days of a daily series were read whole, and what speaks against believing them: `observed_day`.

Written in the transaction of the merge. A day that no batch read has no row: it is a gap, and nobody takes it for zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from statistics import median

from sqlalchemy import Connection, select, text

from include.landing.batch import Manifest
from include.ledger.day_window import days_of
from include.ledger.tables import observed_day
from include.sources.card import Card, Series
from include.sources.envelope import SKEW_NOTE

READ_INCOMPLETE, EMPTY_DAY, FEW_ROWS = "read_incomplete", "empty_day", "few_rows"
ALL_ZERO, CLOCK_SKEW = "all_zero", "clock_skew"

MANY = 20
"""Rows from which a day without rows, with few of them, or with zeros alone cannot be chance."""
REFERENCE_DAYS = 14
REFERENCE_WITHIN = timedelta(days=30)
"""How far back trusted days count as a reference: a lasting change of volume is believed after so long."""

ACTIVITY = {
    "cloud_usage_day": ("cpu_mean_bp", "cpu_max_bp", "memory_max_bp"),
    "system_usage_day": ("logins", "active_users"),
}
"""What cannot be zero for everybody on one day; registered users and filled disks do not come from activity."""


@dataclass(frozen=True, slots=True)
class DayCount:
    """What a batch brought of one day; `is_flat`: a column of activity has many values and all of them are zero."""

    rows: int
    is_flat: bool = False


@dataclass(frozen=True, slots=True)
class Observation:
    """What counts of one day of a source; `batch_id` is the batch that observed it."""

    day: date
    batch_id: str
    is_trusted: bool
    rows: int
    doubts: tuple[str, ...]


def count_days(connection: Connection, entity: str, *, staged: bool, source: str) -> dict[date, DayCount]:
    """Count what was staged, or what the first load of a source put into the ledger, by day."""
    columns = ACTIVITY.get(entity, ())
    measures = "".join(f", count({c}), max({c})" for c in columns)
    table, rows, where = (
        (f"stage_{entity}", "count(DISTINCT record_key)", "")
        if staged
        else (entity, "count(*)", "WHERE source = :source")
    )
    query = text(f"SELECT day, {rows}{measures} FROM {table} {where} GROUP BY day")
    found: dict[date, DayCount] = {}
    for day, count, *values in connection.execute(query, {} if staged else {"source": source}):
        is_flat = any(
            filled >= MANY and largest == 0 for filled, largest in zip(values[::2], values[1::2], strict=True)
        )
        found[date.fromisoformat(str(day))] = DayCount(count, is_flat)
    return found


def observe(
    connection: Connection,
    card: Card,
    series: Series,
    manifest: Manifest,
    counts: Mapping[date, DayCount],
    *,
    is_complete: bool,
) -> None:
    """Write a row for every day that the batch asked for; where files were read, for every day found in them.

    What is as it was before is not said again: a source that is read every hour would say it every hour. A batch that was
    merged once more from the landing zone is no new observation.
    """
    if any(reason.code == "replay" for reason in manifest.reasons):
        return
    days = days_of(manifest) or (sorted(counts) if card.files is not None else [])
    if not days:
        return
    shared = [] if is_complete else [READ_INCOMPLETE]
    if any(note.startswith(SKEW_NOTE) for note in manifest.notes):
        shared.append(CLOCK_SKEW)
    held = believed_days(connection, card.source, days[0] - REFERENCE_WITHIN, days[-1])
    read = {day: counts.get(day, DayCount(0)) for day in days}
    doubts = judge_days(read, series, [o for o in held.values() if o.day < days[0]], shared)
    new = [Observation(day, manifest.batch_id, not doubts[day], read[day].rows, tuple(doubts[day])) for day in days]
    new = [o for o in new if not _says_the_same(o, held.get(o.day))]
    if new:
        connection.execute(
            observed_day.insert(), [asdict(o) | {"source": card.source, "doubts": ",".join(o.doubts)} for o in new]
        )


def _says_the_same(new: Observation, old: Observation | None) -> bool:
    return old is not None and (new.is_trusted, new.rows, new.doubts) == (old.is_trusted, old.rows, old.doubts)


def judge_days(
    counts: Mapping[date, DayCount], series: Series, before: Iterable[Observation], shared: list[str]
) -> dict[date, list[str]]:
    """Return what speaks against each day, in order of day; `shared` speaks against all of them.

    A day is measured by the median of the 14 trusted days before it; at the beginning, by the days of the read that have rows.
    """
    trusted = [(o.day, o.rows) for o in before if o.is_trusted]
    filled = [count.rows for count in counts.values() if count.rows]
    doubts: dict[date, list[str]] = {}
    for day in sorted(counts):
        earlier = [rows for at, rows in trusted if at >= day - REFERENCE_WITHIN][-REFERENCE_DAYS:] or filled
        doubts[day] = shared + _doubts(counts[day], series, median(earlier) if earlier else None)
        if not doubts[day]:
            trusted.append((day, counts[day].rows))
    return doubts


def _doubts(count: DayCount, series: Series, usual: float | None) -> list[str]:
    if count.rows == 0:
        # Zero rows are an answer where things are rare; not where each subject has a row, nor where nothing ever came.
        return [EMPTY_DAY] if series.is_dense or usual is None or usual >= MANY else []
    found = []
    if usual is not None and usual >= MANY and count.rows * 2 < usual:
        found.append(FEW_ROWS)
    if series.is_dense and count.is_flat:
        found.append(ALL_ZERO)
    return found


def believed_days(connection: Connection, source: str, first: date, last: date) -> dict[date, Observation]:
    """Return, by day in order, what counts now of each observed day from `first` to `last`, both included.

    Of several batches that read a day the newest trusted one counts; the newest untrusted one only where none was trusted.
    So a degraded read adds days, and never takes the weight of a day that was read well before.
    """
    query = select(observed_day).where(observed_day.c.source == source, observed_day.c.day.between(first, last))
    found: dict[date, Observation] = {}
    rows = connection.execute(query).mappings().all()
    for row in sorted(rows, key=lambda r: (r["day"], r["batch_id"])):  # ids sort by time within their source
        old = found.get(row["day"])
        if old is None or row["is_trusted"] or not old.is_trusted:
            doubts = tuple(row["doubts"].split(",")) if row["doubts"] else ()
            found[row["day"]] = Observation(row["day"], row["batch_id"], row["is_trusted"], row["rows"], doubts)
    return found
