"""Nothing is shown to who is not logged in or may not look, and nobody can change anything."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, select
from starlette.routing import Mount, Route

from include.ledger.tables import metadata
from tests.board.asking import ROOT, Board
from tests.board.conftest import MAY, mounted

FILLED = {
    "finding_id": "0" * 32,
    "message_id": "0" * 32,
    "dag_id": "x",
    "digest": "d",
    "name": "board.css",
    "code": "c",
    "path": "p",
}


def _addresses() -> list[str]:
    """Return an address for every route that the board has, those of mounted parts included."""
    outer = mounted()
    boards = [r.app for r in outer.routes if isinstance(r, Mount)]
    assert len(boards) == 1
    assert isinstance(boards[0], FastAPI)
    routes = boards[0].routes
    assert all(isinstance(route, Route) for route in routes), "a mounted part would stand before the login"
    return [
        ROOT + re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: FILLED[m[1]], route.path)
        for route in routes
        if isinstance(route, Route)
    ]


ADDRESSES = _addresses()
PLACES = pytest.mark.parametrize(
    "address", [*ADDRESSES, f"{ROOT}/docs", f"{ROOT}/openapi.json", f"{ROOT}/nope", f"{ROOT}/"]
)


def test_there_are_all_the_routes_to_walk() -> None:
    api = [a for a in ADDRESSES if a.startswith(f"{ROOT}/api/")]
    assert len(api) >= 12
    assert len(ADDRESSES) - len(api) >= 12


@PLACES
def test_nobody_sees_anything_without_login(board: Board, address: str) -> None:
    for method in ("GET", "HEAD"):
        answer = board.ask(address, method, alone=True)
        if address.startswith(f"{ROOT}/api/"):
            assert answer.status_code == 401
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == "Bearer"
        else:
            assert answer.status_code == 303
            assert answer.headers["location"] == f"/login?next={address}"
            assert not answer.content


@PLACES
def test_nobody_sees_anything_without_the_right(board: Board, address: str) -> None:
    answer = board.ask(address, headers={MAY: "no"}, alone=True)
    assert answer.status_code == 403
    assert "没有查看权限" in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_nothing_can_be_sent(board: Board, method: str) -> None:
    for address in ADDRESSES:
        answer = board.ask(address, method)
        assert answer.status_code == 405, address
        assert answer.headers["allow"] == "GET"


def test_looking_changes_nothing(city: Engine, board: Board) -> None:
    before = _everything(city)
    finding_id = board.get("/findings")["items"][0]["finding_id"]
    for address in [*ADDRESSES, f"{ROOT}/findings/{finding_id}?is_again=true", f"{ROOT}/systems/busy"]:
        assert board.ask(address).status_code in (200, 303, 404)
    assert _everything(city) == before


def _everything(engine: Engine) -> dict[str, list[object]]:
    with engine.connect() as connection:
        found = {t.name: sorted(map(repr, connection.execute(select(t)))) for t in metadata.sorted_tables}
    assert sum(map(len, found.values())) > 500
    return found
