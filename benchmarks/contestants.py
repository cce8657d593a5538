"""Who takes part in W1, and how each is prepared, run and counted."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.usage import DATA, HERE

PEERS = HERE / "peers"
DLT_PYTHON = HERE / ".venv" / "bin" / "python"
HOOK_PACKAGES = DATA / "hook"
"""Where the SQLite provider is put: it is not in the project's lock."""

PHASES = ("first", "again", "incremental", "changed")
"""First load; all again, nothing changed; only what changed, after 1 % did; all again, after another 1 % did.

The last shows what a short cut over unchanged pages is worth: changed records move to the listing's end, so all pages shift.
"""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to bring the platform's projects into one kind of database.

    `table` is where its projects are; `expected` names the counts of the platform's truth whose sum it must hold.
    `codes` are the exit codes that mean done. `rounds` bounds how often it runs where it is very slow.
    """

    name: str
    title: str
    database: str
    script: str
    table: str
    arguments: tuple[str, ...] = ()
    expected: tuple[str, ...] = ("listed",)
    codes: tuple[int, ...] = (0,)
    phases: tuple[str, ...] = PHASES
    python: Path = field(default_factory=lambda: Path(sys.executable))
    is_ours: bool = False

    @property
    def key(self) -> str:
        """Return a name that is unique over both databases and fit for a database or a folder."""
        return f"{self.name.replace('-', '_')}_{self.database}"

    def prepare_command(self) -> list[str] | None:
        """Return what makes its tables, or None where the first load does."""
        if self.is_ours:
            return [sys.executable, "-m", "include", "doctor", "--migrate"]
        if self.name.startswith("dlt"):
            return None
        return [str(self.python), str(PEERS / self.script), "prepare"]

    def command(self, phase: str) -> list[str]:
        """Return what does one phase."""
        mode = "incremental" if phase == "incremental" else "full"
        if self.is_ours:
            return [sys.executable, "-m", "benchmarks.ours", "sync", "provincial_approval", "--mode", mode, "--json"]
        return [str(self.python), str(PEERS / self.script), "sync", *self.arguments, mode]

    def environment(self, platform: Mapping[str, str], database: str, home: Path) -> dict[str, str]:
        """Return the environment of its processes; `home` is a folder of this round's own."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "SHUHENG", "LEDGER", "LANDING"))}
        own = {"BENCH_DATABASE": database, "BENCH_HOME": str(home), "PYTHONWARNINGS": "ignore", "TZ": "Asia/Shanghai"}
        if self.is_ours:
            ledger = database if "://" in database else f"sqlite:///{database}"
            own |= {"LEDGER_URL": ledger, "LANDING_URL": str(home / "landing")}
        elif "hook" in self.name:
            # Airflow writes a configuration into its home at the first import; both databases are refused to it.
            own |= {"AIRFLOW_HOME": str(DATA / "airflow"), "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
                    "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "PYTHONPATH": str(HOOK_PACKAGES)}  # fmt: skip
        elif self.name.startswith("dlt"):
            own |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": str(home / "dlt-data")}
        return kept | dict(platform) | own


def _ours(database: str) -> Contestant:
    return Contestant(
        "ours", "ours (landing, gate, items, history, proof)", database, "", "project", expected=("good",),
        codes=(0, 1), is_ours=True,
    )  # fmt: skip


def _hook(name: str, title: str, database: str, variant: str) -> Contestant:
    return Contestant(name, title, database, "hook.py", "hook_project", (variant,))


def _dlt(name: str, title: str, database: str, variant: str, phases: tuple[str, ...] = PHASES) -> Contestant:
    return Contestant(
        name, title, database, "dlt_sync.py", "dlt_project", (variant,), phases=phases, python=DLT_PYTHON
    )  # fmt: skip


UNCHECKED = ("classified", "good")
"""What a line without a privacy gate, but with validation, must hold."""

ALL = (
    _ours("postgres"),
    Contestant("lean", "limit: lean line", "postgres", "lean_postgres.py", "lean_project", expected=UNCHECKED),
    _hook("hook", "PostgresHook.insert_rows, defaults", "postgres", "default"),
    _hook("hook-best", "PostgresHook.insert_rows, 5,000 a commit", "postgres", "best"),
    _hook("hook-items", "… and item rows", "postgres", "items"),
    _dlt("dlt", "dlt tuned, items as one JSON column", "postgres", "tuned"),
    _dlt("dlt-items", "dlt tuned, items as a child table", "postgres", "items"),
    _ours("sqlite"),
    Contestant("full", "limit: full line", "sqlite", "full_sqlite.py", "full_project", expected=UNCHECKED),
    _hook("hook", "SqliteHook.insert_rows, defaults", "sqlite", "default"),
    # Its merge on SQLite deletes row by row: 100,000 known records were not done after twelve minutes.
    _dlt("dlt", "dlt (sqlalchemy destination)", "sqlite", "tuned", ("first", "incremental")),
)
EXTRA = {"dlt-items"}
"""Contestants that run only when they are named: they answer a question of their own."""


def choose(databases: set[str], only: set[str]) -> list[Contestant]:
    """Return the contestants of these databases, of these names where any are given."""
    return [c for c in ALL if c.database in databases and (c.name in only if only else c.name not in EXTRA)]
