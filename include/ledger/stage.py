"""Temporary tables into which canonical records go before they are merged: COPY on PostgreSQL, executemany on SQLite."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any

from sqlalchemy import Connection

from include.ledger.copy_text import Filled, Rows, copy_text, filled
from include.ledger.entity_tables import kinds

_QUEUED = 4
"""Messages that may wait for the server, a MB each: its pace is uneven, and mapping should not stop for it."""

_MESSAGE = 1 << 20
"""Bytes from which rows of a table are sent: with each message the server waits until its sender has the interpreter's lock."""

DIRECT_TAIL = ("source", "created_batch", "changed_batch")
"""What ends a row that goes into a ledger table itself, instead of its place within the batch."""


class Stage:
    """The staging tables of one merge. Use as a context manager; `finish` before reading what was staged."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_postgres = connection.dialect.name == "postgresql"
        self._columns: dict[str, list[str]] = {}
        # The server takes one chunk while the next is being mapped; one thread, so chunks keep their order.
        self._worker = ThreadPoolExecutor(1) if self._is_postgres else None
        self._pending: deque[Future[None]] = deque()
        self._gathered: dict[str, list[bytes]] = {}

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Send nothing more; what the server is at is waited for."""
        if self._worker:
            self._worker.shutdown(wait=True, cancel_futures=True)

    def create(self, entity: str) -> None:
        """Create the staging table of an entity."""
        self.create_table(
            f"stage_{entity}", entity, ["record_key", "source_hash", *kinds(entity)], "0 AS seq, '' AS lists"
        )

    def create_table(self, name: str, like: str, columns: list[str], more: str = "") -> None:
        """Create a temporary table with columns typed like those of a ledger table."""
        select = f"SELECT {', '.join(columns)}{', ' + more if more else ''} FROM {like} WHERE 1 = 0"
        if self._is_postgres:
            # CTAS gives the literals their types; bigint because page and line share the number.
            select = select.replace("0 AS seq", "0::bigint AS seq").replace("'' AS", "''::text AS")
            self._connection.exec_driver_sql(f"CREATE TEMP TABLE {name} ON COMMIT DROP AS {select}")
        else:
            self._connection.exec_driver_sql(f"CREATE TEMP TABLE {name} AS {select}")
        self._columns[name] = columns + [part.rsplit(" ", 1)[1] for part in more.split(", ") if part]

    @property
    def takes_text(self) -> bool:
        """Return whether rows are best handed over as COPY text, which whoever made them can make."""
        return self._is_postgres

    def open_ledger_table(self, entity: str) -> None:
        """Let rows be added to a ledger table itself: the first load of a source, which can meet nothing."""
        self._columns[entity] = ["record_key", "source_hash", *kinds(entity), *DIRECT_TAIL]

    def add(self, table: str, rows: Rows) -> None:
        """Append rows whose values stand in the order of the table's columns."""
        if not rows:
            return
        if self._worker:
            self._gather(table, rows)
            return
        if isinstance(rows, list):
            rows = filled([list(zip(*rows, strict=True))])
        if not isinstance(rows, Filled):
            raise TypeError("COPY text is for PostgreSQL")
        names = [self._columns[table][place] for place in rows.places]
        raw: Any = self._connection.connection.driver_connection
        raw.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({','.join('?' * len(names))})", rows.rows)

    def finish(self) -> None:
        """Wait until everything is staged, and give the database what it needs to join well."""
        self.wait()
        for table in self._columns:
            if "record_key" not in self._columns[table] or not table.startswith("stage_"):
                continue
            run = self._connection.exec_driver_sql
            if self._is_postgres:
                run(f"CREATE INDEX IF NOT EXISTS {table}_key ON {table} (record_key)")
                run(f"ANALYZE {table} (record_key)")  # the other columns decide no plan, and cost most of the time
            else:
                run(f"CREATE INDEX IF NOT EXISTS temp.{table}_key ON {table} (record_key)")

    @property
    def is_sending(self) -> bool:
        """Return whether rows are on their way to the server."""
        return bool(self._pending) and not self._pending[-1].done()

    def wait(self) -> None:
        """Wait until the server has taken all rows."""
        for table in list(self._gathered):
            self._send(table)
        self._wait()

    def _gather(self, table: str, rows: Rows) -> None:
        """Keep rows until there are enough of their table for a message."""
        if isinstance(rows, Filled):
            raise TypeError("rows without their blank columns are for SQLite")
        text = copy_text(rows, len(self._columns[table])) if isinstance(rows, list) else rows
        gathered = self._gathered.setdefault(table, [])
        gathered.append(text)
        if sum(map(len, gathered)) >= _MESSAGE:
            self._send(table)

    def _send(self, table: str) -> None:
        """Give the server what was gathered of a table."""
        text = b"".join(self._gathered.pop(table))
        self._wait(_QUEUED)
        if self._worker:
            self._pending.append(self._worker.submit(self._copy, table, text))

    def _wait(self, most: int = 0) -> None:
        """Wait until no more than so many messages are on their way."""
        while len(self._pending) > most:
            self._pending.popleft().result()

    def _copy(self, table: str, text: bytes) -> None:
        raw: Any = self._connection.connection.driver_connection
        columns = ", ".join(self._columns[table])
        with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN (NULL '')") as copy:
            copy.write(text)
