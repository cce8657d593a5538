"""A day of the regulation at the size that the goal of W5 names, 100,000 systems: what it costs when little or nothing changed.

A ledger is made and judged for the first time, then copied for each round: a quiet day, a day on which 1 % of the systems and of
the dossiers changed, the same in full, and, from a copy of its own, a day on which 2 % did; every source was read each morning.
Beside each round the limit line: twenty bare predicates over the same systems, their reports and entries, UNION ALL … INSERT, which
gives some 350,000 rows and no reason.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Engine, text

from benchmarks.goals import Goal
from benchmarks.made_ledger import note_batch
from benchmarks.postgres import Postgres
from benchmarks.rules import LIMIT_SHARE
from benchmarks.rules_ledger import DAY, SOURCES, change, fill
from benchmarks.systems_ledger import add_systems, change_systems
from benchmarks.usage import Usage, bare_interpreter_kib, run_measured

TEMPLATE, COPY = "rules_template", "rules_copy"
PROJECTS_SHARE = 20
"""Of so many systems one belongs to a project with a whole life."""

FIRST, QUIET, ONE, AGAIN, TWO, LIMIT = (
    "first day", "quiet day", "1 % changed", "1 %, all again in full", "2 % changed", "limit: 20 bare predicates",
)  # fmt: skip
MEMORY_MIB = 300
PREDICATES = 20
_WRITTEN = ("finding", "finding_event", "verdict", "judged_subject", "evaluation")


@dataclass(frozen=True, slots=True)
class Sample:
    """One judging: seconds inside the process, CPU of the process and of the server, peak, counts, rows written by table."""

    database: str
    phase: str
    judging: float
    client_cpu: float
    server_cpu: float
    peak_mib: float
    verdicts: int
    anew: int
    events: int
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where the ledgers of one database are: a server, or a folder of files."""

    database: str
    server: Postgres | None
    home: Path

    def url(self, name: str) -> str:
        """Return the address of a ledger."""
        if self.server:
            return self.server.dsn(name).replace("postgresql://", "postgresql+psycopg://")
        return f"sqlite:///{self.home / name}.db"

    def make(self, name: str) -> str:
        """Make an empty ledger and return its address."""
        if self.server:
            self.server.create(name)
        return self.url(name)

    @contextmanager
    def copy(self) -> Iterator[str]:
        """Yield the address of a copy of the template."""
        if self.server:
            self.server.run(f'DROP DATABASE IF EXISTS "{COPY}" WITH (FORCE)')
            self.server.run(f'CREATE DATABASE "{COPY}" TEMPLATE "{TEMPLATE}" STRATEGY file_copy')
            self.server.run("CHECKPOINT")
        else:
            shutil.copy(self.home / f"{TEMPLATE}.db", self.home / f"{COPY}.db")
        yield self.url(COPY)
        if self.server:
            self.server.run(f'DROP DATABASE "{COPY}" WITH (FORCE)')
        for left in self.home.glob(f"{COPY}.db*"):
            left.unlink()

    def cpu(self) -> float:
        """Return the CPU seconds of the server so far."""
        return self.server.cpu_seconds() if self.server else 0.0


def measure(
    systems: int, server: Postgres | None, runs: int, home: Path, databases: set[str], say: Callable[[str], None]
) -> list[Sample]:
    """Judge so many systems: the first day once, the others in each round from copies."""
    samples = []
    for database in sorted(databases):
        place = Place(database, server if database == "postgres" else None, home)
        samples.append(prepare(place, systems, say))
        for run in range(runs):
            samples += one_round(place, systems, say, is_full=run == 0)
    return samples


def prepare(place: Place, systems: int, say: Callable[[str], None]) -> Sample:
    """Make the template and judge its first day."""
    from include.ledger.database import migrate, open_ledger

    url, begun = place.make(TEMPLATE), time.perf_counter()
    migrate(url)
    engine, projects = open_ledger(url), systems // PROJECTS_SHARE
    fill(engine, projects)
    add_systems(engine, projects, systems, DAY)
    engine.dispose()
    if place.server:
        place.server.settle([TEMPLATE])
    say(f"{place.database}: {systems:,} systems, {projects:,} projects made in {time.perf_counter() - begun:.0f} s")
    first = _judged(place, FIRST, url, DAY, say)
    if place.server:
        place.server.settle([TEMPLATE])
    return first


def one_round(place: Place, systems: int, say: Callable[[str], None], *, is_full: bool) -> list[Sample]:
    """Judge the days of one round, and the limit line beside them; all again, which takes minutes, only where it is asked for."""
    from include.ledger.database import open_ledger

    def read(url: str, percent: int, day: date) -> None:
        engine, projects = open_ledger(url), systems // PROJECTS_SHARE
        if percent:
            change_systems(engine, systems * percent // 100, systems, day)
            change(engine, projects * percent // 100, day, projects)
        with engine.begin() as connection:
            for source, entity in SOURCES.items():
                if not (percent and entity in ("system", "project_dossier")):
                    note_batch(connection, source, entity, day, f"{source}-{day:%Y%m%d}")
        engine.dispose()

    samples, tomorrow, later = [], DAY + timedelta(days=1), DAY + timedelta(days=2)
    with place.copy() as url:
        read(url, 0, tomorrow)
        samples.append(_judged(place, QUIET, url, tomorrow, say))
        read(url, 1, later)
        samples.append(_judged(place, ONE, url, later, say))
        if is_full:
            samples.append(_judged(place, AGAIN, url, later, say))
        samples.append(_limit(place, open_ledger(url), say))
    with place.copy() as url:
        read(url, 2, tomorrow)
        samples.append(_judged(place, TWO, url, tomorrow, say))
    return samples


def _judged(place: Place, phase: str, url: str, day: date, say: Callable[[str], None]) -> Sample:
    command = [sys.executable, "-m", "benchmarks.rules", url, day.isoformat(), *(["full"] if phase == AGAIN else [])]
    before, cpu = _counts(url), place.cpu()
    usage: Usage = run_measured(command, os.environ)
    server, said = place.cpu() - cpu, usage.said
    written = {name: count - before[name] for name, count in _counts(url).items()}
    # What is written per run is bounded: an event each time a finding changed, and a row or two of the scope.
    assert written["finding_event"] == said["events"], (written, said["events"])
    assert written["finding"] <= said["events"] and written["evaluation"] <= 1, written
    peak = (usage.peak_kib - bare_interpreter_kib()) / 1024
    say(f"{place.database}, {phase}: {said['seconds']:.2f} s, {said['judged']:,} judged anew, {peak:.0f} MiB")
    return Sample(
        place.database, phase, said["seconds"], said["cpu"], server, peak, said["verdicts"], said["judged"], said["events"],
        written["finding"] + written["finding_event"], said["digest"],
    )  # fmt: skip


def _counts(url: str) -> dict[str, int]:
    """Return how many rows the tables have that a judging writes."""
    from include.ledger.database import open_ledger

    engine = open_ledger(url)
    with engine.connect() as connection:
        found = {n: int(connection.execute(text(f"SELECT count(*) FROM {n}")).scalar_one()) for n in _WRITTEN}
    engine.dispose()
    return found


def arms(day: date) -> str:
    """Return twenty predicates as one query, each a single scan of what rules on systems look at."""
    code, old = "substr(system_code, 7, 1)", day - timedelta(days=365)
    of_systems = [
        f"SELECT {n}, system_code FROM system WHERE tombstoned_at IS NULL AND status = 'in_use' "
        f"AND {code} IN ('{n % 10}', '{(n + 3) % 10}')"
        for n in range(PREDICATES - 4)
    ]
    others = [
        f"SELECT 16, system_code FROM assessment WHERE tombstoned_at IS NULL AND kind = 'cipher' AND issued_on < '{old}'",
        f"SELECT 17, system_code FROM assessment WHERE tombstoned_at IS NULL AND kind = 'protection' AND issued_on < '{old}'",
        f"SELECT 18, system_code FROM resource WHERE tombstoned_at IS NULL AND data_updated_on < '{old}'",
        "SELECT 19, system_code FROM resource WHERE tombstoned_at IS NULL AND update_cycle = 'weekly'",
    ]
    return " UNION ALL ".join([*of_systems, *others])


def _limit(place: Place, engine: Engine, say: Callable[[str], None]) -> Sample:
    """Return what the bare predicates cost inside the database: the second of two runs, when what they read is at hand."""
    unlogged = "UNLOGGED" if place.server else ""
    for _ in range(2):
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE IF EXISTS bare_finding"))
            connection.execute(text(f"CREATE {unlogged} TABLE bare_finding (rule INTEGER, subject TEXT)"))
        cpu, client, begun = place.cpu(), time.process_time(), time.perf_counter()
        with engine.begin() as connection:
            connection.execute(text(f"INSERT INTO bare_finding {arms(DAY)}"))
        seconds, client = time.perf_counter() - begun, time.process_time() - client
    with engine.connect() as connection:
        found = connection.execute(text("SELECT count(*) FROM bare_finding")).scalar_one()
    engine.dispose()
    say(f"{place.database}, limit line: {seconds:.2f} s, {found:,} rows")
    return Sample(place.database, LIMIT, seconds, client, place.cpu() - cpu, 0, found, 0, 0, found, "")


def goals(samples: list[Sample]) -> list[Goal]:
    """Return whether days with few changes stay within the limit line's multiple, their memory bounded, and both ways agree."""
    found = []
    for database in sorted({s.database for s in samples}):
        of = {
            p: [s for s in samples if (s.database, s.phase) == (database, p)] for p in (QUIET, ONE, AGAIN, TWO, LIMIT)
        }
        limit = median(s.judging for s in of[LIMIT])
        for phase in (QUIET, ONE, TWO):
            ratio = median(s.judging for s in of[phase]) / limit
            goal = f"{database}, {phase} ≤ {LIMIT_SHARE:.0f}x the limit line"
            found.append(Goal(goal, f"{ratio:.1f}x", ratio <= LIMIT_SHARE))
        peak = max(s.peak_mib for phase in (QUIET, ONE, TWO) for s in of[phase])
        found.append(Goal(f"{database}, few changes ≤ {MEMORY_MIB} MiB", f"{peak:.0f} MiB", peak <= MEMORY_MIB))
        digests = {s.digest for phase in (ONE, AGAIN) for s in of[phase]}
        found.append(Goal(f"{database}, what changed and all again say the same", "same digest", len(digests) == 1))
    return found


def markdown(samples: list[Sample]) -> str:
    """Return medians as a table."""
    lines = [
        "| database | phase | judging s | client CPU s | server CPU s | x limit | peak MiB | verdicts | anew | events | rows |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for database, phase in dict.fromkeys((s.database, s.phase) for s in samples):
        mine = [s for s in samples if (s.database, s.phase) == (database, phase)]
        names = ("judging", "client_cpu", "server_cpu", "peak_mib")
        judging, client, server, peak = (median(getattr(s, name) for s in mine) for name in names)
        limits = [s.judging for s in samples if (s.database, s.phase) == (database, LIMIT)]
        one = mine[-1]
        lines.append(
            f"| {database} | {phase} | {judging:.2f} | {client:.2f} | {server:.2f} | {judging / median(limits):.1f} | {peak:.0f} | "
            f"{one.verdicts:,} | {one.anew:,} | {one.events:,} | {one.rows:,} |"
        )
    return "\n".join(lines)


def as_results(samples: list[Sample]) -> list[dict[str, Any]]:
    """Return the samples for the file of results."""
    return [asdict(s) for s in samples]
