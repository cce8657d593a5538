"""A whole local stack as one context: the sandbox and Airflow's real components over one home.

with Stack(StackOptions(home=Home(path))) as stack:
    run_id = stack.api.trigger("sync_projects")
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from include.errors import ConfigurationError
from include.sandbox.airflow_api import AirflowApi
from include.sandbox.airflow_home import HOST, Home, airflow_environment, connection_environment
from include.sandbox.processes import Component, ComponentFailed, Port, Processes, require_free
from include.settings import ROOT

PYTHON = sys.executable
SEED = 7
HEALTH_SECONDS = 180.0
SANDBOX_SECONDS = 120.0
PARSE_SECONDS = 120.0
DAY = {"changes": 0.01, "new": 5, "reissue": 2, "catalogue": {"changes": 0.01, "new": 4, "vanish": 1}}
"""What one day of the sandbox's time brings: a share of changes, new and re-issued projects, some catalogue entries."""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What a stack is made of; `size` is the number of projects, None takes the home's own or 2,000."""

    home: Home
    port: int = 18080
    sandbox_port: int = 18100
    size: int | None = None
    dags: Path = ROOT / "dags"


def _silent(_text: str) -> None:
    """Say nothing."""


class Stack:
    """The running stack; entering starts everything in order, leaving stops everything, whatever happened."""

    def __init__(self, options: StackOptions, say: Callable[[str], None] = _silent) -> None:
        self.options = options
        self.home = options.home
        self.processes = Processes()
        self.api = AirflowApi(f"http://{HOST}:{options.port}")
        self.environment: dict[str, str] = {}
        self.ready: dict[str, Any] = {}
        self._say = say

    def __enter__(self) -> Self:
        """Start; a step that fails stops what was started before it."""
        ports = [
            Port(self.options.port, "user interface", "PORT"),
            Port(self.options.sandbox_port, "sandbox", "SANDBOX_PORT"),
        ]
        if self.options.port == self.options.sandbox_port:
            raise ConfigurationError(f"PORT and SANDBOX_PORT are both {self.options.port}; choose two different ones")
        require_free(ports)
        state = self._state()
        self.home.prepare()
        self.environment = airflow_environment(self.home, self.options.port, self.options.dags)
        try:
            self._start(state)
        except BaseException:
            self.processes.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        self.processes.stop()

    def _state(self) -> dict[str, Any]:
        state = self.home.read_state()
        size = self.options.size or state.get("size") or 2000
        if state and state["size"] != size:
            raise ConfigurationError(
                f"{self.home.path} holds the records of a sandbox of {state['size']} projects, not {size}; "
                f"leave SIZE out, take another home (SHUHENG_HOME=…), or start afresh with make clean"
            )
        return {"size": size, "seed": SEED, "days": state.get("days", [])}

    def _start(self, state: dict[str, Any]) -> None:
        self._say("starting the sandbox, migrating the databases")
        sandbox = self._start_sandbox(state)
        steps = {"migrate ledger": [PYTHON, "-m", "include", "doctor", "--migrate"]}
        steps["migrate airflow"] = [PYTHON, "-m", "airflow", "db", "migrate"]
        self.processes.run(steps, self.environment, self.home.logs)
        self.ready = _ready_line(sandbox)
        for movement in state["days"]:
            self._control("/control/advance", movement)
        self.home.write_state(state)
        self.environment |= connection_environment(self.ready)
        self._say("starting Airflow: api-server")
        self._airflow("api-server", is_backbone=True)
        self._airflow("dag-processor")
        self._await(lambda: bool(self.api.health()), HEALTH_SECONDS, "the api-server does not answer")
        # The scheduler after the api-server: a task that cannot reach it in its first second stays failed.
        self._say("starting Airflow: scheduler, triggerer")
        for name in ("scheduler", "triggerer"):
            # Task logs are read from the shared folder: no log server, which would listen on every address.
            self._airflow(name, "--skip-serve-logs")
        self.api.login("admin", self.home.passwords()["admin"])
        self.api.set_pools(self.ask("doctor", "--pools"))
        self._await(self._is_healthy, HEALTH_SECONDS, "not every component of Airflow became healthy")

    def _start_sandbox(self, state: dict[str, Any]) -> Component:
        command = [PYTHON, "-m", "include", "sandbox", "--projects", str(state["size"]), "--seed", str(state["seed"])]
        command += ["--port", str(self.options.sandbox_port), "--home", str(self.home.outside)]
        # Its ready line holds the keys of the day: into a pipe, not into a log.
        return self.processes.start(
            "sandbox",
            command,
            self.environment,
            self.home.logs / "sandbox.log",
            is_backbone=True,
            stdout=subprocess.PIPE,
        )

    def _airflow(self, name: str, *arguments: str, is_backbone: bool = False) -> None:
        command = [PYTHON, "-m", "airflow", name, *arguments]
        self.processes.start(name, command, self.environment, self.home.logs / f"{name}.log", is_backbone=is_backbone)

    def _is_healthy(self) -> bool:
        health = self.api.health()
        return all(
            health.get(name) == "healthy" for name in ("metadatabase", "scheduler", "triggerer", "dag_processor")
        )

    def _await(self, is_done: Callable[[], bool], seconds: float, otherwise: str) -> None:
        deadline = time.monotonic() + seconds
        while not is_done():
            self.processes.check()
            if time.monotonic() > deadline:
                raise ComponentFailed(f"{otherwise} within {seconds:.0f} s; see the logs in {self.home.logs}")
            time.sleep(0.3)

    def open_dag(self, dag_id: str) -> None:
        """Wait until a DAG has been parsed, and let it run."""
        try:
            self._await(lambda: self.api.dag(dag_id) is not None, PARSE_SECONDS, f"the DAG {dag_id} did not appear")
        except ComponentFailed as error:
            errors = "; ".join(self.api.import_errors())
            raise ComponentFailed(f"{error}{'; import errors: ' + errors if errors else ''}") from error
        self.api.unpause(dag_id)

    def schedule(self) -> None:
        """Let clock and assets start the DAGs that are open, from now on; until then only a person does."""
        self.processes.end("scheduler")
        self.environment["AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE"] = "True"
        self._airflow("scheduler", "--skip-serve-logs")
        self._await(self._is_healthy, HEALTH_SECONDS, "the scheduler did not become healthy again")

    def run_dag(
        self,
        dag_id: str,
        on_poll: Callable[[list[dict[str, Any]]], None] | None = None,
        seconds: float = 1800,
        **params: Any,
    ) -> str:
        """Run a DAG to its end and return the state, checking meanwhile that every component lives."""

        run_id = self.api.trigger(dag_id, **params)

        def poll() -> None:
            self.processes.check()
            # For nobody they are not asked for: that costs the api-server twice what the rest of a poll does.
            if on_poll:
                on_poll(self.api.task_instances(dag_id, run_id))

        return self.api.wait(dag_id, run_id, seconds, poll)

    def ask(self, *arguments: str) -> Any:
        """Return the JSON that a verb of the command line prints, run in this stack's environment."""
        command = [PYTHON, "-m", "include", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise ComponentFailed(f"python -m include {' '.join(arguments)} failed: {done.stderr.strip()[-400:]}")
        return json.loads(done.stdout)

    def advance(self, movement: dict[str, Any] | None = None) -> dict[str, Any]:
        """Move the sandbox's time one day on, remember it, and return what has changed."""
        movement = DAY if movement is None else movement
        moved: dict[str, Any] = self._control("/control/advance", movement)
        state = self.home.read_state()
        self.home.write_state({**state, "days": [*state["days"], movement]})
        return moved

    def truth(self) -> dict[str, Any]:
        """Return what the sandbox's data really holds."""
        found: dict[str, Any] = self._control("/control/truth")
        return found

    def channels(self) -> dict[str, Any]:
        """Return what the stand-ins of the alerts' channels took and refused: `taken`, `refused`, `calls`."""
        found: dict[str, Any] = self._control("/control/channels")
        return found

    def current_datasets(self) -> dict[str, Any]:
        """Return the data sets that are current, by name; none before the first publication."""
        file = self.home.path / "datasets" / "current.json"
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))["datasets"] if file.exists() else {}
        return found

    def _control(self, path: str, body: Any = None) -> Any:
        with requests.Session() as session:
            session.trust_env = False
            session.headers["x-control-token"] = self.ready["control_token"]
            method = "GET" if body is None else "POST"
            answer = session.request(method, self.ready["url"] + path, json=body, timeout=120)
        if answer.status_code != 200:
            raise ComponentFailed(f"the sandbox answered {path} with HTTP {answer.status_code}: {answer.text[:200]}")
        return answer.json()


def _ready_line(sandbox: Component) -> dict[str, Any]:
    """Read the one line the sandbox prints when it serves."""
    pipe = sandbox.process.stdout
    assert pipe is not None  # noqa: S101  it was started with a pipe
    readable, _, _ = select.select([pipe], [], [], SANDBOX_SECONDS)
    line = pipe.readline() if readable else b""
    if not line:
        why = "ended" if sandbox.process.poll() is not None else f"said nothing for {SANDBOX_SECONDS:.0f} s"
        raise ComponentFailed(f"the sandbox {why}; its log {sandbox.log} ends:\n{sandbox.tail()}")
    ready: dict[str, Any] = json.loads(line)
    return ready
