"""The ledger's engine: connections set up alike on both dialects, one writer a source at a time, migrations."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.pool import NullPool
from sqlalchemy.util import LRUCache

from include.errors import ConfigurationError, LedgerNotMigrated, LedgerUnreachable
from include.settings import load_settings

HEAD = "0012"
"""The newest migration; a test keeps it equal to Alembic's own head, which is slow to import."""

READING = "is_reading"
"""The execution option of a connection that only reads: on SQLite it keeps no writer waiting."""

MIGRATIONS = Path(__file__).parent / "migrations"

_COMPILED: MutableMapping[Any, Any] = LRUCache(1000)
"""What the engines of this process have compiled: a command that reads twenty sources opens the ledger twenty times and more."""

_DIALECTS: dict[URL, Dialect] = {}
"""The dialect that first spoke to a server, for all engines on it: what was compiled is known again by it."""


def open_ledger(url: str | None = None, *, check: bool = True) -> Engine:
    """Return an engine for the ledger; refuse one whose schema is not this code's."""
    target = _target(url or load_settings().ledger_url)
    shared: dict[str, Any] = {"execution_options": {"compiled_cache": _COMPILED}}
    if target.get_backend_name() == "sqlite":
        engine = create_engine(target, poolclass=NullPool, connect_args={"timeout": 60}, **shared)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        # Alike on both sides: what is written as text is read as text in the same zone. Compiling the plan of a data set's view
        # takes PostgreSQL half a minute, running it uncompiled a second.
        options = "-c TimeZone=Asia/Shanghai -c client_encoding=UTF8 -c jit=off"
        # One connection is kept: a new one costs the server more than most of what is asked by it.
        engine = create_engine(
            target, pool_size=1, max_overflow=-1, pool_pre_ping=True, pool_reset_on_return=None, connect_args={"options": options},
            **shared,
        )  # fmt: skip
        event.listen(engine, "reset", _as_new)
    engine.dialect = _DIALECTS.get(server := target.set(database=None), engine.dialect)
    try:
        with engine.connect().execution_options(**{READING: True}) as connection:
            if check:
                check_migrated(connection)
    except OperationalError as error:
        where = target.render_as_string(hide_password=True)
        raise LedgerUnreachable(
            f"the ledger {where} does not answer: {error.orig}; is it running, is LEDGER_URL right?"
        ) from None
    _DIALECTS.setdefault(server, engine.dialect)
    return engine


def _target(url: str) -> URL:
    """Return the address of a ledger; the folder of an SQLite file is made. Raises `ConfigurationError` for one that is none."""
    try:
        target = make_url(url)
    except (ArgumentError, ValueError):  # the text may hold a password
        raise ConfigurationError(
            "LEDGER_URL is no database address; give sqlite:////folder/ledger.db or "
            "postgresql+psycopg://user:password@host:5432/ledger (signs such as / and @ in a password as %2F and %40)"
        ) from None
    if target.get_backend_name() == "sqlite" and target.database and target.database != ":memory:":
        try:
            Path(target.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"the ledger {target.database} cannot lie there: {error.strerror}; correct LEDGER_URL"
            ) from None
    return target


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's documented way to have BEGIN IMMEDIATE
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "temp_store=FILE", "cache_size=-32000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.execute("PRAGMA secure_delete=ON")  # what is expunged must not stay readable in the file
    cursor.close()


def _as_new(connection: Any, _record: Any, state: Any) -> None:
    """Give a connection back without what only its end would have ended: transaction, locks, temporary tables, settings."""
    connection.rollback()
    if not state.terminate_only:
        connection.autocommit = True
        connection.execute("SELECT pg_advisory_unlock_all(); DISCARD TEMP; RESET ALL")
        connection.autocommit = False


def _begin_sqlite(connection: Connection) -> None:
    is_reading = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")


def check_migrated(connection: Connection) -> None:
    """Raise `LedgerNotMigrated` unless the ledger stands at this code's migration."""
    found = None
    if inspect(connection).has_table("alembic_version"):
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found != HEAD:
        state = f"is at migration {found}" if found else "is empty"
        raise LedgerNotMigrated(
            f"the ledger {state} and this code needs {HEAD}; run: python -m include doctor --migrate"
        )


def migrate(url: str | None = None) -> None:
    """Bring the ledger to the newest migration; safe to run twice and by two processes."""
    from alembic import command
    from alembic.config import Config

    engine = open_ledger(url, check=False)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('shuheng.migrate'))"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()


def lock_key(name: str) -> int:
    """Return the number by which PostgreSQL knows the lock of a name."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)


def keep_out(connection: Connection, name: str, *, wait: bool = True) -> bool:
    """Wait until no transaction of a name is open, and let none begin before this connection's transaction has ended.

    Without `wait` return false where there is one.
    """
    if connection.dialect.name != "postgresql":  # SQLite has one writer at a time
        return True
    lock = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    return connection.execute(text(f"SELECT {lock}(:key)"), {"key": lock_key(name)}).scalar() is not False


def prepare_writing(connection: Connection, source: str, *, wait: bool = True) -> bool:
    """Make a transaction the one that writes of a source; without `wait` return false where there is one already."""
    if not keep_out(connection, source, wait=wait):
        return False
    if connection.dialect.name == "postgresql":
        # The default dates from rotating disks and makes a small batch scan the whole ledger instead of its index.
        connection.execute(text("SET LOCAL random_page_cost = 1.1"))
    return True


@contextmanager
def writing(engine: Engine, source: str, *, keep: bool = True, is_locked: bool = False) -> Iterator[Connection]:
    """Open the one writing transaction of a source; a second one waits until the first has ended.

    With `keep` false everything is rolled back at the end: the dry run. `is_locked` is for whoever holds the lock already.
    """
    with engine.connect() as connection:
        transaction = connection.begin()
        if not is_locked:
            prepare_writing(connection, source)
        try:
            yield connection
        except BaseException:
            transaction.rollback()
            raise
        transaction.commit() if keep else transaction.rollback()
