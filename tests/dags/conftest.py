"""What the tests of judging DAGs stand on: Airflow's own database, the DAGs parsed anew, and a platform over a migrated ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.ledger.database import migrate
from include.sandbox.server import SandboxServer
from include.settings import ROOT
from tests.platform import platform


@pytest.fixture(scope="module")
def database() -> None:
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture
def dags(database: None) -> Any:
    """Parse anew for each test: a test run leaves its form's values in the DAG."""
    from airflow.dag_processing.dagbag import DagBag

    return without_deadlines(DagBag(str(ROOT / "dags")).dags)


def without_deadlines(dags: dict[str, Any]) -> dict[str, Any]:
    """Take the deadlines out: in Airflow 3.3.2 `dag.test()` looks for rows of them that only a stored DAG has, and breaks."""
    for dag in dags.values():
        dag.deadline = None
    return dags


@pytest.fixture
def city(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SandboxServer]:
    migrate()
    with platform(monkeypatch, projects=200, seed=4, systems=60, home=tmp_path / "sandbox") as server:
        yield server
