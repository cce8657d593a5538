"""A small client of Airflow's REST interface: log in, set pools, start runs and see how they go."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests

from include.errors import ShuhengError

FINAL = ("success", "failed")
POLL_SECONDS = 1.5
"""Between two looks at a run; each takes its share of the api-server, which the tasks need as well."""


class AirflowAnswered(ShuhengError):
    """Airflow answered a call with something else than success."""


class AirflowApi:
    """One user's session with an API server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False  # loopback: no proxy, no .netrc

    def login(self, user: str, password: str) -> None:
        """Take a token; it is sent with every later call."""
        token = self.call("POST", "/auth/token", {"username": user, "password": password})["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call and return the JSON of the answer; the error says what was asked and what came back."""
        try:
            answer = self._session.request(method, self.url + path, json=body, timeout=60)
        except requests.RequestException as error:
            raise AirflowAnswered(f"{method} {path}: no answer from {self.url} ({type(error).__name__})") from error
        if answer.status_code >= 400:
            raise AirflowAnswered(f"{method} {path}: HTTP {answer.status_code}: {answer.text[:300]}")
        return answer.json() if answer.content else None

    def health(self) -> dict[str, str]:
        """Return component → status; empty while the server does not answer yet."""
        try:
            answer = self.call("GET", "/api/v2/monitor/health")
        except AirflowAnswered:
            return {}
        return {name: part.get("status") or "" for name, part in answer.items() if part}

    def set_pools(self, pools: dict[str, dict[str, Any]]) -> None:
        """Create or change pools, given as `airflow pools import` takes them."""
        entities = [{"name": name, **values} for name, values in pools.items()]
        action = {"action": "create", "entities": entities, "action_on_existence": "overwrite"}
        done = self.call("PATCH", "/api/v2/pools", {"actions": [action]})
        if errors := done.get("create", {}).get("errors"):
            raise AirflowAnswered(f"pools could not be set: {errors}")

    def dag(self, dag_id: str) -> dict[str, Any] | None:
        """Return a DAG, or None while it has not been parsed yet."""
        found: list[dict[str, Any]] = self.call("GET", f"/api/v2/dags?dag_id_pattern={dag_id}")["dags"]
        return next((dag for dag in found if dag["dag_id"] == dag_id), None)

    def import_errors(self) -> list[str]:
        """Return the files that could not be imported, with the last line of their error."""
        found = self.call("GET", "/api/v2/importErrors")["import_errors"]
        return [f"{e['filename']}: {e['stack_trace'].strip().splitlines()[-1]}" for e in found]

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run a DAG."""
        self.call("PATCH", f"/api/v2/dags/{dag_id}?update_mask=is_paused", {"is_paused": False})

    def trigger(self, dag_id: str, **params: Any) -> str:
        """Start a run and return its id."""
        run = self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": params})
        return str(run["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a run."""
        return str(self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return the task instances of a run; a run here has fewer than one page of them."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=100"
        found: list[dict[str, Any]] = self.call("GET", path)["task_instances"]
        return found

    def wait(self, dag_id: str, run_id: str, seconds: float, on_poll: Callable[[], None]) -> str:
        """Wait until a run has ended and return its state, or raise after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            state = self.run_state(dag_id, run_id)
            on_poll()
            if state in FINAL:
                return state
            if time.monotonic() > deadline:
                raise AirflowAnswered(f"run {run_id} of {dag_id} is still {state} after {seconds:.0f} s")
            time.sleep(POLL_SECONDS)
