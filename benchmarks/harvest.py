"""W4: bring a catalogue into a database, for the first time, again unchanged, and again with 1 % changed; one broken dataset.

Contestants run in turn as whole processes and ask the same local server; all must hold the same rows afterwards.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harvest_cards import MUNICIPAL, write_cards
from benchmarks.harvest_contestants import Harvester, all_harvesters, environment
from benchmarks.postgres import Postgres
from benchmarks.usage import RunFailed, Usage, background, bare_interpreter_kib, run_measured

STATE_OF = {"first": "first", "again": "first", "changed": "changed", "broken": "broken"}
"""What the server shows in each phase; `broken` begins with an empty database."""
WRITTEN = ("created", "changed", "restored", "tombstoned")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured process; seconds, and MiB over the bare interpreter. `work` is the wall without start, imports and end."""

    way: str
    form: str
    database: str
    size: int
    phase: str
    round: int
    wall: float
    work: float
    user: float
    sys: float
    server: float
    peak_mib: float
    rows: int
    written: int

    @property
    def cpu(self) -> float:
        """Return the CPU seconds of client and database server."""
        return self.user + self.sys + self.server


@dataclass(frozen=True, slots=True)
class City:
    """The six municipal catalogues in one process: how long, how many, and what the second run wrote."""

    database: str
    wall: float
    rows: int
    held: int
    quarantined: int
    again_wall: float
    again_written: int


class Harvests:
    """Runs the rounds of one size of catalogue."""

    def __init__(self, home: Path, server: Postgres | None, say: Say) -> None:
        self._home, self._server, self._say = home, server, say
        self._config = home / "config"
        write_cards(self._config)
        self._reference: dict[tuple[int, str], tuple[int, str]] = {}
        self.samples: list[Sample] = []
        self.failures: list[str] = []

    def run(self, size: int, forms: list[str], databases: list[str], runs: int) -> None:
        """Make a catalogue of this size and run all phases over it."""
        folder = self._home / f"catalogue-{size}"
        run_measured([sys.executable, "-m", "benchmarks.catalogue_forms", str(folder), str(size)], os.environ)
        with self._served(folder) as port:
            for number in range(1, runs + 1):
                for harvester in all_harvesters(forms, databases, size):
                    if not any(f.startswith(f"{harvester.key} {size} ") for f in self.failures):
                        self._one(harvester, folder, port, size, number)
        shutil.rmtree(folder)

    def _one(self, harvester: Harvester, folder: Path, port: int, size: int, number: int) -> None:
        own, where = self._fresh(harvester.key, harvester.is_ours, port)
        for phase in harvester.phases:
            if phase == "broken":
                own, where = self._fresh(harvester.key, harvester.is_ours, port)
            _show(folder, STATE_OF[phase])
            try:
                sample = self._measured(harvester, own, where, port, size, phase, number)
            except RunFailed as error:
                self._fail(f"{harvester.key} {size} {phase}: {error}")
                return
            self._check(harvester, own, sample)
        shutil.rmtree(own)

    def _measured(
        self, harvester: Harvester, own: Path, where: str, port: int, size: int, phase: str, number: int
    ) -> Sample:
        server = self._server if harvester.database == "postgres" else None
        before = server.cpu_seconds() if server else 0.0
        codes = (0, 1) if harvester.is_ours and phase == "broken" else (0,)
        usage = run_measured(harvester.command(), environment(own, self._config, port, where), codes=codes)
        if server:
            server.await_quiet(harvester.key)
        cpu = server.cpu_seconds() - before if server else 0.0
        rows, written = _said(usage)
        peak = (usage.peak_kib - bare_interpreter_kib()) / 1024
        sample = Sample(
            harvester.way, harvester.form, harvester.database, size, phase, number, usage.wall,
            usage.said["work_s"], usage.user, usage.sys, cpu, peak, rows, written,
        )  # fmt: skip
        self.samples.append(sample)
        self._say(
            f"  {size:,} round {number} {phase:<8} {harvester.key:<28} {usage.wall:7.2f} s  client {usage.cpu:6.2f} s  "
            f"server {cpu:5.2f} s  {peak:6.0f} MiB  {written:,} written"
        )
        if server:
            server.settle([harvester.key])
        return sample

    def _check(self, harvester: Harvester, own: Path, sample: Sample) -> None:
        """Hold what it has stored against the reference: a fast line with other rows is no line."""
        found = harvester.digest(self._server, own)
        expected = self._reference.setdefault((sample.size, STATE_OF[sample.phase]), found)
        if found != expected or found[0] != sample.size - (sample.phase == "broken"):
            self._fail(f"{harvester.key} {sample.size} {sample.phase}: holds {found}, others {expected}")

    def municipal(self, folder: Path, databases: list[str]) -> list[City]:
        """Read the six municipal catalogues twice, each time in one process."""
        served = self._home / "municipal"
        (served / "first").mkdir(parents=True)
        for city in MUNICIPAL:
            shutil.copy(folder / f"{city}.json", served / "first")
        _show(served, "first")
        with self._served(served) as port:
            return [self._city(database, port) for database in sorted(databases)]

    def _city(self, database: str, port: int) -> City:
        own, where = self._fresh(f"municipal_{database}", True, port)
        command = [sys.executable, "-m", "include", "sync", *MUNICIPAL, "--mode", "full", "--json"]
        given = environment(own, self._config, port, where)
        first, again = (run_measured(command, given, codes=(0, 1)) for _ in range(2))
        held = sum(r["created"] for r in first.said["sources"])
        quarantined = sum(r["quarantined"] for r in first.said["sources"])
        return City(database, first.wall, _said(first)[0], held, quarantined, again.wall, _said(again)[1])

    def _fresh(self, key: str, is_ours: bool, port: int) -> tuple[Path, str]:
        own = self._home / key
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir()
        where = str(own / "data.db")
        if self._server and key.endswith("postgres"):
            where = self._server.create(key)
        if is_ours:
            given = environment(own, self._config, port, where)
            run_measured([sys.executable, "-m", "include", "doctor", "--migrate"], given)
        return own, where

    @contextlib.contextmanager
    def _served(self, folder: Path) -> Iterator[int]:
        command = [sys.executable, "-m", "benchmarks.catalogue_server", str(folder)]
        with background(command, os.environ, self._home / "catalogue.log") as ready:
            yield int(ready["port"])

    def _fail(self, problem: str) -> None:
        self.failures.append(problem)
        self._say(f"  WRONG: {problem}")


def _show(folder: Path, state: str) -> None:
    """Let the server show another state."""
    link = folder / "now"
    link.unlink(missing_ok=True)
    link.symlink_to(state)


def _said(usage: Usage) -> tuple[int, int]:
    said: dict[str, Any] = usage.said
    if "sources" not in said:
        return said["rows"], said["written"]
    for result in said["sources"]:
        if "error" in result:
            raise RunFailed(f"{result['source']}: {result['message']}")
    return (
        sum(r["rows_received"] for r in said["sources"]),
        sum(int(block[n]) for r in said["sources"] for block in (r, *r["children"].values()) for n in WRITTEN),
    )
