"""The regulation judged over thousands of projects: the first day in full, the same day, a quiet day, a day on which 1 % changed.

Beside it the limit line of W5: twenty bare predicates over as many rows in the database, UNION ALL … INSERT, no reason and no evidence.
As a module it judges once and prints what that took: `python -m benchmarks.rules LEDGER_URL DAY [full]`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Engine, insert, text, update

from benchmarks.goals import Goal
from benchmarks.postgres import Postgres
from benchmarks.usage import Usage, bare_interpreter_kib, run_measured

DAY = date(2026, 11, 20)
PHASES = ("first day", "same day", "quiet day", "1 % changed", "all again, in full")
FULL_SECONDS, CHANGED_SECONDS, LIMIT_SHARE = 20.0, 2.0, 3.0
PREDICATES = 20
SOURCES = {
    "provincial_approval": "project", "annual_plan": "plan_entry", "system_register": "system", "project_dossiers": "project_dossier",
    "suspensions": "suspension", "contracts": "contract", "payments": "payment", "acceptances": "acceptance",
    "assessments": "assessment", "performance_reviews": "performance_review", "rectifications": "rectification",
    "plan_years": "plan_year", "department_years": "department_year", "attestations": "attestation", "exchange_catalogue": "resource",
}  # fmt: skip


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
    for database in sorted(databases):
        with _ledger(database, server, home, projects, say) as (url, engine):
            for run in range(runs):
                for phase in PHASES:
                    samples.append(_sample(database, phase, url, engine, projects, run))
                    say(f"{database}, {phase}: {samples[-1].judging:.2f} s, {samples[-1].anew:,} judged anew")
                samples.append(_limit(database, engine, projects))
                say(f"{database}, limit line: {samples[-1].judging:.2f} s")
    return samples


def _sample(database: str, phase: str, url: str, engine: Engine, projects: int, run: int) -> Sample:
    day = DAY + timedelta(days=3 * run + {"quiet day": 1, "1 % changed": 2, "all again, in full": 2}.get(phase, 0))
    if phase == "first day":
        with engine.begin() as connection:
            for table in ("judged_subject", "verdict", "evaluation", "finding_event", "finding"):
                connection.execute(text(f"DELETE FROM {table} WHERE 1 = 1"))
    if phase == "1 % changed":
        _change(engine, max(1, projects // 100), day)
    command = [sys.executable, "-m", "benchmarks.rules", url, day.isoformat(), *(["full"] if "full" in phase else [])]
    usage: Usage = run_measured(command, os.environ)
    said, peak = usage.said, (usage.peak_kib - bare_interpreter_kib()) / 1024
    return Sample(
        database,
        phase,
        usage.wall,
        said["seconds"],
        peak,
        said["verdicts"],
        said["judged"],
        said["events"],
        said["digest"],
    )


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


@contextmanager
def _ledger(
    database: str, server: Postgres | None, home: Path, projects: int, say: Callable[[str], None]
) -> Iterator[tuple[str, Engine]]:
    from include.ledger.database import migrate, open_ledger

    file = home / "rules.db"
    if database == "postgres":
        assert server
        url = server.create("rules").replace("postgresql://", "postgresql+psycopg://")
    else:
        url = f"sqlite:///{file}"
    migrate(url)
    begun = time.perf_counter()
    engine = open_ledger(url)
    fill(engine, projects)
    if database == "postgres" and server:
        server.settle(["rules"])
    say(f"{database}: {projects:,} projects made in {time.perf_counter() - begun:.0f} s")
    yield url, engine
    engine.dispose()
    for left in home.glob(f"{file.name}*"):
        left.unlink()


def fill(engine: Engine, projects: int) -> None:
    """Make a ledger: each project with two approval items, a dossier, two contracts, three payments, an acceptance, four reports."""
    from include.ledger.tables import ENTITIES, kinds, source_authority

    with engine.begin() as connection:
        for source, entity in SOURCES.items():
            _batch(connection, source, entity, DAY, f"{source}-1")
            connection.execute(source_authority.insert().values(source=source, authority=1))
    rows: dict[str, list[dict[str, Any]]] = {}
    for n in range(projects):
        for entity, row in _life(n):
            rows.setdefault(entity, []).append(row)
    rows["plan_year"] = [
        {"plan_year": y, "needs_called_on": date(y - 1, 7, 5), "drafted_on": date(y - 1, 10, 20)} for y in (2026, 2027)
    ]
    rows["department_year"] = [
        {"plan_year": 2027, "unit_name": f"Unit {n}", "unit_uscc": None, "budget_units": 5, "applications": n % 8}
        for n in range(60)
    ]
    of = {entity: source for source, entity in SOURCES.items()} | {"approval_item": "provincial_approval"}
    with engine.begin() as connection:
        for entity, lines in rows.items():
            source, blank = of[entity], dict.fromkeys(kinds(entity))
            stamp = {
                "source": source,
                "created_batch": f"{source}-1",
                "changed_batch": f"{source}-1",
                "tombstoned_at": None,
            }
            values = [
                blank | row | stamp | {"record_key": f"k{i}", "source_hash": f"{i:032x}"} for i, row in enumerate(lines)
            ]
            connection.execute(insert(ENTITIES[entity][0]), values)


def _life(n: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the records of one project, most in order, each seventh or so not."""
    from include.clock import SHANGHAI

    code, begin = f"2505-230500-04-04-{n:06d}", date(2025, 3, 1) + timedelta(days=n % 200)

    def on(days: int) -> date:
        return begin + timedelta(days=days)

    def at(days: int) -> datetime:
        day = on(days)
        return datetime(day.year, day.month, day.day, 10, tzinfo=SHANGHAI)

    yield "project", {
        "project_code": code, "name": f"Project {n}", "unit_name": f"Unit {n % 60}", "division_code": "230500", "nature": "new",
        "managed_industry": "informatization", "project_type": "approval", "end_year": 2026, "applied_at": at(0),
        "total_investment_yuan": Decimal(2_000_000 + n), "code_form": "gb40058", "code_check": "ok",
    }  # fmt: skip
    for kind, name, first in (("f", "可行性研究报告审批", 20), ("d", "初步设计审批", 45)):
        yield "approval_item", {
            "item_id": f"{kind}{n}", "project_code": code, "item_name": name, "state": "approved",
            "submitted_at": at(first), "accepted_at": at(first + 1), "decided_at": at(first + 6 + n % 9),
        }  # fmt: skip
    yield (
        "plan_entry",
        {
            "plan_year": 2026,
            "project_code": code,
            "name": f"Project {n}",
            "unit_name": f"Unit {n % 60}",
            "track": "unit",
        },
    )
    yield "project_dossier", {
        "project_code": code, "name": f"Project {n}", "unit_name": f"Unit {n % 60}", "track": "unit", "fund_scope": "city",
        "content_class": "information_system", "is_public_service": n % 3 == 0, "self_build_approval_no": f"双政函〔2025〕{n}号",
        "self_build_approved_on": on(-30), "review_requested_on": on(1), "review_opinion_on": on(15 + n % 9), "design_submitted_on": on(32),
        "design_reply_on": on(50), "approved_investment_yuan": Decimal(2_000_000 + n), "feasibility_filed_on": on(33),
        "design_filed_on": on(52) if n % 7 else None, "construction_started_on": on(60), "implementing_body": "Centre",
        "has_responsible_person": True, "has_management_system": True, "trial_started_on": on(150), "trial_ended_on": on(190),
        "is_scope_completed": True, "users_tested_on": on(185), "is_improved": True, "went_live_on": on(200),
    }  # fmt: skip
    for part in range(2):
        yield "contract", {
            "contract_no": f"C{n}-{part}", "project_code": code, "name": f"Contract {n}-{part}", "amount_yuan": Decimal(800_000 + 300_000 * part),
            "signed_on": on(58), "procurement_method": "open_tender", "procurement_kind": "services", "awarded_on": on(55),
            "award_filed_on": on(57) if n % 5 else None, "states_ip": True, "states_data_ownership": True,
            "states_breach_liability": True, "states_warranty": True, "warranty_months": 24 - 12 * (n % 11 == 0), "states_termination": True,
        }  # fmt: skip
    for part, kind in enumerate(("advance", "progress", "final")):
        yield "payment", {
            "payment_no": f"P{n}-{part}", "project_code": code, "contract_no": f"C{n}-0", "kind": kind, "paid_on": on(70 + 70 * part),
            "amount_yuan": Decimal(100_000),
        }  # fmt: skip
    yield (
        "acceptance",
        {
            "acceptance_no": f"A{n}",
            "project_code": code,
            "held_on": on(200),
            "result": "passed" if n % 13 else "failed",
        },
    )
    for kind in ("protection", "cipher", "risk", "acceptance_test"):
        yield "assessment", {
            "report_no": f"{kind}{n}", "kind": kind, "project_code": code, "system_code": f"X{n:06d}", "issued_on": on(180),
            "conclusion": "conform",
        }  # fmt: skip
    yield "performance_review", {"review_no": f"R{n}", "project_code": code, "kind": "self", "done_on": on(400)}
    yield "system", {
        "system_code": f"X{n:06d}", "name": f"System {n}", "unit_name": f"Unit {n % 60}", "project_codes": code, "status": "in_use",
        "went_live_on": on(200), "protection_level": 3,
    }  # fmt: skip
    for kind in ("data", "component", "cloud_resource"):
        yield "resource", {
            "resource_id": f"{kind}{n}", "kind": kind, "code": f"{kind}{n}", "name": f"Entry {n}", "provider_name": f"Unit {n % 60}",
            "system_code": f"X{n:06d}", "state": "published", "share_type": "unconditional", "distribution_count": 1, "collection": "delivered",
        }  # fmt: skip


def _change(engine: Engine, count: int, day: date) -> None:
    """Let a new batch of the dossiers move the filing day of so many projects, as a merge would."""
    from include.clock import SHANGHAI
    from include.ledger.tables import project_dossier, project_dossier_change

    number = f"project_dossiers-{day:%Y%m%d}"
    when = datetime(day.year, day.month, day.day, 2, tzinfo=SHANGHAI)
    with engine.begin() as connection:
        _batch(connection, "project_dossiers", "project_dossier", day, number)
        keys = [f"k{n * 97}" for n in range(count)]
        this = project_dossier.c.record_key.in_(keys)
        connection.execute(update(project_dossier).where(this).values(design_filed_on=day, changed_batch=number))
        lines = [
            {"source": "project_dossiers", "record_key": k, "batch_id": number, "field": "design_filed_on", "old": None,
             "new": str(day), "changed_at": when} for k in keys
        ]  # fmt: skip
        connection.execute(insert(project_dossier_change), lines)


def _batch(connection: Any, source: str, entity: str, day: date, batch_id: str) -> None:
    from include.clock import SHANGHAI
    from include.ledger.tables import batch

    when = datetime(day.year, day.month, day.day, 2, tzinfo=SHANGHAI)
    zero = (
        "rows_received",
        "refused",
        "created",
        "changed",
        "unchanged",
        "repeated",
        "quarantined",
        "restored",
        "absent",
        "tombstoned",
    )
    connection.execute(
        batch.insert().values(
            batch_id=batch_id, source=source, entity=entity, is_full=True, is_complete=True, filter_digest="f", card_digest="c",
            started_at=when, sealed_at=when, merged_at=when, children="{}", reasons="[]", notes="[]", **dict.fromkeys(zero, 0),
        )
    )  # fmt: skip


def goals(samples: list[Sample]) -> list[Goal]:
    """Return whether a full run, a day with 1 % changed, and the limit line's multiple are within bounds; and that both ways agree."""
    found = []
    for database in sorted({s.database for s in samples}):
        took = {
            p: median(s.judging for s in samples if (s.database, s.phase) == (database, p))
            for p in {s.phase for s in samples}
        }
        first, changed, limit = took["first day"], took["1 % changed"], took["limit: 20 bare predicates"]
        found.append(Goal(f"{database}, full run < {FULL_SECONDS:.0f} s", f"{first:.2f} s", first < FULL_SECONDS))
        found.append(
            Goal(f"{database}, 1 % changed < {CHANGED_SECONDS:.0f} s", f"{changed:.2f} s", changed < CHANGED_SECONDS)
        )
        ratio = took["quiet day"] / limit
        found.append(
            Goal(f"{database}, quiet day ≤ {LIMIT_SHARE:.0f}x the limit line", f"{ratio:.1f}x", ratio <= LIMIT_SHARE)
        )
        pairs = [
            {s.digest for s in samples if s.database == database and s.phase == p}
            for p in ("1 % changed", "all again, in full")
        ]
        found.append(Goal(f"{database}, what changed and all again say the same", "same digest", pairs[0] == pairs[1]))
    return found


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


def main() -> None:
    """Judge once and print what it took."""
    from include.clock import SHANGHAI
    from include.findings.judging import judge
    from include.ledger.database import open_ledger

    url, day, is_full = sys.argv[1], date.fromisoformat(sys.argv[2]), "full" in sys.argv[3:]
    engine, begun = open_ledger(url), time.perf_counter()
    judged = judge(
        engine, "regulation", day, full=is_full, at=datetime(day.year, day.month, day.day, 7, tzinfo=SHANGHAI)
    )
    seconds = time.perf_counter() - begun
    assert not judged.crashed, judged.crashed
    said = {
        "seconds": seconds, "verdicts": judged.tally.verdicts, "judged": judged.tally.judged, "digest": judged.digest,
        "events": len(judged.settled.changes), "outcomes": judged.tally.outcomes,
    }  # fmt: skip
    print(json.dumps(said))


if __name__ == "__main__":
    main()
