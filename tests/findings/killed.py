"""Work that is killed by SIGKILL before its n-th statement, in a process of its own."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Engine, event

from include.ledger.database import open_ledger
from tests.depth import SOAK

READS = ("SELECT", "PRAGMA", "BEGIN")


LOCKING = {"sqlite": 0, "postgresql": 2}
"""Statements but reads that `snapshot` makes before a work's first: the lock is taken in a transaction of its own."""


def places(writes: int) -> Iterable[int]:
    """Return before which statements that write to kill one transaction of so many: under `make soak` before each.

    Otherwise the first, one in the middle and the last, the commit: had anything been committed before it, it would stand there.
    """
    return range(writes) if SOAK else sorted({0, writes // 2, writes - 1})


def killed_before(url: str, statement: int, work: Callable[[Engine], Any], *, reading: bool = True) -> bool:
    """Do a piece of work on a ledger in a child process; return whether it died. Commits count as statements.

    Without `reading` only those that write count: before one that reads, a ledger is as it is before the next that writes.
    """
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return True
        assert os.WEXITSTATUS(status) == 0, "the work failed; its traceback stands above"
        return False
    try:
        _work(url, statement, work, reading)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _work(url: str, statement: int, work: Callable[[Engine], Any], reading: bool) -> None:
    engine, left = open_ledger(url), [statement]

    def count(_: Any, _cursor: Any = None, text: str = "COMMIT", *_more: Any) -> None:
        if not reading and text.lstrip().startswith(READS):
            return
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", count)
    work(engine)
