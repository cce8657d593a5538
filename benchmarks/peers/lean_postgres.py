"""The lean line: orjson, text COPY into a temporary table, INSERT … ON CONFLICT, a hash per raw record.

With validation, quarantine and a history of changes; without landing, privacy gate, conversion, item rows or proof. A limit
for one process, not a tool: pages are sliced by their first key, so it takes this platform only.
`prepare` makes the tables, `sync MODE` reads full or incremental.
"""

from __future__ import annotations

import json
import os
import sys
from hashlib import blake2b
from typing import Any

import orjson
import psycopg
from exchange import Exchange, window_start
from raw_schema import VALIDATOR, problems
from record import COLUMNS, KEY, flatten, table_ddl
from slicing import raw_items, slices

DDL = [
    table_ddl("lean_project", COLUMNS, KEY.lower(), ", record_hash bytea NOT NULL"),
    "CREATE TABLE IF NOT EXISTS lean_history (project_code text, was jsonb, at timestamptz DEFAULT now())",
    "CREATE TABLE IF NOT EXISTS lean_quarantine (record_hash bytea PRIMARY KEY, problems text, raw text)",
]
NAMES = ", ".join((*COLUMNS, "record_hash"))
SET = ", ".join(f"{name} = excluded.{name}" for name in (*COLUMNS[1:], "record_hash"))


def main() -> None:
    """Do what the arguments say."""
    with psycopg.connect(os.environ["BENCH_DATABASE"]) as connection:
        if sys.argv[1] == "prepare":
            for statement in DDL:
                connection.execute(statement)  # type: ignore[arg-type]
        else:
            print(json.dumps(_sync(connection, sys.argv[2])))


def _sync(connection: psycopg.Connection[Any], mode: str) -> dict[str, int]:
    since = None
    if mode == "incremental":
        latest = connection.execute("SELECT max(updatetime) FROM lean_project").fetchall()[0][0]
        since = window_start(latest)
    known = {bytes(h) for (h,) in connection.execute("SELECT record_hash FROM lean_project")}
    is_first = not known
    known |= {bytes(h) for (h,) in connection.execute("SELECT record_hash FROM lean_quarantine")}
    connection.execute(f"CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT {NAMES} FROM lean_project LIMIT 0")
    seen, bad = 0, []
    with connection.cursor() as cursor, cursor.copy(f"COPY incoming ({NAMES}) FROM STDIN") as copy:
        for body in Exchange().bodies(since):
            lines: list[str] = []
            for raw in slices(body):
                seen += 1
                digest = blake2b(raw, digest_size=16).digest()
                if digest in known:
                    continue
                record = orjson.loads(raw)
                if VALIDATOR.is_valid(record):
                    lines.append(_line(record, raw, digest))
                else:
                    bad.append((digest, problems(record), raw.decode()))
            if lines:
                copy.write("".join(lines))
    written = _merge(connection, is_first)
    if bad:
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO lean_quarantine VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", bad)
    return {"rows": seen, "written": written, "quarantined": len(bad)}


def _line(record: dict[str, Any], raw: bytes, digest: bytes) -> str:
    items = raw_items(raw)
    text = "\t".join([value or "" for value in flatten(record, items)])
    if "\\" in text or "\n" in text or text.count("\t") != len(COLUMNS) - 1:
        text = "\t".join(_escaped(value or "") for value in flatten(record, items))
    return f"{text}\t\\\\x{digest.hex()}\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _merge(connection: psycopg.Connection[Any], is_first: bool) -> int:
    if not is_first:
        connection.execute("ANALYZE incoming")
        connection.execute(
            "INSERT INTO lean_history (project_code, was) SELECT p.project_code, to_jsonb(p) FROM lean_project p "
            "JOIN incoming i USING (project_code) WHERE i.record_hash <> p.record_hash"
        )
    return connection.execute(
        f"INSERT INTO lean_project ({NAMES}) SELECT {NAMES} FROM incoming "  # type: ignore[arg-type]
        f"ON CONFLICT (project_code) DO UPDATE SET {SET} WHERE lean_project.record_hash <> excluded.record_hash"
    ).rowcount


main()
