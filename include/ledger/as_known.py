"""The ledger as it was known at a frontier: what later batches brought is ignored, what they changed is set back.

A frontier names the last batch of every source that a judging saw. Batches of one source are merged in the order in which they
began, so whatever began later was not known. Records that were expunged (art. 39) are gone from every past as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Date,
    FromClause,
    Integer,
    Label,
    Select,
    Subquery,
    Table,
    and_,
    case,
    cast,
    false,
    func,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.sql.selectable import NamedFromClause
from sqlalchemy.types import TypeEngine

from include.errors import Permanent
from include.ledger.tables import ENTITIES, batch, observed_day, project_alias
from include.ledger.types import Moment, Yuan

Frontier = Mapping[str, str]
"""Source → id of the last batch known of it; a source that is not named was not known at all."""


def frontier(connection: Connection, until: datetime | None = None) -> dict[str, str]:
    """Return the last batch of every source, of those merged before `until` where it is given; sources in order."""
    last = select(batch.c.source, func.max(batch.c.started_at).label("started_at")).group_by(batch.c.source)
    if until:
        last = last.where(batch.c.merged_at < until)
    newest = last.subquery()
    query = (
        select(batch.c.source, batch.c.batch_id)
        .join(newest, and_(batch.c.source == newest.c.source, batch.c.started_at == newest.c.started_at))
        .order_by(batch.c.source, batch.c.batch_id)
    )
    return {source: batch_id for source, batch_id in connection.execute(query)}


class AsKnown:
    """The tables of the ledger at a frontier; None is now. Where nothing is later a table is given as it is."""

    def __init__(self, connection: Connection, known: Frontier | None = None) -> None:
        self.connection = connection
        self.frontier = dict(known) if known is not None else frontier(connection)
        self._is_now = known is None or dict(known) == frontier(connection)

    @property
    def is_now(self) -> bool:
        """Return whether nothing was merged after the frontier."""
        return self._is_now

    @property
    def whole(self) -> AsKnown:
        """Return the ledger itself, where this is only an excerpt of it."""
        return self

    @cached_property
    def listed(self) -> list[tuple[str, str, str | None]]:
        """Return which source ever listed an entry of which kind and unit in a catalogue: kind, source and name of the unit."""
        rows = self.rows("resource")
        query = select(rows.c.kind, rows.c.source, rows.c.provider_name).distinct()
        return [(kind, source, unit) for kind, source, unit in self.connection.execute(query)]

    @property
    def listings(self) -> list[tuple[str, str]]:
        """Return which source ever listed an entry of which kind, in order: kind and source."""
        return sorted({(kind, source) for kind, source, _ in self.listed})

    @cached_property
    def later(self) -> ColumnElement[bool]:
        """Return the condition on `batch` that a batch was merged after the frontier."""
        if self._is_now:
            return false()
        named = list(self.frontier.values())
        found = select(batch.c.source, batch.c.started_at).where(batch.c.batch_id.in_(named))
        moments = {source: at for source, at in self.connection.execute(found)}
        if lost := sorted(set(self.frontier) - set(moments)):
            raise Permanent(
                f"the batches known of {', '.join(lost)} are no longer in the ledger; that day cannot be replayed"
            )
        after = [and_(batch.c.source == source, batch.c.started_at > at) for source, at in sorted(moments.items())]
        return or_(*after, batch.c.source.not_in(sorted(moments)))

    def batches(self) -> Select[Any]:
        """Return a query for the batches within the frontier."""
        return select(batch).where(true() if self._is_now else ~self.later)

    def rows(self, entity: str) -> FromClause:
        """Return what stands for the table of an entity: the same columns, as they were known."""
        table, change = ENTITIES[entity]
        if self._is_now or not self._has_later(table, change):
            return table
        return self._set_back(table, change)

    def observed_days(self) -> FromClause:
        """Return one row per (source, day) that was read: `is_trusted` where any batch within the frontier could be trusted.

        A day once read whole stays believed: a later, worse answer about it takes nothing back. `batch_id` is the first batch that
        read it whole, or the first of all.
        """
        seen = select(
            observed_day.c.source, observed_day.c.day, observed_day.c.is_trusted, observed_day.c.batch_id, observed_day.c.doubts,
            func.row_number().over(
                partition_by=(observed_day.c.source, observed_day.c.day),
                order_by=(observed_day.c.is_trusted.desc(), observed_day.c.batch_id),
            ).label("place"),
        ).where(self._known(observed_day.c.batch_id)).subquery()  # fmt: skip
        best = select(seen.c.source, seen.c.day, seen.c.is_trusted, seen.c.batch_id, seen.c.doubts).where(
            seen.c.place == 1
        )
        return best.subquery("observed")

    def aliases(self) -> Select[Any]:
        """Return a query for the re-issued project codes: former and present code."""
        query = select(project_alias.c.former_code, project_alias.c.project_code)
        return query.where(self._known(project_alias.c.batch_id)).order_by(*project_alias.primary_key)

    def _known(self, batch_id: ColumnElement[str]) -> ColumnElement[bool]:
        return true() if self._is_now else batch_id.not_in(select(batch.c.batch_id).where(self.later))

    def _has_later(self, table: Table, change: Table) -> bool:
        later = select(batch.c.batch_id).where(self.later)
        sources = select(batch.c.source).where(self.later).distinct()
        created = select(table.c.source).where(table.c.source.in_(sources), table.c.created_batch.in_(later)).limit(1)
        changed = select(change.c.source).where(change.c.source.in_(sources), change.c.batch_id.in_(later)).limit(1)
        return bool(self.connection.execute(changed).first() or self.connection.execute(created).first())

    def _set_back(self, table: Table, change: Table) -> FromClause:
        first = self._first_later_changes(change)
        fields = set(self.connection.execute(select(first.c.field).distinct()).scalars())
        before = _pivot(first, fields)
        columns = [self._value(table, before, column.name, fields) for column in table.columns]
        joined = table.outerjoin(before, _same_record(table, before))
        columns = [c for c in columns if c.name != "changed_batch"]
        columns.append(self._changed_batch(table, change))
        return select(*columns).select_from(joined).where(self._known(table.c.created_batch)).subquery(table.name)

    def _first_later_changes(self, change: Table) -> Subquery:
        """Return of every field that was changed later the first of those changes: its `old` is what was known."""
        numbered = (
            select(
                change.c.source, change.c.record_key, change.c.field, change.c.old,
                func.row_number().over(
                    partition_by=(change.c.source, change.c.record_key, change.c.field), order_by=batch.c.started_at
                ).label("place"),
            )
            .join(batch, batch.c.batch_id == change.c.batch_id)
            .where(self.later)
            .subquery()
        )  # fmt: skip
        return select(numbered).where(numbered.c.place == 1).subquery("first_later")

    def _value(self, table: Table, before: Subquery, name: str, fields: set[str]) -> Label[Any]:
        column = table.c[name]
        if name not in fields:
            return column.label(name)
        old = _typed(before.c[f"{name}_old"], column.type, self.connection.dialect.name)
        return case((before.c[f"{name}_set"] == 1, old), else_=column).label(name)

    def _changed_batch(self, table: Table, change: Table) -> Label[Any]:
        """Return the last batch within the frontier that changed the record."""
        last = (
            select(change.c.batch_id)
            .join(batch, batch.c.batch_id == change.c.batch_id)
            .where(_same_record(change, table), ~self.later)
            .order_by(batch.c.started_at.desc())
            .limit(1)
            .scalar_subquery()
        )
        known = case(
            (self._known(table.c.changed_batch), table.c.changed_batch),
            else_=func.coalesce(last, table.c.created_batch),
        )
        return known.label("changed_batch")


def _same_record(one: NamedFromClause, other: NamedFromClause) -> ColumnElement[bool]:
    return and_(one.c.source == other.c.source, one.c.record_key == other.c.record_key)


def _pivot(first: Subquery, fields: set[str]) -> Subquery:
    """Return one row per record: of each field whether it is to be set back, and to which text."""
    columns: list[Label[Any]] = []
    for name in sorted(fields):
        columns.append(func.max(case((first.c.field == name, 1))).label(f"{name}_set"))
        columns.append(func.max(case((first.c.field == name, first.c.old))).label(f"{name}_old"))
    grouped = select(first.c.source, first.c.record_key, *columns).group_by(first.c.source, first.c.record_key)
    return grouped.subquery("before")


def _typed(old: ColumnElement[Any], kind: TypeEngine[Any], dialect: str) -> ColumnElement[Any]:
    """Return the text of the history as a value of the column again."""
    if isinstance(kind, Boolean):
        return case((old == "true", true()), (old == "false", false()))
    if isinstance(kind, Date | Moment) and dialect == "sqlite":  # text in there too; CAST would make a number of it
        return type_coerce(old, kind)
    return cast(old, kind) if isinstance(kind, Integer | Date | Moment | Yuan) else type_coerce(old, kind)
