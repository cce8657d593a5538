"""Killed by SIGKILL at any line, again and again: nothing goes unproven, and in the end all is as if it had never been killed."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine

from include.house.keeping import keep_all
from include.house.removal import House
from include.ledger.alert_tables import delivery_attempt, outbox
from include.ledger.database import open_ledger
from include.ledger.tables import probe_day
from tests.depth import deep
from tests.house.household import Household, ago
from tests.rules.evidence import Evidence, rows_of

OURS = ("include/house/", "include/landing/store.py")


def killed_at_line(line: int, work: Callable[[], Any]) -> bool:
    """Do the work in a child process that kills itself before the n-th line of what removes; return whether it died."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return True
        assert os.WEXITSTATUS(status) == 0, "the work failed; its traceback stands above"
        return False
    left = [line]

    def count(frame: Any, event: str, _: Any) -> Any:
        if not any(part in frame.f_code.co_filename for part in OURS):
            return None
        left[0] -= event == "line"
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return count

    try:
        sys.settrace(count)
        work()
        sys.settrace(None)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def furnish(home: Household) -> None:
    """Let there be old and recent things of every kind."""
    for n in range(6):
        home.land(ago(300 - n), f"old {n}")
        home.swept(ago(90 - n), f"sweep {n}", f"probes {n}")
        home.spooled(ago(70), home.message(n, ago(70 - n), tries=[ago(70 - n)]))
        Evidence(home.engine).probed("A", ago(1003 - n), successes=1)
        home.released(ago(120 - n))
    home.land(ago(5), "recent", full=True)


def state(home: Household) -> tuple[Any, ...]:
    files = sorted(
        str(p.relative_to(home.folder)) for p in home.folder.rglob("*") if p.is_file() and "ledger" not in p.name
    )
    with home.engine.connect() as connection:
        tables = [rows_of(connection, table) for table in (outbox, delivery_attempt, probe_day)]
    return files, *tables


def on_own_connection(house: House, engine: Engine) -> House:
    return House(engine, house.store, house.retention, house.at, house.spool_url, house.datasets_url)


def test_a_cleaning_killed_again_and_again_ends_like_one_that_was_not(home: Household, ledger_url: str) -> None:
    furnish(home)
    before = state(home)
    house = home.house()
    planned = {done.kind: done.things for done in keep_all(house, apply=False)}
    assert all(planned.values()), planned

    def work() -> None:
        keep_all(on_own_connection(house, open_ledger(ledger_url)), apply=True)

    between, line = [], 5
    while killed_at_line(line, work):
        between.append(state(home))
        gone = set(before[0]) - set(between[-1][0])
        assert len(gone) <= len(home.proven()), "something went that nothing proves"
        line += deep(49, 37)
    end = state(home)
    assert len(between) > 12
    assert sum(one not in (before, end) for one in between) > 5, "the kills missed the removing"
    assert [done.things for done in keep_all(house, apply=True)] == [0] * len(planned)
    assert home.texts() == {"recent"}
    assert home.texts("probe") == set()
    assert len(home.releases()) == 2
    assert [row["body"] for row in end[1]] == [""] * 6
    assert (end[2], {row["day"] for row in end[3]}) == ([], {ago(1000), ago(999), ago(998)})
    proven = {(line["kind"], line["hash"]) for line in home.proven() if line["reason"] != "removal_cut_short"}
    assert len(proven) == sum(planned.values())
    assert len(home.proven()) <= len(proven) + 1, (
        "what a kill left half removed is named once more, and nothing else twice"
    )
