"""What only peers need, kept out of the project's own environment: dlt's virtual environment and the SQLite provider."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.contestants import DLT_PYTHON, HOOK_PACKAGES, Contestant
from benchmarks.usage import HERE

REQUIREMENTS = HERE / "requirements.txt"
HOOK_REQUIREMENTS = HERE / "requirements-hook.txt"


def prepare_environments(contestants: list[Contestant], say: Callable[[str], None]) -> None:
    """Install what these contestants need and lacks so far; does nothing once it is there and the pins are the same."""
    if any(c.name.startswith("dlt") for c in contestants):
        _once(REQUIREMENTS, DLT_PYTHON.parent.parent, lambda: _install(REQUIREMENTS), say)
    if any("hook" in c.name and c.database == "sqlite" for c in contestants):
        _once(HOOK_REQUIREMENTS, HOOK_PACKAGES, _install_hook, say)


def _once(pins: Path, target: Path, install: Callable[[], None], say: Callable[[str], None]) -> None:
    mark = target / ".installed"
    if mark.is_file() and mark.read_text() == pins.read_text():
        return
    say(f"installing {pins.name} into {target}")
    shutil.rmtree(target, ignore_errors=True)
    _make_venv()
    install()
    mark.write_text(pins.read_text())


def _make_venv() -> None:
    """Make benchmarks/.venv, whose pip also installs the provider: the project's environment may have none."""
    if not DLT_PYTHON.exists():
        _run([sys.executable, "-m", "venv", "--clear", str(DLT_PYTHON.parent.parent)])


def _install(pins: Path) -> None:
    _run([str(DLT_PYTHON), "-m", "pip", "install", "--quiet", "--no-deps", "-r", str(pins)])


def _install_hook() -> None:
    command = [str(DLT_PYTHON), "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(HOOK_PACKAGES)]
    _run([*command, "-r", str(HOOK_REQUIREMENTS)])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:6])} … failed: {done.stderr.strip()[-1500:]}")
