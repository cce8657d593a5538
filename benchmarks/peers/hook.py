"""The real `PostgresHook.insert_rows` (or `SqliteHook`'s) with replace, pages fetched with requests: what Airflow users write.

`prepare` makes the tables. `sync VARIANT MODE`: VARIANT is default (as the hook comes), best (5,000 rows a commit) or items
(as best, approval items as rows of their own); MODE is full or incremental. No validation, no history, no proof.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from typing import Any

import orjson
from exchange import Exchange, window_start
from record import COLUMNS, CURSOR, ITEM_COLUMNS, KEY, flatten, flatten_item, table_ddl

TABLES = [
    table_ddl("hook_project", COLUMNS, KEY.lower()),
    table_ddl("hook_item", ITEM_COLUMNS, "sendid"),
]


def main() -> None:
    """Do what the arguments say."""
    url = os.environ["BENCH_DATABASE"]
    if sys.argv[1] == "prepare":
        _prepare(url)
        return
    begun = time.perf_counter()
    hook = _hook(url)
    imported = time.perf_counter() - begun
    figures = _sync(hook, sys.argv[2], sys.argv[3])
    print(json.dumps({**figures, "import_s": imported, "work_s": time.perf_counter() - begun - imported}))


def _prepare(url: str) -> None:
    if url.startswith("postgresql:"):
        import psycopg

        with psycopg.connect(url, autocommit=True) as server:
            for statement in TABLES:
                server.execute(statement)  # type: ignore[arg-type]
        return
    with sqlite3.connect(url) as file:
        file.execute("PRAGMA journal_mode=WAL")
        for statement in TABLES:
            file.execute(statement)


def _hook(url: str) -> Any:
    """Return the provider's hook, warnings only in its log, as a task that is not being debugged."""
    logging.disable(logging.INFO)
    if url.startswith("postgresql:"):
        from airflow.providers.postgres.hooks.postgres import PostgresHook

        host, database = url.rpartition("host=")[2], url.split("/")[3].partition("?")[0]
        connection = {"conn_type": "postgres", "host": host, "login": "postgres", "schema": database}
        os.environ["AIRFLOW_CONN_BENCH"] = json.dumps(connection)
        return PostgresHook(postgres_conn_id="bench")
    from airflow.providers.sqlite.hooks.sqlite import SqliteHook

    os.environ["AIRFLOW_CONN_BENCH"] = json.dumps({"conn_type": "sqlite", "host": url})
    return SqliteHook(sqlite_conn_id="bench")


def _sync(hook: Any, variant: str, mode: str) -> dict[str, int]:
    exchange = Exchange()
    since = None
    if mode == "incremental":
        since = window_start(hook.get_first(f"SELECT max({CURSOR.lower()}) FROM hook_project")[0])
    more: dict[str, Any] = {} if variant == "default" else {"commit_every": 5000}
    if hook.conn_type == "postgres":
        more["replace_index"] = KEY.lower()
    count = _Count()
    if variant != "items":
        rows = (_row(count, record) for record in _records(exchange, since))
        hook.insert_rows("hook_project", rows, target_fields=list(COLUMNS), replace=True, **more)
    else:
        _sync_items(hook, _records(exchange, since), count, more)
    return {"rows": count.rows, "items": count.items}


class _Count:
    rows = 0
    items = 0


def _records(exchange: Exchange, since: str | None) -> Iterator[dict[str, Any]]:
    for body in exchange.bodies(since):
        yield from orjson.loads(body)["data"]["list"]


def _row(count: _Count, record: dict[str, Any]) -> tuple[Any, ...]:
    count.rows += 1
    items: bytes = orjson.dumps(record["ITEMS"])
    return flatten(record, items.decode())


def _sync_items(hook: Any, records: Iterator[dict[str, Any]], count: _Count, more: dict[str, Any]) -> None:
    """Write projects and items chunk by chunk, so that neither is held as a whole."""
    own = {**more, **({"replace_index": "sendid"} if "replace_index" in more else {})}
    chunk: list[dict[str, Any]] = []

    def write() -> None:
        rows = [flatten(record, None) for record in chunk]
        items = [flatten_item(item, record[KEY]) for record in chunk for item in record["ITEMS"]]
        hook.insert_rows("hook_project", rows, target_fields=list(COLUMNS), replace=True, **more)
        hook.insert_rows("hook_item", items, target_fields=list(ITEM_COLUMNS), replace=True, **own)
        count.rows += len(rows)
        count.items += len(items)
        chunk.clear()

    for record in records:
        chunk.append(record)
        if len(chunk) == more["commit_every"]:
            write()
    if chunk:
        write()


main()
