"""The goals of performance.md as ratios of medians of the same run, each reached or not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from benchmarks.rounds import Sample
from benchmarks.table import figures

PEAK_MIB = 150.0


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal: what was found, in words, and whether that is enough; None = not measured."""

    title: str
    found: str
    is_reached: bool | None
    """None where the run has not measured it."""
    is_goal: bool = True
    """False for a ratio that nobody asked for and that one should know."""

    def line(self) -> str:
        """Return the goal as one row of Markdown."""
        verdict = {True: "reached", False: "**not reached**", None: "not measured"}[self.is_reached]
        verdict = verdict if self.is_goal else "no goal"
        return f"| {self.title} | {self.found} | {verdict} |"


def judge(samples: list[Sample]) -> list[Goal]:
    """Return every goal of W1 with its verdict."""
    times = _Times(samples)
    return [
        times.faster("PostgreSQL, first load ≥ 50 % of the lean line", "postgres", "first", "lean", 0.5),
        times.faster("PostgreSQL, first load ≥ 3x dlt tuned", "postgres", "first", "dlt", 3),
        times.faster(
            "PostgreSQL, first load not slower than PostgresHook.insert_rows (defaults)", "postgres", "first", "hook", 1
        ),
        *times.like_for_like("postgres", "first", "hook"),
        times.faster("… nor than the hook as configured best", "postgres", "first", "hook-best", 1),
        *times.like_for_like("postgres", "first", "hook-best"),
        times.compared("… first load, to the hook that writes item rows too", "postgres", "first", "hook-items"),
        times.faster("PostgreSQL, read again unchanged ≥ 15x dlt tuned", "postgres", "again", "dlt", 15),
        times.compared("… all again with 1 % changed, to dlt tuned", "postgres", "changed", "dlt"),
        times.compared("… all again with 1 % changed, to the lean line", "postgres", "changed", "lean"),
        times.compared("… first load, to dlt tuned with items as a child table", "postgres", "first", "dlt-items"),
        times.nothing_written("postgres"),
        times.faster("PostgreSQL, 1 % incremental ≤ 2x the lean line's wall", "postgres", "incremental", "lean", 0.5),
        times.faster("SQLite, first load ≥ 50 % of its full line", "sqlite", "first", "full", 0.5),
        times.faster("SQLite, first load ≥ 4x dlt", "sqlite", "first", "dlt", 4),
        times.compared("SQLite, first load, to SqliteHook.insert_rows", "sqlite", "first", "hook"),
        times.nothing_written("sqlite"),
        times.peak("postgres"),
        times.peak("sqlite"),
        times.known("postgres"),
        times.known("sqlite"),
    ]


def judge_validation(said: dict[str, Any], first_loads: list[dict[str, Any]]) -> list[Goal]:
    """Return the goals of W2; the share of the sync needs first loads of the same run."""
    valid, bad = said["valid_ratio"], said["bad_ratio"]
    goals = [
        Goal("valid records ≥ 40x python jsonschema", f"{valid:.0f}x", valid >= 40),
        Goal("10 % bad, all errors listed, ≥ 20x python jsonschema", f"{bad:.0f}x", bad >= 20),
    ]
    rates = said["per_cpu_second"]
    per_project = 1 / rates["jsonschema-rs is_valid"]
    per_project += said["items"] / said["records"] / rates["jsonschema-rs is_valid, items"]
    for database in ("postgres", "sqlite"):
        found = [s for s in first_loads if s["database"] == database]
        title = f"{_title(database)}, validation ≤ 15 % of the sync's client CPU"
        if not found:
            goals.append(Goal(title, "–", None))
            continue
        share = per_project * found[0]["rows"] / median(s["user"] + s["sys"] for s in found)
        goals.append(Goal(title, f"{share:.1%}", share <= 0.15))
    return goals


class _Times:
    def __init__(self, samples: list[Sample]) -> None:
        self._samples = samples

    def faster(self, title: str, database: str, phase: str, other: str, factor: float) -> Goal:
        """Judge whether ours has at least `factor` times the other's speed; a hook's imports are not held against it, ours are."""
        ours = [s.wall for s in figures(self._samples, database, "ours", phase)]
        theirs = [s.work for s in figures(self._samples, database, other, phase)]
        return _ratio(title, ours, theirs, factor)

    def like_for_like(self, database: str, phase: str, other: str) -> list[Goal]:
        """Judge whether ours is not slower where both are measured alike: as whole processes, and without what they import."""
        ours, theirs = (figures(self._samples, database, name, phase) for name in ("ours", other))
        return [
            _ratio("… … both as whole processes", [s.wall for s in ours], [s.wall for s in theirs], 1),
            _ratio("… … both without their imports", [s.work for s in ours], [s.work for s in theirs], 1),
        ]

    def compared(self, title: str, database: str, phase: str, other: str) -> Goal:
        """Return the ratio without judging it."""
        return replace(self.faster(title, database, phase, other, 0), is_goal=False)

    def nothing_written(self, database: str) -> Goal:
        """Judge whether reading the same again wrote no row of a record."""
        title = f"{_title(database)}, read again unchanged: no row written"
        found = [s.written for s in figures(self._samples, database, "ours", "again") if s.written is not None]
        return Goal(title, str(max(found)), max(found) == 0) if found else Goal(title, "–", None)

    def peak(self, database: str) -> Goal:
        """Judge the peak memory of first loads."""
        found = figures(self._samples, database, "ours", "first")
        title = f"{_title(database)}, first load ≤ {PEAK_MIB:.0f} MiB over the interpreter"
        if not found:
            return Goal(title, "–", None)
        worst = max(s.peak_mib for s in found)
        return Goal(title, f"{worst:.0f} MiB at {found[0].rows:,} rows", worst <= PEAK_MIB)

    def known(self, database: str) -> Goal:
        """Judge the memory of a re-read: what it holds per known record, beyond what a process needs anyway."""
        found = figures(self._samples, database, "ours", "again")
        title = f"{_title(database)}, read again ≤ {PEAK_MIB:.0f} MiB + 0.6 KB a record"
        if not found:
            return Goal(title, "–", None)
        worst = max(s.peak_mib for s in found)
        return Goal(title, f"{worst:.0f} MiB at {found[0].rows:,} rows", worst <= PEAK_MIB + found[0].rows * 0.6 / 1024)


def _ratio(title: str, ours: list[float], theirs: list[float], factor: float) -> Goal:
    if not ours or not theirs:
        return Goal(title, "–", None)
    ratio = median(theirs) / median(ours)
    return Goal(title, f"{ratio:.2f}x ({median(ours):.2f} s to {median(theirs):.2f} s)", ratio >= factor)


def _title(database: str) -> str:
    return {"postgres": "PostgreSQL", "sqlite": "SQLite"}[database]
