"""The regulation judged over thousands of projects: the first day in full, the same day, a quiet day, a day on which 1 % changed,
and the first day of a week, on which everything is looked at.

Beside it the limit line of W5: twenty bare predicates over as many rows in the database, UNION ALL … INSERT, without
reason or evidence.
As a module it judges once and prints what that took: `python -m benchmarks.rules LEDGER_URL DAY SCOPE [full]`.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Engine, text

from benchmarks.goals import Goal
from benchmarks.made_ledger import made_ledger
from benchmarks.postgres import Postgres
from benchmarks.rules_added import SEED, SPLITS
from benchmarks.rules_ledger import DAY, change, fill
from benchmarks.usage import Usage, bare_interpreter_kib, run_measured

PHASES = ("first day", "same day", "quiet day", "1 % changed", "all again, in full", "first day of a week")
LATER = {"quiet day": 1, "1 % changed": 2, "all again, in full": 2, "first day of a week": 3}
"""Days after the first one, a Friday; a round later is a week later."""
BY_RULES = {
    "first": "first 20 rules, CPU", "same": "first 20 rules twice, CPU", "next": "next 20 rules, CPU",
    "both": "first 40 rules, CPU", "all": "all rules, CPU",
}  # fmt: skip
BY_LOT = {f"split {n}": f"20 of the 40, drawn by lot, CPU: split {n}" for n in range(1, SPLITS + 1)}
TIMES = 5
"""How often the first twenty rules and all of them are judged in turn, in each round."""
FULL_SECONDS, CHANGED_SECONDS, LIMIT_SHARE = 20.0, 2.0, 3.0
PREDICATES = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """One judging: seconds of the process, of the judging inside it, its peak, how much was judged and judged anew."""

    database: str
    phase: str
    wall: float
    judging: float
    peak_mib: float
    verdicts: int
    anew: int
    written: int
    digest: str


def measure(
    projects: int, server: Postgres | None, runs: int, home: Path, databases: set[str], say: Callable[[str], None]
) -> list[Sample]:
    """Judge the scope `regulation` over so many projects, phase after phase, and the limit line beside it."""
    samples = []
    for database, run in product(sorted(databases), range(1, runs + 1)):
        # Every round has a ledger of its own: what was read a week ago is too old for any rule.
        filling, what = partial(fill, projects=projects), f"{projects:,} projects, round {run}"
        with made_ledger(database, server, home, f"rules{run}", filling, what, say) as (url, engine):
            for phase in PHASES:
                samples.append(_sample(database, phase, url, engine, projects))
                say(f"{database}, {phase}: {samples[-1].judging:.2f} s, {samples[-1].anew:,} judged anew")
            samples.append(_limit(database, engine, projects))
            say(f"{database}, limit line: {samples[-1].judging:.2f} s")
            samples += _by_rules(database, url)
    return samples


def _sample(database: str, phase: str, url: str, engine: Engine, projects: int) -> Sample:
    day = DAY + timedelta(days=LATER.get(phase, 0))
    if phase == "1 % changed":
        change(engine, max(1, projects // 100), day, projects)
    command = judging_command(url, day, "regulation", is_full="full" in phase)
    usage: Usage = run_measured(command, os.environ)
    said, peak = usage.said, (usage.peak_kib - bare_interpreter_kib()) / 1024
    return Sample(
        database, phase, usage.wall, said["seconds"], peak, said["verdicts"], said["judged"], said["events"], said["digest"]
    )  # fmt: skip


def _limit(database: str, engine: Engine, projects: int) -> Sample:
    """Return what twenty bare predicates over the dossiers cost inside the database."""
    unlogged = "UNLOGGED" if database == "postgres" else ""
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS bare_finding"))
        connection.execute(text(f"CREATE {unlogged} TABLE bare_finding (rule INTEGER, subject TEXT)"))
    arms = " UNION ALL ".join(
        f"SELECT {n}, project_code FROM project_dossier WHERE approved_investment_yuan % {n + 3} = 0"
        for n in range(PREDICATES)
    )
    begun = time.perf_counter()
    with engine.begin() as connection:
        connection.execute(text(f"INSERT INTO bare_finding {arms}"))
    seconds = time.perf_counter() - begun
    with engine.begin() as connection:
        found = connection.execute(text("SELECT count(*) FROM bare_finding")).scalar_one()
        connection.execute(text("DROP TABLE bare_finding"))
    return Sample(database, "limit: 20 bare predicates", seconds, seconds, 0, projects * PREDICATES, 0, found, "")


def _by_rules(database: str, url: str) -> list[Sample]:
    """Return the CPU seconds of facts, verdicts and digest by 20, by the next 20, by 40 and by all rules: medians of a process."""
    last = DAY + timedelta(days=max(LATER.values()))
    said = run_measured(
        [sys.executable, "-m", "benchmarks.rules_added", url, last.isoformat(), str(TIMES)], os.environ
    ).said
    return [
        Sample(database, phase, one["cpu"], one["cpu"], 0, one["verdicts"], one["verdicts"], 0, "")
        for one, phase in ((said[name], phase) for name, phase in (BY_RULES | BY_LOT).items())
    ]


def goals(samples: list[Sample]) -> list[Goal]:
    """Return whether a full run, a day with 1 % changed, and the limit line's multiple are within bounds, and both ways agree."""
    found = []
    for database in sorted({s.database for s in samples}):
        took = {
            p: median(s.judging for s in samples if (s.database, s.phase) == (database, p))
            for p in {s.phase for s in samples}
        }
        full, changed, limit = took["first day"], took["1 % changed"], took["limit: 20 bare predicates"]
        found.append(Goal(f"{database}, full run < {FULL_SECONDS:.0f} s", f"{full:.2f} s", full < FULL_SECONDS))
        found.append(
            Goal(f"{database}, 1 % changed < {CHANGED_SECONDS:.0f} s", f"{changed:.2f} s", changed < CHANGED_SECONDS)
        )
        ratio = took["quiet day"] / limit
        found.append(
            Goal(f"{database}, quiet day ≤ {LIMIT_SHARE:.0f}x the limit line", f"{ratio:.1f}x", ratio <= LIMIT_SHARE)
        )
        found += _of_more_rules(database, samples)
        pairs = [
            {s.digest for s in samples if s.database == database and s.phase == p}
            for p in ("1 % changed", "all again, in full")
        ]
        found.append(Goal(f"{database}, what changed and all again say the same", "same digest", pairs[0] == pairs[1]))
    return found


def _of_more_rules(database: str, samples: list[Sample]) -> Iterator[Goal]:
    """Yield what twenty more rules add to twenty: as heavy ones, and two other twenties to each other, in either order.

    Of two unlike twenties one adds more than the other costs alone, however cheap it is to add: whether more rules cost more than
    in proportion is said by what both cost together, of what they cost apart.
    """
    first, same, following, both, every = (
        [s for s in samples if (s.database, s.phase) == (database, phase)] for phase in BY_RULES.values()
    )

    def added(before: list[Sample], after: list[Sample]) -> tuple[float, str]:
        share = median((b.judging - a.judging) / a.judging for a, b in zip(before, after, strict=True))
        verdicts = (after[0].verdicts - before[0].verdicts) / before[0].verdicts
        return (
            share,
            f"{share:.2f}x ({verdicts:.2f}x as many verdicts, each {share / verdicts:.2f}x one of those before)",
        )

    for named, before, after, is_goal in (
        ("20 more rules add ≤ 1x of the first 20: the same 20 again", first, same, True),
        ("… the next 20 by name to the first 20", first, both, True),
        ("… the first 20 to the next 20", following, both, True),
        ("… all further rules", first, every, False),
    ):
        share, said = added(before, after)
        yield Goal(f"{database}, {named}", said, share <= 1 or not is_goal, is_goal=is_goal)
    drawn = ([s for s in samples if (s.database, s.phase) == (database, phase)] for phase in BY_LOT.values())
    shares = sorted(added(split, both)[0] for split in drawn)
    for named, share in (("median", median(shares)), ("worst", shares[-1])):
        goal = f"{database}, … the other 20 to 20 of the 40 drawn by lot: {named} of {SPLITS} splits (seed {SEED})"
        yield Goal(goal, f"{share:.2f}x", share <= 1)
    apart = [a.judging + b.judging for a, b in zip(first, following, strict=True)]
    whole = median(b.judging / a for a, b in zip(apart, both, strict=True))
    yield Goal(f"{database}, 40 rules together ≤ 1x of both twenties apart", f"{whole:.2f}x", whole <= 1)


def markdown(samples: list[Sample]) -> str:
    """Return medians as a table."""
    lines = [
        "| database | phase | judging s | process s | peak MiB | verdicts | judged anew | events |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for database, phase in dict.fromkeys((s.database, s.phase) for s in samples):
        mine = [s for s in samples if (s.database, s.phase) == (database, phase)]
        judging, wall, peak = (median(getattr(s, n) for s in mine) for n in ("judging", "wall", "peak_mib"))
        counts = f"{mine[0].verdicts:,} | {mine[0].anew:,} | {mine[0].written:,}"
        lines.append(f"| {database} | {phase} | {judging:.2f} | {wall:.2f} | {peak:.0f} | {counts} |")
    return "\n".join(lines)


def as_results(samples: list[Sample]) -> list[dict[str, Any]]:
    """Return the samples for the file of results."""
    return [asdict(s) for s in samples]


def judging_command(url: str, day: date, scope: str, *, is_full: bool = False) -> list[str]:
    """Return the command that judges once and prints what that took."""
    return [sys.executable, "-m", "benchmarks.rules", url, day.isoformat(), scope, *(["full"] if is_full else [])]


def _count_rows(engine: Engine) -> Counter[str]:
    """Return what will hold how many rows of which table were written by statements of this process."""
    from sqlalchemy import event

    written: Counter[str] = Counter()

    def note(_: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if found := re.match(r"(?:INSERT INTO|UPDATE) (\w+)", statement):
            written[found[1]] += max(cursor.rowcount, 0)

    event.listen(engine, "after_cursor_execute", note)
    return written


def main() -> None:
    """Judge once and print what it took."""
    from include.clock import SHANGHAI
    from include.findings.judging import judge
    from include.ledger.database import open_ledger

    url, day, scope, is_full = sys.argv[1], date.fromisoformat(sys.argv[2]), sys.argv[3], "full" in sys.argv[4:]
    engine = open_ledger(url)
    written = _count_rows(engine)
    begun, cpu = time.perf_counter(), time.process_time()
    judged = judge(engine, scope, day, full=is_full, at=datetime(day.year, day.month, day.day, 7, tzinfo=SHANGHAI))
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    assert not judged.crashed, judged.crashed
    changed = {(c.rule, c.subject_type, c.subject, c.finding_id) for c in judged.settled.changes}
    said = {
        "seconds": seconds, "cpu": cpu, "verdicts": judged.tally.verdicts, "judged": judged.tally.judged, "digest": judged.digest,
        "events": len(judged.settled.changes), "changed": len(changed), "rules": len(judged.tally.outcomes),
        "written": dict(written),
    }  # fmt: skip
    print(json.dumps(said))


if __name__ == "__main__":
    main()
