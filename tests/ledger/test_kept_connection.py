"""PostgreSQL's one connection that is kept: the next to take it finds nothing of the one before."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from include.ledger.database import migrate, open_ledger

pytestmark = pytest.mark.postgres
LOCKED = """
    SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE l.locktype = 'advisory' AND d.datname = current_database()
"""


@pytest.fixture
def kept(postgres_url: str) -> Engine:
    migrate(postgres_url)
    return open_ledger(postgres_url)


def _ask(connection: Connection, query: str) -> object:
    return connection.execute(text(query)).scalar_one()


def test_what_only_the_end_of_a_session_ends_is_over_when_it_is_given_back(kept: Engine) -> None:
    with kept.connect() as connection:
        mine = _ask(connection, "SELECT pg_backend_pid()")
        zone = _ask(connection, "SHOW TimeZone")
        connection.execute(text("SET TimeZone = 'UTC'"))
        connection.execute(text("CREATE TEMPORARY TABLE aside (a integer)"))
        connection.execute(text("SELECT pg_advisory_lock(42)"))
        connection.commit()
        connection.execute(text("UPDATE alembic_version SET version_num = 'left open'"))
        assert _ask(connection, LOCKED) == 1
    with kept.connect() as connection:
        assert _ask(connection, "SELECT pg_backend_pid()") == mine
        assert _ask(connection, "SHOW TimeZone") == zone == "Asia/Shanghai"
        assert _ask(connection, "SELECT to_regclass('aside') IS NULL") is True
        assert _ask(connection, LOCKED) == 0
        assert _ask(connection, "SELECT version_num FROM alembic_version") != "left open"


def test_a_kept_connection_that_the_server_ended_is_replaced_unnoticed(kept: Engine, postgres_url: str) -> None:
    with kept.connect() as connection:
        mine = _ask(connection, "SELECT pg_backend_pid()")
    with open_ledger(postgres_url).connect() as other:
        other.execute(text(f"SELECT pg_terminate_backend({mine})"))
    with kept.connect() as connection:
        assert _ask(connection, "SELECT pg_backend_pid()") != mine


def test_more_than_one_at_a_time_are_no_fewer_than_before(kept: Engine) -> None:
    connections = [kept.connect() for _ in range(8)]
    assert len({_ask(c, "SELECT pg_backend_pid()") for c in connections}) == 8
    for connection in connections:
        connection.close()


def test_a_connection_that_breaks_is_not_kept(kept: Engine) -> None:
    with kept.connect() as connection, pytest.raises(OperationalError):
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with kept.connect() as connection:
        assert _ask(connection, "SELECT 1") == 1
