"""What all lines of the harvest share: a row with its hash, upserted into SQLite where the hash is new.

Without landing, privacy gate, vocabularies, schema, history, quarantine or proof. Limits, not tools.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
import urllib.request
from collections.abc import Iterable
from hashlib import blake2b
from itertools import islice
from typing import Any

COLUMNS = (
    "resource_id", "title", "provider_name", "description", "theme", "keywords", "update_cycle", "issued_on", "modified_on",
    "landing_page", "distributions",
)  # fmt: skip
Row = tuple[Any, ...]
"""The values of `COLUMNS`; distributions as JSON: a list of objects with title, format and url, in the order of their urls."""

PORTION = 1_000
DDL = f"CREATE TABLE IF NOT EXISTS line ({', '.join(f'{c} text' for c in COLUMNS)}, row_hash blob, PRIMARY KEY (resource_id))"
UPSERT = (
    f"INSERT INTO line VALUES ({', '.join('?' * (len(COLUMNS) + 1))}) ON CONFLICT (resource_id) DO UPDATE SET "
    + ", ".join(f"{c} = excluded.{c}" for c in (*COLUMNS[1:], "row_hash"))
)


def get(path: str) -> Any:
    """Return the open answer to a request; it is read like a file."""
    return urllib.request.urlopen(os.environ["BENCH_CATALOGUE"] + path, timeout=60)


def load(rows: Iterable[Row]) -> None:
    """Upsert rows and print how many there were and were written, and how long it took; a row without a title is left out.

    Whoever calls it has imported what it takes to make the rows.
    """
    begun = time.perf_counter()
    file = sqlite3.connect(os.environ["BENCH_DATABASE"], isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-32000"):
        file.execute(f"PRAGMA {pragma}")
    file.execute(DDL)
    known = dict(file.execute("SELECT resource_id, row_hash FROM line"))
    file.execute("BEGIN IMMEDIATE")
    source, seen, written = iter(rows), 0, 0
    while portion := list(islice(source, PORTION)):
        seen += len(portion)
        new = []
        for row in portion:
            digest = blake2b("\x1f".join(map(str, row)).encode(), digest_size=16).digest()
            if row[1] and known.get(row[0]) != digest:
                new.append((*row, digest))
        file.executemany(UPSERT, new)
        written += len(new)
    file.execute("COMMIT")
    file.close()
    print(json.dumps({"rows": seen, "written": written, "work_s": time.perf_counter() - begun}))
