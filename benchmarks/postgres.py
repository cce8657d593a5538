"""A PostgreSQL of the benchmark's own: default settings, fsync on, reachable by a unix socket or loopback, always stopped.

Unlike the tests' server, which trades durability for speed. CPU is read from /proc, so Linux only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server: its socket folder, the id of its first process, its version, and its port where it is reached by TCP."""

    home: Path
    pid: int
    version: str
    port: int | None = None

    def dsn(self, database: str = "postgres") -> str:
        """Return a libpq URL."""
        if self.port:
            return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"
        return f"postgresql://postgres@/{database}?host={self.home}"

    def cpu_seconds(self) -> float:
        """Return user and system seconds of all its processes, ended ones included."""
        total = 0
        for pid in [self.pid, *_children(self.pid)]:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                # 11, 12: its own user and system time; 13, 14: that of the children it has waited for.
                total += sum(int(value) for value in fields[11:15])
        return total / TICKS

    def run(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement outside a transaction and return its rows."""
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def create(self, database: str) -> str:
        """Make an empty database, instead of the one of that name, and return its URL."""
        self.run(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        self.run(f'CREATE DATABASE "{database}"')
        return self.dsn(database)

    def settle(self, databases: list[str]) -> None:
        """Do now what autovacuum and the checkpointer would do during someone else's run."""
        for database in databases:
            self.run("VACUUM (ANALYZE)", database)
        self.run("CHECKPOINT")

    def await_quiet(self, database: str) -> None:
        """Wait until the contestant's backends have ended: only then are their statistics and CPU seconds complete."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
        deadline = time.monotonic() + 30
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            while connection.execute(query, (database,)).fetchall()[0][0]:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"connections to {database} are still open 30 s after their process ended")
                time.sleep(0.02)

    def writes(self, database: str) -> dict[str, int]:
        """Return rows inserted, updated and deleted so far, per table; neither staging schemas nor temporary tables count."""
        query = "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables WHERE schemaname = 'public'"
        rows = self.run(query, database)
        return {name: int(count) for name, count in rows}


@contextlib.contextmanager
def start_postgres(kept: Path | None = None, *, by_tcp: bool = False) -> Iterator[Postgres]:
    """Run a server for the length of the block; its data are thrown away, unless a folder is named in which they are kept."""
    binaries = _binaries()
    home = Path(tempfile.mkdtemp(prefix="shbench-", dir="/tmp"))
    user = _server_user()
    as_user: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    if user:
        os.chown(home, user.pw_uid, user.pw_gid)
    process: subprocess.Popen[bytes] | None = None
    try:
        data = str(kept or home / "data")
        if kept and user:
            kept.mkdir(parents=True, exist_ok=True)
            os.chown(kept, user.pw_uid, user.pw_gid)
        command = [str(binaries / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale"]
        if not (Path(data) / "PG_VERSION").exists():
            made = subprocess.run(command, capture_output=True, cwd=home, **as_user)
            if made.returncode:
                raise RuntimeError(f"initdb failed: {made.stderr.decode(errors='replace').strip()[-400:]}")
        port = _free_port() if by_tcp else None
        listening = ["-c", f"listen_addresses={'127.0.0.1' if port else ''}", *(["-p", str(port)] if port else [])]
        command = [str(binaries / "postgres"), "-D", data, "-k", str(home), *listening]
        with (home / "server.log").open("wb") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=home, preexec_fn=_die_with_parent, **as_user
            )
        version = _await(Postgres(home, process.pid, "", port), process)
        yield Postgres(home, process.pid, version, port)
    finally:
        if process and process.poll() is None:
            process.send_signal(signal.SIGINT if kept else signal.SIGQUIT)  # what is not kept needs no checkpoint
            process.wait(120)
        shutil.rmtree(home, ignore_errors=True)


def _binaries() -> Path:
    found = [Path(where).resolve().parent] if (where := shutil.which("postgres")) else []
    found += [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if not found:
        raise RuntimeError("no PostgreSQL server found on PATH or in /usr/lib/postgresql; apt-get install postgresql")
    return max(found, key=lambda folder: int((re.findall(r"\d+", str(folder)) or ["0"])[0]))


def _server_user() -> pwd.struct_passwd | None:
    """Return whom to run the server as: PostgreSQL refuses root."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _await(server: Postgres, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 60
    while True:
        try:
            with psycopg.connect(server.dsn()) as connection:
                return str(connection.execute("SHOW server_version").fetchall()[0][0])
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                tail = (server.home / "server.log").read_text(errors="replace")[-400:]
                raise RuntimeError(f"PostgreSQL does not answer ({error}); its log ends: {tail}") from error
            time.sleep(0.05)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def _children(pid: int) -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
