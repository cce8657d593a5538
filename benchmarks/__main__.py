"""The command line of the benchmarks: `python -m benchmarks --help`, `make bench ARGS='--size 20000'`."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks import (
    board,
    breakdown,
    harvest_report,
    kept_ledger,
    probing,
    publishing,
    rules,
    rules_at_size,
    verdicts,
)
from benchmarks.contestants import ALL, PHASES, choose
from benchmarks.environment import prepare_environments
from benchmarks.goals import Goal, judge, judge_validation
from benchmarks.harvest import Harvests
from benchmarks.harvest_contestants import FORMS
from benchmarks.kept_ledger import KeptLedger
from benchmarks.postgres import start_postgres
from benchmarks.rounds import Rounds, warm_up
from benchmarks.sandbox import start_sandbox
from benchmarks.table import markdown
from benchmarks.usage import DATA, RunFailed, bare_interpreter_kib, run_measured

NAMES = sorted({c.name for c in ALL})
PARTS = ("sync", "steps", "validation", "verdicts", "rules", "rules_at_size", "probing", "harvest", "publish", "board")
WARM_SIZE = 1000
PEERS_UP_TO = 200_000


def main() -> int:
    """Run the chosen parts; 0 when all that was asked for ran, 1 when something failed or lost rows."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that servers end with us
    DATA.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"machine": _machine(), "options": vars(options)}
    failures: list[str] = []
    file = DATA / f"{time.strftime('%Y%m%d-%H%M%S')}-{options.size}.json"
    try:
        if "sync" in options.part or "steps" in options.part:
            _over_platform(options, results, failures)
        if "validation" in options.part:
            _validation(options, results)
        if "verdicts" in options.part:
            _judging(verdicts, options.systems, options, results)
        if "rules" in options.part:
            _judging(rules, options.projects, options, results)
        if "rules_at_size" in options.part:
            _rules_at_size(options, results)
        if "publish" in options.part:
            _judging(publishing, options.rows, options, results, before=options.before)
        if "board" in options.part:
            _judging(board, options.systems, options, results)
        if "probing" in options.part:
            _probing(options, results)
        if "harvest" in options.part:
            _harvest(options, results, failures)
    except KeyboardInterrupt:
        failures.append("interrupted: the figures are of what was done")
    except RunFailed as error:
        failures.append(str(error))
    finally:  # twenty minutes of figures are worth keeping, whatever has happened
        results["machine"]["load_after"] = os.getloadavg()[0]
        results["failures"] = failures
        file.with_suffix(".md").write_text("\n\n".join(results.pop("tables", [])) + "\n")
        file.write_text(json.dumps(results, ensure_ascii=False, indent=1, default=str))
        _say(f"\nresults: {file} and {file.with_suffix('.md').name}")
    for failure in failures:
        _say(f"FAILED {failure}")
    return 1 if failures else 0


def _over_platform(options: argparse.Namespace, results: dict[str, Any], failures: list[str]) -> None:
    """Run the parts that need platform and databases."""
    contestants = choose(set(options.database), set(options.only))
    if options.size > PEERS_UP_TO and not options.only:
        contestants = [c for c in contestants if c.is_ours]  # peers would take hours and prove nothing new
    if not contestants:
        raise SystemExit(f"none of {options.only} writes into {options.database}; there are {sorted(NAMES)}")
    if "sync" in options.part:
        prepare_environments(contestants, _say)
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shbench-home-")))
        server = stack.enter_context(start_postgres()) if "postgres" in options.database else None
        results["machine"]["postgres"] = server.version if server else None
        if "sync" in options.part and not options.cold:
            _say(f"warming up: every contestant once over {WARM_SIZE} projects")
            with start_sandbox(WARM_SIZE, home) as small:
                failures += warm_up(contestants, small, server, home)
            if failures:
                return
        _say(f"making {options.size:,} projects")
        sandbox = stack.enter_context(start_sandbox(options.size, home))
        if "sync" in options.part:
            rounds = Rounds(contestants, options.phases, home, _say)
            try:
                rounds.run(sandbox, server, options.runs)
            finally:
                failures += rounds.failures
                _show(rounds, results)
        if "steps" in options.part:
            splits = breakdown.measure(sandbox, server, options.runs, home, set(options.database), _say)
            results["steps"] = [asdict(split) for split in splits]
            _table(results, breakdown.markdown(splits))


def _show(rounds: Rounds, results: dict[str, Any]) -> None:
    results["samples"] = [asdict(s) for s in rounds.samples]
    _table(results, markdown(rounds.samples))
    _goals(results, judge(rounds.samples))


def _validation(options: argparse.Namespace, results: dict[str, Any]) -> None:
    _say("validating")
    usage = run_measured([sys.executable, "-m", "benchmarks.validation", str(options.runs)], os.environ)
    results["validation"] = usage.said
    rates = [f"| {way} | {rate:,.0f} |" for way, rate in usage.said["per_cpu_second"].items()]
    _table(results, "\n".join(["| way | records per CPU s |", "| --- | --- |", *rates]))
    first = [s for s in results.get("samples", []) if s["contestant"] == "ours" and s["phase"] == "first"]
    _goals(results, judge_validation(usage.said, first))


def _judging(part: ModuleType, count: int, options: argparse.Namespace, results: dict[str, Any], **more: Any) -> None:
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shbench-judging-")))
        server = stack.enter_context(start_postgres(by_tcp=options.tcp)) if "postgres" in options.database else None
        samples = part.measure(count, server, options.runs, home, set(options.database), _say, **more)
    results[part.__name__.rpartition(".")[2]] = part.as_results(samples)
    _table(results, part.markdown(samples))
    _goals(results, part.goals(samples))


def _rules_at_size(options: argparse.Namespace, results: dict[str, Any]) -> None:
    home = kept_ledger.folder(DATA, options.many, options.series)
    with contextlib.ExitStack() as stack:
        is_wanted = "postgres" in options.database
        server = stack.enter_context(start_postgres(home / "postgres")) if is_wanted else None
        ledgers = [KeptLedger(name, server if name == "postgres" else None, home) for name in sorted(options.database)]
        at_size = rules_at_size.AtSize(options.many, options.series, options.scopes, options.days, _say)
        samples = at_size.measure(ledgers, options.runs)
    results["rules_at_size"] = rules_at_size.as_results(samples)
    _table(results, rules_at_size.markdown(samples))
    _goals(results, rules_at_size.goals(samples))


def _probing(options: argparse.Namespace, results: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory(prefix="shbench-probing-") as home:
        samples, hung = probing.measure(options.endpoints, options.runs, Path(home), _say)
    results["probing"] = probing.as_results(samples, hung)
    _table(results, probing.markdown(samples, hung))
    _goals(results, probing.goals(samples, hung))


def _harvest(options: argparse.Namespace, results: dict[str, Any], failures: list[str]) -> None:
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shbench-harvest-")))
        server = stack.enter_context(start_postgres()) if "postgres" in options.database else None
        harvests, cities = Harvests(home, server, _say), []
        try:
            for size in options.datasets:
                harvests.run(size, options.forms, options.database, options.runs)
            if options.municipal and options.municipal.is_dir():
                cities = harvests.municipal(options.municipal, options.database)
            else:
                _say("the municipal catalogues are left out: --municipal names no folder that holds them")
        finally:
            failures += harvests.failures
            results["harvest"] = harvest_report.as_results(harvests.samples, cities)
            _table(results, harvest_report.markdown(harvests.samples, cities))
    _goals(results, harvest_report.goals(harvests.samples, cities))


def _goals(results: dict[str, Any], goals: list[Goal]) -> None:
    results.setdefault("goals", []).extend(asdict(g) for g in goals)
    lines = [goal.line() for goal in goals if goal.is_reached is not None]
    if lines:
        _table(results, "\n".join(["| goal | found | verdict |", "| --- | --- | --- |", *lines]))


def _table(results: dict[str, Any], text: str) -> None:
    results.setdefault("tables", []).append(text)
    _say("\n" + text)


def _machine() -> dict[str, Any]:
    import importlib.metadata

    names = (
        "apache-airflow-providers-postgres", "psycopg", "orjson", "jsonschema", "jsonschema-rs", "sqlalchemy", "pyoxigraph",
        "rdflib",
    )  # fmt: skip
    return {
        "at": time.strftime("%Y-%m-%d %H:%M:%S"), "cpus": os.cpu_count(), "python": platform.python_version(),
        "system": platform.platform(), "load_before": os.getloadavg()[0], "interpreter_kib": bare_interpreter_kib(),
        "versions": {name: importlib.metadata.version(name) for name in names},
    }  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure against peers and limits.",
        epilog="Figures hold for one machine and day; only ratios of the same run can be compared. See benchmarks/README.md.",
    )  # fmt: skip
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS), help="what to measure (all)")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=[], metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--database", nargs="+", choices=["postgres", "sqlite"], default=["postgres", "sqlite"])
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=list(PHASES))
    parser.add_argument("--runs", type=int, default=3, help="rounds, in each of which all run in turn (3)")
    parser.add_argument(
        "--size", type=int, default=100_000, help=f"projects (100,000); above {PEERS_UP_TO:,} ours alone"
    )
    parser.add_argument("--projects", type=int, default=5_000, help="projects that the part rules judges (5,000)")
    parser.add_argument(
        "--systems", type=int, default=5_000, help="systems that the parts verdicts and board hold (5,000)"
    )
    parser.add_argument("--many", type=int, default=100_000, help="systems of the part rules_at_size (100,000)")
    parser.add_argument(
        "--series", type=int, default=0, help="days of daily series that the systems of rules_at_size have (none)"
    )
    parser.add_argument(
        "--scopes",
        nargs="+",
        choices=rules_at_size.SCOPES,
        default=["regulation"],
        help="scopes of the part rules_at_size",
    )
    parser.add_argument(
        "--days", nargs="+", choices=list(rules_at_size.DAYS), default=["quiet", "1", "2"],
        help="days of the part rules_at_size: quiet, 1 or 2 %% changed, a week's first, or 1 %% all again in full: minutes",
    )  # fmt: skip
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows that the part publish writes (1,000,000)")
    parser.add_argument(
        "--tcp", action="store_true", help="reach PostgreSQL by loopback, in the parts that judge, publish or show"
    )
    parser.add_argument("--before", type=Path, help="a checkout of another commit that the part publish compares with")
    parser.add_argument("--endpoints", type=int, default=10_000, help="endpoints of the part probing (10,000)")
    parser.add_argument(
        "--datasets", nargs="+", type=int, default=[10_000, 100_000], help="sizes of the part harvest (10,000 100,000)"
    )
    parser.add_argument(
        "--forms", nargs="+", choices=FORMS, default=list(FORMS), help="forms of the part harvest (all)"
    )
    parser.add_argument(
        "--municipal", type=Path, help="folder with the six municipal catalogues, which are not shipped"
    )
    parser.add_argument("--cold", action="store_true", help="leave out the warm-up round over a small platform")
    return parser


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
