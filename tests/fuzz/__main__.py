"""Fuzz the parsers: `python -m tests.fuzz [SECONDS] [TARGET...]`, ten seconds each unless told otherwise.

A crash of the process is found, too: the document being read is kept in a file until it has been. Stops with exit code 1 at the
first document that breaks something, takes longer than two seconds of the processor, or makes the memory grow.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.fuzz import documents, files
from tests.fuzz.mutation import mutated

TARGETS = {name: module for module in (documents, files) for name in module.TARGETS}

SLOWEST = 2.0
MEMORY = 2_000_000_000
GROWTH_MB = 400
_POOL = 200


def run(name: str, seconds: float, seed: int) -> int:
    """Run one target and return the number of documents read; raises what the target lets through."""
    target, chance = TARGETS[name].TARGETS[name], random.Random(seed)
    begun = TARGETS[name].corpus()
    pool = list(begun)
    kept = Path(tempfile.gettempdir()) / f"{name}.document"
    end, count, first = time.monotonic() + seconds, 0, _peak_mb()
    while time.monotonic() < end:
        data = mutated(chance.choice(pool), begun, chance)
        kept.write_bytes(data)
        started = time.process_time()
        target(data)
        took = time.process_time() - started
        assert took < SLOWEST, f"{took:.1f} s for {kept}"
        assert _peak_mb() - first < GROWTH_MB, f"memory grew by {_peak_mb() - first} MB, last by {kept}"
        count += 1
        if len(data) < 20_000 and chance.random() < 0.02:
            pool = [*begun, *pool[len(begun) :][-_POOL:], data]
    kept.unlink()
    return count


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(arguments: list[str]) -> int:
    """Run the named targets, or all."""
    seconds = float(arguments[0]) if arguments else 10.0
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for name in arguments[1:] or TARGETS:
        seed = random.randrange(2**32)
        print(f"{name}: {seconds:.0f} s, seed {seed}", flush=True)
        try:
            count = run(name, seconds, seed)
        except BaseException:
            traceback.print_exc()
            print(f"{name}: broken; the document is {Path(tempfile.gettempdir()) / f'{name}.document'}")
            return 1
        print(f"{name}: {count} documents, peak {_peak_mb()} MB, nothing but named errors", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
