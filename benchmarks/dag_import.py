"""Print how long each DAG file takes to import beyond Airflow itself and its plugins: `python -m benchmarks.dag_import`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
RUNS = 5
CODE = """
import sys, time, runpy
sys.path.append("plugins")
import airflow.sdk, airflow.sdk.exceptions, shuheng_timetables
started = time.perf_counter()
runpy.run_path(sys.argv[1])
print(time.perf_counter() - started)
"""


def main() -> int:
    """Measure every file in a process of its own; the goal is under 0.3 s each."""
    files = sorted((ROOT / "dags").glob("*.py"))
    worst = 0.0
    for path in files:
        seconds = []
        for _ in range(RUNS):
            command = [sys.executable, "-c", CODE, str(path)]
            done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
            seconds.append(float(done.stdout.splitlines()[-1]))
        worst = max(worst, median(seconds))
        print(
            f"{path.name:30} median {median(seconds):.3f} s  (min {min(seconds):.3f}, max {max(seconds):.3f}, n={RUNS})"
        )
    print(f"{len(files)} files, goal < 0.3 s each: {'reached' if files and worst < 0.3 else 'NOT reached'}")
    return 0 if files and worst < 0.3 else 1


if __name__ == "__main__":
    sys.exit(main())
