"""Whatever is asked of the API, it answers in the form that it describes, and never breaks."""

from __future__ import annotations

from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import Engine

from tests.board.asking import ROOT, Board
from tests.board.conftest import MAY, mounted
from tests.depth import deep

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
FEW = settings(
    max_examples=deep(6, 8), deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
SERVER = pytest.param("postgresql", marks=pytest.mark.postgres)
STRICTER = pytest.mark.parametrize("planted", deep([SERVER], [SERVER, "sqlite"]), indirect=True)
"""Marks what is usually asked of a PostgreSQL alone: it refuses values that SQLite takes."""


@STRICTER
def test_every_operation_answers_as_it_says(city: Engine, board: Board) -> None:
    described = board.get("/openapi.json")
    described["servers"] = [{"url": ROOT}]
    schema = schemathesis.openapi.from_dict(described)
    app, asked = mounted(), 0
    for result in schema.get_all_operations():
        operation = result.ok()
        modes = [schemathesis.GenerationMode.POSITIVE]
        modes += [schemathesis.GenerationMode.NEGATIVE] if list(operation.iter_parameters()) else []
        for mode in modes:

            @given(case=operation.as_strategy(generation_mode=mode))
            @FEW
            def once(case: schemathesis.Case) -> None:
                nonlocal asked
                values = (str(value) for value in (case.path_parameters or {}).values())
                assume(
                    not any({".", ".."} & set(value.split("/")) for value in values)
                )  # clients resolve these themselves
                asked += 1
                answer = case.call(app=app, headers={MAY: "yes"})
                case.validate_response(answer, checks=CHECKS)

            once()
    assert asked > 100


@STRICTER
@given(path=st.text(max_size=40), query=st.text(max_size=60))
@FEW
def test_no_address_breaks_the_board(city: Engine, board: Board, path: str, query: str) -> None:
    for beginning in (
        "/systems/",
        "/projects/",
        "/findings/",
        "/findings?q=",
        "/systems?department=",
        "/api/v1/projects/",
    ):
        answer = board.ask(f"{beginning}{quote(path)}{'&' if '?' in beginning else '?'}{quote(query, safe='=&')}")
        assert answer.status_code in (200, 404, 422), (beginning, path, query)
