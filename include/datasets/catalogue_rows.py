"""The living entries of the ledger in the order of their IRIs, page by page, as of one moment.

The order is worked out in a temporary table: it is that of the IRIs, which the database does not know, and it must be the same
whether an entry came from its source or from an export of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    RowMapping,
    Select,
    String,
    Table,
    Text,
    and_,
    column,
    func,
    insert,
    select,
    table,
    text,
)

from include.datasets.catalogue_graph import link_of
from include.datasets.identity import origin_of, subject_of
from include.ledger.tables import batch, resource, resource_item, source_authority
from include.sources.card import canonical_schema

Entry = tuple[str, dict[str, Any], list[dict[str, Any]]]
"""IRI, record, information items."""

_PAGE = 500
_ITEM_FIELDS = [name for name in canonical_schema("resource_item")["properties"] if name != "resource_id"]

_entry = Table(
    "published_entry",
    MetaData(),
    # Both databases then compare by bytes.
    Column("subject", Text().with_variant(Text(collation="C"), "postgresql"), primary_key=True),
    Column("link", String(20), nullable=False),
    Column("source", String(50), nullable=False),
    Column("record_key", String(800), nullable=False),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
_current = table("current_resource", *map(column, ("source", "record_key", "resource_id", "kind", "endpoint")))


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that sees one moment of the ledger and keeps no writer waiting."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        else:
            connection.exec_driver_sql("COMMIT")  # the ledger's transactions begin as a writer's
            connection.exec_driver_sql("BEGIN")
        yield connection
        connection.rollback()


class LivingEntries:
    """Every living entry once; of those with one code, or one IRI, the one whose source has the best authority."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        _entry.create(connection)
        self._fill()
        connection.execute(text("ANALYZE published_entry"))
        self.by_source = self._count(_entry.c.source)
        self.by_kind = self._count(resource.c.kind)

    @property
    def newest(self) -> date | None:
        """Return the latest day on which an entry was issued or modified."""
        latest = func.max(func.coalesce(resource.c.modified_on, resource.c.issued_on))
        day: date | None = self._connection.execute(self._joined(latest)).scalar()
        return day

    def pages(self, link: str) -> Iterator[list[Entry]]:
        """Yield the entries that the catalogue links to in this way, in the order of their IRIs."""
        last = ""
        while rows := self._connection.execute(self._page(link, last)).mappings().all():
            first, last = rows[0]["subject"], rows[-1]["subject"]
            items = self._items(link, first, last)
            yield [(row["subject"], dict(row), items.get(row["subject"], [])) for row in rows]

    def _fill(self) -> None:
        """Note every entry by its IRI; the best authority comes first, and what comes later under the same IRI is left out."""
        query = (
            select(_current)
            .outerjoin(source_authority, source_authority.c.source == _current.c.source)
            .order_by(func.coalesce(source_authority.c.authority, 100), _current.c.source, _current.c.record_key)
        )
        harvested = self._harvested()
        found = self._connection.execute(query, execution_options={"stream_results": True}).mappings()
        add = _insert_new(self._connection)
        for rows in found.partitions(1000):
            if noted := [_noted(row) for row in rows if not _is_echo(row, harvested)]:
                self._connection.execute(add, noted)

    def _harvested(self) -> set[str]:
        query = select(batch.c.source).where(batch.c.entity == "resource").distinct()
        return set(self._connection.execute(query).scalars())

    def _count(self, by: Column[str]) -> dict[str, int]:
        query = self._joined(by, func.count()).group_by(by).order_by(by)
        return {name: count for name, count in self._connection.execute(query)}

    def _joined(self, *columns: Any) -> Select[Any]:
        is_same = and_(_entry.c.source == resource.c.source, _entry.c.record_key == resource.c.record_key)
        return select(*columns).select_from(_entry.join(resource, is_same))

    def _page(self, link: str, last: str) -> Select[Any]:
        query = self._joined(_entry.c.subject, resource).where(_entry.c.link == link, _entry.c.subject > last)
        return query.order_by(_entry.c.subject).limit(_PAGE)

    def _items(self, link: str, first: str, last: str) -> dict[str, list[dict[str, Any]]]:
        """Return the information items of a page by IRI, in an order that only their content decides; of one name, one."""
        is_of = and_(resource_item.c.source == resource.c.source, resource_item.c.resource_id == resource.c.resource_id)
        is_on_page = and_(_entry.c.link == link, _entry.c.subject >= first, _entry.c.subject <= last)
        query = (
            self._joined(_entry.c.subject, *(resource_item.c[name] for name in _ITEM_FIELDS))
            .join(resource_item, is_of)
            .where(is_on_page, resource_item.c.tombstoned_at.is_(None))
        )
        rows = sorted(map(dict, self._connection.execute(query).mappings()), key=_order)
        named = (next(same) for _, same in groupby(rows, key=lambda row: (row["subject"], row["name"])))
        return {subject: list(found) for subject, found in groupby(named, key=lambda row: row["subject"])}


def _insert_new(connection: Connection) -> Any:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_pg

        return insert_pg(_entry).on_conflict_do_nothing()
    return insert(_entry).prefix_with("OR IGNORE")


def _is_echo(row: RowMapping, harvested: set[str]) -> bool:
    """Return whether an entry comes from an export of this very ledger: its source decides here whether it still lives."""
    origin = origin_of(row["resource_id"])
    return origin is not None and origin != row["source"] and origin in harvested


def _noted(row: RowMapping) -> dict[str, str]:
    return {
        "subject": subject_of(row["source"], row["resource_id"]), "link": link_of(row["kind"], row["endpoint"]),
        "source": row["source"], "record_key": row["record_key"],
    }  # fmt: skip


def _order(row: dict[str, Any]) -> tuple[str, ...]:
    return (row["subject"], *("" if row[name] is None else str(row[name]) for name in _ITEM_FIELDS))
