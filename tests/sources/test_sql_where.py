"""The sql reader's condition on the latest row of a key: one that does not meet it counts as gone."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.sources import test_sql_reader
from tests.sources.test_sql_reader import card, connection, fault, fill, project, read, rows_of

engine = test_sql_reader.engine


@pytest.mark.parametrize("valid", [1, "1"])
def test_a_key_whose_latest_row_is_not_wanted_counts_as_gone(engine: Engine, valid: object) -> None:
    history = [project(1, "a"), project(2, "b"), project(3, "a", VALID=0), project(4, "c", VALID=0), project(5, "c")]
    fill(engine, [*history, *(project(n, f"x{n}", VALID=0) for n in range(6, 16))])
    pages = read(engine, where={"VALID": valid})
    assert {r["CODE"]: r["SERIAL"] for r in rows_of(pages)} == {"b": 2, "c": 5}
    assert {page.declared_rows for page in pages} == {2}
    assert pages[-1].is_last


def test_a_wanted_column_that_is_missing_is_named(engine: Engine) -> None:
    fill(engine, [project(1, "a")])
    assert "GONE" in str(fault(card(where={"GONE": 1}), connection(engine)).error)
