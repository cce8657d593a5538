"""The supervisor of `make run`: what it refuses, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from include.__main__ import build_parser
from include.errors import ConfigurationError
from include.sandbox.airflow_home import Home, airflow_environment
from include.sandbox.demo import JUDGING
from include.sandbox.demo_report import VERBS
from include.sandbox.processes import ComponentFailed, Port, Processes, require_free
from include.settings import ROOT
from tests.depth import deep
from tests.e2e.free_ports import free_ports

pytestmark = pytest.mark.xdist_group("heavy")
DEMO = [sys.executable, "-m", "include.sandbox.demo"]
# With Airflow half up there are four, and nothing else to stop than when it is up, which `small_town` ends with.
SAID, PROCESSES = deep(("starting Airflow: api-server", 4), ("starting Airflow: scheduler, triggerer", 5))


def _environment(home: Path, **more: object) -> dict[str, str]:
    return {**os.environ, "SHUHENG_HOME": str(home), "SIZE": "200", **{k: str(v) for k, v in more.items()}}


def _run(home: Path, *arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DEMO, *arguments], cwd=ROOT, env=_environment(home, **more), capture_output=True, text=True, timeout=120
    )


def _of_home(home: Path) -> list[psutil.Process]:
    """Return the processes that name this home in their command or environment."""
    found = []
    for process in psutil.process_iter():
        try:
            text = " ".join([*process.cmdline(), *process.environ().values()])
        except (psutil.Error, OSError):
            continue
        if str(home) in text and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def test_ports_that_are_taken_are_all_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        ports = {"PORT": one.getsockname()[1], "SANDBOX_PORT": two.getsockname()[1]}
        done = _run(tmp_path, ONCE=1, **ports)
    assert done.returncode == 2
    for variable, number in ports.items():
        assert f"port {number} (" in done.stdout
        assert f"choose another with {variable}=" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["running.json"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"PORT": "abc"}, "PORT='abc' is not a port"),
        ({"SANDBOX_PORT": "80"}, "SANDBOX_PORT='80' is not a port"),
        ({"SIZE": "many"}, "SIZE='many' is not a number"),
        ({"PORT": "18999", "SANDBOX_PORT": "18999"}, "are both 18999"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_exit_code_2(tmp_path: Path, settings: dict[str, str], words: str) -> None:
    done = _run(tmp_path, **settings)
    assert done.returncode == 2
    assert words in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_every_dag_that_judges_is_there_and_shown_by_a_verb_of_its_own() -> None:
    assert set(JUDGING) == set(VERBS)
    for dag, verb in VERBS.items():
        assert (ROOT / "dags" / f"{dag}.py").is_file()
        assert build_parser().parse_args([*verb, "--json"]).json


def test_settings_of_whoever_starts_it_neither_reach_airflow_nor_keep_modules_from_being_compiled_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "99")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("LANG", "of-whoever-starts-it")
    home = Home(tmp_path)
    home.prepare()
    found = airflow_environment(home, 18080)
    assert found["LANG"] == "of-whoever-starts-it"
    assert found["AIRFLOW__CORE__PARALLELISM"] != "99"
    assert "PYTHONDONTWRITEBYTECODE" not in found


def test_a_home_made_for_another_size_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "state.json").write_text('{"size": 500, "seed": 7, "days": []}')
    port, sandbox_port = free_ports(2)
    done = _run(tmp_path, PORT=port, SANDBOX_PORT=sandbox_port)
    assert done.returncode == 2
    assert "a sandbox of 500 projects, not 200" in done.stdout


@pytest.mark.e2e
@pytest.mark.timeout(200)
def test_started_twice_it_says_so_and_ctrl_c_leaves_no_process_behind(tmp_path: Path) -> None:
    port, sandbox_port = free_ports(2)
    first = subprocess.Popen(
        DEMO, cwd=ROOT, env=_environment(tmp_path, PORT=port, SANDBOX_PORT=sandbox_port),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert first.stdout is not None
        for line in first.stdout:
            if SAID in line:
                break
        second = _run(tmp_path, PORT=port, SANDBOX_PORT=sandbox_port)
        assert second.returncode == 2
        assert f"running already as process {first.pid}, at http://127.0.0.1:{port}" in second.stdout
        assert first.poll() is None
        before = _of_home(tmp_path)
        assert len(before) >= PROCESSES
        os.killpg(first.pid, signal.SIGINT)  # what a terminal does at Ctrl-C
        rest = first.stdout.read()
        assert first.wait(60) == 130, rest
    finally:
        if first.poll() is None:
            first.kill()
    assert "no process is left" in rest
    assert _of_home(tmp_path) == []
    assert not [process for process in before if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    stopped = _run(tmp_path, "--stop")
    assert (stopped.returncode, stopped.stdout.strip()) == (0, "nothing is running")


def test_a_step_that_fails_stops_the_others_and_shows_the_end_of_its_log(tmp_path: Path) -> None:
    processes = Processes()
    processes.start("sleeper", ["sleep", "600"], os.environ, tmp_path / "sleeper.log")
    steps = {"bad step": ["sh", "-c", "echo the cause >&2; exit 3"]}
    with pytest.raises(ComponentFailed, match="(?s)'bad step' failed with exit code 3.*the cause"):
        processes.run(steps, os.environ, tmp_path)
    assert len(processes.alive()) == 1
    assert processes.stop() == []
    assert processes.alive() == []


def test_one_that_was_asked_to_end_is_missed_by_nobody(tmp_path: Path) -> None:
    processes = Processes()
    one, other = (processes.start(name, ["sleep", "600"], os.environ, tmp_path / name) for name in ("one", "other"))
    processes.end("one")
    assert one.process.poll() == -signal.SIGTERM
    processes.check()
    assert [p.pid for p in processes.alive()] == [other.process.pid]
    processes.stop()


def test_what_ignores_a_term_and_what_left_its_group_is_killed(tmp_path: Path) -> None:
    processes = Processes()
    stubborn = (
        "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    )
    log = tmp_path / "stubborn.log"
    processes.start("stubborn", [sys.executable, "-c", stubborn], os.environ, log)
    away = "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True); import time; time.sleep(600)"
    processes.start("parent", [sys.executable, "-c", away], os.environ, tmp_path / "parent.log")
    deadline = time.monotonic() + 20
    while len(processes.alive()) < 3 or "up" not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    killed = processes.stop(term_seconds=0.5)
    assert killed[0] == "stubborn"
    assert len(killed) == 2 and killed[1].startswith("stray process")
    assert processes.alive() == []


def test_a_process_that_ends_by_itself_is_noticed(tmp_path: Path) -> None:
    processes = Processes()
    component = processes.start("short", ["sh", "-c", "echo bye; exit 4"], os.environ, tmp_path / "short.log")
    component.process.wait(10)
    with pytest.raises(ComponentFailed, match="(?s)short ended by itself with exit code 4.*bye"):
        processes.check()
    processes.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_a_killed_supervisor_takes_its_processes_with_it(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, time\nfrom include.sandbox.processes import Processes\np = Processes()\n"
        f"c = p.start('sleeper', ['sleep', '600'], os.environ, pathlib.Path({str(tmp_path / 'x.log')!r}))\n"
        "print(c.process.pid, flush=True)\ntime.sleep(600)"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    child = psutil.Process(int(supervisor.stdout.readline()))
    assert child.is_running()
    supervisor.kill()
    supervisor.wait()
    child.wait(10)
    assert not child.is_running()


def test_free_ports_pass_and_a_taken_one_is_refused_by_name() -> None:
    (free,) = free_ports(1)
    require_free([Port(free, "nothing", "X")])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"port {number} \(it\) is taken.*IT=…"):
            require_free([Port(free, "nothing", "X"), Port(number, "it", "IT")])


def test_the_lock_of_a_dead_supervisor_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "running.json").write_text(json.dumps({"pid": 1, "url": "http://127.0.0.1:1"}))
    done = _run(tmp_path, "--stop")
    assert (done.returncode, done.stdout.strip()) == (0, "nothing is running")
