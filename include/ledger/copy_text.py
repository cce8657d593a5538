"""Rows as databases take them: without blank columns, or as PostgreSQL's COPY text, tabs between values, blank for NULL.

Imports no database, so any process may make them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from include.sources.columns import texts_of

Values = list[Any]


@dataclass(frozen=True, slots=True)
class Filled:
    """Rows without the columns in which none of them has a value, and the places of the others in the table.

    Of a catalogue entry's 66 columns two in three are blank in a whole page, and to bind a blank costs as much as to bind a value.
    """

    places: list[int]
    rows: list[Any]


Rows = list[Any] | Filled | bytes
"""Rows to be staged, in one of these forms; the last is PostgreSQL's COPY text."""


def filled(parts: Sequence[Sequence[Sequence[Any]]]) -> Filled:
    """Return rows that are given by column, in parts that follow one another."""
    columns = list(enumerate(zip(*parts, strict=True)))
    kept = [(place, column) for place, column in columns if any(one.count(None) < len(one) for one in column)]
    rows: Iterable[Any] = zip(*(chain.from_iterable(column) for _, column in kept), strict=True)
    return Filled([place for place, _ in kept], list(rows))


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
