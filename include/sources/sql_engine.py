"""Open a front-end database for reading only, look up its tables, and turn its errors into ours.

No text of an error that leaves this module holds a password, an SQL parameter or a value of a row.
"""

from __future__ import annotations

import contextlib
import re
import socket
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, column, create_engine, event, inspect, table
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.pool import NullPool
from sqlalchemy.sql import TableClause
from sqlalchemy.types import TypeEngine

from include.connections import Connection
from include.errors import ConfigurationError, ShuhengError, SourceRefused, SourceUnreachable
from include.sources.address import AddressPolicy, address_policy
from include.sources.card import Limits

_DRIVERS = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}
_READ_ONLY = {
    "postgresql": ["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET statement_timeout = {milliseconds}"],
    "mysql": ["SET SESSION TRANSACTION READ ONLY", "SET SESSION max_execution_time = {milliseconds}"],
}
_REFUSALS = ("28", "3D", "42")
"""SQLSTATE classes: authorisation, unknown database, access rule or unknown object."""
_REFUSED = re.compile(r"authentication failed|does not exist|no pg_hba|permission denied|认证失败|不存在")
"""PostgreSQL's words before a session has begun, when there is no SQLSTATE yet; looked for, never quoted."""
_MYSQL_REFUSALS = {1044, 1045, 1049, 1142, 1143, 1146}


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table of the source: how SQL names it and its columns, found whatever the case they are written in."""

    name: str
    clause: TableClause
    columns: dict[str, str]
    types: dict[str, TypeEngine[Any]]
    nullable: frozenset[str]

    def has(self, name: str) -> bool:
        """Return whether there is such a column."""
        return name.casefold() in self.columns

    def column(self, name: str) -> Any:
        """Return the column as an expression; refuse the source where it is missing."""
        if not self.has(name):
            raise SourceRefused(
                f"the source's table {self.name!r} has no column {name!r}; correct the card, or ask the platform"
            )
        return self.clause.c[self.columns[name.casefold()]]

    def type_of(self, name: str) -> TypeEngine[Any]:
        """Return the reflected type of a column that is there."""
        return self.types[self.columns[name.casefold()]]


def open_source(connection: Connection, limits: Limits) -> Engine:
    """Return an engine that cannot write; nothing is kept open between reads.

    Raises:
        ConfigurationError: the connection names no database that can be opened.
        SourceUnreachable: the SQLite file is not there; it is never created.
    """
    url = _url(connection)
    if url.get_backend_name() == "sqlite":
        path = _sqlite_path(connection, url)
        address = f"file:{quote(str(path))}?mode=ro"

        def connect() -> sqlite3.Connection:
            return sqlite3.connect(address, uri=True, timeout=limits.connect_seconds, check_same_thread=False)

        return create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
    is_known = url.get_backend_name() in _READ_ONLY
    try:
        engine = create_engine(
            url,
            poolclass=NullPool,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
            connect_args={"connect_timeout": max(1, int(limits.connect_seconds))} if is_known else {},
        )
    except (NoSuchModuleError, ImportError, SQLAlchemyError):
        raise ConfigurationError(
            f"connection {connection.conn_id!r}: there is no driver for {url.drivername!r} here; install it, or use "
            "sqlite, postgres or mysql"
        ) from None
    _forbid_writing(engine, limits)
    _keep_to_networks(engine, address_policy(limits, connection))
    return engine


def _keep_to_networks(engine: Engine, policy: AddressPolicy) -> None:
    """Refuse the addresses that are refused over HTTP, too; PostgreSQL dials the very one that was looked at."""

    @event.listens_for(engine, "do_connect")
    def look(dialect: Any, _record: Any, _arguments: Any, given: dict[str, Any]) -> None:
        hosts = str(given.get("hostaddr") or given.get("host") or ("" if dialect.name == "postgresql" else "localhost"))
        over_network = [host for host in hosts.split(",") if host and not host.startswith(("/", "@"))]
        found = [_addresses(host, policy) for host in over_network]
        if dialect.name == "postgresql" and len(found) == 1 and not given.get("hostaddr"):
            given["hostaddr"] = found[0]


def _addresses(host: str, policy: AddressPolicy) -> str:
    """Return the first address of a host, all of which must be allowed."""
    try:
        found = list(
            dict.fromkeys(str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
        )
    except (OSError, UnicodeError):
        raise SourceUnreachable(f"the name {host!r} of the source's database cannot be resolved") from None
    for address in found:
        policy.check(host, address.partition("%")[0])
    return found[0]


def _forbid_writing(engine: Engine, limits: Limits) -> None:
    statements = _READ_ONLY.get(engine.dialect.name, [])

    @event.listens_for(engine, "connect")
    def prepare(raw: Any, _record: Any) -> None:
        cursor = raw.cursor()
        for statement in statements:
            cursor.execute(statement.format(milliseconds=limits.page_seconds * 1000))
        cursor.close()
        if not getattr(raw, "autocommit", True):
            raw.commit()


def _url(connection: Connection) -> URL:
    given = connection.extra.get("url")
    if given:
        try:
            return make_url(str(given))
        except (ArgumentError, ValueError):  # the latter for a port that is no number
            # The text may hold a password, so it is not quoted.
            raise ConfigurationError(f"connection {connection.conn_id!r}: extra.url is no database address") from None
    driver = _DRIVERS.get(connection.conn_type)
    if driver is None:
        raise ConfigurationError(
            f"connection {connection.conn_id!r} is of type {connection.conn_type!r}; use one of {', '.join(_DRIVERS)}, "
            "or give a SQLAlchemy address in extra.url"
        )
    if driver == "sqlite":
        return URL.create(driver, database=connection.schema or connection.host)
    return URL.create(
        driver,
        connection.login or None,
        connection.password or None,
        connection.host or None,
        connection.port,
        connection.schema or None,
    )


def _sqlite_path(connection: Connection, url: URL) -> Path:
    name = url.database or ""
    # An Airflow URI has no way to keep the leading slash of an absolute path.
    for path in (Path(name), Path("/") / name):
        if name and path.is_file():
            return path.resolve()
    raise SourceUnreachable(
        f"connection {connection.conn_id!r}: the SQLite file {name!r} is not there; correct its path or wait for the "
        "platform to deliver it"
    )


def find_table(engine: Engine, name: str) -> SourceTable:
    """Look up a table or view, `schema.name` too; refuse the source where it is missing."""
    schema, _, wanted = name.rpartition(".")
    inspector = inspect(engine)
    names = [*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)]
    found = wanted if wanted in names else next((n for n in names if n.casefold() == wanted.casefold()), None)
    if found is None:
        raise SourceRefused(
            f"the source has no table {name!r}, or this login may not see it; correct the card, or ask the platform"
        )
    columns = inspector.get_columns(found, schema or None)
    # Columns without a type hand values over as the driver gives them: a date that is none must not stop a page.
    clause = table(found, *(column(c["name"]) for c in columns), schema=schema or None)
    return SourceTable(
        name,
        clause,
        {c["name"].casefold(): c["name"] for c in columns},
        {c["name"]: c["type"] for c in columns},
        frozenset(c["name"].casefold() for c in columns if c.get("nullable", True)),
    )


@contextlib.contextmanager
def translated_errors(conn_id: str, doing: str) -> Iterator[None]:
    """Turn errors of the database into ours, with the kind of the error and nothing of the statement."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise _translated(conn_id, doing, error) from None


def _translated(conn_id: str, doing: str, error: Exception) -> ShuhengError:
    original = error.orig if isinstance(error, DBAPIError) else None
    state = str(getattr(original, "sqlstate", None) or getattr(original, "pgcode", None) or "")
    number = original.args[0] if original is not None and original.args and isinstance(original.args[0], int) else None
    kind = (
        type(original or error).__name__ + (f", SQLSTATE {state}" if state else "") + (f", {number}" if number else "")
    )
    if state.startswith(_REFUSALS) or number in _MYSQL_REFUSALS or _REFUSED.search(str(original)):
        return SourceRefused(
            f"connection {conn_id!r}: the database refused {doing} ({kind}); check login, password, database name and "
            "the rights of the login",
            state or None,
        )
    if isinstance(error, (OperationalError, InterfaceError, OSError)):
        return SourceUnreachable(f"connection {conn_id!r}: the database could not be reached for {doing} ({kind})")
    return SourceRefused(f"connection {conn_id!r}: the database refused {doing} ({kind})", state or None)
