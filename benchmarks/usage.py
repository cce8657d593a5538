"""What one process cost: wall, CPU, peak memory over a bare interpreter, and the last JSON line it printed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
DATA = HERE / ".data"


@dataclass(frozen=True, slots=True)
class Usage:
    """The cost of one process with the children it waited for; seconds and KiB.

    `peak_kib` is that of all its processes together (launch.py). `said` is the JSON it printed.
    """

    wall: float
    user: float
    sys: float
    peak_kib: int
    code: int
    said: Any = field(default=None, repr=False)

    @property
    def cpu(self) -> float:
        """Return user and system seconds of the client."""
        return self.user + self.sys


class RunFailed(RuntimeError):
    """A contestant did not do its work; carries the end of what it wrote to stderr."""


def run_measured(
    command: Sequence[str], environment: Mapping[str, str], seconds: float = 900, codes: tuple[int, ...] = (0,)
) -> Usage:
    """Run a command to its end and return its cost; raise `RunFailed` for another exit code or when it takes too long."""
    reading, writing = os.pipe()
    # Whoever measures may have byte code switched off; nobody runs a task like that, and imports would be compiled each time.
    environment = {k: v for k, v in environment.items() if k != "PYTHONDONTWRITEBYTECODE"}
    launch = [sys.executable, "-S", "-E", str(HERE / "launch.py"), str(writing), *command]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, os.fdopen(reading, "rb") as report:
        process = subprocess.Popen(
            launch, env=environment, stdout=out, stderr=err, cwd=ROOT, pass_fds=[writing], start_new_session=True
        )
        os.close(writing)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise RunFailed(f"{_name(command)} was ended after {seconds:.0f} s") from None
        finally:
            _end_group(process)
        figures = json.loads(report.read() or json.dumps({"code": f"no report, launcher {process.returncode}"}))
        if figures["code"] not in codes:
            raise RunFailed(f"{_name(command)} ended with {figures['code']}: {_tail(err)}")
        return Usage(**figures, said=_last_json(out))


@cache
def bare_interpreter_kib() -> int:
    """Return the peak memory of `python -c pass`, the smallest of three."""
    command = [sys.executable, "-c", "pass"]
    return min(run_measured(command, os.environ).peak_kib for _ in range(3))


@contextlib.contextmanager
def background(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[dict[str, Any]]:
    """Run a server for the length of the block and give the JSON line it prints when it is ready, with its `pid`."""
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command, env=dict(environment), stdout=subprocess.PIPE, stderr=sink, cwd=ROOT, start_new_session=True
        )
    try:
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise RunFailed(f"{_name(command)} did not start: {log.read_text(errors='replace')[-600:]}")
        yield {**json.loads(line), "pid": process.pid}
    finally:
        _end_group(process, signal.SIGTERM)


def _end_group(process: subprocess.Popen[bytes], how: int = signal.SIGKILL) -> None:
    """End a process with all that it started; its group is its own, so nothing else is hit."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, how)
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _name(command: Sequence[str]) -> str:
    return " ".join(Path(part).name if "/" in part else part for part in command[:5])


def _tail(file: Any) -> str:
    file.seek(0)
    text: str = file.read().decode(errors="replace").strip()
    return text[-1500:]


def _last_json(file: Any) -> Any:
    """Return the JSON a process printed: all of its output, or else the last line of it."""
    file.seek(0)
    text = file.read().decode(errors="replace").strip()
    for candidate in (text, text.rpartition("\n")[2]):
        with contextlib.suppress(ValueError):
            return json.loads(candidate)
    return None
