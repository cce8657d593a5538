"""Rows of a front-end database that no page can hold speak against the read, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from include.errors import LimitExceeded
from include.sources.page import ROWS_LEFT_OUT, PageFault, Window
from include.sources.raw_page import RawPage
from include.sources.sql_reader import read_sql
from tests.sources import test_sql_reader
from tests.sources.test_sql_reader import PROJECT, card, connection, fill, item, project, rows_of

engine = test_sql_reader.engine


@pytest.mark.parametrize("is_child", [False, True])
def test_a_page_larger_than_allowed_ends_the_read_and_what_came_before_is_kept(engine: Engine, is_child: bool) -> None:
    name = "长" * 90
    many = [item(n, "K4", f"I{n}") for n in range(1, 31)]
    fill(engine, [project(n, f"K{n}", NAME="" if is_child or n < 4 else name) for n in range(1, 7)], many * is_child)
    small = replace(card(), limits=replace(card().limits, page_bytes=1000))
    pages = list(read_sql(small, connection(engine), Window()))
    assert [len(page.rows) for page in pages[:-1] if isinstance(page, RawPage)] == [3]
    (fault,) = pages[1:]
    assert isinstance(fault, PageFault) and isinstance(fault.error, LimitExceeded)
    assert "larger than 1000 bytes (page_bytes)" in str(fault.error) and name not in str(fault.error)


def read_in_part(engine: Engine, **sql: object) -> tuple[list[RawPage], list[str]]:
    """Return the pages, and what the faults behind them say."""
    *pages, last = list(read_sql(card(**sql), connection(engine), Window()))
    assert isinstance(last, PageFault) and last.code == ROWS_LEFT_OUT
    return [page for page in pages if isinstance(page, RawPage)], [str(last.error)]


def test_children_without_a_key_are_left_out_and_speak_against_the_read(engine: Engine) -> None:
    fill(engine, [project(1, "A")], [item(1, "A", None), item(2, "A", "I1")])
    pages, said = read_in_part(engine)
    assert [i["SERIAL"] for i in rows_of(pages)[0]["ITEMS"]] == [2]
    assert [text.split(" were")[0] for text in said] == ["1 rows of ITEM without ITEM_ID"]


def test_rows_without_an_order_number_are_left_out_and_speak_against_the_read(engine: Engine) -> None:
    fill(engine, [project(1, "A"), project(2, "B", CHANGED=None)])
    pages, said = read_in_part(engine, order="CHANGED")
    assert [r["CODE"] for r in rows_of(pages)] == ["A"]
    assert [text.split(" were")[0] for text in said] == ["1 rows of PROJECT without CHANGED"]


def test_a_row_that_loses_its_order_number_during_the_read_counts(engine: Engine) -> None:
    fill(engine, [project(n, f"K{n}") for n in range(1, 8)])
    reading = read_sql(card(order="CHANGED"), connection(engine), Window())
    assert isinstance(next(reading), RawPage)
    with engine.begin() as database:
        database.execute(PROJECT.update().where(PROJECT.c.CODE == "K6").values(CHANGED=None))
    *_, last = reading
    assert isinstance(last, PageFault) and "1 rows of PROJECT without CHANGED" in str(last.error), last
