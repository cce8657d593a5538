"""Rows as PostgreSQL's COPY takes them: tabs between values, blank for NULL. Imports no database, so any process may make them."""

from __future__ import annotations

from typing import Any

from include.sources.columns import texts_of

Values = list[Any]

Rows = list[Any] | bytes
"""Rows to be staged, or PostgreSQL's COPY text of them."""


def copy_text(rows: list[Values], width: int) -> bytes:
    """Return rows in PostgreSQL's COPY text form; blank means NULL, which no canonical text is."""
    if any(len(row) != width for row in rows):
        raise TypeError(f"every row must have {width} values")
    return copy_columns([list(column) for column in zip(*rows, strict=True)])


def copy_columns(columns: list[Values], tail: tuple[str, ...] = ()) -> bytes:
    """Return rows that are given by column in the same form; each ends with the same few values."""
    try:
        text = _joined(columns, tail)
    except TypeError:  # some are no texts yet
        columns = list(map(texts_of, columns))
        text = _joined(columns, tail)
    count = len(columns[0])
    if text.count("\t") != count * (len(columns) + len(tail) - 1) or text.count("\n") != count - 1 or "\r" in text:
        text = _joined([list(map(_escape, column)) for column in columns], tuple(map(_escape, tail)))
    else:
        text = text.replace("\\", "\\\\")
    return f"{text}\n".encode()


def _joined(texts: list[list[str]], tail: tuple[str, ...]) -> str:
    end = "".join(f"\t{value}" for value in tail)
    return f"{end}\n".join(map("\t".join, zip(*texts, strict=True))) + end


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
