"""Verdicts of one day from a ledger with thousands of systems and hundreds of days of metrics: time, and memory by days.

As a module it judges once and prints what that took: `python -m benchmarks.verdicts LEDGER_URL SCOPE DAY`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Engine, text

from benchmarks.goals import Goal
from benchmarks.made_ledger import made_ledger, note_batch
from benchmarks.postgres import Postgres
from benchmarks.usage import Usage, bare_interpreter_kib, run_measured

DAY = date(2026, 11, 20)
DAYS = (100, 400)
PHASES = ("first day", "same day", "next day")
SECONDS = 10.0
FLAT = 1.1
"""Peak memory with the most days may be this much of that with the fewest."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One judging: seconds of the process, of the judging inside it, and its peak."""

    database: str
    days: int
    phase: str
    wall: float
    judging: float
    peak_mib: float
    verdicts: int


def measure(
    systems: int, server: Postgres | None, runs: int, home: Path, databases: set[str], say: Callable[[str], None]
) -> list[Sample]:
    """Judge the scope `systems` on ledgers of 100 and of 400 days, each the first, the same and the next day."""
    samples = []
    for database in sorted(databases):
        for days in DAYS:
            with made_ledger(
                database,
                server,
                home,
                f"verdicts_{days}",
                partial(fill, systems=systems, days=days),
                f"{systems:,} systems x {days} days",
                say,
            ) as (url, _):
                for run in range(runs):
                    for phase in PHASES:
                        day = DAY + timedelta(days=2 * run + (phase == "next day"))
                        samples.append(_judged(database, days, phase, url, day))
                        say(
                            f"{database} {days} days, {phase}: {samples[-1].judging:.2f} s, {samples[-1].peak_mib:.0f} MiB"
                        )
    return samples


def _judged(database: str, days: int, phase: str, url: str, day: date) -> Sample:
    command = [sys.executable, "-m", "benchmarks.verdicts", url, "systems", day.isoformat()]
    usage: Usage = run_measured(command, os.environ)
    peak = (usage.peak_kib - bare_interpreter_kib()) / 1024
    return Sample(database, days, phase, usage.wall, usage.said["seconds"], peak, usage.said["verdicts"])


def fill(engine: Engine, systems: int, days: int) -> None:
    """Make a ledger by plain SQL: one host a system, metrics and logins of every day, calls of every fifth system."""
    is_postgres = engine.dialect.name == "postgresql"
    uuid = "gen_random_uuid()" if is_postgres else "lower(hex(randomblob(16)))"
    with engine.begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE n (i INTEGER, code TEXT)"))
        connection.execute(text("INSERT INTO n VALUES (:i, :c)"), [{"i": i, "c": f"X{i:06d}"} for i in range(systems)])
        connection.execute(text(f"CREATE TEMPORARY TABLE d (j INTEGER, day {'DATE' if is_postgres else 'TEXT'})"))
        last = DAY + timedelta(days=10)  # so that later days can be judged as well
        listed = [
            {"j": j, "d": last - timedelta(days=j + 1) if is_postgres else str(last - timedelta(days=j + 1))}
            for j in range(days)
        ]
        connection.execute(text("INSERT INTO d VALUES (:j, :d)"), listed)
        kept = f"{uuid}, :batch, :batch"
        for source, entity, select in _contents(kept):
            batch = _batch(connection, source, entity)
            connection.execute(text(select), {"batch": batch})
        for source in ("cloud_metrics", "usage_statistics", "exchange_calls"):
            connection.execute(
                text("INSERT INTO observed_day SELECT :s, day, :b, :t, 1, '' FROM d"),
                {"s": source, "b": f"{source}-1", "t": True},
            )


def _contents(kept: str) -> list[tuple[str, str, str]]:
    stamp = "source, record_key, source_hash, created_batch, changed_batch"
    key = "'{}', {}, " + kept
    register, services, clouds = (key.format(s, "code") for s in ("system_register", "exchange_services", "city_cloud"))
    metrics, usage = (key.format(s, "day || '|' || code") for s in ("cloud_metrics", "usage_statistics"))
    calls = key.format("exchange_calls", "day || '|' || code || '|c'")
    return [
        ("system_register", "system",
         f"INSERT INTO system ({stamp}, system_code, name, status, deployment, went_live_on, last_released_on) "
         f"SELECT {register}, code, 'System ' || code, 'in_use', 'city_cloud', '2023-01-01', '2026-05-01' FROM n"),
        ("exchange_systems", "system", "SELECT :batch"),
        ("exchange_services", "exchange_service",
         f"INSERT INTO exchange_service ({stamp}, service_code, name, system_code, kind, state) "
         f"SELECT {services}, 's' || code, 'service', code, 'api', 'published' FROM n WHERE i % 5 = 0"),
        ("city_cloud", "cloud_resource",
         f"INSERT INTO cloud_resource ({stamp}, resource_code, system_code, status, vcpu) "
         f"SELECT {clouds}, 'h' || code, code, 'running', 4 FROM n"),
        ("exemptions", "exemption", "SELECT :batch"),
        ("cloud_metrics", "cloud_usage_day",
         f"INSERT INTO cloud_usage_day ({stamp}, day, resource_code, cpu_mean_bp, cpu_max_bp, memory_max_bp, disk_bp) "
         f"SELECT {metrics}, day, 'h' || code, (i * 7 + j) % 2000, (i * 7 + j) % 6000, 4000, 3000 FROM d CROSS JOIN n"),
        ("usage_statistics", "system_usage_day",
         f"INSERT INTO system_usage_day ({stamp}, day, system_code, logins, active_users, registered_users) "
         f"SELECT {usage}, day, code, (i + j) % 3, i % 20, 100 FROM d CROSS JOIN n"),
        ("exchange_calls", "exchange_call_day",
         f"INSERT INTO exchange_call_day ({stamp}, day, service_code, caller_code, calls, failures) "
         f"SELECT {calls}, day, 's' || code, 'caller', 10 + (i + j) % 9, 1 FROM d CROSS JOIN n WHERE i % 5 = 0"),
    ]  # fmt: skip


def _batch(connection: Any, source: str, entity: str) -> str:
    from include.ledger.tables import source_authority

    note_batch(connection, source, entity, DAY, f"{source}-1")
    connection.execute(source_authority.insert().values(source=source, authority=1))
    return f"{source}-1"


def goals(samples: list[Sample]) -> list[Goal]:
    """Return whether a day is judged in time, and memory flat in the number of days."""
    found = []
    for database in sorted({s.database for s in samples}):
        mine = [s for s in samples if s.database == database]
        slowest = max(
            median(s.judging for s in mine if (s.days, s.phase) == k) for k in {(s.days, s.phase) for s in mine}
        )
        found.append(Goal(f"{database}, verdicts of one day < {SECONDS:.0f} s", f"{slowest:.2f} s", slowest < SECONDS))
        few, many = (median(s.peak_mib for s in mine if s.days == days) for days in (min(DAYS), max(DAYS)))
        said = f"{few:.0f} MiB with {min(DAYS)} days, {many:.0f} MiB with {max(DAYS)}"
        found.append(Goal(f"{database}, memory flat in the number of days", said, many <= few * FLAT))
    return found


def markdown(samples: list[Sample]) -> str:
    """Return medians as a table."""
    lines = [
        "| database | days | phase | judging s | process s | peak MiB | verdicts |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for database, days, phase in dict.fromkeys((s.database, s.days, s.phase) for s in samples):
        mine = [s for s in samples if (s.database, s.days, s.phase) == (database, days, phase)]
        judging, wall, peak = (median(getattr(s, n) for s in mine) for n in ("judging", "wall", "peak_mib"))
        lines.append(
            f"| {database} | {days} | {phase} | {judging:.2f} | {wall:.2f} | {peak:.0f} | {mine[0].verdicts:,} |"
        )
    return "\n".join(lines)


def as_results(samples: list[Sample]) -> list[dict[str, Any]]:
    """Return the samples for the file of results."""
    return [asdict(s) for s in samples]


def main() -> None:
    """Judge once and print what it took."""
    from include.clock import SHANGHAI
    from include.findings.judging import judge
    from include.ledger.database import open_ledger

    url, scope, day = sys.argv[1], sys.argv[2], date.fromisoformat(sys.argv[3])
    engine, begun = open_ledger(url), time.perf_counter()
    judged = judge(engine, scope, day, at=datetime(day.year, day.month, day.day, 7, tzinfo=SHANGHAI))
    seconds = time.perf_counter() - begun
    assert not judged.crashed, judged.crashed
    print(
        json.dumps(
            {"seconds": seconds, "verdicts": judged.tally.verdicts, "digest": judged.digest, "new": judged.is_new}
        )
    )


if __name__ == "__main__":
    main()
