"""Ours by step, and what approval items cost: runs of benchmarks.steps with the shipped card and with one that leaves items out."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import yaml

from benchmarks.contestants import PHASES, Contestant, choose
from benchmarks.postgres import Postgres
from benchmarks.rounds import AFTER_CHANGE, CHANGED_SHARE
from benchmarks.sandbox import Sandbox
from benchmarks.table import PHASE_TITLES
from benchmarks.usage import ROOT, run_measured

SHIPPED, WITHOUT = "shipped card", "without items"


@dataclass(frozen=True, slots=True)
class Split:
    """The steps of one run, in seconds; `cpu` is the client's."""

    database: str
    card: str
    phase: str
    round: int
    wall: float
    cpu: float
    steps: dict[str, float]


def measure(
    sandbox: Sandbox, server: Postgres | None, runs: int, home: Path, databases: set[str], say: Callable[[str], None]
) -> list[Split]:
    """Run all phases with both cards in turn, every round from an empty database."""
    config = _card_without_items(home)
    found: list[Split] = []
    for number in range(1, runs + 1):
        arms = [(c, card) for c in choose(databases, {"ours"}) for card in (SHIPPED, WITHOUT)]
        homes = [_fresh(c, card, sandbox, server, home) for c, card in arms]
        for phase in PHASES:
            if phase in AFTER_CHANGE:
                sandbox.advance(CHANGED_SHARE)
            for (contestant, card), own in zip(arms, homes, strict=True):
                environment = _environment(contestant, card, sandbox, server, own, config)
                mode = "incremental" if phase == "incremental" else "full"
                usage = run_measured([sys.executable, "-m", "benchmarks.steps", mode], environment)
                split = Split(contestant.database, card, phase, number, usage.wall, usage.cpu, usage.said["steps"])
                found.append(split)
                say(f"  steps {number} {phase:<11} {contestant.database:<8} {card:<13} {usage.wall:6.2f} s")
            if server:
                server.settle([_name(c, card) for c, card in arms if c.database == "postgres"])
        for own in homes:
            shutil.rmtree(own, ignore_errors=True)
    return found


def markdown(found: list[Split]) -> str:
    """Return the steps as a table, medians in seconds."""
    names = list(found[0].steps)
    lines = ["| into | card | phase | n | wall | " + " | ".join(names) + " |", "| --- " * (len(names) + 5) + "|"]
    for key in dict.fromkeys((s.database, s.phase, s.card) for s in found):
        same = [s for s in found if (s.database, s.phase, s.card) == key]
        cells = [key[0], key[2], PHASE_TITLES[key[1]], str(len(same)), f"{median(s.wall for s in same):.2f}"]
        cells += [f"{median(s.steps[name] for s in same):.2f}" for name in names]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _card_without_items(home: Path) -> Path:
    """Write a configuration folder whose card of the platform leaves the approval items out, and return it."""
    card = yaml.safe_load((ROOT / "include/sources/cards/provincial_approval.yaml").read_text("utf-8"))
    del card["nested"]
    card["ignore"] = ["ITEMS", *card["ignore"]]  # "personal" stays: masking is the gate's cost, not the items'
    folder = home / "config" / "sources"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "provincial_approval.yaml").write_text(yaml.safe_dump(card, allow_unicode=True), "utf-8")
    return folder.parent


def _name(contestant: Contestant, card: str) -> str:
    return f"steps_{contestant.database}_{'items' if card == SHIPPED else 'bare'}"


def _fresh(contestant: Contestant, card: str, sandbox: Sandbox, server: Postgres | None, home: Path) -> Path:
    own = home / _name(contestant, card)
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    if server and contestant.database == "postgres":
        server.create(own.name)
    command = contestant.prepare_command()
    if command:
        run_measured(command, contestant.environment(sandbox.environment(), _where(contestant, server, own), own))
    return own


def _where(contestant: Contestant, server: Postgres | None, own: Path) -> str:
    return server.dsn(own.name) if server and contestant.database == "postgres" else str(own / "data.db")


def _environment(
    contestant: Contestant, card: str, sandbox: Sandbox, server: Postgres | None, own: Path, config: Path
) -> dict[str, str]:
    environment = contestant.environment(sandbox.environment(), _where(contestant, server, own), own)
    environment["BENCH_BEGUN"] = str(time.perf_counter())
    return environment | ({"SHUHENG_CONFIG": str(config)} if card == WITHOUT else {})
