"""Fuzz the parsers: `python -m tests.fuzz [SECONDS] [TARGET...]`, ten seconds each unless told otherwise; `--help` lists them.

SECONDS are of the processor: on a busy machine a run takes longer and reads no fewer documents.
A crash of the process is found, too: the document being read is kept in a file until it has been. Stops with exit code 1 at the
first document that breaks something, takes longer than two seconds of the processor, hangs, or makes the memory grow. Memory is
told for the process, so that of one target is seen where it is run alone.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.fuzz import answers, configuration, documents, files, pages
from tests.fuzz.mutation import mutated

TARGETS = documents.TARGETS | files.TARGETS | pages.TARGETS | configuration.TARGETS | answers.TARGETS

SLOWEST = 2.0
HANGING = 60
"""Seconds of the processor after which a document hangs: the process ends and says where it stood."""
STANDING = 3_600
"""Seconds by the clock after which it stands still; so many, because a run may be stopped while others measure."""
MEMORY = 2 << 30
GROWTH_MB = 400
_POOL = 200


def run(name: str, seconds: float, seed: int) -> int:
    """Run one target for so many seconds of the processor; return the number of documents read, raise what it lets through."""
    target, chance = TARGETS[name], random.Random(seed)
    begun = target.begun()
    pool = list(begun)
    kept = Path(tempfile.gettempdir()) / f"{name}.document"
    end, count, first = _processor_seconds() + seconds, 0, _peak_mb()
    while _processor_seconds() < end:
        data = mutated(chance.choice(pool), begun, chance)
        kept.write_bytes(data)
        started = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, HANGING)
        faulthandler.dump_traceback_later(STANDING, exit=True)
        target.read(data)
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_PROF, 0)
        took = time.process_time() - started
        assert took < SLOWEST, f"{took:.1f} s for {kept}"
        assert _peak_mb() - first < GROWTH_MB, f"memory grew by {_peak_mb() - first} MB, last by {kept}"
        count += 1
        if len(data) < 20_000 and chance.random() < 0.02:
            pool = [*begun, *pool[len(begun) :][-_POOL:], data]
    kept.unlink()
    return count


def _processor_seconds() -> float:
    """Return what this process and those that it started and that have ended took."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(arguments: list[str]) -> int:
    """Run the named targets, or all."""
    asked = _asked(arguments)
    logging.disable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    faulthandler.register(signal.SIGPROF, chain=True)  # then it ends, as nobody else takes the signal
    for name in asked.target or TARGETS:
        seed = random.randrange(2**32)
        print(f"{name}: {asked.seconds:.0f} s of the processor, seed {seed}", flush=True)
        try:
            count = run(name, asked.seconds, seed)
        except BaseException:
            traceback.print_exc()
            print(f"{name}: broken; the document is {Path(tempfile.gettempdir()) / f'{name}.document'}")
            return 1
        print(f"{name}: {count} documents, peak {_peak_mb()} MB, nothing but named errors", flush=True)
    return 0


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m tests.fuzz", description="Feed broken documents to whatever reads what came from outside."
    )
    parser.add_argument("seconds", nargs="?", type=float, default=10.0, help="of the processor, for each target (10)")
    parser.add_argument("target", nargs="*", help=f"all, unless named: {', '.join(TARGETS)}")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.target if name not in TARGETS]:
        parser.error(f"no target {', '.join(unknown)}; --help lists them")
    return asked


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
