"""Publish a million rows of twenty columns: ours (both files and each alone), pandas, a bare COPY; memory at three times that.

As a module it is one contestant: `python -m benchmarks.publishing NAME LEDGER_URL FOLDER`. The code of another commit
can run in turn with this one's (`--before`). duckdb's scanners, the fastest known way, are no contestant: they come as extensions
that are downloaded at run time, and their wheels are not in the lock.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Engine, make_url, text

from benchmarks.goals import Goal
from benchmarks.made_ledger import made_ledger
from benchmarks.postgres import Postgres
from benchmarks.usage import ROOT, bare_interpreter_kib, run_measured

TABLE = "made_rows"
BEFORE = "before_csv"
TEXTS = 12
TIMES = 3
"""How many times the rows memory is measured with, of ours alone."""
MEMORY_MIB, FLAT = 400, 1.1

TITLES = {
    "ours": "ours: Parquet and CSV, checked, hashed", "ours_parquet": "ours: Parquet alone", "ours_csv": "ours: CSV alone",
    BEFORE: "ours before: CSV alone",
    "pandas_parquet": "pandas.read_sql + to_parquet",
    "pandas_csv": "pandas.read_sql + to_csv", "bare_copy": "limit: bare COPY … TO STDOUT csv into a file",
    "same_copy": "COPY of what is published into a file, unchecked",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """One contestant once: seconds, peak over a bare interpreter, bytes of its files."""

    database: str
    contestant: str
    rows: int
    wall: float
    cpu: float
    server: float
    peak_mib: float
    mib: float


def contestants(database: str) -> list[str]:
    """Return who runs on a database."""
    return [name for name in TITLES if database == "postgres" or not name.endswith("_copy")]


def measure(
    rows: int,
    server: Postgres | None,
    runs: int,
    home: Path,
    databases: set[str],
    say: Callable[[str], None],
    before: Path | None = None,
) -> list[Sample]:
    """Let all run in turn over the rows, with the code in the checkout `before`, if any; then ours over three times as many."""
    samples = []
    for database in sorted(databases):
        everybody = [name for name in contestants(database) if before or name != BEFORE]
        for count, names, rounds in ((rows, everybody, runs), (rows * TIMES, ["ours"], 1)):
            ledger = made_ledger(
                database, server, home, f"rows_{count}", partial(fill, rows=count), f"{count:,} rows", say
            )
            with ledger as (url, engine):
                engine.dispose()  # the connection that it keeps would be waited for
                for name in [name for _ in range(rounds) for name in names]:
                    one = _sample(database, name, count, url, server if database == "postgres" else None, home, before)
                    cost = f"{one.wall:.1f} s, CPU {one.cpu:.1f} + {one.server:.1f} s, {one.peak_mib:.0f} MiB"
                    say(f"{database}, {count:,} rows, {name}: {cost}")
                    samples.append(one)
    return samples


def _sample(
    database: str, name: str, rows: int, url: str, server: Postgres | None, home: Path, before: Path | None
) -> Sample:
    # With -P the folder that it is started in is no part of the path: what is imported stands in the checkout alone.
    where = before.resolve() if before and name == BEFORE else ROOT
    command = [sys.executable, "-P", "-m", "benchmarks.publishing", name.replace(BEFORE, "ours_csv"), url]
    with tempfile.TemporaryDirectory(dir=home) as folder:
        begun = server.cpu_seconds() if server else 0.0
        usage = run_measured([*command, folder], os.environ | {"PYTHONPATH": str(where)})
        if server:
            server.await_quiet(str(make_url(url).database))
        busy = server.cpu_seconds() - begun if server else 0.0
        assert usage.said["rows"] == rows, usage.said
        size = sum(file.stat().st_size for file in Path(folder).iterdir()) / 2**20
    peak = (usage.peak_kib - bare_interpreter_kib()) / 1024
    return Sample(database, name, rows, usage.wall, usage.cpu, busy, peak, size)


def fill(engine: Engine, rows: int) -> None:
    """Make the rows by plain SQL: a key, numbers, amounts, days with gaps, a moment, and Chinese texts of various lengths."""
    is_postgres = engine.dialect.name == "postgresql"
    day, moment = ("date", "timestamptz") if is_postgres else ("date", "text")
    texts = "".join(f", t{n} text" for n in range(TEXTS))
    columns = f"code text PRIMARY KEY, n1 integer, n2 bigint, m1 numeric(18,2), m2 numeric(18,2), d1 {day}, d2 {day}, at {moment}"
    series = f"generate_series(1, {rows})" if is_postgres else (
        f"(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {rows}) SELECT i FROM s)"
    )  # fmt: skip
    code = "lpad(i::text, 9, '0')" if is_postgres else "printf('%09d', i)"
    on = (
        (lambda n: f"date '2024-01-01' + (i % {n})")
        if is_postgres
        else (lambda n: f"date('2024-01-01', (i % {n}) || ' days')")
    )
    at = "timestamptz '2026-01-01 08:00:00+08' + i * interval '7 s'" if is_postgres else (
        "strftime('%Y-%m-%dT%H:%M:%S', 1767225600 + i * 7, 'unixepoch') || '+08:00'"
    )  # fmt: skip
    place = "政务数据共享交换平台信息系统建设运行维护项目"
    words = ", ".join(
        f"substr('{place}', 1 + i % 7, {2 + n % 4}) || (CAST(i AS bigint) * {7919 + 2 * n} % 999983)"
        for n in range(TEXTS)
    )
    values = (
        f"'P' || {code}, i % 100, CAST(i AS bigint) * 7, i * 1.25, CASE WHEN i % 9 > 0 THEN i * 0.01 END, {on(700)}, "
        f"CASE WHEN i % 5 > 0 THEN {on(300)} END, {at}, {words}"
    )
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE {TABLE} ({columns}{texts})"))
        connection.execute(text(f"INSERT INTO {TABLE} SELECT {values} FROM {series} AS s(i)" if is_postgres
                                else f"INSERT INTO {TABLE} SELECT {values} FROM {series} AS s"))  # fmt: skip


def dataset() -> Any:
    """Return the data set of these rows."""
    from include.datasets.definitions import Dataset

    types: dict[str, tuple[Any, str, dict[str, Any]]] = {
        "code": ("string", "text", {"pattern": "^P[0-9]+$"}), "n1": ("integer", "integer", {"minimum": 0}),
        "n2": ("integer", "integer", {}),
        "m1": ("string", "decimal(18,2)", {}), "m2": (["string", "null"], "decimal(18,2)", {}), "d1": ("string", "date", {}),
        "d2": (["string", "null"], "date", {}), "at": ("string", "moment", {}),
    } | {f"t{n}": (["string", "null"], "text", {}) for n in range(TEXTS)}  # fmt: skip
    properties = {
        name: {"type": kind, "title": f"列{name}", "x-type": mark} | more for name, (kind, mark, more) in types.items()
    }
    schema = {"title": "基准", "type": "object", "required": list(properties), "additionalProperties": False, "x-key": ["code"],
              "properties": properties}  # fmt: skip
    return Dataset(TABLE, 1, "基准", schema, ("code",))


def _ours(engine: Engine, folder: Path, formats: tuple[str, ...]) -> int:
    from include.datasets.export import export
    from include.ledger.snapshot import glance

    with glance(engine) as connection:
        found = export(connection, dataset(), folder, formats=formats)
    assert not found.problems and not found.failure, (found.problems, found.failure)
    return found.rows


def _pandas(engine: Engine, folder: Path, write: Callable[[Any, Path], None]) -> int:
    import pandas as pd

    frame = pd.read_sql_query(f"SELECT * FROM {TABLE} ORDER BY code", engine)
    write(frame, folder)
    return len(frame)


def _bare_copy(engine: Engine, folder: Path, query: str = f"COPY {TABLE} TO STDOUT (FORMAT csv)") -> int:
    rows = 0
    connection = engine.raw_connection()
    link: Any = connection.driver_connection
    with (
        link.cursor() as cursor,
        cursor.copy(query) as copy,
        (folder / "rows.csv").open("wb", buffering=1 << 20) as file,
    ):
        for line in copy:
            file.write(line)
            rows += 1
    return rows


def _same_copy(engine: Engine, folder: Path) -> int:
    """Write the same lines as ours: in the order of the key, moments as they are published."""
    from include.datasets.snapshot_rows import postgres_query

    with engine.connect() as connection:
        query = postgres_query(connection, dataset())
    return _bare_copy(engine, folder, query)


WAYS: dict[str, Callable[[Engine, Path], int]] = {
    "ours": partial(_ours, formats=("parquet", "csv")), "ours_parquet": partial(_ours, formats=("parquet",)),
    "ours_csv": partial(_ours, formats=("csv",)), "bare_copy": _bare_copy, "same_copy": _same_copy,
    "pandas_parquet": partial(_pandas, write=lambda f, to: f.to_parquet(to / "rows.parquet", compression="zstd", index=False)),
    "pandas_csv": partial(_pandas, write=lambda f, to: f.to_csv(to / "rows.csv", encoding="utf-8-sig", index=False)),
}  # fmt: skip


WANTED = {
    "postgres": (("ours_parquet", "pandas_parquet", 3), ("ours_csv", "pandas_csv", 8)),
    "sqlite": (("ours_parquet", "pandas_parquet", 1.2),),
}
"""How many times as fast as whom each file alone must be."""

AT_MOST = (("ours_parquet", 2.0), ("ours_csv", 1.3))
"""How many times the wall of the bare COPY each file alone may take."""

CSV_OF_SAME = 1.3
"""How many times the wall of a COPY of the same lines CSV may take (ADR 0054)."""


def goals(samples: list[Sample]) -> list[Goal]:
    """Return the goals of W6; each is of one file."""
    found = []
    for database in sorted({s.database for s in samples}):
        mine = [s for s in samples if s.database == database]
        rows = min(s.rows for s in mine)
        walls = {n: [s.wall for s in mine if (s.contestant, s.rows) == (n, rows)] for n in TITLES}
        for ours, theirs, factor in WANTED[database]:
            title = f"{database}, {TITLES[ours]} ≥ {factor}x {TITLES[theirs]}"
            found.append(_ratio(title, walls[theirs], walls[ours], lambda ratio, least=factor: ratio >= least))
        for ours, most in AT_MOST if database == "postgres" else ():
            title = f"{database}, {TITLES[ours]} ≤ {most}x the bare COPY"
            found.append(_ratio(title, walls[ours], walls["bare_copy"], lambda ratio, most=most: ratio <= most))
        if database == "postgres":
            title = f"{database}, {TITLES['ours_csv']} ≤ {CSV_OF_SAME}x a {TITLES['same_copy']}"
            found.append(_ratio(title, walls["ours_csv"], walls["same_copy"], lambda ratio: ratio <= CSV_OF_SAME))
        few, many = (
            max(s.peak_mib for s in mine if s.contestant == "ours" and s.rows == n) for n in (rows, rows * TIMES)
        )
        found.append(Goal(f"{database}, peak ≤ {MEMORY_MIB} MiB", f"{few:.0f} MiB", few <= MEMORY_MIB))
        found.append(
            Goal(f"{database}, peak at {TIMES}x the rows ≤ +10 %", f"{few:.0f} → {many:.0f} MiB", many <= few * FLAT)
        )
    return found


def _ratio(title: str, above: list[float], below: list[float], is_enough: Callable[[float], bool]) -> Goal:
    ratio = median(above) / median(below)
    found = f"{ratio:.2f}x ({median(above):.1f} s to {median(below):.1f} s, n = {len(above)}, {len(below)})"
    return Goal(title, found, is_enough(ratio))


def markdown(samples: list[Sample]) -> str:
    """Return medians as a table."""
    lines = [
        "| from | contestant | rows | n | wall s: median (min–max) | client CPU s | server CPU s | peak MiB | files MiB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for database, rows, name in dict.fromkeys((s.database, s.rows, s.contestant) for s in samples):
        mine = [s for s in samples if (s.database, s.rows, s.contestant) == (database, rows, name)]
        names = ("wall", "cpu", "server", "peak_mib", "mib")
        wall, cpu, server, peak, size = (median(getattr(s, n) for s in mine) for n in names)
        walls = [s.wall for s in mine]
        spread = f"{wall:.1f} ({min(walls):.1f}–{max(walls):.1f})"
        cost = f"{cpu:.1f} | {server:.1f} | {peak:.0f} | {size:.0f}"
        lines.append(f"| {database} | {TITLES[name]} | {rows:,} | {len(mine)} | {spread} | {cost} |")
    return "\n".join(lines)


def as_results(samples: list[Sample]) -> list[dict[str, Any]]:
    """Return the samples for the file of results."""
    return [asdict(s) for s in samples]


def main() -> None:
    """Run one contestant and print what it wrote."""
    from include.ledger.database import open_ledger

    name, url, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    engine, begun = open_ledger(url), time.perf_counter()
    rows = WAYS[name](engine, folder)
    print(json.dumps({"rows": rows, "seconds": time.perf_counter() - begun}))


if __name__ == "__main__":
    main()
    gc.freeze()  # as the command line does, which publishes
