"""The board in Airflow's own api-server, in process: behind its login, by its rights, in its navigation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

# On the worker that imports Airflow for the DAGs: another would import it for this file alone.
pytestmark = pytest.mark.xdist_group("airflow")
PASSWORD = "a-password-of-a-test"
PATHS = {"page": "/shuheng/findings?state=all", "api": "/shuheng/api/v1/findings", "file": "/shuheng/static/x/y"}


@pytest.fixture
def server(empty: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return Airflow's application with its simple auth manager and a user who only looks."""
    passwords = tmp_path / "passwords.json"
    passwords.write_text(json.dumps({"leader": PASSWORD, "admin": PASSWORD}), "utf-8")
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "leader:viewer,admin:admin")
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", str(passwords))
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "s" * 64)
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://airflow")
    from airflow.api_fastapi.app import create_app, purge_cached_app
    from airflow.utils.db import initdb

    initdb()
    purge_cached_app()
    yield create_app()
    purge_cached_app()


async def _ask(app: Any) -> dict[str, httpx.Response]:
    found = {}
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://airflow") as client,
    ):
        for name, path in PATHS.items():
            found[f"{name} without login"] = await client.get(path)
        found["login"] = await client.get(found["page without login"].headers["location"])
        for user in ("leader", "admin"):
            answer = await client.post("/auth/token", json={"username": user, "password": PASSWORD})
            token = answer.json()["access_token"]
            bearer = {"Authorization": f"Bearer {token}"}
            found[f"api for {user}"] = await client.get("/shuheng/api/v1/findings", headers=bearer)
            found[f"page for {user}"] = await client.get("/shuheng/", headers={"Cookie": f"_token={token}"})
        found["plugins"] = await client.get("/api/v2/plugins", headers=bearer)
        found["forged"] = await client.get("/shuheng/api/v1/findings", headers={"Authorization": "Bearer x.y.z"})
    return found


@pytest.mark.airflow
@pytest.mark.filterwarnings("ignore")
def test_airflow_lets_in_whom_it_knows(server: Any) -> None:
    found = asyncio.run(_ask(server))
    assert {name: a.status_code for name, a in found.items()} == {
        "page without login": 303, "api without login": 401, "file without login": 303, "login": 307, "api for leader": 200,
        "page for leader": 200, "api for admin": 200, "page for admin": 200, "plugins": 200, "forged": 403,
    }  # fmt: skip
    assert (
        found["page without login"].headers["location"] == "/api/v2/auth/login?next=%2Fshuheng%2Ffindings%3Fstate%3Dall"
    )
    assert found["login"].headers["location"] == "/auth/login?next=%2Fshuheng%2Ffindings%3Fstate%3Dall"
    assert found["api without login"].headers["content-type"] == "application/problem+json"
    assert 'href="/shuheng/findings"' in found["page for leader"].text
    assert 'href="/"' in found["page for leader"].text
    ours = next(p for p in found["plugins"].json()["plugins"] if p["name"] == "shuheng_board")
    entry, tab = ours["external_views"]
    assert (entry["href"], entry["destination"], entry["url_route"]) == ("/shuheng/", "nav", None)
    assert tab["href"] == "/shuheng/dags/{DAG_ID}"


@pytest.mark.airflow
def test_the_board_is_not_built_before_it_is_asked_for() -> None:
    """Every process of Airflow loads plugins, the tasks' own as well."""
    import subprocess
    import sys

    code = (
        "import sys, shuheng_board; print([m for m in ('include.board.app', 'jinja2.environment') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environment(), timeout=120
    )
    assert done.stdout.strip().splitlines()[-1].startswith("[")
    assert "include.board.app" not in done.stdout


def _environment() -> dict[str, str]:
    import os

    from include.settings import ROOT

    return {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}"}
