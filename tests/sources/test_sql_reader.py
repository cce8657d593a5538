from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    DateTime,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    create_engine,
    event,
    text,
)

from include.clock import SHANGHAI
from include.connections import Connection
from include.errors import LimitExceeded, SourceMalformed, SourceRefused
from include.sources.card import Card, build_card
from include.sources.page import PageFault, Window
from include.sources.raw_page import RawPage
from include.sources.sql_reader import read_sql

CARD: dict[str, Any] = {
    "source": "made_up_db",
    "title": "虚构前置库",
    "entity": "project",
    "reader": "sql",
    "connection": "made_up_db",
    "key": ["project_code"],
    "sql": {
        "table": "PROJECT",
        "key": ["CODE"],
        "order": "SERIAL",
        "page_size": 3,
        "children": [
            {
                "as": "ITEMS",
                "table": "ITEM",
                "order": "SERIAL",
                "key": ["ITEM_ID"],
                "parent": "CODE",
                "where": {"VALID": 1},
            }
        ],
    },
    "cursor": {"field": "CHANGED"},
    "classified": [{"field": "MJ", "open": [None, ""]}],
    "fields": {
        "project_code": "CODE",
        "name": "NAME",
        "total_investment_yuan": {"from": "MONEY", "as": "wan_yuan"},
        "updated_at": "CHANGED",
    },
    "nested": [
        {
            "entity": "approval_item",
            "rows": "ITEMS",
            "key": ["item_id"],
            "parent": {"project_code": "project_code"},
            "fields": {"item_id": "ITEM_ID"},
        }
    ],
}
METADATA = MetaData()
PROJECT = Table(
    "PROJECT",
    METADATA,
    Column("SERIAL", Integer, primary_key=True, autoincrement=False),
    Column("CODE", String(50)),
    Column("NAME", String(100)),
    Column("MONEY", Numeric(18, 4)),
    Column("CHANGED", DateTime),
    Column("VALID", Integer),
    Column("MJ", String(10)),
)
ITEM = Table(
    "ITEM",
    METADATA,
    Column("SERIAL", Integer, primary_key=True, autoincrement=False),
    Column("CODE", String(50)),
    Column("ITEM_ID", String(50)),
    Column("CHANGED", DateTime),
    Column("VALID", Integer),
)
START = datetime(2026, 11, 1, 8, 0, 0)  # noqa: DTZ001 - the columns know no zone


def card(**sql: object) -> Card:
    data = copy.deepcopy(CARD)
    data["sql"].update(sql)
    return build_card(data, Path("made_up_db.yaml"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'front.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = create_engine(url)
    METADATA.create_all(engine)
    yield engine
    engine.dispose()


def connection(engine: Engine) -> Connection:
    return Connection("made_up_db", "sql", extra={"url": engine.url.render_as_string(hide_password=False)})


def project(serial: int, code: str | None, **more: object) -> dict[str, Any]:
    row = {"SERIAL": serial, "CODE": code, "NAME": f"项目{serial}", "MONEY": Decimal("12.5"), "VALID": 1, "MJ": None}
    return {**row, "CHANGED": START + timedelta(hours=serial), **more}


def item(serial: int, code: str, item_id: str | None, **more: object) -> dict[str, Any]:
    row = {"SERIAL": serial, "CODE": code, "ITEM_ID": item_id, "CHANGED": START + timedelta(hours=serial), "VALID": 1}
    return {**row, **more}


def fill(engine: Engine, projects: list[dict[str, Any]], items: list[dict[str, Any]] | None = None) -> None:
    with engine.begin() as database:
        for table, rows in ((PROJECT, projects), (ITEM, items or [])):
            if rows:
                database.execute(table.insert(), rows)


def read(engine: Engine, window: Window | None = None, **sql: object) -> list[RawPage]:
    found = list(read_sql(card(**sql), connection(engine), window or Window()))
    assert all(isinstance(page, RawPage) for page in found), found
    return [page for page in found if isinstance(page, RawPage)]


def fault(card: Card, connection: Connection) -> PageFault:
    found = list(read_sql(card, connection, Window()))
    assert isinstance(found[-1], PageFault), found
    return found[-1]


def rows_of(pages: list[RawPage]) -> list[dict[str, Any]]:
    return [row for page in pages for row in page.rows]


def test_the_latest_row_of_each_key_counts_whatever_it_says_of_its_validity(engine: Engine) -> None:
    fill(
        engine, [project(1, "A"), project(2, "B"), project(3, "A", VALID=0), project(4, "A"), project(5, "B", VALID=0)]
    )
    rows = rows_of(read(engine))
    assert [(r["CODE"], r["SERIAL"], r["VALID"]) for r in rows] == [("A", 4, 1), ("B", 5, 0)]


def test_pages_follow_the_key_and_tell_the_number_of_keys(engine: Engine) -> None:
    fill(engine, [project(n, f"K{n % 8}") for n in range(1, 17)])
    pages = read(engine)
    assert [len(p.rows) for p in pages] == [3, 3, 2]
    assert [p.number for p in pages] == [1, 2, 3]
    assert [p.declared_rows for p in pages] == [8, 8, 8]
    assert [p.is_last for p in pages] == [False, False, True]
    assert [r["SERIAL"] for r in rows_of(pages)] == [16, 9, 10, 11, 12, 13, 14, 15]


@pytest.mark.parametrize("count", [3, 6])
def test_a_full_last_page_is_known_to_be_the_last(engine: Engine, count: int) -> None:
    fill(engine, [project(n, f"K{n}") for n in range(1, count + 1)])
    pages = read(engine)
    assert [p.is_last for p in pages] == [False] * (count // 3 - 1) + [True]


def test_an_empty_table_is_one_empty_last_page(engine: Engine) -> None:
    (page,) = read(engine)
    assert (page.rows, page.declared_rows, page.is_last) == ([], 0, True)


def test_keys_of_several_columns_are_paged_through(engine: Engine) -> None:
    fill(engine, [project(n, f"K{n // 4}", NAME=f"N{n % 4}") for n in range(1, 11)] + [project(11, "K1", NAME="N2")])
    pages = read(engine, key=["CODE", "NAME"], page_size=2)
    found = [(r["CODE"], r["NAME"], r["SERIAL"]) for r in rows_of(pages)]
    assert found == sorted(found)
    assert len(found) == pages[0].declared_rows == 10
    assert ("K1", "N2", 11) in found


def test_values_are_as_json_has_them(engine: Engine) -> None:
    fill(engine, [project(1, "A", MONEY=Decimal("1234.5"))], [item(1, "A", "I1")])
    (row,) = rows_of(read(engine))
    assert json.loads(json.dumps(row)) == row
    assert Decimal(str(row["MONEY"])) == Decimal("1234.5")
    assert str(row["CHANGED"])[:10] == "2026-11-01" and str(row["CHANGED"])[11:19] == "09:00:00"
    assert row["MJ"] is None


def test_children_are_the_latest_of_their_key_and_only_if_they_meet_the_condition(engine: Engine) -> None:
    items = [
        item(1, "A", "I2"),
        item(2, "A", "I1"),
        item(3, "A", "I3"),
        item(4, "A", "I3", VALID=0),
        item(5, "A", "I1", CHANGED=START),
        item(6, "B", "I4", VALID=0),
        item(7, "B", "I4"),
        item(8, "nobody", "I5"),
        item(9, "A", "I6"),
        item(10, "B", "I6"),
    ]
    fill(engine, [project(1, "A"), project(2, "B"), project(3, "C")], items)
    found = {r["CODE"]: [(i["ITEM_ID"], i["SERIAL"]) for i in r["ITEMS"]] for r in rows_of(read(engine))}
    assert found == {"A": [("I1", 5), ("I2", 1)], "B": [("I4", 7), ("I6", 10)], "C": []}


def test_what_is_written_during_a_read_belongs_to_the_next_one(engine: Engine) -> None:
    fill(engine, [project(n, f"K{n}") for n in range(1, 8)], [item(1, "K7", "I1")])
    reading = read_sql(card(), connection(engine), Window())
    first = next(reading)
    assert isinstance(first, RawPage)
    fill(engine, [project(20, "K7", VALID=0), project(21, "K9")], [item(9, "K7", "I1", VALID=0), item(10, "K7", "I2")])
    rows = first.rows + rows_of([page for page in reading if isinstance(page, RawPage)])
    assert [r["SERIAL"] for r in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert [i["SERIAL"] for i in rows[-1]["ITEMS"]] == [1]
    assert first.declared_rows == 7


def test_a_window_takes_what_changed_in_the_parent_or_in_a_child(engine: Engine) -> None:
    items = [item(1, "A", "I1"), item(50, "B", "I2", VALID=0), item(2, "C", "I3")]
    fill(engine, [project(1, "A"), project(2, "B"), project(3, "C"), project(40, "C"), project(4, "D")], items)
    since = (START + timedelta(hours=40)).replace(tzinfo=SHANGHAI)
    pages = read(engine, Window(since=since))
    assert [r["CODE"] for r in rows_of(pages)] == ["B", "C"]
    assert pages[0].declared_rows == 2
    assert [i["ITEM_ID"] for i in rows_of(pages)[1]["ITEMS"]] == ["I3"]
    assert rows_of(read(engine, Window(since=since + timedelta(hours=20)))) == []
    until = since - timedelta(hours=30)
    assert [r["CODE"] for r in rows_of(read(engine, Window(since=until - timedelta(hours=9), until=until)))] == [
        "A",
        "B",
        "C",
        "D",
    ]


def test_a_window_works_with_keys_of_several_columns(engine: Engine) -> None:
    fill(engine, [project(1, "A", NAME="x"), project(2, "A", NAME="y"), project(9, "B", NAME="x")])
    since = (START + timedelta(hours=2)).replace(tzinfo=SHANGHAI)
    pages = read(engine, Window(since=since), key=["NAME", "CODE"], children=[])
    assert [(r["CODE"], r["NAME"]) for r in rows_of(pages)] == [("B", "x"), ("A", "y")]


def test_rows_without_a_key_are_each_handed_on_and_counted(engine: Engine) -> None:
    fill(engine, [project(1, None), project(2, "A"), *(project(n, None) for n in range(3, 7))])
    pages = read(engine)
    assert [r["SERIAL"] for r in rows_of(pages)] == [2, 1, 3, 4, 5, 6]
    assert pages[0].declared_rows == 6
    assert [p.is_last for p in pages] == [False, False, True]
    assert all(r["ITEMS"] == [] for r in rows_of(pages))


def test_names_are_found_in_any_case_and_come_as_the_card_spells_them(engine: Engine) -> None:
    fill(engine, [project(1, "A")], [item(1, "A", "I1")])
    with engine.begin() as database:
        for old, new in (("PROJECT", "project_x"), ("ITEM", "item_x")):
            database.execute(text(f'ALTER TABLE "{old}" RENAME TO "{new}"'))
            database.execute(text(f'ALTER TABLE "{new}" RENAME COLUMN "CODE" TO "code"'))
    children = [{**CARD["sql"]["children"][0], "table": "ITEM_X"}]
    (row,) = rows_of(read(engine, table="PROJECT_X", children=children))
    assert row["CODE"] == "A"
    assert row["ITEMS"][0]["ITEM_ID"] == "I1"


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ('ALTER TABLE "PROJECT" RENAME COLUMN "CODE" TO "OTHER"', "'CODE'"),
        ('ALTER TABLE "PROJECT" RENAME COLUMN "SERIAL" TO "OTHER"', "'SERIAL'"),
        ('ALTER TABLE "PROJECT" RENAME COLUMN "NAME" TO "OTHER"', "'NAME'"),
        ('ALTER TABLE "PROJECT" RENAME COLUMN "MJ" TO "OTHER"', "'MJ'"),
        ('ALTER TABLE "ITEM" RENAME COLUMN "ITEM_ID" TO "OTHER"', "'ITEM_ID'"),
        ('ALTER TABLE "ITEM" RENAME COLUMN "VALID" TO "OTHER"', "'VALID'"),
        ('ALTER TABLE "ITEM" RENAME TO "OTHER"', "no table 'ITEM'"),
        ('ALTER TABLE "PROJECT" RENAME TO "OTHER"', "no table 'PROJECT'"),
    ],
)
def test_a_missing_table_or_column_is_named(engine: Engine, statement: str, says: str) -> None:
    fill(engine, [project(1, "A")])
    with engine.begin() as database:
        database.execute(text(statement))
    found = fault(card(), connection(engine))
    assert isinstance(found.error, SourceRefused)
    assert says in str(found.error)


def test_binary_columns_are_left_out_where_declared_and_refused_where_not(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'front.db'}")
    METADATA.create_all(engine)
    Table("PHOTO", MetaData(), Column("SERIAL", Integer), Column("SCAN", LargeBinary)).create(engine)
    fill(engine, [project(1, "A")])
    with engine.begin() as database:
        database.execute(text('ALTER TABLE "PROJECT" ADD COLUMN "SCAN" BLOB'))
        database.execute(text("""UPDATE "PROJECT" SET "SCAN" = x'ff'"""))
    (page,) = read(engine)
    assert page.notes == ("column SCAN of PROJECT is binary and was left out",)
    assert "SCAN" not in page.rows[0]
    with engine.begin() as database:
        database.execute(text("""UPDATE "PROJECT" SET "NAME" = x'ff'"""))
    found = fault(card(), connection(engine))
    assert isinstance(found.error, SourceMalformed)
    assert "'PROJECT' holds values of type bytes" in str(found.error)


def test_an_error_in_the_middle_keeps_the_pages_before_it(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'front.db'}")
    METADATA.create_all(engine)
    fill(engine, [project(n, f"K{n}", **({"NAME": b"\xff"} if n == 8 else {})) for n in range(1, 11)])
    found = list(read_sql(card(), connection(engine), Window()))
    assert [type(page).__name__ for page in found] == ["RawPage", "RawPage", "PageFault"]
    assert [page.number for page in found] == [1, 2, 3]
    assert not any(page.is_last for page in found if isinstance(page, RawPage))


def test_more_pages_than_the_card_allows_are_a_fault(engine: Engine) -> None:
    fill(engine, [project(n, f"K{n}") for n in range(1, 11)])
    data = {**copy.deepcopy(CARD), "limits": {"pages": 2}}
    found = list(read_sql(build_card(data, Path("x.yaml")), connection(engine), Window()))
    assert isinstance(found[-1], PageFault) and isinstance(found[-1].error, LimitExceeded)
    assert [page.number for page in found] == [1, 2, 3]


def test_a_page_costs_few_statements(engine: Engine) -> None:
    fill(engine, [project(n, f"K{n:03}") for n in range(1, 101)], [item(n, f"K{n:03}", f"I{n}") for n in range(1, 101)])
    seen: list[str] = []
    event.listen(Engine, "before_cursor_execute", lambda c, cur, statement, *rest: seen.append(statement))
    assert len(rows_of(read(engine, page_size=50))) == 100
    assert 0 < sum("PROJECT" in s or "ITEM" in s for s in seen) < 25
