"""A city of projects, 100,000 in the soak: nothing is written twice, a change exactly, and kill -9 at any moment leaves no mark."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Container, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text

from include.ledger.database import migrate, open_ledger
from include.ledger.tables import ENTITIES, project, project_change
from include.sandbox.server import SandboxServer
from tests.depth import deep
from tests.platform import connections
from tests.postgres_server import fresh_database

pytestmark = pytest.mark.timeout(600)  # a machine that does other work as well takes twice as long
SIZE = deep(10_000, 100_000)
DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
ROOT = Path(__file__).resolve().parent.parent
VERB = [sys.executable, "-m", "include", "sync", "provincial_approval", "--mode", "full", "--json"]
UNEQUAL = {"created_batch", "changed_batch", "batch_id", "changed_at", "tombstoned_at"}


@dataclass(frozen=True)
class Home:
    """The environment of runs from the platform into one ledger."""

    environment: dict[str, str]

    @property
    def engine(self) -> Engine:
        return open_ledger(self.environment["LEDGER_URL"])


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    """The platform, once for all ledgers: it moves on when each has been filled."""
    with SandboxServer(projects=SIZE, seed=3) as server:
        server.sandbox.world.warm()
        yield server


@pytest.fixture(scope="module")
def homes(
    server: SandboxServer, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], Home]]:
    """Return where runs lead on a database, empty at first; a test goes on from where the last one ended."""
    with ExitStack() as stack:

        @cache
        def home(database: str) -> Home:
            folder = tmp_path_factory.mktemp(database)
            url = f"sqlite:///{folder / 'a.db'}"
            if database == "postgresql":
                url = stack.enter_context(fresh_database(request.getfixturevalue("postgres_server")))
            migrate(url)
            return Home(environment_of(server, url, folder))

        yield home


@pytest.fixture(params=DATABASES)
def home(request: pytest.FixtureRequest, homes: Callable[[str], Home]) -> Home:
    return homes(request.param)


@pytest.fixture(scope="module")
def calm_run(server: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """Return what a run that nobody disturbs takes and leaves on SQLite, before the platform moves on."""
    folder = tmp_path_factory.mktemp("calm")
    url = f"sqlite:///{folder / 'ledger.db'}"
    migrate(url)
    return Calm(undisturbed(environment_of(server, url, folder)), open_ledger(url))


@pytest.fixture(scope="module")
def moved(server: SandboxServer, homes: Callable[[str], Home]) -> dict[str, Any]:
    """Move the platform on by one per cent, once the ledgers hold what stood there before, and return what moved."""
    for database in ("sqlite", "postgresql"):
        if count(homes(database).engine, project) == 0:
            run(homes(database).environment)
    return dict(server.advance(changes=0.01))


def environment_of(server: SandboxServer, url: str, folder: Path) -> dict[str, str]:
    environment = os.environ | connections(server)
    return environment | {"LEDGER_URL": url, "LANDING_URL": str(folder / "landing"), "PYTHONPATH": str(ROOT)}


def run(environment: dict[str, str], *more: str) -> dict[str, Any]:
    done = subprocess.run([*VERB, *more], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode in (0, 1), done.stderr
    (result,) = json.loads(done.stdout)["sources"]
    return dict(result)


@dataclass(frozen=True)
class Lengths:
    """How long an undisturbed run takes to land, and then to merge, in seconds."""

    land: float
    merge: float


@dataclass(frozen=True)
class Calm:
    """An undisturbed run: how long it takes, and the ledger that it leaves."""

    lengths: Lengths
    engine: Engine


def start(environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*VERB, "-v"], env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def until_landed(process: subprocess.Popen[str]) -> None:
    """Wait for the log line that ends the first of the two steps."""
    assert process.stderr is not None
    for line in process.stderr:
        if "landed source=" in line:
            return
    raise AssertionError("the run ended before it had landed anything")


def undisturbed(environment: dict[str, str]) -> Lengths:
    began = time.monotonic()
    process = start(environment)
    until_landed(process)
    landed = time.monotonic()
    process.communicate(timeout=240)
    assert process.returncode in (0, 1)
    return Lengths(landed - began, time.monotonic() - landed)


def kill_in(environment: dict[str, str], step: str, seconds: float) -> bool:
    """Start a run and kill -9 it so many seconds into a step; return whether it was still running.

    A merge that was killed after its commit leaves the next run little to do, which may then end first: that one is
    tried again at a quarter of the time, so that every kill hits a run.
    """
    for attempt in range(6):
        process = start(environment)
        if step == "merge":
            until_landed(process)
        time.sleep(seconds / 4**attempt)
        was_running = process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if was_running:
            return True
    return False


def rows(engine: Engine, *, as_stored: bool = False, without: Container[str] = ()) -> dict[str, set[tuple[Any, ...]]]:
    """Return the content of the ledger; as the database has it, which is read in a third of the time, or as our values."""
    found: dict[str, set[tuple[Any, ...]]] = {}
    with engine.connect() as connection:
        for tables in ENTITIES.values():
            for table in tables:
                query: Any = select(*(c for c in table.c if c.name not in without))
                found[table.name] = {tuple(r) for r in connection.execute(text(str(query)) if as_stored else query)}
    return found


def count(engine: Engine, table: Any, where: Any = None) -> int:
    query = select(func.count()).select_from(table)
    with engine.connect() as connection:
        return int(connection.execute(query if where is None else query.where(where)).scalar_one())


def test_a_run_killed_five_times_ends_like_one_that_was_not(calm_run: Calm, home: Home) -> None:
    lengths, calm, engine = calm_run.lengths, calm_run.engine, home.engine
    projects = count(calm, project)
    assert projects > 0.99 * SIZE
    assert count(engine, project) == 0
    moments = random.Random(11)
    killed = [kill_in(home.environment, "land", moments.uniform(0.3, lengths.land * 0.7)) for _ in range(2)]
    killed += [kill_in(home.environment, "merge", moments.uniform(0.0, lengths.merge * 0.6)) for _ in range(3)]
    assert killed == [True] * 5
    assert count(engine, project) in (0, projects)  # a merge is whole or not at all
    whole = run(home.environment)
    assert (whole["changed"], whole["is_complete"]) == (0, True)
    alike = engine.dialect.name == calm.dialect.name
    assert rows(engine, as_stored=alike, without=UNEQUAL) == rows(calm, as_stored=alike, without=UNEQUAL)
    before = rows(engine, as_stored=True)
    again = run(home.environment)
    assert [again[k] for k in ("created", "changed", "restored", "tombstoned")] == [0, 0, 0, 0]
    assert again["unchanged"] == projects
    assert rows(engine, as_stored=True) == before


def test_one_percent_writes_just_that(home: Home, moved: dict[str, Any]) -> None:
    engine = home.engine
    assert count(engine, project) > 0.99 * SIZE
    assert count(engine, project_change) == 0
    full = run(home.environment)
    expected = {(c["code"], field) for c in moved["changed"] for field in _ours(c["fields"])}
    with engine.connect() as connection:
        written = {
            (r.record_key, r.field)
            for r in connection.execute(select(project_change.c.record_key, project_change.c.field))
            if r.field != "updated_at"
        }
    assert len(moved["changed"]) == SIZE // 100
    assert written == expected
    assert full["changed"] == len({code for code, _ in written} | _touched(engine))


RAW_TO_OURS = {
    "TOTAL_MONEY": {"total_investment_yuan"}, "END_YEAR": {"end_year"}, "START_YEAR": {"start_year"},
    "SCALE_CONTENT": {"scale_content"}, "PROJECT_NAME": {"name"}, "VALIDITY_FLAG": {"is_void"},
    "INVALID_REASON": {"void_reason"}, "PLACE_CODE_DETAIL_NAME": {"place_detail"},
    "TOTAL_MONEY_EXPLAIN": {"investment_note"}, "FUND_SOURCE": {"fund_source"}, "IS_MAJOR": {"is_major"},
}  # fmt: skip
ELSEWHERE = {"UPDATETIME", "ITEMS", "ENTERPRISE", "DATA_BATCH_NO"}


def _ours(fields: dict[str, Any]) -> set[str]:
    """Return our names of the raw fields that the platform says it changed."""
    unknown = set(fields) - set(RAW_TO_OURS) - ELSEWHERE
    assert not unknown, f"the sandbox changes {unknown}: say here what they become"
    return {name for raw in fields for name in RAW_TO_OURS.get(raw, set())}


def _touched(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(select(project_change.c.record_key)).scalars())
