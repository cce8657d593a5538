"""Two syncs of one source at the same moment: one waits or gives way, nothing is written twice, nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from include.ledger.database import migrate, open_ledger
from include.ledger.tables import approval_item, batch, project, project_change
from include.sandbox.server import SandboxServer
from tests.platform import connections

ROOT = Path(__file__).resolve().parent.parent
VERB = [sys.executable, "-m", "include", "sync", "provincial_approval", "--mode", "full"]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    found = f"sqlite:///{tmp_path / 'l.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    migrate(found)
    return str(found)


def count(url: str, table: Any) -> int:
    with open_ledger(url).connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_syncs_at_once_leave_the_ledger_of_one(url: str, tmp_path: Path) -> None:
    with SandboxServer(projects=3000, seed=8) as server:
        environment = os.environ | connections(server) | {"LEDGER_URL": url, "LANDING_URL": str(tmp_path / "landing")}
        for _ in range(2):  # the first time everything is new, the second time nothing is
            both = [
                subprocess.Popen(
                    VERB, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
                )
                for _ in range(3)
            ]
            ends = [(p.communicate(timeout=120), p.returncode) for p in both]
            for (said, errors), code in ends:
                assert "Traceback" not in errors, errors
                # 2: a newer batch was merged in the meantime, which is said in one sentence
                assert code in (0, 1) or (code == 2 and "which was merged already" in said), (code, said, errors)
            assert min(code for _, code in ends) in (0, 1)
        truth = server.truth()["provincial"]
    assert count(url, project) == truth["good"]
    assert count(url, approval_item) == truth["good_items"]
    assert count(url, project_change) == 0
    assert count(url, batch) >= 2
