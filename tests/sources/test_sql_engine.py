from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from include.connections import Connection
from include.errors import AddressRefused, ConfigurationError, ShuhengError, SourceRefused, SourceUnreachable
from include.sources.card import Card, build_card
from include.sources.card_files import load_card
from include.sources.page import PageFault, Window
from include.sources.raw_page import RawPage
from include.sources.sql_engine import open_source
from include.sources.sql_reader import read_sql

CREATE = 'CREATE TABLE "PROJECT" ("SERIAL" INTEGER PRIMARY KEY, "CODE" TEXT, "NAME" TEXT)'
INSERT = """INSERT INTO "PROJECT" VALUES (1, 'A', '平台')"""
CARD: Card = build_card(
    {
        "source": "made_up_db",
        "title": "虚构前置库",
        "entity": "project",
        "reader": "sql",
        "connection": "made_up_db",
        "key": ["project_code"],
        "sql": {"table": "PROJECT", "order": "SERIAL"},
        "fields": {"project_code": "CODE", "name": "NAME"},
    },
    Path("made_up_db.yaml"),
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'front.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = create_engine(url)
    with engine.begin() as database:
        database.execute(text(CREATE))
        database.execute(text(INSERT))
    engine.dispose()
    yield engine
    engine.dispose()


def connection(engine: Engine) -> Connection:
    return Connection("made_up_db", "sql", extra={"url": engine.url.render_as_string(hide_password=False)})


def rows(connection: Connection) -> int:
    return sum(len(page.rows) for page in read_sql(CARD, connection, Window()) if isinstance(page, RawPage))


def error_of(connection: Connection) -> ShuhengError:
    (found,) = read_sql(CARD, connection, Window())
    assert isinstance(found, PageFault)
    return found.error


def test_the_source_cannot_be_written_to_and_is_not_changed(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "front.db"
    before = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
    assert rows(connection(engine)) == 1
    source = open_source(connection(engine), CARD.limits)
    with source.connect() as database, pytest.raises(Exception, match="read.?only"):
        database.execute(text('DELETE FROM "PROJECT"'))
    assert rows(connection(engine)) == 1
    if before:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == before
        assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith("front")) == ["front.db"]


def test_a_missing_sqlite_file_is_unreachable_and_not_created(tmp_path: Path) -> None:
    path = tmp_path / "nothing.db"
    for found in (
        Connection("c", "sqlite", schema=str(path)),
        Connection("c", "x", extra={"url": f"sqlite:///{path}"}),
    ):
        error = error_of(found)
        assert isinstance(error, SourceUnreachable)
        assert "nothing.db" in str(error) and "not there" in str(error)
    assert not path.exists()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "front.db"
    path.write_text("这不是数据库" * 500, "utf-8")
    assert isinstance(error_of(Connection("c", "sqlite", schema=str(path))), SourceRefused)


@pytest.mark.parametrize("parts", [{"schema": "{}"}, {"host": "{}"}, {"schema": "{no_slash}"}])
def test_the_path_of_a_sqlite_file_may_stand_in_host_or_schema(tmp_path: Path, parts: dict[str, str]) -> None:
    path = tmp_path / "数据 库#1?.db"
    database = sqlite3.connect(path)
    database.execute(CREATE)
    database.execute(INSERT)
    database.commit()
    database.close()
    filled = {k: v.format(path, no_slash=str(path)[1:]) for k, v in parts.items()}
    assert rows(Connection("c", "sqlite", **filled)) == 1


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (Connection("c", "ftp", host="h"), "is of type 'ftp'"),
        (Connection("c", "x", extra={"url": "Geheim:no address"}), "extra.url is no database address"),
        (Connection("c", "x", extra={"url": "nosuch://u:Geheim@h/d"}), "no driver for 'nosuch'"),
    ],
)
def test_a_connection_that_names_no_database_is_a_configuration_error(wrong: Connection, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        list(read_sql(CARD, wrong, Window()))
    assert "Geheim" not in str(caught.value)


def test_a_server_that_is_not_there_is_unreachable_without_secrets() -> None:
    error = error_of(Connection("c", "postgres", "127.0.0.1", 1, "anna", "Geheim", "db", {"networks": ["127.0.0.0/8"]}))
    assert isinstance(error, SourceUnreachable)
    assert "Geheim" not in str(error) and "anna" not in str(error)
    assert error.__cause__ is None and error.__suppress_context__


@pytest.mark.parametrize(
    "wrong",
    [
        Connection("c", "postgres", "127.0.0.1", 1, "anna", "Geheim", "db"),
        Connection("c", "mysql", "localhost", 1, "anna", "Geheim", "db"), Connection("c", "mysql", "", 1, "anna", "Geheim", "db"),
        Connection("c", "postgres", "169.254.1.1,93.184.216.34", 1, "anna", "Geheim", "db"),
        Connection("c", "x", extra={"url": "postgresql+psycopg://anna:Geheim@93.184.216.34:1/db?hostaddr=10.0.0.1"}),
    ],
)  # fmt: skip
def test_an_address_within_is_refused_before_it_is_called(wrong: Connection) -> None:
    error = error_of(wrong)
    assert isinstance(error, AddressRefused), error
    assert "networks" in str(error) and "Geheim" not in str(error)


@pytest.mark.postgres
def test_an_unknown_database_is_refused(postgres_url: str) -> None:
    url = postgres_url.replace("/t", "/nosuch_t", 1)
    error = error_of(Connection("c", "x", extra={"url": url}))
    assert isinstance(error, SourceRefused)
    assert error.code == "3D000" or "refused" in str(error)


def test_the_shipped_card_reads_the_tables_it_names(tmp_path: Path) -> None:
    shipped = load_card("approval_frontdb")
    assert shipped.sql is not None
    columns = {s for rule in shipped.fields for s in rule.sources} | {"LSH", "MJ", "LXR", "LXDH", "SJSCZT"}
    item_columns = {s for rule in shipped.nested[0].fields for s in rule.sources} | {"LSH", "XMDM", "GXSJ", "SJYXBS"}
    path = tmp_path / "front.db"
    with sqlite3.connect(path) as database:
        database.execute(f"CREATE TABLE {shipped.sql.table} ({', '.join(sorted(columns))})")
        database.execute(f"CREATE TABLE {shipped.sql.children[0].table} ({', '.join(sorted(item_columns))})")
        database.execute(f"INSERT INTO {shipped.sql.table} (LSH, XMDM, XMMC) VALUES (1, 'A', '平台')")
        child = shipped.sql.children[0].table
        database.execute(f"INSERT INTO {child} (LSH, XMDM, SPSXSLBM, SJYXBS) VALUES (1, 'A', 'I', '1')")
    database.close()
    (page,) = list(read_sql(shipped, Connection("c", "sqlite", schema=str(path)), Window()))
    assert isinstance(page, RawPage)
    assert page.rows[0]["XMMC"] == "平台"
    assert page.rows[0]["ITEMS"][0]["SPSXSLBM"] == "I"
