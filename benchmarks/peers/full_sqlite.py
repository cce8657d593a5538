"""The full line on SQLite: orjson, a hash per raw record, validation, quarantine, and a history of everything, first load included.

Without landing, privacy gate, conversion, item rows or proof. A limit for one process, not a tool.
`prepare` makes the tables, `sync MODE` reads full or incremental.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from hashlib import blake2b
from typing import Any

import orjson
from exchange import Exchange, window_start
from raw_schema import VALIDATOR, problems
from record import COLUMNS, KEY, flatten, table_ddl
from slicing import raw_items, slices

DDL = [
    table_ddl("full_project", COLUMNS, KEY.lower(), ", record_hash blob NOT NULL"),
    "CREATE TABLE IF NOT EXISTS full_history (project_code text, record_hash blob, raw text)",
    "CREATE TABLE IF NOT EXISTS full_quarantine (record_hash blob PRIMARY KEY, problems text, raw text)",
]
SET = ", ".join(f"{name} = excluded.{name}" for name in (*COLUMNS[1:], "record_hash"))
UPSERT = (
    f"INSERT INTO full_project VALUES ({', '.join('?' * (len(COLUMNS) + 1))}) "
    f"ON CONFLICT (project_code) DO UPDATE SET {SET}"
)


def main() -> None:
    """Do what the arguments say."""
    file = sqlite3.connect(os.environ["BENCH_DATABASE"], isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-32000"):
        file.execute(f"PRAGMA {pragma}")
    if sys.argv[1] == "prepare":
        for statement in DDL:
            file.execute(statement)
    else:
        print(json.dumps(_sync(file, sys.argv[2])))
    file.close()


def _sync(file: sqlite3.Connection, mode: str) -> dict[str, int]:
    since = None
    if mode == "incremental":
        since = window_start(file.execute("SELECT max(updatetime) FROM full_project").fetchone()[0])
    tables = ("full_project", "full_quarantine")
    known = {digest for table in tables for (digest,) in file.execute(f"SELECT record_hash FROM {table}")}
    file.execute("BEGIN IMMEDIATE")
    seen = written = quarantined = 0
    for body in Exchange().bodies(since):
        rows: list[tuple[Any, ...]] = []
        history: list[tuple[Any, ...]] = []
        bad: list[tuple[Any, ...]] = []
        for raw in slices(body):
            seen += 1
            digest = blake2b(raw, digest_size=16).digest()
            if digest in known:
                continue
            record = orjson.loads(raw)
            if VALIDATOR.is_valid(record):
                rows.append((*flatten(record, raw_items(raw)), digest))
                history.append((record[KEY], digest, raw.decode()))
            else:
                bad.append((digest, problems(record), raw.decode()))
        file.executemany(UPSERT, rows)
        file.executemany("INSERT INTO full_history VALUES (?, ?, ?)", history)
        file.executemany("INSERT OR IGNORE INTO full_quarantine VALUES (?, ?, ?)", bad)
        written += len(rows)
        quarantined += len(bad)
    file.execute("COMMIT")
    return {"rows": seen, "written": written, "quarantined": quarantined}


main()
