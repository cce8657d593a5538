"""What the batches after a frontier wrote: by their own counts, so that no table is searched for rows that nobody wrote.

A batch that received rows and counts none as written wrote none: merging trusts the same counts (`ledger/repeat.py`). One that
received nothing may have been noted by hand, so it is searched for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import orjson
from sqlalchemy import ColumnElement, Connection, RowMapping, Table, select

from include.ledger.as_known import AsKnown
from include.ledger.identity import OWNERS
from include.ledger.tables import ENTITIES, batch

_WRITES = ("created", "changed", "restored", "tombstoned")


@dataclass(slots=True)
class _Writing:
    """The batches that wrote an entity, and their sources; by name: a database that looks them up may do so for each row."""

    batches: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)


class LaterBatches:
    """The batches after the frontier of `before`."""

    def __init__(self, connection: Connection, before: AsKnown) -> None:
        self._connection, self._writing = connection, dict[str, _Writing]()
        counts = (batch.c[name] for name in ("rows_received", "children", *_WRITES))
        query = select(batch.c.batch_id, batch.c.source, batch.c.entity, *counts).where(before.later)
        self.count = 0
        for row in connection.execute(query).mappings():
            self.count += 1
            for entity in _written(row):
                mine = self._writing.setdefault(entity, _Writing())
                mine.batches.add(row["batch_id"])
                mine.sources.add(row["source"])

    def wrote(self, entity: str) -> bool:
        """Return whether one of them can have written a row of an entity."""
        return entity in self._writing

    def created(self, entity: str) -> ColumnElement[bool]:
        """Return the condition that a row of an entity that was written is new."""
        return ENTITIES[entity][0].c.created_batch.in_(sorted(self._writing[entity].batches))

    def written(self, entity: str) -> ColumnElement[bool]:
        """Return the condition on the rows of an entity that they were written."""
        return self._by(ENTITIES[entity][0], entity, "changed_batch")

    def changes(self, entity: str, fields: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield what some fields of an entity held before they were changed, each with its field."""
        if self.wrote(entity):
            change = ENTITIES[entity][1]
            lines = self._lines(entity, fields) & change.c.old.is_not(None)
            yield from self._connection.execute(select(change.c.field, change.c.old).where(lines)).tuples()

    def have_moved(self, entity: str, fields: Iterable[str]) -> bool:
        """Return whether one of some fields of a record of an entity was changed."""
        if not self.wrote(entity):
            return False
        lines = select(ENTITIES[entity][1].c.source).where(self._lines(entity, fields)).limit(1)
        return self._connection.execute(lines).first() is not None

    def _lines(self, entity: str, fields: Iterable[str]) -> ColumnElement[bool]:
        change = ENTITIES[entity][1]
        return self._by(change, entity, "batch_id") & change.c.field.in_(list(fields))

    def _by(self, table: Table, entity: str, column: str) -> ColumnElement[bool]:
        mine = self._writing[entity]
        return table.c.source.in_(sorted(mine.sources)) & table.c[column].in_(sorted(mine.batches))


def _written(row: RowMapping) -> Iterator[str]:
    """Yield the entities that a batch can have written: its own, and those nested in it."""
    nested = {entity: sum(counts.values()) for entity, counts in orjson.loads(row["children"]).items()}
    own = sum(row[name] for name in _WRITES)
    if not row["rows_received"] and not own and not any(nested.values()):
        yield from (row["entity"], *OWNERS)
        return
    if own:
        yield row["entity"]
    yield from (entity for entity, count in nested.items() if count)
