"""docker-compose.yml as far as it can be read and tried without an engine; docs/runbooks/compose.md tells of the real run."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.settings import ROOT

ONCE = {"databases", "airflow-init"}
"""Services that end by themselves."""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    return found


def test_whatever_stays_up_is_started_again_and_tells_its_health(services: dict[str, Any]) -> None:
    staying = {name: service for name, service in services.items() if name not in ONCE}
    assert len(staying) >= 8
    assert not [name for name, service in staying.items() if "healthcheck" not in service]
    assert not [name for name, service in staying.items() if service.get("restart") != "unless-stopped"]


@pytest.mark.usefixtures("own_ledger")
def test_the_watch_looks_and_says_that_it_has(services: dict[str, Any], tmp_path: Path) -> None:
    shell, option, script = services["watch"]["command"]
    script = script.replace("$$", "$").replace("${WATCH_SECONDS:-900}", "600")
    bin_folder = ROOT / ".venv" / "bin"
    environment = os.environ | {
        "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PATH": f"{bin_folder}:{os.environ['PATH']}",
    }  # fmt: skip
    with subprocess.Popen([shell, option, script], cwd=ROOT, env=environment, start_new_session=True) as process:
        try:
            until = time.monotonic() + 60
            while not (tmp_path / "looked").exists() and time.monotonic() < until:
                assert process.poll() is None, "the watch ended"
                time.sleep(0.2)
        finally:
            os.killpg(process.pid, 9)
    assert (tmp_path / "looked").exists()
    (kind, test) = services["watch"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    asked = ["/bin/sh", "-c", test.replace("$$", "$")]
    assert subprocess.run(asked, env=environment, check=False).returncode == 0
    os.utime(tmp_path / "looked", (0, 0))
    assert subprocess.run(asked, env=environment, check=False).returncode == 1
