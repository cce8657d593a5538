"""Run one command and report what it cost, from a process so small that it cannot blur the figures.

A child's peak memory begins at that of the process that forked it, so the runner, which is larger, must not be that process.
Writes one JSON line to the file descriptor given as first argument: wall, user and sys seconds, peak KiB, exit code.
The peak is `wait4`'s for one process; while there are several, their proportional shares (Pss) are added up ten times a second.
Imports only what a bare interpreter has at hand: the package `signal` would bring more than this file needs.
"""

from __future__ import annotations

import os
import sys
import time
from _signal import SIG_BLOCK, SIGCHLD, pthread_sigmask, sigtimedwait  # type: ignore[import-not-found]

SAMPLE_SECONDS = 0.1


def main() -> None:
    """Spawn, wait, report."""
    report, command = int(sys.argv[1]), sys.argv[2:]
    pthread_sigmask(SIG_BLOCK, [SIGCHLD])
    begun = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ, setsigmask=[])
    shared = 0
    while sigtimedwait([SIGCHLD], SAMPLE_SECONDS) is None:
        shared = max(shared, tree_kib(child))
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - begun
    line = (
        f'{{"wall": {wall:.6f}, "user": {usage.ru_utime:.6f}, "sys": {usage.ru_stime:.6f}, '
        f'"peak_kib": {max(shared, usage.ru_maxrss)}, "code": {os.waitstatus_to_exitcode(status)}}}\n'
    )
    os.write(report, line.encode())


def tree_kib(pid: int) -> int:
    """Return what a process and its descendants hold together in KiB, or 0 while there are none."""
    found = [pid]
    for parent in found:
        try:
            for thread in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{thread}/children") as file:
                    found += map(int, file.read().split())
        except OSError:
            continue
    return sum(map(_pss_kib, found)) if len(found) > 1 else 0


def _pss_kib(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    except OSError:  # it has just ended
        return 0


main()
