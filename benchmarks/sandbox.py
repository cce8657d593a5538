"""The platform that every contestant reads: the project's sandbox as a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.usage import background


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox; `ready` is the line it printed."""

    ready: dict[str, Any]

    def advance(self, share: float) -> int:
        """Move one day on, change this share of the projects, and return how many that were."""
        return len(self._control("POST", "/control/advance", {"changes": share})["changed"])

    def truth(self) -> dict[str, int]:
        """Return the counts of what the platform really holds: listed, unclassified, bad, good, items …"""
        found = self._control("GET", "/control/truth")["provincial"]
        return {name: value for name, value in found.items() if isinstance(value, int)}

    def environment(self) -> dict[str, str]:
        """Return what ours and the peers need to find and sign to the platform."""
        host, port = self.ready["url"].removeprefix("http://").split(":")
        keys = self.ready["provincial"]
        connection = {
            "conn_type": "http", "host": host, "port": int(port), "login": keys["rid"], "password": keys["appkey"],
            "extra": {"networks": ["127.0.0.0/8"]},
        }  # fmt: skip
        return {
            "AIRFLOW_CONN_PROVINCIAL_APPROVAL": json.dumps(connection),
            "BENCH_PLATFORM": json.dumps({"url": self.ready["url"], **keys}),
        }

    def _control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            self.ready["url"] + path,
            method=method,
            headers={"x-control-token": self.ready["control_token"], "content-type": "application/json"},
            data=json.dumps(body).encode() if body is not None else None,
        )
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.load(answer)


@contextlib.contextmanager
def start_sandbox(projects: int, home: Path, seed: int = 7) -> Iterator[Sandbox]:
    """Serve `projects` projects for the length of the block; all records are made before it begins."""
    command = [
        sys.executable, "-m", "include", "sandbox", "--projects", str(projects), "--seed", str(seed), "--port", "0",
        "--home", str(home / "sandbox"), "--no-files", "--warm", "--zj-projects", "1", "--frontdb-projects", "1",
    ]  # fmt: skip
    with background(command, os.environ, home / "sandbox.log") as ready:
        yield Sandbox(ready)
