"""One stack for all tests of this folder; the first may kill and hang what they like, the last ends it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from include.alerts.pipelines import SHIPPED
from include.sandbox.airflow_home import Home
from include.sandbox.stack import Stack, StackOptions
from include.settings import ROOT
from tests.e2e.free_ports import free_ports

KILLED, HUNG, PAUSED = "sync_projects", "keep_house", "harvest_catalogues"
DELIVERING, SCHEDULED = "deliver_alerts", "evaluate_rules"
WITHOUT_RETRIES = '''"""The project's own DAG; only its retries are left out, which would mend it in minutes."""
from airflow.sdk import DAG
from dags.wiring import lanes
lanes.DEFAULTS["retries"] = 0
from dags.sync_projects import sync_projects
dag: DAG = sync_projects()
'''


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The DAGs of five pipelines; one is late after a minute, which is the shortest that can be set."""
    home = Home(tmp_path_factory.mktemp("town"))
    home.config.mkdir()
    shipped = yaml.safe_load(SHIPPED.read_text("utf-8"))["pipelines"]
    own = {"pipelines": {HUNG: {**shipped[HUNG], "late_after_minutes": 1}}}
    (home.config / SHIPPED.name).write_text(yaml.safe_dump(own, allow_unicode=True), "utf-8")
    dags = home.path / "dags"
    dags.mkdir()
    (dags / f"{KILLED}.py").write_text(WITHOUT_RETRIES, "utf-8")
    for name in (HUNG, PAUSED, DELIVERING, SCHEDULED):
        (dags / f"{name}.py").symlink_to(ROOT / "dags" / f"{name}.py")
    port, sandbox_port = free_ports(2)
    with Stack(StackOptions(home, port, sandbox_port, size=60, dags=dags)) as running:
        for name in (HUNG, KILLED, DELIVERING):
            running.open_dag(name)
        yield running
