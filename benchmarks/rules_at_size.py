"""Days of a scope at the size that the goal of W5 names, 100,000 systems: what they cost when little or nothing changed.

A ledger is made, judged for the first time and kept; each round goes from copies of it: a quiet day, a day on which 1 % of the
systems and of the dossiers changed, and another on which 2 % did; every source was read each morning. Beside each round the limit
line: twenty bare predicates over the same systems, their reports and entries, UNION ALL … INSERT, which gives some 350,000 rows and
no reason.

With daily series of some hundred days each system has a host, a service and users of which something was seen each day, and each
morning brings another day. Where all scopes are judged their seconds are added up, too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, timedelta
from statistics import median
from typing import Any

from sqlalchemy import text

from benchmarks.goals import Goal
from benchmarks.kept_ledger import TEMPLATE, KeptLedger, code_digest
from benchmarks.made_ledger import note_batch
from benchmarks.rules import LIMIT_SHARE, judging_command
from benchmarks.rules_ledger import DAY, SOURCES, change, fill
from benchmarks.series_ledger import add_series, read_series
from benchmarks.systems_ledger import add_systems, change_systems
from benchmarks.usage import Usage, bare_interpreter_kib, run_measured

PROJECTS_SHARE = 20
"""Of so many systems one belongs to a project with a whole life."""

SCOPES = ("regulation", "catalogues", "systems", "interconnection")
FIRST, QUIET, ONE, AGAIN, WEEK, TWO, LIMIT = (
    "first day", "quiet day", "1 % changed", "1 %, all again in full", "first day of a week", "2 % changed",
    "limit: 20 bare predicates",
)  # fmt: skip
DAYS = {"quiet": QUIET, "1": ONE, "full": AGAIN, "week": WEEK, "2": TWO}
FEW = (QUIET, ONE, TWO)
ALL = "all four"
MEMORY_MIB = 300
FIRST_SECONDS, CHANGED_SECONDS = 20.0, 2.0
"""What issue 5 allows 5,000 subjects for a full run, and for a day on which 1 % changed."""
PREDICATES = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """One judging: seconds inside the process, CPU of the process and of the server, peak, counts; rows of findings written."""

    database: str
    scope: str
    phase: str
    judging: float
    client_cpu: float
    server_cpu: float
    peak_mib: float
    verdicts: int
    anew: int
    events: int
    changed: int
    rules: int
    rows: int
    digest: str

    @property
    def cpu(self) -> float:
        """Return the CPU seconds of both."""
        return self.client_cpu + self.server_cpu


@dataclass(frozen=True, slots=True)
class AtSize:
    """What is measured: so many systems, with series of so many days, some scopes, some days."""

    systems: int
    series: int
    scopes: Sequence[str]
    days: Sequence[str]
    say: Callable[[str], None]

    def measure(self, ledgers: Sequence[KeptLedger], runs: int) -> list[Sample]:
        """Judge the first day where that was not done yet, and the others in each round, in turn."""
        samples = [sample for ledger in ledgers for sample in self._prepare(ledger)]
        for run in range(1, runs + 1):
            for ledger in ledgers:
                self.say(f"{ledger.database}, round {run}")
                samples += self._round(ledger)
        return samples

    def _prepare(self, ledger: KeptLedger) -> Iterator[Sample]:
        """Make the ledger if it is not there; judge its first day by the code of now, for the first time or once more."""
        from include.ledger.database import migrate, open_ledger

        if not ledger.is_made:
            url, begun, projects = ledger.make(), time.perf_counter(), self.systems // PROJECTS_SHARE
            migrate(url)
            engine = open_ledger(url)
            fill(engine, projects)
            add_systems(engine, projects, self.systems, DAY)
            if self.series:
                add_series(engine, self.systems, DAY, self.series)
            engine.dispose()
            ledger.settle()
            ledger.note({})
            self.say(f"{ledger.database}: {self.systems:,} systems made in {time.perf_counter() - begun:.0f} s")
        judged, code = ledger.judged, code_digest()
        for scope in self.scopes:
            if judged.get(scope) != code:
                sample = self._judged(ledger, scope, FIRST, ledger.url(TEMPLATE), DAY)
                yield sample if scope not in judged else replace(sample, phase=f"{FIRST}, by other code once more")
                judged[scope] = code
                ledger.settle()
                ledger.note(judged)

    def _round(self, ledger: KeptLedger) -> Iterator[Sample]:
        tomorrow, later, monday = (DAY + timedelta(days=n) for n in (1, 2, 3))
        phases = [DAYS[day] for day in self.days]
        with ledger.copy() as url:
            for phase, percent, day in ((QUIET, 0, tomorrow), (ONE, 1, later)):
                self._read(url, percent, day)
                if phase in phases:
                    yield from (self._judged(ledger, scope, phase, url, day) for scope in self.scopes)
            if AGAIN in phases:
                yield from (self._judged(ledger, scope, AGAIN, url, later) for scope in self.scopes)
            if WEEK in phases:
                self._read(url, 0, monday)
                yield from (self._judged(ledger, scope, WEEK, url, monday) for scope in self.scopes)
            yield self._limit(ledger, url)
        if TWO in phases:
            with ledger.copy() as url:
                self._read(url, 2, tomorrow)
                yield from (self._judged(ledger, scope, TWO, url, tomorrow) for scope in self.scopes)

    def _read(self, url: str, percent: int, day: date) -> None:
        """Let every source be read on the morning of a day, and some per cent of systems and dossiers change."""
        from include.ledger.database import open_ledger

        engine, projects = open_ledger(url), self.systems // PROJECTS_SHARE
        if percent:
            change_systems(engine, self.systems * percent // 100, self.systems, day)
            change(engine, max(1, projects * percent // 100), day, projects)
        with engine.begin() as connection:
            for source, entity in SOURCES.items():
                if not (percent and entity in ("system", "project_dossier")):
                    note_batch(connection, source, entity, day, f"{source}-{day:%Y%m%d}")
        if self.series:
            read_series(engine, self.systems, day, percent)
        engine.dispose()

    def _judged(self, ledger: KeptLedger, scope: str, phase: str, url: str, day: date) -> Sample:
        cpu = ledger.cpu()
        usage: Usage = run_measured(judging_command(url, day, scope, is_full=phase == AGAIN), os.environ)
        server, said = ledger.cpu() - cpu, usage.said
        peak = (usage.peak_kib - bare_interpreter_kib()) / 1024
        seconds = f"{said['seconds']:.2f} s ({said['cpu']:.2f} + {server:.2f} CPU)"
        self.say(f"{ledger.database}, {scope}, {phase}: {seconds}, {said['judged']:,} judged anew, {peak:.0f} MiB")
        rows = sum(said["written"].get(name, 0) for name in ("finding", "evaluation"))
        return Sample(
            ledger.database, scope, phase, said["seconds"], said["cpu"], server, peak, said["verdicts"], said["judged"],
            said["events"], said["changed"], said["rules"], rows, said["digest"],
        )  # fmt: skip

    def _limit(self, ledger: KeptLedger, url: str) -> Sample:
        """Return what the bare predicates cost inside the database: the second of two runs, when what they read is at hand."""
        from include.ledger.database import open_ledger

        engine, unlogged = open_ledger(url), "UNLOGGED" if ledger.server else ""
        for _ in range(2):
            with engine.begin() as connection:
                connection.execute(text("DROP TABLE IF EXISTS bare_finding"))
                connection.execute(text(f"CREATE {unlogged} TABLE bare_finding (rule INTEGER, subject TEXT)"))
            cpu, client, begun = ledger.cpu(), time.process_time(), time.perf_counter()
            with engine.begin() as connection:
                connection.execute(text(f"INSERT INTO bare_finding {arms(DAY)}"))
            seconds, client = time.perf_counter() - begun, time.process_time() - client
        with engine.connect() as connection:
            found = connection.execute(text("SELECT count(*) FROM bare_finding")).scalar_one()
        engine.dispose()
        server = ledger.cpu() - cpu
        self.say(f"{ledger.database}, limit line: {seconds:.2f} s ({client:.2f} + {server:.2f} CPU), {found:,} rows")
        return Sample(ledger.database, "", LIMIT, seconds, client, server, 0, found, 0, 0, 0, 0, found, "")


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


def _of(samples: Sequence[Sample], database: str, scope: str, phase: str) -> list[Sample]:
    return [s for s in samples if (s.database, s.scope, s.phase) == (database, scope, phase)]


def together(samples: Sequence[Sample]) -> list[Sample]:
    """Return what all scopes cost of one database, day and round, one after the other; the peak is that of the largest."""
    found = []
    for database, phase in dict.fromkeys((s.database, s.phase) for s in samples if s.scope):
        for round_ in zip(*(_of(samples, database, scope, phase) for scope in SCOPES), strict=False):
            summed = {
                f.name: sum(getattr(s, f.name) for s in round_) for f in fields(Sample) if f.type in ("int", "float")
            }
            peak = max(s.peak_mib for s in round_)
            found.append(
                Sample(**summed | {"database": database, "scope": ALL, "phase": phase, "digest": "", "peak_mib": peak})
            )
    return found


def _goals_of_issue(samples: Sequence[Sample]) -> Iterator[Goal]:
    """Yield whether all scopes together stay within the seconds that the issue names."""
    whole = together(samples)
    for database in sorted({s.database for s in whole}):
        for phase, most in ((FIRST, FIRST_SECONDS), (ONE, CHANGED_SECONDS)):
            if mine := [s.judging for s in _of(whole, database, ALL, phase)]:
                goal = f"{database}, {ALL} scopes, {phase} < {most:.0f} s"
                yield Goal(goal, f"{median(mine):.2f} s", median(mine) < most)


def goals(samples: Sequence[Sample]) -> list[Goal]:
    """Return whether days with few changes stay within the limit line's multiple, and their memory and what they write bounded."""
    found = list(_goals_of_issue(samples))
    for database, scope in sorted({(s.database, s.scope) for s in samples if s.scope}):
        named, limits = f"{database}, {scope}", _of(samples, database, "", LIMIT)
        few = [s for phase in FEW for s in _of(samples, database, scope, phase)]
        for phase in dict.fromkeys(s.phase for s in few):
            mine = _of(few, database, scope, phase)
            by_wall, by_cpu = (
                median(getattr(s, name) for s in mine) / median(getattr(s, name) for s in limits)
                for name in ("judging", "cpu")
            )
            goal = f"{named}, {phase} ≤ {LIMIT_SHARE:.0f}x the limit line, by wall"
            found.append(Goal(goal, f"{by_wall:.1f}x (by CPU {by_cpu:.1f}x)", by_wall <= LIMIT_SHARE))
        if few:
            peak = max(s.peak_mib for s in few)
            found.append(Goal(f"{named}, few changes ≤ {MEMORY_MIB} MiB", f"{peak:.0f} MiB", peak <= MEMORY_MIB))
            over = max(s.rows - s.changed - s.rules for s in few)
            said = ", ".join(f"{s.rows} for {s.changed}" for s in {s.phase: s for s in few}.values())
            found.append(Goal(f"{named}, findings written ≤ those changed + 1 row a rule", said, over <= 0))
        if again := _of(samples, database, scope, AGAIN):
            digests = {s.digest for s in (*again, *_of(samples, database, scope, ONE))}
            found.append(Goal(f"{named}, what changed and all again say the same", "same digest", len(digests) == 1))
    return found


def markdown(samples: Sequence[Sample]) -> str:
    """Return medians as a table; `x limit` of the medians."""
    lines = [
        "| database | scope | phase | n | judging s: median (min–max) | client + server CPU s | x limit, by CPU | peak MiB "
        "| verdicts | anew | events | findings written |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    samples = [*samples, *together(samples)]
    for database, scope, phase in dict.fromkeys((s.database, s.scope, s.phase) for s in samples):
        mine, limits = _of(samples, database, scope, phase), _of(samples, database, "", LIMIT)
        walls, one = [s.judging for s in mine], mine[-1]
        client, server, cpu = (median(getattr(s, name) for s in mine) for name in ("client_cpu", "server_cpu", "cpu"))
        share = f"{median(walls) / median(s.judging for s in limits):.1f}, {cpu / median(s.cpu for s in limits):.1f}"
        lines.append(
            f"| {database} | {scope or '–'} | {phase} | {len(mine)} | {median(walls):.2f} ({min(walls):.2f}–{max(walls):.2f}) | "
            f"{client:.2f} + {server:.2f} | {share} | {median(s.peak_mib for s in mine):.0f} | "
            f"{one.verdicts:,} | {one.anew:,} | {one.events:,} | {one.rows:,} |"
        )
    return "\n".join(lines)


def as_results(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """Return the samples for the file of results."""
    return [asdict(s) for s in samples]
