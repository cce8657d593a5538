"""Two syncs of one source at the same moment: one waits or gives way, nothing is written twice, nothing is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from include.ledger.database import migrate, open_ledger
from include.ledger.tables import approval_item, batch, project, project_change
from include.sandbox.server import SandboxServer
from tests.command import command
from tests.depth import deep
from tests.platform import connections

VERB = ("sync", "provincial_approval", "--mode", "full")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    found = f"sqlite:///{tmp_path / 'l.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    migrate(found)
    return str(found)


def count(url: str, table: Any) -> int:
    with open_ledger(url).connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_syncs_at_once_leave_the_ledger_of_one(url: str, tmp_path: Path) -> None:
    with SandboxServer(projects=deep(1000, 3000), seed=8) as server, ThreadPoolExecutor(3) as at_once:
        environment = connections(server) | {"LEDGER_URL": url, "LANDING_URL": str(tmp_path / "landing")}
        for _ in range(2):  # the first time everything is new, the second time nothing is
            done = list(at_once.map(lambda _: command(*VERB, **environment), range(3)))
            for one in done:
                assert "Traceback" not in one.stderr, one.stderr
                # 2: a newer batch was merged in the meantime, which is said in one sentence
                is_late = one.returncode == 2 and "which was merged already" in one.stdout
                assert one.returncode in (0, 1) or is_late, one
            assert min(one.returncode for one in done) in (0, 1)
        truth = server.truth()["provincial"]
    assert count(url, project) == truth["good"]
    assert count(url, approval_item) == truth["good_items"]
    assert count(url, project_change) == 0
    assert count(url, batch) >= 2
