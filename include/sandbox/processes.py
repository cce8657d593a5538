"""Starts and stops the processes of a local stack, so that none is ever left behind.

Each runs in a session of its own, so Ctrl-C reaches only the supervisor, which then stops them in order.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from include.errors import ConfigurationError, ShuhengError

TERM_SECONDS = 20.0
MARK = "SHUHENG_STACK"
_PR_SET_PDEATHSIG = 1


class ComponentFailed(ShuhengError):
    """A process of the stack ended, or did not become ready; names its log and shows the end of it."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port the stack will listen on: what for, and the variable that chooses another."""

    number: int
    purpose: str
    variable: str


@dataclass(frozen=True, slots=True)
class Component:
    """One started process; a backbone is what the others talk to, hence stopped after them."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    is_backbone: bool

    def tail(self, lines: int = 8) -> str:
        """Return the last lines of the log, for an error a person can act on."""
        try:
            text = self.log.read_text(errors="replace").strip()
        except OSError:
            return "(no log)"
        return "\n".join(f"    {line[:300]}" for line in text.splitlines()[-lines:]) or "    (empty log)"


def require_free(ports: Iterable[Port], host: str = "127.0.0.1") -> None:
    """Raise one error that names every port that is taken, before anything has been started."""
    taken = [port for port in ports if not _is_free(host, port.number)]
    if taken:
        lines = "; ".join(f"port {p.number} ({p.purpose}) is taken, choose another with {p.variable}=…" for p in taken)
        example = " ".join(f"{p.variable}={p.number + 1000}" for p in taken)
        raise ConfigurationError(f"{lines}. For example: make run {example}")


def _is_free(host: str, number: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except (OSError, OverflowError):
            return False
        return True


class Processes:
    """The processes of one stack. Strays are found by a mark in their environment and by their session."""

    def __init__(self) -> None:
        self.components: list[Component] = []
        self.mark = uuid.uuid4().hex
        self._sessions: set[int] = set()

    def start(
        self,
        name: str,
        command: list[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        is_backbone: bool = False,
        stdout: int | None = None,
    ) -> Component:
        """Start a command in a session of its own, its output appended to `log`."""
        with log.open("ab") as sink:
            process = subprocess.Popen(  # noqa: S603  our own commands, no shell
                command,
                env={**environment, MARK: self.mark},
                stdin=subprocess.DEVNULL,
                stdout=sink if stdout is None else stdout,
                stderr=sink,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  the supervisor has one thread
            )
        component = Component(name, process, log, is_backbone)
        self.components.append(component)
        self._sessions.add(process.pid)
        return component

    def run(self, steps: Mapping[str, list[str]], environment: Mapping[str, str], log: Path) -> None:
        """Run commands side by side to their end; raise `ComponentFailed` at the first that fails."""
        started = [
            self.start(name, command, environment, log / f"{_file(name)}.log") for name, command in steps.items()
        ]
        while any(c.process.poll() is None for c in started):
            failed = [c for c in started if c.process.poll()]
            if failed:
                break
            time.sleep(0.1)
        for component in started:
            if code := component.process.poll():
                raise ComponentFailed(
                    f"the step '{component.name}' failed with exit code {code}; its log {component.log} ends:\n"
                    + component.tail()
                )
            self.components.remove(component)

    def check(self) -> None:
        """Raise `ComponentFailed` if a process has ended by itself."""
        for component in self.components:
            if (code := component.process.poll()) is not None:
                raise ComponentFailed(
                    f"{component.name} ended by itself with exit code {code}; its log {component.log} ends:\n"
                    + component.tail()
                )

    def end(self, name: str) -> None:
        """Stop one component, and expect it no more."""
        component = next(c for c in self.components if c.name == name)
        component.process.terminate()
        if not _ended(component.process, time.monotonic() + TERM_SECONDS):
            _kill_group(component.process)
        self.components.remove(component)

    def stop(self, term_seconds: float = TERM_SECONDS) -> list[str]:
        """Stop everything and return what had to be killed; a second Ctrl-C waits until it is done."""
        signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        try:
            return self._stop(term_seconds)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _stop(self, term_seconds: float) -> list[str]:
        killed: list[str] = []
        # What the others talk to goes last.
        for is_backbone in (False, True):
            wave = [c for c in reversed(self.components) if c.is_backbone is is_backbone]
            for component in wave:
                # TERM to the process alone: to its group it would kill a scheduler's workers under it, and hang it.
                if component.process.poll() is None:
                    component.process.terminate()
            deadline = time.monotonic() + term_seconds
            for component in wave:
                if not _ended(component.process, deadline):
                    _kill_group(component.process)
                    killed.append(component.name)
        killed += self._sweep()
        self.components.clear()
        return killed

    def _sweep(self) -> list[str]:
        """Kill what is left: only processes of this very stack, as `alive` finds them."""
        strays = self.alive()
        for process in strays:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(strays, timeout=5)
        return [f"stray process {process.pid}" for process in strays]

    def alive(self) -> list[psutil.Process]:
        """Return every process, of whatever generation, that this stack has started and that still runs."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.status() != psutil.STATUS_ZOMBIE and self._is_ours(process):
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found

    def _is_ours(self, process: psutil.Process) -> bool:
        # A process that sets its title overwrites its environment, one that makes a session leaves ours: ask both.
        return os.getsid(process.pid) in self._sessions or process.environ().get(MARK) == self.mark


def _ended(process: subprocess.Popen[bytes], deadline: float) -> bool:
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait(10)


def _end_with_parent() -> None:
    """Ask Linux for a TERM should the supervisor be killed outright; elsewhere the sweep of `make stop` is all."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _file(name: str) -> str:
    return name.replace(" ", "-")
