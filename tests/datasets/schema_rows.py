"""Rows of a data set as its schema describes them, the same from either database: what the published files are compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from include.clock import SHANGHAI
from include.datasets.definitions import Dataset

_FEN = Decimal("0.01")
_AT_ONCE = 2000


def _decimal(value: Any) -> str:
    return str(Decimal(str(value)).quantize(_FEN))


def _day(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _moment(value: Any) -> str:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment.astimezone(SHANGHAI).isoformat()


AS_JSON: Mapping[str, Callable[[Any], Any]] = {
    "text": str, "json": str, "integer": int, "flag": bool, "decimal(18,2)": _decimal, "date": _day, "moment": _moment,
}  # fmt: skip
"""Type of a column → how a value of either database is written: SQLite keeps days and moments as text, amounts as doubles."""


def ordered(dataset: Dataset, dialect: str) -> str:
    """Return the SQL that reads a data set: columns as its schema has them, rows by the key, by bytes on either database."""
    types = {column.name: column.type for column in dataset.columns}
    by = ' COLLATE "C"' if dialect == "postgresql" else ""
    keys = (f"{name}{by if types[name] == 'text' else ''}" for name in dataset.key)
    return f"SELECT {', '.join(dataset.names)} FROM {dataset.name} ORDER BY {', '.join(keys)}"


def json_rows(connection: Connection, dataset: Dataset) -> Iterator[dict[str, Any]]:
    """Yield every row of a data set in the order of its key, as its schema describes it."""
    writers = [(column.name, AS_JSON[column.type]) for column in dataset.columns]
    query = text(ordered(dataset, connection.dialect.name))
    for rows in connection.execution_options(stream_results=True).execute(query).partitions(_AT_ONCE):
        for row in rows:
            yield {n: None if v is None else write(v) for (n, write), v in zip(writers, row, strict=True)}
