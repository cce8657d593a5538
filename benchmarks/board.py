"""The board's pages over 5,000 systems and 20,000 findings: server time of each, on either database, in process.

No network and no login is in it: what is measured is from the request to the whole answer.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from sqlalchemy import Engine, func, select

from benchmarks.board_ledger import DAY, fill
from benchmarks.goals import Goal
from benchmarks.made_ledger import made_ledger
from benchmarks.postgres import Postgres

FINDINGS = 20_000
TIMES = 15
MOST_MS = 300.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One page on one database: milliseconds of each request, the first one left out, which reads the register.

    `cpu_ms` is what this process worked for it: on SQLite all there is to do, whatever else the machine does.
    """

    database: str
    page: str
    first_ms: float
    p50_ms: float
    p95_ms: float
    cpu_ms: float
    kib: int


def measure(
    systems: int, server: Postgres | None, runs: int, home: Path, databases: set[str], say: Callable[[str], None]
) -> list[Sample]:
    """Ask for every page `TIMES` times a run."""
    samples = []
    for database in sorted(databases):
        what = f"{systems:,} systems and projects, {FINDINGS:,} findings"
        filling = partial(fill, systems=systems, findings=FINDINGS)
        with made_ledger(database, server, home, "board", filling, what, say) as (url, engine):
            os.environ["LEDGER_URL"], os.environ["DATASETS_URL"] = url, str(home / "datasets")
            for page, path in _paths(engine).items():
                found = asyncio.run(_sample(database, page, path, runs))
                samples.append(found)
                say(
                    f"{database}, {page}: p50 {found.p50_ms:.0f} ms, p95 {found.p95_ms:.0f} ms, CPU {found.cpu_ms:.0f} ms"
                )
    return samples


def _paths(engine: Engine) -> dict[str, str]:
    from include.ledger.tables import finding

    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(finding)).scalar_one() == FINDINGS
        of_system = select(finding.c.finding_id, finding.c.subject).where(finding.c.subject_type == "system").limit(1)
        finding_id, system = connection.execute(of_system).one()
        of_project = select(finding.c.subject).where(finding.c.subject_type == "project").limit(1)
        project = connection.execute(of_project).scalar_one()
    return {
        "overview": "/", "findings": "/findings", "findings of a unit": "/findings?department=市第7局&severity=high",
        "findings by text": "/findings?q=业务系统4321号&state=all", "findings, last page": f"/findings?offset={FINDINGS - 50}",
        "finding": f"/findings/{finding_id}", "systems": "/systems", "systems by text": "/systems?q=4321",
        "system": f"/systems/{system}",
        "projects": "/projects", "project": f"/projects/{project}", "sources": "/sources", "alerts": "/alerts",
        "api: 500 findings": "/api/v1/findings?limit=500", "api: compliance": "/api/v1/compliance?limit=500",
    }  # fmt: skip


async def _sample(database: str, page: str, path: str, runs: int) -> Sample:
    import httpx

    from include.board.app import make_app
    from include.clock import SHANGHAI

    app = make_app(
        lambda: None, lambda request: "/", lambda: datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=SHANGHAI)
    )
    took: list[float] = []
    worked: list[float] = []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://board") as client:
        for _ in range(TIMES * runs + 1):
            begun, cpu = time.perf_counter(), time.process_time()
            answer = await client.get(path)
            took.append((time.perf_counter() - begun) * 1000)
            worked.append((time.process_time() - cpu) * 1000)
            assert answer.status_code == 200, answer.text[:200]
    rest = took[1:]
    p95 = quantiles(rest, n=20)[-1] if len(rest) > 1 else rest[0]
    return Sample(database, page, took[0], median(rest), p95, median(worked[1:]), len(answer.content) // 1024)


def as_results(samples: list[Sample]) -> list[dict[str, Any]]:
    """Return the samples for the file of results."""
    return [asdict(sample) for sample in samples]


def markdown(samples: list[Sample]) -> str:
    """Return the table."""
    head = (
        "| database | page | first ms | p50 ms | p95 ms | CPU ms | KiB |\n| --- | --- | --- | --- | --- | --- | --- |"
    )
    rows = [
        f"| {s.database} | {s.page} | {s.first_ms:.0f} | {s.p50_ms:.0f} | {s.p95_ms:.0f} | {s.cpu_ms:.0f} | {s.kib} |"
        for s in samples
    ]
    return "\n".join([head, *rows])


def goals(samples: list[Sample]) -> list[Goal]:
    """Return whether every page is answered in time."""
    found = []
    for database in sorted({s.database for s in samples}):
        worst = max((s for s in samples if s.database == database), key=lambda s: s.p95_ms)
        said = f"{worst.page}: p95 {worst.p95_ms:.0f} ms"
        found.append(Goal(f"{database}, every page < {MOST_MS:.0f} ms", said, worst.p95_ms < MOST_MS))
    return found
