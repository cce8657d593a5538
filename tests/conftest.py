"""What every test stands on: no network beyond loopback, an own home, a ledger on both databases."""

from __future__ import annotations

import atexit
import gc
import ipaddress
import os
import re
import shutil
import socket
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from include.landing.store import LandingStore
from include.ledger.database import migrate, open_ledger
from tests.depth import SOAK, deep
from tests.postgres_server import start_postgres

MEMORY = Path("/dev/shm")
ROOM = 8 << 30
"""Bytes that must be free in memory for the suite to write there; it has taken 2 GB at most."""


def _hurry() -> None:
    """Let temporary files lie in memory, and compiled modules be kept: the suite would wait for the disk most of its time.

    Nothing that is shown depends on it: a process that is killed finds its files as it left them on either.
    """
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes would compile the whole project, each anew
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and _room() > ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def _room() -> int:
    """Return how much may be written to memory: what its file system has free, and the machine as well."""
    free = re.search(r"^MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text("ascii"), re.M)
    return min(shutil.disk_usage(MEMORY).free, int(free[1]) << 10 if free else 0)


_hurry()
# Neither bound on time: how long drawing takes is a matter of what else the machine does.
settings.register_profile(
    "suite", max_examples=deep(40, 100), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")
# Airflow reads these when it is first imported, by whichever test that is.
_HOME = tempfile.mkdtemp(prefix="shuheng-airflow-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
_ROOT = Path(__file__).resolve().parent.parent
os.environ.update(
    AIRFLOW_HOME=_HOME,
    AIRFLOW__CORE__DAGS_FOLDER=str(_ROOT / "dags"),
    AIRFLOW__CORE__PLUGINS_FOLDER=str(_ROOT / "plugins"),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{_HOME}/airflow.db",
    AIRFLOW__CORE__FERNET_KEY="MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
)

_REACHING = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex", "sendto")}
"""The ways out of a socket; the last argument of each is the address."""


LONG = (
    "test_faults_told",
    "test_whole_way",  # goes on with the stack of the one before
    "test_real_scheduler",  # goes on likewise
    "test_scheduled_rules",  # goes on likewise, and stops it
    "test_hundred_thousand",
    "test_secrecy",
    "test_incremental",
    "test_sixty_days",
    "test_map",  # mypy
    "test_catalogues_as_planted",
    "test_systems_as_planted",
)
"""Modules to begin with: whoever is left with one of them in the end keeps everybody waiting."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep on one worker the tests that share what is made once for their module: on two it would be made twice."""
    for item in items:
        if _shares_with_its_module(item) and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    order = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.stem, len(LONG)))


@pytest.hookimpl(tryfirst=True)  # before the mark that it adds is read
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the databases of a test by its closest mark (`tests/depth.py`)."""
    mark = metafunc.definition.get_closest_marker("databases")
    if mark and mark.args == ("sqlite",) and not SOAK and "ledger_url" in metafunc.fixturenames:
        metafunc.definition.add_marker(pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True))


def pytest_collection_finish() -> None:
    """Keep the collector of garbage off what stays to the end: it would walk through all tests and modules again and again."""
    gc.collect()
    gc.freeze()


def _shares_with_its_module(item: pytest.Item) -> bool:
    info = getattr(item, "_fixtureinfo", None)
    return info is not None and any(defs[-1].scope == "module" for defs in info.name2fixturedefs.values() if defs)


class NetworkRefused(RuntimeError):
    """A test reached for an address beyond this machine."""


def _is_loopback(address: object) -> bool:
    if not isinstance(address, tuple):
        return True  # a unix socket
    host = str(address[0])
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def within(call: Callable[..., Any]) -> Callable[..., Any]:
        def checked(self: socket.socket, *arguments: Any) -> Any:
            address = arguments[-1]
            if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address):
                raise NetworkRefused(f"tests may only speak to this machine, not to {address!r}")
            return call(self, *arguments)

        return checked

    for name, call in _REACHING.items():
        monkeypatch.setattr(socket.socket, name, within(call))


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the settings of whoever runs the tests out, and what tests write inside their own folder."""
    for name in [
        n
        for n in os.environ
        if n.startswith(("AIRFLOW_CONN_", "SHUHENG_", "LEDGER_", "LANDING_", "DATASETS_", "SPOOL_", "PUBLIC_"))
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LEDGER_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    monkeypatch.setenv("LANDING_URL", str(tmp_path / "landing"))
    monkeypatch.setenv("DATASETS_URL", str(tmp_path / "datasets"))
    monkeypatch.setenv("SPOOL_URL", str(tmp_path / "spool"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Return the URL of a real PostgreSQL server's empty database."""
    with start_postgres() as url:
        yield url
        _administrator(url).dispose()


@cache
def _administrator(server: str) -> Engine:
    """Return what makes and drops databases by one connection: a new one for each would take as long as the copying."""
    return create_engine(server, isolation_level="AUTOCOMMIT")


def _create(server: str, name: str, template: str) -> None:
    with _administrator(server).connect() as connection:
        # What is read page by page and logged takes a third longer; before version 15 files were copied anyway.
        copied = " STRATEGY FILE_COPY" if connection.dialect.server_version_info >= (15,) else ""
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}{copied}"))


def _drop(server: str, name: str) -> None:
    with _administrator(server).connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def _database(server: str, template: str = "template1") -> Iterator[str]:
    """Make a database of its own, and drop it in the end."""
    name = f"t{uuid.uuid4().hex}"
    _create(server, name, template)
    yield server.replace("/ledger", f"/{name}", 1)
    _drop(server, name)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Return the URL of an empty database of this test's own."""
    with _database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    """Return the name of a migrated, empty ledger to copy: a copy is made in a tenth of the time of migrating."""
    with _database(postgres_server) as url:
        migrate(url)
        yield str(make_url(url).database)


@pytest.fixture(scope="session")
def lent_postgres(postgres_server: str, migrated_postgres: str) -> Iterator[str]:
    """Return the URL of a migrated ledger that one test after the other is lent."""
    with _database(postgres_server, migrated_postgres) as url:
        yield url
        _administrator(url).dispose()


@contextmanager
def _lending(server: str, url: str, template: str) -> Iterator[None]:
    """Lend an empty ledger, and empty it: to copy one for each test, and to have it read anew, takes five times as long."""
    before = _shape(url)
    yield
    with _administrator(url).connect() as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        connection.exec_driver_sql(f"{others} AND pid <> pg_backend_pid()")
    if _shape(url) == before:
        _empty(url)
    else:  # a view was made, a table dropped
        name = str(make_url(url).database)
        _administrator(url).dispose()
        _drop(server, name)
        _create(server, name, template)


def _shape(url: str) -> object:
    """Return what is another value once a table, view, index or column was made or dropped."""
    with _administrator(url).connect() as connection:
        return connection.exec_driver_sql(
            "SELECT count(*), sum(oid::bigint), sum(relnatts), (SELECT min(version_num) FROM alembic_version) "
            "FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        ).one()


def _empty(url: str) -> None:
    with _administrator(url).connect() as connection:
        filled = connection.exec_driver_sql(
            "SELECT string_agg(oid::regclass::text, ', ') FROM pg_class WHERE relkind = 'r' AND pg_relation_size(oid) > 0 "
            "AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"
        ).scalar()
        if filled:
            connection.exec_driver_sql(f"TRUNCATE {filled}")


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a migrated, empty ledger to copy."""
    file = tmp_path_factory.mktemp("migrated") / "ledger.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def own_ledger(migrated_sqlite: Path, tmp_path: Path) -> None:
    """Let the ledger that the settings name be there, empty; for tests that need it on one database only."""
    shutil.copy(migrated_sqlite, tmp_path / "ledger.db")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def ledger_url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Return the URL of an empty, migrated ledger, once on each database."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "ledger.db")
            url = f"sqlite:///{tmp_path / 'ledger.db'}"
        else:
            server, url, template = map(
                request.getfixturevalue, ("postgres_server", "lent_postgres", "migrated_postgres")
            )
            stack.enter_context(_lending(server, url, template))
        monkeypatch.setenv("LEDGER_URL", url)
        yield url


@pytest.fixture
def engine(ledger_url: str) -> Engine:
    """Return an engine on an empty ledger."""
    return open_ledger(ledger_url)


@pytest.fixture
def store(tmp_path: Path) -> LandingStore:
    """Return an empty landing zone."""
    return LandingStore(str(tmp_path / "landing"))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name cases of bytes by their argument: a workbook holds the moment it was made, and every worker makes its own."""
    return argname if isinstance(val, bytes) else None
