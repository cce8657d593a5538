"""What the tests of judging DAGs stand on: Airflow's own database, the DAGs parsed anew, and a platform over a migrated ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.sandbox.server import SandboxServer
from include.settings import ROOT
from tests.platform import platform

BUNDLE = {"name": "dags-folder", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle"}


@pytest.fixture(scope="session")
def database() -> None:
    from airflow.utils.db import initdb

    initdb()


class Dags:
    """The DAGs by their names; the one that is taken is all that Airflow then knows, for `dag.test()` parses and stores them all.

    Each is parsed anew when it is taken: a test run leaves its form's values in the DAG.
    """

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder, self._patch = folder, patch

    def __getitem__(self, dag_id: str) -> Any:
        from airflow.dag_processing.dagbag import DagBag

        folder = self._folder / dag_id
        if not folder.exists():
            folder.mkdir(parents=True)
            (folder / f"{dag_id}.py").symlink_to(ROOT / "dags" / f"{dag_id}.py")
        # Not the setting of the folder, which Airflow read when it was imported and reads no more.
        self._patch.setenv(
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps([BUNDLE | {"kwargs": {"path": str(folder)}}])
        )
        return without_deadlines(DagBag(str(folder)).dags)[dag_id]


@pytest.fixture
def dags(database: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Dags:
    return Dags(tmp_path / "dags", monkeypatch)


def without_deadlines(dags: dict[str, Any]) -> dict[str, Any]:
    """Take the deadlines out: in Airflow 3.3.2 `dag.test()` looks for rows of them that only a stored DAG has, and breaks."""
    for dag in dags.values():
        dag.deadline = None
    return dags


@pytest.fixture
def city(own_ledger: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SandboxServer]:
    with platform(monkeypatch, projects=60, seed=4, systems=60, home=tmp_path / "sandbox") as server:
        yield server
