"""One stack for all tests of this folder, which go on from where the one before ended: what starting Airflow takes is spent once.

The modules come in the order of `LONG`: first things go wrong and are told, then all is well, in the end everything is stopped.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from include.alerts.pipelines import SHIPPED
from include.sandbox.airflow_home import Home
from include.sandbox.stack import Stack, StackOptions
from include.settings import ROOT
from include.sources.outlines import SHIPPED as CARDS
from tests.depth import deep
from tests.e2e.city.running import HUNG, KILLED, close_dag
from tests.e2e.city.story import Heard, told_of_faults
from tests.e2e.free_ports import free_ports

SIZE = deep(100, 400)
OFF = deep(
    (
        "assessments", "attestations", "department_years", "performance_reviews", "plan_years", "rectifications", "suspensions",
        "catalogue_frontdb", "datajson_portal", "dcatus3_portal", "department_components", "municipal_portal",
    ),
    (),
)  # fmt: skip
"""Cards that are turned off: each is two tasks more of a lane that others take as well.

In the suite tests/dags runs every dossier's, and `test_catalogues_as_planted` reads every catalogue.
"""
WITHOUT_RETRIES = '''"""The project's own DAG; only its retries are left out, which would mend it in minutes."""
from airflow.sdk import DAG
from dags.wiring import lanes
lanes.DEFAULTS["retries"] = 0
from dags.sync_projects import sync_projects
dag: DAG = sync_projects()
'''
HANGING = '''"""The project's own DAG; only its review hangs as long as a file lies beside this one."""
import time
from pathlib import Path
from airflow.sdk import DAG
from include import house_tasks
review_week = house_tasks.review_week
def hang_and_review() -> dict[str, object]:
    while Path(__file__).with_suffix(".hangs").exists():
        time.sleep(0.2)
    return review_week()
house_tasks.review_week = hang_and_review
from dags.keep_house import keep_house
dag: DAG = keep_house()
'''
IMPORTED_ONCE = '''"""What every task and every parsing imports, imported where they are forked from."""
import sys
if {"scheduler", "dag-processor"} & {*sys.argv}:
    import airflow.sdk.execution_time.task_runner
    import dags.wiring.lanes
    import include.delivery_tasks, include.findings.judging, include.harvest_tasks, include.ledger.sync, include.sources.http
'''
"""Spares a third of what a task takes. Not for `make run`: there it would hide what somebody edits."""


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The project's DAGs over a city of its own; one of them is late after a minute, which is the shortest that can be set."""
    home = Home(tmp_path_factory.mktemp("city"))
    configure(home)
    dags = home.path / "dags"
    dags.mkdir()
    for file in (ROOT / "dags").glob("*.py"):
        (dags / file.name).symlink_to(file)
    for name, text in ((KILLED, WITHOUT_RETRIES), (HUNG, HANGING)):
        (dags / f"{name}.py").unlink()
        (dags / f"{name}.py").write_text(text, "utf-8")
    port, sandbox_port = free_ports(2)
    with Stack(StackOptions(home, port, sandbox_port, size=SIZE, dags=dags)) as running:
        yield running
        (dags / f"{HUNG}.hangs").unlink(missing_ok=True)


def configure(home: Home) -> None:
    """Write what this city has of its own: when a run is late, which sources it does not use, and how Airflow starts."""
    shipped = yaml.safe_load(SHIPPED.read_text("utf-8"))["pipelines"]
    own = {"pipelines": {HUNG: {**shipped[HUNG], "late_after_minutes": 1}}}
    (home.config / "sources").mkdir(parents=True)
    (home.config / SHIPPED.name).write_text(yaml.safe_dump(own, allow_unicode=True), "utf-8")
    (home.airflow / "config").mkdir(parents=True)
    (home.airflow / "config" / "airflow_local_settings.py").write_text(IMPORTED_ONCE, "utf-8")
    for source in OFF:
        card = (CARDS / f"{source}.yaml").read_text("utf-8")
        assert "\nenabled:" not in card, source
        (home.config / "sources" / f"{source}.yaml").write_text(f"{card}\nenabled: false\n", "utf-8")


@pytest.fixture(scope="package")
def heard(stack: Stack) -> Heard:
    """What the operator heard of a hung run, a killed task and a DAG that nobody started, while the city was read and judged."""
    return told_of_faults(stack)


@pytest.fixture(scope="package")
def kept(city: Stack, heard: Heard) -> str:
    """How the run ended that had hung, now that it goes on; then nothing runs any more."""
    heard.hangs.unlink()
    state = city.api.wait(HUNG, heard.hung, 120, city.processes.check)
    close_dag(city, HUNG)
    return state


@pytest.fixture(scope="package")
def city(stack: Stack, heard: Heard) -> Stack:
    """The stack whose city has been read and judged by every DAG that judges; nobody has been told of it yet."""
    return stack
