"""`keep_house` in Airflow's own test executor: every kind by its Chinese name, trial runs, and a failure that is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from include.house_commands import TITLES
from include.house_tasks import KINDS
from include.landing.store import LandingStore
from include.ledger.database import open_ledger
from tests.dags.test_judging_runs import states
from tests.house.household import Household, ago

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow"), pytest.mark.filterwarnings("default")]


@pytest.fixture
def home(own_ledger: None, tmp_path: Path) -> Household:
    found = Household(open_ledger(), LandingStore(str(tmp_path / "landing")), tmp_path)
    found.land(ago(900), "old")
    found.land(ago(800), "newer", full=True)
    return found


def test_a_night_removes_by_kind_and_a_trial_run_nothing(dags: Any, home: Household) -> None:
    dag = dags["keep_house"]
    looked = dag.test(run_conf={"dry_run": True})
    assert str(looked.state) == "success", states(looked)
    assert home.texts() == {"old", "newer"}
    run = dag.test(run_conf={"dry_run": False})
    assert states(run) == {name: {"success"} for name in ("review", "retain", "report")}
    named = {i.rendered_map_index for i in run.get_task_instances() if i.task_id == "retain"}
    assert named == set(TITLES.values())
    assert len(named) == len(KINDS)
    assert home.texts() == {"newer"}


def test_a_retention_that_cannot_be_read_fails_the_run(
    dags: Any, home: Household, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "retention.yaml").write_text("last_releases: none\n", "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path / "config"))
    run = dags["keep_house"].test()
    assert str(run.state) == "failed"
    assert states(run)["report"] == {"failed"}
    assert home.texts() == {"old", "newer"}
