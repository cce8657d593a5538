"""`python -m include sync …`, timed from inside as the hook is (`peers/hook.py`): from when all is imported until it is done.

`python -m benchmarks.ours sync SOURCE --json`: prints what the command prints, with `import_s` and `work_s`. What the second
process imports is work: it happens beside.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import sys
import time
from importlib import import_module

MODULES = (
    "include.ledger.database", "include.ledger.reconcile", "include.sources.card_files", "include.landing.store",
    "include.ledger.ahead", "include.ledger.sync", "include.settings", "include.sources.second_process",
    "include.sources.http_reader", "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite",
)  # fmt: skip
"""What the command imports when it is told to sync, over HTTP and into either database."""


def main() -> int:
    """Import, run the command, and print its answer with both times."""
    begun = time.perf_counter()
    from include.__main__ import main as run
    from include.collection import no_collection

    with no_collection():  # as the command itself imports them
        for name in MODULES:
            import_module(name)
        import psycopg  # noqa: F401 - which its dialect imports with the first engine
    imported = time.perf_counter()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = run(sys.argv[1:])
    times = {"import_s": imported - begun, "work_s": time.perf_counter() - imported}
    print(json.dumps(json.loads(printed.getvalue()) | times))
    return code


if __name__ == "__main__":
    exit_code = main()
    gc.freeze()  # as the command does
    sys.exit(exit_code)
