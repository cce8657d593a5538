"""`python -m include sync …`, timed from inside as the hook is (`peers/hook.py`): from when all is imported until it is done.

`python -m benchmarks.ours [MODULE …] sync SOURCE --json`: prints what the command prints, with `import_s` and `work_s`; the
modules are what the source needs besides. What the second process imports is work: it happens beside.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import sys
import time
from importlib import import_module

MODULES = (
    "include.ledger.database", "include.ledger.reconcile", "include.sources.card_files", "include.landing.store",
    "include.ledger.ahead", "include.ledger.sync", "include.settings", "include.sources.second_process",
    "include.sources.http_reader",
)  # fmt: skip
"""What the command imports when it is told to sync over HTTP."""

DIALECTS = {
    "postgresql": ("sqlalchemy.dialects.postgresql.psycopg", "psycopg"), "sqlite": ("sqlalchemy.dialects.sqlite.pysqlite",),
}  # fmt: skip
"""What SQLAlchemy imports with the first engine on a kind of database."""


def main() -> int:
    """Import, run the command, and print its answer with both times."""
    begun = time.perf_counter()
    verb = sys.argv.index("sync")
    dialect = DIALECTS[os.environ["LEDGER_URL"].partition("://")[0].partition("+")[0]]
    from include.__main__ import main as run
    from include.collection import no_collection

    with no_collection():  # as the command itself imports them
        for name in (*MODULES, *dialect, *sys.argv[1:verb]):
            import_module(name)
    imported = time.perf_counter()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = run(sys.argv[verb:])
    times = {"import_s": imported - begun, "work_s": time.perf_counter() - imported}
    print(json.dumps(json.loads(printed.getvalue()) | times))
    return code


if __name__ == "__main__":
    exit_code = main()
    gc.freeze()  # as the command does
    sys.exit(exit_code)
