"""What `make run` shows of alerts and data sets: what waits for two people, who was told over what, what was published.

The first run on a new ledger brings more than a day should, so the blast guard holds it; the demo plays the two people who
release it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from include.sandbox.airflow_api import AirflowApi
from include.sandbox.demo_report import Watch
from include.sandbox.stack import Stack

DELIVER, DECIDE, PUBLISH, HOUSE = DAGS = ("deliver_alerts", "record_decision", "publish_datasets", "keep_house")
ASKS, APPROVES = "engineer", "ops"
"""Who asks for the release, and who approves it."""

POLLS_BEFORE_ANSWER = 8
"""Looks at a question before it is answered, some twelve seconds: the scheduler has been seen to take six to hear that the worker
which asked has ended, and a question that is answered before is asked anew a minute later."""

_WAITING = ("deferred", "awaiting_input")


def tell_and_publish(stack: Stack, console: Console) -> bool:
    """Deliver, release what is held, deliver that, publish, keep house; return whether every run succeeded."""
    for dag in DAGS:
        stack.open_dag(dag)
    states = [_run(stack, console, DELIVER, "what is to be told is decided and delivered 发送提示")]
    held = stack.ask("deliver", "--list", "--json")["holds"]
    if held:
        states.append(_release(stack, console, held))
        states.append(_run(stack, console, DELIVER, "what was released is delivered 发送放行的提示"))
    show_delivered(stack, console)
    states.append(_run(stack, console, PUBLISH, "data sets for dashboards 发布数据集"))
    show_published(stack, console)
    states.append(_run(stack, console, HOUSE, "retention and reviews 定期维护"))
    return set(states) == {"success"}


def _run(stack: Stack, console: Console, dag: str, what: str) -> str:
    title = f"{dag}: {what}"
    with Watch(console, title) as watch:
        state = stack.run_dag(dag, watch)
    console.print(f"{title}: run {state}", style="green" if state == "success" else "red")
    return state


def release(stack: Stack, hold_ids: list[str], watch: Any = lambda _instances: None) -> str:
    """Release holds as two people do, one who asks and another who approves; return the state of the run."""
    asks, approves = (_user(stack, name) for name in (ASKS, APPROVES))
    form = {"kind": "released", "findings": "\n".join(hold_ids), "reason": "首次运行,已核实", "approver": APPROVES}
    run = asks.trigger(DECIDE, **form)
    seen: Counter[int] = Counter()

    def answer() -> None:
        instances = asks.task_instances(DECIDE, run)
        watch(instances)
        for asked in instances:
            if asked["task_id"] == "approve" and asked["state"] in _WAITING:
                seen[asked["try_number"]] += 1
                # No person is so quick: Airflow loses an answer that comes before the worker that asked has ended, and asks anew.
                if seen[asked["try_number"]] == POLLS_BEFORE_ANSWER:
                    path = f"/api/v2/dags/{DECIDE}/dagRuns/{run}/taskInstances/approve/-1/hitlDetails"
                    approves.call("PATCH", path, {"chosen_options": ["同意"], "params_input": {}})

    return asks.wait(DECIDE, run, 300, answer)


def _release(stack: Stack, console: Console, held: list[dict[str, Any]]) -> str:
    for hold in held:
        counts = f"{hold['findings']} new findings at once, {hold['allowed']} allowed"
        console.print(f"  {hold['scope']}: {counts}: nobody is told of them yet 暂缓发送")
    title = f"{DECIDE}: {ASKS} asks to release them, {APPROVES} approves 放行"
    with Watch(console, title) as watch:
        state = release(stack, [hold["hold_id"] for hold in held], watch)
    console.print(f"{title}: run {state}", style="green" if state == "success" else "red")
    return state


def _user(stack: Stack, name: str) -> AirflowApi:
    api = AirflowApi(stack.api.url)
    api.login(name, stack.home.passwords()[name])
    return api


def show_delivered(stack: Stack, console: Console) -> None:
    """Show how many messages went over which channel, and how many each stand-in took."""
    listed = stack.ask("deliver", "--list", "--json")
    taken = Counter(one["channel"] for one in stack.channels()["taken"])
    headings = ("channel\n通道", "sent\n已发", "waiting\n待发", "dead\n失败", "taken by the stand-in\n对方收到")
    table = Table(*headings, box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in table.columns[1:]:
        column.justify = "right"
    for channel, counts in sorted(listed["counts"].items()):
        took = "files 文件" if channel == "spool" else f"{taken[channel]:,}"
        table.add_row(channel, *(f"{counts.get(name, 0):,}" for name in ("sent", "pending", "dead")), took)
    console.print(table)
    console.print(f"  files for units without another channel: {stack.home.path / 'spool'}\n")


def show_published(stack: Stack, console: Console) -> None:
    """Show which data sets are current, and where."""
    url = stack.home.path / "datasets"
    table = Table(
        "data set\n数据集", "rows\n行数", "as of\n截至", "", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    table.columns[1].justify = "right"
    for name, entry in sorted(stack.current_datasets().items()):
        held = "; ".join(reason["text"] for reason in (entry["held_back"] or {}).get("reasons", ()))
        table.add_row(name, f"{entry['rows']:,}", str(entry["as_of"])[:16], held)
    console.print(table)
    console.print(f"  {url / 'current'}: Parquet, CSV and schema of each; switched by {url / 'current.json'}\n")
