"""What `make run` shows on the terminal: progress, what each run did, what the ledger holds, how to get in."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType
from typing import Any, Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.status import Status
from rich.table import Table

from include.sandbox.airflow_home import USERS
from include.sandbox.stack import Stack

COUNTS = ("rows_received", "created", "changed", "unchanged", "quarantined", "refused")
WRITES = ("created", "changed", "restored", "tombstoned")
HEADINGS = ("read\n读取", "new\n新增", "changed\n变更", "same\n未变", "held\n隔离", "refused\n涉密")


class Watch:
    """One line that follows a run: a moving one on a terminal, a new one for each change elsewhere."""

    def __init__(self, console: Console, title: str) -> None:
        self.console, self.title = console, title
        self._status: Status | None = None
        self._shown = ""
        self._since = time.monotonic()

    def __enter__(self) -> Self:
        """Begin the line."""
        if self.console.is_terminal:
            self._status = self.console.status(self.title)
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the line."""
        if self._status:
            self._status.stop()

    def __call__(self, instances: list[dict[str, Any]]) -> None:
        """Show how far the tasks are."""
        states = Counter((i["task_id"].rpartition(".")[2], i["state"] or "waiting") for i in instances)
        done, total = sum(n for (_, state), n in states.items() if state == "success"), sum(states.values())
        active = sorted(
            {f"{task} {state}" for task, state in states if state not in ("success", "waiting", "scheduled")}
        )
        text = f"{self.title} · {done}/{total} tasks done" + (f" · {', '.join(active)}" if active else "")
        if self._status:
            self._status.update(f"{text} · {time.monotonic() - self._since:.0f} s")
        elif text != self._shown:
            self.console.print(f"  {text}", style="dim")
        self._shown = text


def show_run(stack: Stack, console: Console, title: str, state: str) -> None:
    """Show per source, and in total, what the last batch of each did to the ledger."""
    batches = {s: e["last_batch"] for s, e in stack.ask("doctor", "--summary")["sources"].items() if "last_batch" in e}
    table = Table(
        "source\n来源",
        *HEADINGS,
        "whole\n完整",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title=title,
        title_justify="left",
        title_style="bold",
    )
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"
    for source, batch in sorted(batches.items()):
        table.add_row(source, *(f"{batch[name]:,}" for name in COUNTS), "yes" if batch["is_complete"] else "no")
    totals = [sum(batch[name] for batch in batches.values()) for name in COUNTS]
    table.add_section()
    table.add_row("total 合计", *(f"{total:,}" for total in totals), "")
    console.print(table)
    writes = sum(batch[name] for batch in batches.values() for name in WRITES)
    console.print(f"run {state}, {writes:,} records written\n", style="green" if state == "success" else "red")
    if state != "success":
        console.print(
            f"see the failed tasks in the interface at {stack.api.url}, or the task logs in {stack.home.logs / 'tasks'}\n"
        )


VERBS = {
    "check_interconnection": ("check", "--no-sync", "--no-probe"),
    "watch_systems": ("watch", "--no-sync"),
    "harvest_catalogues": ("harvest", "--no-sync"),
    "evaluate_rules": ("evaluate", "--scope", "regulation"),
}
"""The verb that shows what a judging DAG has judged."""


def show_judged(stack: Stack, console: Console, title: str, dag: str, state: str) -> None:
    """Show what the rules say and the rates; judging again what was judged just now writes nothing."""
    said = stack.ask(*VERBS[dag], "--json")["judged"]
    judged = said[0] if isinstance(said, list) else said  # evaluate judges scopes, of which one was asked for
    outcomes = {
        "pass": "pass\n符合",
        "fail": "fail\n线索",
        "warn": "warn\n提示",
        "unknown": "unknown\n未知",
        "not_applicable": "n/a\n不适用",
    }
    table = Table(
        "rule\n规则", *outcomes.values(), box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), title=title,
        title_justify="left", title_style="bold",
    )  # fmt: skip
    for column in table.columns[1:]:
        column.justify = "right"
    for rule, counts in judged["outcomes"].items():
        table.add_row(rule, *(f"{counts.get(name, 0):,}" for name in outcomes))
    console.print(table)
    for rate in judged["rates"]:
        share = "–" if rate["share_bp"] is None else f"{rate['share_bp'] / 100:.2f} %"
        parts = f"{rate['numerator']}/{rate['denominator']}, unknown {rate['unknown']}, exempt {rate['exempt']}"
        console.print(f"  {rate['title']} {share} ({parts})")
    style = "green" if state == "success" else "red"
    console.print(f"run {state}; {judged['open']} findings are open, each a lead for people to look at", style=style)
    console.print("why, since when, what next: .venv/bin/python -m include explain CODE\n", style="dim")


def show_ledger(stack: Stack, console: Console) -> None:
    """Show what the ledger holds now: records, open quarantine, open questions."""
    summary = stack.ask("doctor", "--summary")
    rows: Counter[str] = Counter()
    for entry in summary["sources"].values():
        rows.update(entry["rows"])
    console.print("The ledger now holds 台账现有", style="bold")
    for name, count in sorted(rows.items()):
        console.print(f"  {name:<24}{count:>10,}")
    quarantined = sum(entry.get("quarantine_open", 0) for entry in summary["sources"].values())
    console.print(f"  {'in quarantine 隔离':<22}{quarantined:>10,}   .venv/bin/python -m include quarantine")
    asked: Counter[str] = Counter()
    for kinds in summary["questions"].values():
        asked.update(kinds)
    console.print(f"  {'open questions 待核':<22}{sum(asked.values()):>10,}   .venv/bin/python -m include questions")
    for kind, count in asked.most_common():
        console.print(f"    {kind:<22}{count:>10,}")
    console.print(f"  ledger {stack.home.ledger} · logs {stack.home.logs}\n")


def show_access(stack: Stack, console: Console) -> None:
    """Show where the interface is and how to log in."""
    password = stack.home.passwords()["admin"]
    others = ", ".join(f"{user} ({role})" for user, role in USERS.items() if user != "admin")
    console.print(f"Airflow: {stack.api.url}", style="bold")
    console.print(f"  log in as admin with the password {password}", markup=False)
    console.print(f"  other users: {others}; their passwords are in {stack.home.passwords_file}", markup=False)
    console.print("  (the simple login and SQLite are for trying out; for production see docker-compose.yml)")
    console.print("It stays up until Ctrl-C; from another terminal: make stop")
