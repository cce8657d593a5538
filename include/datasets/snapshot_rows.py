"""The rows of a view as lines of CSV, straight from the database, in the order of the key and in blocks of even size.

The database writes the lines: it does so in a fraction of the time that Python would take to build values and write them again.
Both databases give the same bytes: text always in quotes, NULL as nothing, money with two decimals, moments to the second.
"""

from __future__ import annotations

import secrets
import selectors
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from sqlalchemy import Connection, text

from include.datasets.definitions import Column, Dataset
from include.errors import LedgerUnreachable

BLOCK_BYTES = 4_000_000
BLOCK_ROWS = 32_768
"""A block ends with whichever is reached first: memory stays flat whatever a row is made of."""

TEXTS = ("text", "json")
"""Types of columns that are written in quotes."""

_CR, _LF = b"\r\n"

_FETCH = 512
"""Lines that are taken from the database at once."""

_GATHERING = 0.0002
"""Seconds in which lines gather before they are fetched: to be woken for each few of them costs the server and us a fifth each."""

_HELD = 1_000_000
"""Bytes that libpq can fetch at once: its buffer is 16,384, or as long as the longest message that the connection ever had."""


@dataclass(slots=True)
class Block:
    """Lines in one piece, each ended as RFC 4180 says, their sizes; `null` is how a missing value is written where not by nothing.

    One piece from the start: a million lines of their own, to be joined later, take as long as parsing what is in them.
    `is_unicode` says that the database has made sure that it is UTF-8.
    """

    null: bytes = b""
    is_unicode: bool = False
    raw: bytearray = field(default_factory=bytearray)
    sizes: list[int] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Return whether no more lines belong in it."""
        return len(self.raw) >= BLOCK_BYTES or len(self.sizes) >= BLOCK_ROWS

    def add(self, lines: Sequence[bytes]) -> None:
        """Take lines in."""
        self.raw += b"".join(lines)
        self.sizes += map(len, lines)

    def lines(self) -> list[bytes]:
        """Return the lines one by one."""
        return [bytes(self.raw[end - size : end]) for size, end in zip(self.sizes, accumulate(self.sizes), strict=True)]

    def with_lines(self, lines: Sequence[bytes]) -> Block:
        """Return a block of other lines that write a missing value like this one."""
        block = Block(self.null)
        block.add(lines)
        return block

    def content(self) -> bytearray:
        """Return what the lines hold, a missing value as nothing."""
        return self.raw.replace(self.null, b"") if self.null else self.raw


class ViewFailed(Exception):
    """The database could not work out the rows of a view; its words are for the log."""


@contextmanager
def blocks_of(connection: Connection, dataset: Dataset) -> Iterator[Iterator[Block]]:
    """Have the rows of a data set's view written, and give them in blocks; PostgreSQL is at it when the context is entered.

    The connection is in a transaction, and of no other use within the context. To take a block raises `ViewFailed` where the
    database refuses, `LedgerUnreachable` where it is gone.
    """
    if connection.dialect.name == "postgresql":
        link: Any = connection.connection.driver_connection
        with _sent(link.pgconn, postgres_query(connection, dataset)):
            yield _postgres_blocks(link.pgconn)
    else:
        mark = f"\x01{secrets.token_hex(4)}"  # no text of a source can be it
        with closing(_sqlite_blocks(connection, _sqlite_query(dataset, mark), f'"{mark}"'.encode())) as blocks:
            yield blocks


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _order(dataset: Dataset, collation: str = "") -> str:
    types = {column.name: column.type for column in dataset.columns}
    parts = [_quoted(name) + (collation if types[name] in TEXTS else "") for name in dataset.key]
    return f" ORDER BY {', '.join(parts)}"


def postgres_query(connection: Connection, dataset: Dataset) -> str:
    """Return the COPY that writes the rows of a data set's view."""
    query = "SELECT datcollate IN ('C', 'POSIX') FROM pg_database WHERE datname = current_database()"
    is_by_bytes = connection.execute(text(query)).scalar()
    values = ", ".join(f"{_postgres_value(column)} AS {_quoted(column.name)}" for column in dataset.columns)
    texts = ", ".join(_quoted(column.name) for column in dataset.columns if column.type in TEXTS)
    # An index over text is of the database's own collation, so another one is named only where the order would differ.
    order = _order(dataset, "" if is_by_bytes else ' COLLATE "C"')
    quoting = f", FORCE_QUOTE ({texts})" if texts else ""
    return f"COPY (SELECT {values} FROM {_quoted(dataset.name)} AS v{order}) TO STDOUT (FORMAT csv{quoting})"


def _postgres_value(column: Column) -> str:
    name = f"v.{_quoted(column.name)}"
    match column.type:
        case "decimal(18,2)":
            return f"{name}::numeric(18,2)"
        case "flag":
            return f"{name}::text"
        case "moment":  # the ledger's connections speak Asia/Shanghai, whose offset is one and the same
            # Most are whole seconds, and to see that takes less than half of what it takes to cut them.
            second = f"CASE WHEN {name} = {name}::timestamptz(0) THEN {name} ELSE date_trunc('second', {name}) END"
            return f"replace(({second})::text, ' ', 'T') || ':00'"
        case _:
            return name


@contextmanager
def _sent(server: Any, query: str) -> Iterator[None]:
    """Send a COPY, and wait for nothing. libpq's own calls: a line costs half of what it costs through the driver's cursor."""
    from psycopg.pq import ExecStatus

    server.exec_(f"SELECT repeat(' ', {_HELD})".encode())
    server.send_query(query.encode())
    try:
        yield
    finally:
        # Whoever stops early leaves the transaction usable: the rest is read and thrown away.
        for result in iter(server.get_result, None):
            while result.status == ExecStatus.COPY_OUT and server.get_copy_data(0)[0] > 0:
                pass


def _postgres_blocks(server: Any) -> Iterator[Block]:
    from psycopg.pq import ExecStatus

    with selectors.DefaultSelector() as waiting:
        waiting.register(server.socket, selectors.EVENT_READ)
        while server.is_busy():  # to ask for the answer before it is there would keep all other threads still
            waiting.select()
            server.consume_input()
        begun = server.get_result()
        if begun.status != ExecStatus.COPY_OUT:
            raise _failed(server, begun)
        is_open = True
        while is_open:
            # The ledger's connections ask for UTF-8, and the server sends nothing else.
            block = Block(is_unicode=True)
            while is_open and not block.is_full:
                is_open = _take_arrived(server, waiting, block)
            if block.sizes:
                yield block
    for result in iter(server.get_result, None):
        if result.status != ExecStatus.COMMAND_OK:
            raise _failed(server, result)


def _take_arrived(server: Any, waiting: selectors.BaseSelector, block: Block) -> bool:
    """Put the next `_FETCH` lines into a block, fewer at the end, and return whether there may be more."""
    get, raw, note, end = server.get_copy_data, block.raw, block.sizes.append, block.raw.append
    for _ in range(_FETCH):
        size, line = get(1)
        while not size:
            waiting.select()
            time.sleep(_GATHERING)
            server.consume_input()
            size, line = get(1)
        if size < 0:
            return False
        raw += line
        # The server ends a line by a line feed. Here it is the last byte; to look for it later takes five times as long.
        raw[-1] = _CR
        end(_LF)
        note(size + 1)
    return True


def _failed(server: Any, result: Any) -> Exception:
    from psycopg.pq import ConnStatus

    words = result.error_message.decode(errors="replace").strip() if hasattr(result, "error_message") else "no answer"
    if server.status != ConnStatus.OK:
        return LedgerUnreachable(f"the ledger broke off while a view was read: {words}")
    return ViewFailed(words)


def _sqlite_query(dataset: Dataset, mark: str) -> str:
    formats, values = zip(*(_sqlite_value(column, mark) for column in dataset.columns), strict=True)
    line = f"printf('{','.join(formats)}\r\n', {', '.join(values)})"
    return f"SELECT CAST({line} AS BLOB) FROM {_quoted(dataset.name)} AS v{_order(dataset)}"


def _sqlite_value(column: Column, mark: str) -> tuple[str, str]:
    """Return how printf writes a value: %w doubles the quotes in it, and would write NULL as a word, hence the mark."""
    name = f"v.{_quoted(column.name)}"
    match column.type:
        case "text" | "json":
            return '"%w"', f"coalesce({name}, '{mark}')"
        case "decimal(18,2)":
            return "%s", f"CASE WHEN {name} IS NOT NULL THEN printf('%.2f', {name}) END"
        case "flag":
            return "%s", f"CASE {name} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE {name} END"
        case "moment":
            return "%s", f"substr({name}, 1, 19) || '+08:00'"
        case "integer":  # a sum of doubles is one
            whole = f"CAST({name} AS INTEGER)"
            return "%s", f"CASE WHEN {name} = {whole} THEN {whole} ELSE {name} END"
        case _:
            return "%s", name


def _sqlite_blocks(connection: Connection, query: str, null: bytes) -> Generator[Block, None, None]:
    import sqlite3

    link: Any = connection.connection.driver_connection
    cursor = link.cursor()
    block = Block(null)
    try:
        cursor.execute(query)
        while rows := cursor.fetchmany(_FETCH):
            block.add([line for (line,) in rows])
            if block.is_full:
                yield block
                block = Block(null)
    except sqlite3.Error as error:
        raise ViewFailed(str(error)) from error
    finally:
        cursor.close()
    if block.sizes:
        yield block
