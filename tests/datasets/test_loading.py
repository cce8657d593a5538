"""Arrow is loaded where there is something to publish, when the database is at work already, and leaves no trace but itself."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from include.datasets import export as exporting
from include.datasets.export import export
from include.ledger.snapshot import glance
from include.settings import ROOT
from tests.datasets.made_rows import made_dataset, plant, row


@pytest.mark.parametrize("ledger_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_the_database_is_at_work_while_what_reads_its_lines_is_loaded(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(engine, [row(f"{n:02}") for n in range(20)])
    begin, seen = exporting._Writing.begin, list[str]()
    asked = "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'COPY%'"

    def looking(writing: Any) -> None:
        deadline = time.monotonic() + 30
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
            while not seen and time.monotonic() < deadline:
                seen.extend(other.execute(text(asked)).scalars())
        begin(writing)

    with engine.begin() as connection:
        slow = "SELECT made.* FROM made, LATERAL (SELECT pg_sleep(0.05 + 0 * length(code))) AS late"
        connection.execute(text(f"CREATE OR REPLACE VIEW shops AS {slow}"))
    monkeypatch.setattr(exporting._Writing, "begin", looking)
    with glance(engine) as connection:
        assert export(connection, made_dataset(), tmp_path).rows == 20
    assert len(seen) == 1 and "shops" in seen[0]


def test_files_that_cannot_be_opened_are_heard_of(engine: Engine, tmp_path: Path) -> None:
    plant(engine, [row(f"{n:04}") for n in range(500)])
    with glance(engine) as connection:
        with pytest.raises(FileNotFoundError):
            export(connection, made_dataset(), tmp_path / "nowhere")
        assert connection.execute(text("SELECT count(*) FROM shops")).scalar() == 500


@pytest.mark.parametrize("given", [None, "3"])
def test_whoever_loads_numpy_leaves_the_settings_as_they_were(
    monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    if given:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", given)
    with exporting._one_thread():
        assert os.environ["OPENBLAS_NUM_THREADS"] == (given or "1")
    assert os.environ.get("OPENBLAS_NUM_THREADS") == given


def test_arrow_is_loaded_by_nobody_who_publishes_nothing() -> None:
    program = "import sys, include.datasets.publication; print(len(sys.modules), 'pyarrow' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert int(said.split()[0]) > 100 and said.split()[1] == "False"
