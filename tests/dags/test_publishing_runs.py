"""`publish_datasets` as a whole in Airflow's own test executor: it publishes, and tells what it held back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from include.datasets.definitions import DATASETS
from include.ledger.database import open_ledger
from tests.dags.test_judging_runs import states
from tests.datasets.made_rows import guard_them

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow"), pytest.mark.filterwarnings("default")]


def _current(tmp_path: Path) -> dict[str, Any]:
    return dict(json.loads((tmp_path / "datasets" / "current.json").read_text("utf-8"))["datasets"])


def test_it_publishes_and_a_data_set_that_fails_fails_the_report_alone(
    dags: Any, own_ledger: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    guard_them(monkeypatch, tmp_path / "config", DATASETS)
    run = dags["publish_datasets"].test()
    assert str(run.state) == "success", states(run)
    assert states(run) == {
        "append": {"success"}, "publish": {"success"}, "monthly_report": {"skipped"}, "report": {"success"},
    }  # fmt: skip
    assert {name: entry["rows"] for name, entry in _current(tmp_path).items()} == dict.fromkeys(DATASETS, 0)

    with open_ledger().begin() as connection:
        connection.exec_driver_sql("DROP VIEW dossier")
    again = dags["publish_datasets"].test(run_conf={"accept": ["dossier"]})
    assert str(again.state) == "failed"
    assert (states(again)["publish"], states(again)["report"]) == ({"success"}, {"failed"})
    held = {
        name: entry["held_back"]["reasons"][0]["guard"]
        for name, entry in _current(tmp_path).items()
        if entry["held_back"]
    }
    assert held == {"dossier": "view"}
