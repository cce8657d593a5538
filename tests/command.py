"""Run the command line as people do: as a process of its own, with all that it says kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from include.settings import ROOT


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m include …` to its end and return its exit code, stdout and stderr."""
    return subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "include", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def json_of(done: subprocess.CompletedProcess[str]) -> Any:
    """Return what a `--json` command printed; fails where anything else stands on stdout."""
    return json.loads(done.stdout)
