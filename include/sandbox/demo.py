"""What `make run` runs: Airflow's real components over the sandbox, from syncs to alerts and data sets, then up until Ctrl-C.

Exit codes: 0 every run succeeded, 1 one did not or a component failed, 2 not started (running already, ports, arguments).
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from rich.console import Console

from include.errors import ConfigurationError, ShuhengError
from include.sandbox.airflow_home import Home
from include.sandbox.demo_alerts import tell_and_publish
from include.sandbox.demo_report import Watch, show_access, show_judged, show_ledger, show_run
from include.sandbox.stack import Stack, StackOptions
from include.settings import ROOT

DONE, FAILED, NOT_STARTED, INTERRUPTED = 0, 1, 2, 130
STOP_SECONDS = 90.0
DAG = "sync_projects"
JUDGING = {
    "check_interconnection": "interconnection 联通",
    "watch_systems": "systems 信息系统",
    "harvest_catalogues": "catalogues 资源目录",
    "evaluate_rules": "regulation 办法执行",
}
"""The DAGs that judge, with what they judge; each reads what those behind it need."""


class Interrupted(BaseException):
    """A signal asked the demo to end."""


class RunningAlready(ConfigurationError):
    """Another `make run` holds this home."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run or stop the demo."""
    parser = argparse.ArgumentParser("python -m include.sandbox.demo", description=__doc__)
    parser.add_argument("--stop", action="store_true", help="stop the demo that runs in this home")
    options = parser.parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    try:
        home = Home(Path(os.environ.get("SHUHENG_HOME") or ROOT / ".shuheng").resolve())
        return stop(home, console) if options.stop else run(home, console)
    except ShuhengError as error:
        console.print(f"make run: {error}", style="red", markup=False)
        return NOT_STARTED if isinstance(error, ConfigurationError) else FAILED


def run(home: Home, console: Console) -> int:
    """Start everything, sync three times, judge, tell, publish, and stay up unless ONCE is set."""
    options = StackOptions(home, _number("PORT", 18080), _number("SANDBOX_PORT", 18100), _number("SIZE", 0) or None)
    is_once = os.environ.get("ONCE", "") not in ("", "0")
    with _lock(home, options):
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, _interrupt)
        stack = Stack(options, say=lambda text: console.print(f"· {text}", style="dim"))
        code = INTERRUPTED
        try:
            with contextlib.suppress(Interrupted), stack:
                code = _sync_three_times(stack, console)
                code = code or _judge(stack, console)
                code = code or (DONE if tell_and_publish(stack, console) else FAILED)
                show_ledger(stack, console)
                if not is_once:
                    show_access(stack, console)
                    _stay(stack)
        finally:
            left = stack.processes.alive()
            console.print(f"Processes left behind: {left}" if left else "Stopped; no process is left.", style="dim")
        return code


def _sync_three_times(stack: Stack, console: Console) -> int:
    stack.open_dag(DAG)
    states = []
    first = "what came since the last time" if stack.home.read_state()["days"] else "everything is new"
    for title, mode in (
        (f"1st run: {first}", "auto"),
        ("2nd run: the same again, read in full", "full"),
        ("3rd run: a day later, only what changed since", "incremental"),
    ):
        if mode == "incremental":
            moved = stack.advance()
            counts = {name: len(moved[name]) for name in ("changed", "new", "reissued")}
            what = "{changed} projects changed, {new} are new, {reissued} have a new code".format(**counts)
            console.print(f"· the sandbox is now at {moved['day']}: {what}", style="dim")
        with Watch(console, title) as watch:
            states.append(stack.run_dag(DAG, watch, mode=mode))
        show_run(stack, console, title, states[-1])
        if states[-1] != "success":
            break
    return DONE if states == ["success"] * 3 else FAILED


def _judge(stack: Stack, console: Console) -> int:
    """Run the DAGs that judge the systems, and show what they say; the first to fail ends it."""
    for dag, what in JUDGING.items():
        stack.open_dag(dag)
        title = f"{dag}: {what}"
        with Watch(console, title) as watch:
            state = stack.run_dag(dag, watch)
        show_judged(stack, console, title, dag, state)
        if state != "success":
            return FAILED
    return DONE


def _stay(stack: Stack) -> None:
    while True:
        time.sleep(2)
        stack.processes.check()


def stop(home: Home, console: Console) -> int:
    """Stop the demo that runs in a home, and wait until it has ended."""
    holder = _holder(home)
    if holder is None:
        console.print("nothing is running", style="dim")
        return DONE
    with contextlib.suppress(ProcessLookupError):
        os.kill(holder["pid"], signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _holder(home):
        if time.monotonic() > deadline:
            console.print(f"process {holder['pid']} did not end within {STOP_SECONDS:.0f} s", style="red")
            return FAILED
        time.sleep(0.3)
    console.print("stopped", style="dim")
    return DONE


@contextlib.contextmanager
def _lock(home: Home, options: StackOptions) -> Iterator[None]:
    """Hold the home; the kernel lets go of the lock when this process ends, however it ends."""
    home.path.mkdir(parents=True, exist_ok=True)
    with (home.path / "running.json").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(home) or {}
            raise RunningAlready(
                f"running already as process {holder.get('pid', '?')}, at {holder.get('url', '?')}; "
                "stop it with Ctrl-C there or with make stop, or run a second one beside it: "
                "make run SHUHENG_HOME=… PORT=… SANDBOX_PORT=…"
            ) from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "url": f"http://127.0.0.1:{options.port}"}))
        file.flush()
        yield


def _holder(home: Home) -> dict[str, int] | None:
    """Return who holds the home, or None when nobody does."""
    try:
        with (home.path / "running.json").open("r+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                found: dict[str, int] = json.loads(file.read() or "{}")
                return found
    except FileNotFoundError:
        pass
    return None


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    sys.stderr.write("\nstopping, this takes some seconds …\n")
    raise Interrupted


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not text.isdigit() or (variable != "SIZE" and not 1024 <= int(text) <= 65535):
        raise ConfigurationError(
            f"{variable}={text!r} is not {'a number' if variable == 'SIZE' else 'a port (1024 to 65535)'}"
        )
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
