"""Run the command line as people do: as a process of its own, with all that it says kept.

An interpreter that starts and imports costs more than most verbs: `command` runs each in a copy of one that has just
imported the command line and done nothing else; `command_anew` really starts one.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from include.settings import ROOT

PRELOADED = (
    "include.__main__", "include.tasks", "include.harvest_tasks", "include.delivery_tasks", "include.publishing_tasks",
    "include.house_tasks", "include.checkup", "include.findings.judging", "include.findings.explain", "tests.command",
    "alembic.command", "psycopg", "sqlalchemy.dialects.postgresql.psycopg",
)  # fmt: skip
SECONDS = 120

_copies = multiprocessing.get_context("forkserver")
_copies.set_forkserver_preload(list(PRELOADED))


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m include …` to its end and return its exit code, stdout and stderr."""
    with tempfile.TemporaryDirectory() as folder:
        process = _copies.Process(target=_run, args=(folder, arguments, os.environ | environment))
        process.start()
        process.join(SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, SECONDS)
        said = [(Path(folder) / name).read_text("utf-8") for name in ("out", "err")]
    return subprocess.CompletedProcess(arguments, process.exitcode, *said)


def _run(folder: str, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
    for name, number in (("out", 1), ("err", 2)):
        os.dup2(os.open(Path(folder) / name, os.O_WRONLY | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    from include.__main__ import main

    sys.exit(main(list(arguments)))


def command_anew(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Do the same in an interpreter started for it, where the start is what could fail."""
    return subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "include", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )


def json_of(done: subprocess.CompletedProcess[str]) -> Any:
    """Return what a `--json` command printed; fails where anything else stands on stdout."""
    return json.loads(done.stdout)
