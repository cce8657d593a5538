"""A board over a planted city, on both databases: who asks is let in, or not, by a header."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request
from sqlalchemy import Engine

from include.board.app import make_app
from include.ledger.database import migrate, open_ledger
from tests.board.asking import Board
from tests.board.planted import plant
from tests.postgres_server import fresh_database
from tests.rules.evidence import DAY, at

MAY = "x-may"
"""The header by which a test says who asks: nobody without it, somebody without the right with `no`."""


def require(request: Request) -> None:
    """Let those in who may look."""
    if MAY not in request.headers:
        raise HTTPException(401)
    if request.headers[MAY] == "no":
        raise HTTPException(403)


def mounted(clock: Callable[[], datetime] = lambda: at(DAY, 12)) -> FastAPI:
    """Return the board below its prefix, as Airflow mounts it."""
    outer = FastAPI(openapi_url=None)
    outer.mount("/shuheng", make_app(require, lambda request: f"/login?next={request.scope['path']}", clock))
    return outer


@pytest.fixture(scope="session")
def application() -> FastAPI:
    """Return the board as an application: it opens whatever ledger the settings name at each request."""
    return mounted()


@pytest.fixture
def board(application: FastAPI) -> Board:
    """Return a board over whatever ledger the settings name."""
    return Board(httpx.ASGITransport(application, raise_app_exceptions=False), {MAY: "yes"})


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def planted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Plant the city once on each database: nothing that looks at it changes it."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('city') / 'ledger.db'}"
        else:
            url = stack.enter_context(fresh_database(request.getfixturevalue("postgres_server")))
        migrate(url)
        engine = open_ledger(url)
        plant(engine)
        yield engine
        engine.dispose()


@pytest.fixture
def city(planted: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Return the ledger of the planted city, and let the settings name it."""
    monkeypatch.setenv("LEDGER_URL", planted.url.render_as_string(hide_password=False))
    return planted


@pytest.fixture
def empty(migrated_sqlite: Path, tmp_path: Path) -> None:
    """Let the settings name a migrated ledger that holds nothing."""
    shutil.copy(migrated_sqlite, tmp_path / "ledger.db")
