"""Many names in few queries: a database takes only so many values in one, and plans a long list badly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import ColumnElement, Table

PORTION = 500
"""Names in one query."""


def portions(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield names in portions, in their order."""
    return (names[at : at + PORTION] for at in range(0, len(names), PORTION))


def of_subjects(table: Table, subjects: Iterable[tuple[str, str]]) -> Iterator[ColumnElement[bool]]:
    """Yield conditions that together hold for the rows of some subjects, each told by its type and its name."""
    of_type: dict[str, list[str]] = {}
    for subject_type, subject in subjects:
        of_type.setdefault(subject_type, []).append(subject)
    for subject_type, names in of_type.items():
        for some in portions(names):
            yield (table.c.subject_type == subject_type) & table.c.subject.in_(some)
