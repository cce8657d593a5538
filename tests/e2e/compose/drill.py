"""Try the running compose stack: a sync on two workers, two more in which a worker is killed in mid-task, then every pipeline.

    DOCKER_HOST=… .venv/bin/python tests/e2e/compose/drill.py COMPOSE_COMMAND…

COMPOSE_COMMAND is what reaches the stack, as `docker compose --env-file .env --profile sandbox`. Ends with 0 only if
every run succeeded and the ledger holds what the sandbox says; docs/runbooks/compose.md records a real outcome.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from include.sandbox.airflow_api import AirflowApi

DAG = "sync_projects"
OTHERS = (
    "check_interconnection", "watch_systems", "harvest_catalogues", "evaluate_rules", "deliver_alerts", "publish_datasets",
    "keep_house",
)  # fmt: skip
"""The other pipelines in the order in which one needs what the one before has brought."""
COMPOSE = sys.argv[1:]


def compose(*arguments: str, text: str | None = None) -> str:
    done = subprocess.run([*COMPOSE, *arguments], input=text, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed: {done.stderr.strip()[-600:]}")
    return done.stdout


def control(path: str, body: Any = None) -> Any:
    """Call the sandbox's control desk from inside its container."""
    code = (
        "import json, os, urllib.request as u\n"
        "token = {'x-control-token': os.environ['SANDBOX_CONTROL_TOKEN']}\n"
        f"body = {json.dumps(json.dumps(body)) if body is not None else None}\n"
        f"call = u.Request('http://127.0.0.1:18100{path}', body and body.encode(), token)\n"
        "print(u.urlopen(call, timeout=120).read().decode())"
    )
    return json.loads(compose("exec", "-T", "sandbox", "python", "-c", code))


def ledger(query: str) -> list[list[str]]:
    rows = compose("exec", "-T", "postgres", "psql", "-U", "postgres", "-AtF|", "ledger", "-c", query)
    return [line.split("|") for line in rows.splitlines()]


def api() -> AirflowApi:
    settings = json.loads(compose("config", "--format", "json"))["services"]["airflow-api-server"]
    client = AirflowApi(f"http://127.0.0.1:{settings['ports'][0]['published']}")
    client.login("admin", json.loads(settings["environment"]["SIMPLE_AUTH_PASSWORDS"])["admin"])
    return client


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def wait(airflow: AirflowApi, run: str, seconds: float = 900) -> bool:
    begun = time.monotonic()
    state = airflow.wait(DAG, run, seconds, lambda: None)
    say(f"run {state} after {time.monotonic() - begun:.0f} s")
    names = worker_names()
    for task in sorted(airflow.task_instances(DAG, run), key=lambda t: t["start_date"] or ""):
        worker = names.get(task["hostname"] or "", task["hostname"])
        name = f"{task['task_id']} {task['rendered_map_index'] or ''}"
        print(f"    {name:<50} {task['state']:<8} try {task['try_number']} {task['duration'] or 0:6.1f} s  {worker}")
    return state == "success"


def worker_names() -> dict[str, str]:
    names = {}
    for container in compose("ps", "-aq", "airflow-worker").split():
        shown = subprocess.run(
            ["docker", "inspect", "--format", "{{.Config.Hostname}} {{.Name}}", container],
            capture_output=True,
            text=True,
        ).stdout.split()
        names[shown[0]] = shown[1].lstrip("/")
    return names


def kill_the_worker_of(airflow: AirflowApi, run: str, task_id: str, is_deep_in: Callable[[], bool]) -> None:
    """Wait until a task runs and is in the midst of its work, and kill the container of the worker that runs it."""
    deadline = time.monotonic() + 180
    running: list[dict[str, Any]] = []
    while not (running and running[0]["hostname"] and is_deep_in()):
        if time.monotonic() > deadline:
            raise SystemExit(f"{task_id} was never seen at work")
        time.sleep(0.1)
        running = [t for t in airflow.task_instances(DAG, run) if t["task_id"] == task_id and t["state"] == "running"]
    host = running[0]["hostname"]
    subprocess.run(["docker", "kill", host], check=True, capture_output=True)
    say(f"killed {worker_names().get(host, host)} while it ran {task_id}")


def is_dripping() -> bool:
    """Return whether the sandbox has begun the answer that drips."""
    return not control("/control/fault")["in_force"]


def is_writing() -> bool:
    """Return whether a transaction on the ledger has written something and is not committed."""
    query = "select count(*) from pg_stat_activity where datname = 'ledger' and backend_xid is not null"
    return ledger(query) != [["0"]]


def compare() -> bool:
    """Hold the ledger against what the sandbox says its data holds."""
    truth = control("/control/truth")
    found = {
        "projects": int(ledger("select count(*) from project where source='provincial_approval'")[0][0]),
        "items": int(ledger("select count(*) from approval_item where source='provincial_approval'")[0][0]),
    }
    provincial = truth["provincial"]
    expected = {"projects": provincial["good"], "items": provincial["good_items"]}
    say(f"ledger {found}, sandbox {expected}: {'equal' if found == expected else 'DIFFERENT'}")
    return found == expected


def main() -> int:
    airflow = api()
    airflow.unpause(DAG)
    good = []
    say("1. first sync, on two workers: the run that the clock asks for when the DAG is switched on, else one of ours")
    time.sleep(5)
    runs = airflow.call("GET", f"/api/v2/dags/{DAG}/dagRuns?order_by=-run_after")["dag_runs"]
    good += [wait(airflow, runs[0]["dag_run_id"] if runs else airflow.trigger(DAG, mode="full")), compare()]

    say("2. a day later; the platform drips page 1 of the next full read, and its reader's worker is killed")
    control("/control/advance", {"changes": 0.01, "new": 5, "reissue": 2})
    control("/control/fault", {"platform": "provincial", "scenario": "slow_drip", "page": 1, "times": 1})
    run = airflow.trigger(DAG, mode="full")
    kill_the_worker_of(airflow, run, "provincial_approval.land", is_dripping)
    good += [wait(airflow, run), compare()]
    compose("up", "--detach", "--wait", "--no-recreate", "--scale", "airflow-worker=2")

    say("3. another day; the worker is killed while it merges")
    control("/control/advance", {"changes": 0.3, "new": 5, "reissue": 2})
    run = airflow.trigger(DAG, mode="full")
    kill_the_worker_of(airflow, run, "provincial_approval.merge", is_writing)
    good += [wait(airflow, run), compare()]
    compose("up", "--detach", "--wait", "--no-recreate", "--scale", "airflow-worker=2")

    say("4. the same again: nothing to write")
    good.append(wait(airflow, airflow.trigger(DAG, mode="full")))
    newest = "merged_at = (select max(merged_at) from batch where source = b.source)"
    last = ledger(f"select source, created, changed, unchanged from batch b where {newest} order by 1")
    say(f"source, created, changed, unchanged: {last}")
    good.append(all(row[1:3] == ["0", "0"] for row in last))
    say("5. every other pipeline once, in the order of a day")
    for dag_id in OTHERS:
        airflow.unpause(dag_id)
        begun, run = time.monotonic(), airflow.trigger(dag_id)
        state = airflow.wait(dag_id, run, 1_800, lambda: None)
        unwell = [t for t in airflow.task_instances(dag_id, run) if t["state"] not in ("success", "skipped")]
        say(f"{dag_id}: {state} after {time.monotonic() - begun:.0f} s {[(t['task_id'], t['state']) for t in unwell]}")
        good.append(state == "success")
    outcomes = ledger("select outcome, count(*) from verdict where until_day is null group by 1 order by 1")
    say(f"verdicts that stand: {outcomes}")
    say("all as expected" if all(good) else f"NOT as expected: {good}")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
