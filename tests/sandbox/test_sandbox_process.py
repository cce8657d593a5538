"""The sandbox as a process: one ready line, a clean end, one sentence when it cannot start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from include.sandbox.airflow_home import connection_environment
from include.sandbox.cli import main

ROOT = Path(__file__).resolve().parents[2]
CONNECTIONS = {
    *("PROVINCIAL_APPROVAL", "ZJ_PROJECTS", "APPROVAL_FRONTDB", "ANNUAL_PLAN", "EXCHANGE", "CITY_CLOUD"),
    *("USAGE_STATISTICS", "SYSTEM_REGISTER", "PROJECT_DOSSIER", "USAGE_FILES", "PROBING"),
    *("CKAN_PORTAL", "DCAT_PORTAL", "DATAJSON_PORTAL", "MUNICIPAL_PORTAL", "CATALOGUE_FILES"),
    *("ALERT_DINGTALK", "ALERT_WECOM", "ALERT_FEISHU", "ALERT_MAIL", "ALERT_WEBHOOK"),
}
START = "import sys; from include.sandbox.cli import main; sys.exit(main(sys.argv[1:]))"


def started(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", START, *arguments]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_process_says_ready_and_ends_with_zero(how: signal.Signals, tmp_path: Path):
    home = tmp_path / "home"
    arguments = [
        "--projects",
        "60",
        "--port",
        "0",
        "--home",
        str(home),
        "--fault",
        "slow_drip",
        "--appkey",
        "k" * 32,
    ]
    process = started(*arguments, SANDBOX_CONTROL_TOKEN="open-sesame")
    assert process.stdout
    ready = json.loads(process.stdout.readline())
    assert ready["ready"] is True
    assert ready["provincial"]["appkey"] == "k" * 32
    assert ready["control_token"] == "open-sesame"
    headers = {"x-control-token": "open-sesame"}
    truth = requests.get(f"{ready['url']}/control/truth", headers=headers, timeout=5).json()
    assert truth["provincial"]["listed"] == 60
    assert (home / "frontdb.sqlite").exists()
    assert (home / "plans" / "2027年度计划.xlsx").exists()
    assert list(Path(ready["register"]).glob("*.xlsx"))
    assert list(Path(ready["usage_files"]).glob("*.csv"))
    assert len(list(Path(ready["catalogues"]["workbooks"]).iterdir())) == 2
    assert Path(ready["gateway"]["ca_file"]).exists()
    assert Path(ready["channels"]["mail"]["ca_file"]).exists()
    assert set(ready["channels"]) == {"dingtalk", "wecom", "feishu", "webhook", "mail"}
    assert {name.removeprefix("AIRFLOW_CONN_") for name in connection_environment(ready)} == CONNECTIONS
    process.send_signal(how)
    _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")


def test_taken_port_is_one_clear_sentence(capsys: pytest.CaptureFixture[str]):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        assert main(["--projects", "20", "--port", str(port), "--no-files"]) == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert f"127.0.0.1:{port}" in errors
    assert "--port" in errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--projects", "0"], "at least one project"),
        (["--fault", "nonsense"], "unknown scenario"),
        (["--fault", "missing_days:zj"], "not of zj"),
        (["--systems", "0"], "at least one system"),
        (["--catalogue-entries", "0"], "at least one catalogue entry"),
        (["--fault", "recoined:cloud"], "not of cloud"),
        (["--port", "0", "--no-files", "--frontdb", "sqlite:////no/such/folder/x.db"], "front-end database"),
    ],
)
def test_wrong_arguments_end_with_two(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_help_names_the_options(capsys: pytest.CaptureFixture[str]):
    assert main(["--help"]) == 0
    assert "--secret-seconds" in capsys.readouterr().out
