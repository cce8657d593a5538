"""W1: bring all projects of one platform into a database; contestants run in turn as whole processes (A B C A B C …)."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contestants import PEERS, PHASES, Contestant
from benchmarks.postgres import Postgres
from benchmarks.sandbox import Sandbox
from benchmarks.usage import RunFailed, Usage, bare_interpreter_kib, run_measured

CHANGED_SHARE = 0.01
AFTER_CHANGE = ("incremental", "changed")
DOWNLOAD_LIMIT = 0.5
"""Seconds that 100,000 records may take to download, or the platform would be measured instead."""

NOT_RECORDS = {"batch", "watermark", "source_authority", "alembic_version"}
"""Tables of ours in which each run leaves its own row."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured process. Seconds; `peak_mib` is over the bare interpreter; `work` is the wall without slow imports."""

    contestant: str
    database: str
    phase: str
    round: int
    wall: float
    work: float
    user: float
    sys: float
    server: float
    peak_mib: float
    rows: int
    written: int | None


class Rounds:
    """Runs rounds of all phases over all contestants."""

    def __init__(
        self, contestants: list[Contestant], phases: list[str], home: Path, say: Callable[[str], None]
    ) -> None:
        self._contestants, self._phases, self._home, self._say = contestants, phases, home, say
        self.samples: list[Sample] = []
        self.failures: list[str] = []
        self._given_up: set[tuple[str, str]] = set()

    def run(self, sandbox: Sandbox, server: Postgres | None, runs: int, first_round: int = 1) -> None:
        """Run `runs` rounds; every contestant begins each with an empty database."""
        for number in range(first_round, first_round + runs):
            homes = {c.key: self._fresh(c, sandbox, server) for c in self._contestants}
            for phase in PHASES:
                if phase not in self._phases and phase != "first":
                    continue
                changed = sandbox.advance(CHANGED_SHARE) if phase in AFTER_CHANGE else 0
                check_download(sandbox, self._say if number == first_round else None)
                expected = sandbox.truth()
                for contestant in self._contestants:
                    if phase in contestant.phases and (contestant.key, phase) not in self._given_up:
                        rows = changed if phase == "incremental" else expected["listed"]
                        self._one(contestant, phase, number, rows, expected, sandbox, server, homes[contestant.key])
                if server:
                    server.settle([c.key for c in self._contestants if c.database == "postgres"])
            for contestant in self._contestants:
                self._drop(contestant, server, homes[contestant.key])

    def _one(
        self, contestant: Contestant, phase: str, number: int, rows: int, expected: dict[str, int],
        sandbox: Sandbox, server: Postgres | None, home: Path,
    ) -> None:  # fmt: skip
        environment = contestant.environment(sandbox.environment(), self._where(contestant, server, home), home)
        is_served = server is not None and contestant.database == "postgres"
        before = server.writes(contestant.key) if server and is_served else {}
        cpu = server.cpu_seconds() if server else 0.0
        try:
            usage = run_measured(contestant.command(phase), environment, codes=contestant.codes)
        except RunFailed as error:
            self._given_up.add((contestant.key, phase))
            self.failures.append(f"{contestant.key} {phase}: {error}")
            self._say(f"  {contestant.key} {phase} FAILED: {error}")
            return
        if server and is_served:
            server.await_quiet(contestant.key)
        cpu = server.cpu_seconds() - cpu if server and is_served else 0.0
        written = _written(before, server.writes(contestant.key)) if server and is_served else _said_written(usage)
        self._check(contestant, phase, expected, server, home)
        if problem := _said_problem(usage, rows):
            self._fail(f"{contestant.key} {phase}: {problem}")
        work = usage.said.get("work_s", usage.wall) if isinstance(usage.said, dict) else usage.wall
        sample = Sample(
            contestant.name, contestant.database, phase, number, usage.wall, work, usage.user, usage.sys, cpu,
            (usage.peak_kib - bare_interpreter_kib()) / 1024, rows, written,
        )  # fmt: skip
        self.samples.append(sample)
        self._say(
            f"  round {number} {phase:<11} {contestant.key:<22} {usage.wall:7.2f} s  client {usage.cpu:6.2f} s  "
            f"server {cpu:6.2f} s  {sample.peak_mib:6.0f} MiB  {rows / usage.wall:9,.0f} rows/s"
            + (f"  {written:,} rows written" if written is not None else "")
        )

    def _fresh(self, contestant: Contestant, sandbox: Sandbox, server: Postgres | None) -> Path:
        home = self._home / contestant.key
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        if contestant.database == "postgres" and server:
            server.create(contestant.key)
        command = contestant.prepare_command()
        if command:
            where = self._where(contestant, server, home)
            run_measured(command, contestant.environment(sandbox.environment(), where, home))
        return home

    def _drop(self, contestant: Contestant, server: Postgres | None, home: Path) -> None:
        shutil.rmtree(home, ignore_errors=True)
        if contestant.database == "postgres" and server:
            server.run(f'DROP DATABASE IF EXISTS "{contestant.key}" WITH (FORCE)')

    def _where(self, contestant: Contestant, server: Postgres | None, home: Path) -> str:
        if contestant.database == "postgres" and server:
            return server.dsn(contestant.key)
        return str(home / "data.db")

    def _check(
        self, contestant: Contestant, phase: str, expected: dict[str, int], server: Postgres | None, home: Path
    ) -> None:
        """Hold what a contestant has stored against the platform's truth: a fast line that lost rows is no line."""
        query = f"SELECT count(*) FROM {contestant.table}"
        if contestant.database == "postgres" and server:
            found = server.run(query, contestant.key)[0][0]
        else:
            with sqlite3.connect(home / "data.db") as file:
                found = file.execute(query).fetchone()[0]
        wanted = sum(expected[name] for name in contestant.expected)
        if found != wanted:
            self._fail(f"{contestant.key} {phase}: holds {found} projects, the platform {wanted}")

    def _fail(self, problem: str) -> None:
        self.failures.append(problem)
        self._say(f"  WRONG: {problem}")


def check_download(sandbox: Sandbox, say: Callable[[str], None] | None) -> float:
    """Download everything once, so that pages are built, then once more; return the second time, per 100,000 records."""
    environment = {**os.environ, **sandbox.environment()}
    command = [sys.executable, str(PEERS / "download.py")]
    run_measured(command, environment)
    bare = run_measured([sys.executable, "-c", "import requests, cryptography.hazmat.primitives.ciphers"], environment)
    usage = run_measured(command, environment)
    share = sandbox.truth()["listed"] / 100_000
    seconds = (usage.wall - bare.wall) / share
    if say:
        verdict = "fine" if seconds <= DOWNLOAD_LIMIT else "TOO SLOW: the platform is the bottleneck"
        if share < 0.2:
            verdict = "too few to say"  # the noise of two processes is larger than the download
        say(f"download alone: {seconds:.2f} s per 100,000 records, {usage.said['bytes'] / 2**20:,.0f} MiB ({verdict})")
    return seconds


def warm_up(contestants: list[Contestant], sandbox: Sandbox, server: Postgres | None, home: Path) -> list[str]:
    """Run every contestant once over a small platform, so that byte code and files are at hand; return what failed."""
    begun = time.monotonic()
    rounds = Rounds(contestants, list(PHASES), home, lambda line: None)
    rounds.run(sandbox, server, 1)
    if time.monotonic() - begun > 600:
        rounds.failures.append("the warm-up took more than ten minutes")
    return rounds.failures


def _written(before: dict[str, int], after: dict[str, int]) -> int:
    return sum(count - before.get(table, 0) for table, count in after.items() if table not in NOT_RECORDS)


def _said_problem(usage: Usage, rows: int) -> str | None:
    """Return why what a contestant says of its run is not what was asked of it; `rows` may be more by the overlap."""
    if not isinstance(usage.said, dict):
        return None
    if "sources" in usage.said:
        result = usage.said["sources"][0]
        if "error" in result or not result["is_complete"]:
            return f"did not read everything: {result.get('message') or result['reasons']}"
        return None if result["rows_received"] >= rows else f"read {result['rows_received']} rows of {rows}"
    found = usage.said.get("rows")
    return None if found is None or found >= rows else f"read {found} rows of {rows}"


def _said_written(usage: Usage) -> int | None:
    """Return the rows that ours says it wrote; peers on SQLite have no statistics to ask."""
    if not isinstance(usage.said, dict) or "sources" not in usage.said:
        return None
    result = usage.said["sources"][0]
    names = ("created", "changed", "restored", "tombstoned")
    blocks = [result, *result["children"].values()]
    return sum(int(block[name]) for block in blocks for name in names)
