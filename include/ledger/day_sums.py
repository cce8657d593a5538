"""What the daily series add up to for each system over a window of days, worked out in the database.

However many days the ledger holds and however long the window is, one row a system comes back. What happened counts on every day;
that nothing happened is believed of trusted days only (`observed_day`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Date,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    and_,
    case,
    cast,
    func,
    select,
    text,
    true,
)

from include.ledger.as_known import AsKnown
from include.ledger.portions import among

Sums = dict[str, Any]
BySystem = dict[str, Sums]
"""What one query found for one system, by the names of its columns."""

_temporary = MetaData()


def _temporary_table(name: str, *columns: Column[Any]) -> Table:
    return Table(name, _temporary, *columns, prefixes=["TEMPORARY"])


service_owner = _temporary_table(
    "service_owner",
    Column("service_code", String(100), primary_key=True),
    Column("system_code", String(100), nullable=False),
)
host_owner = _temporary_table(
    "host_owner",
    Column("resource_code", String(100), primary_key=True),
    Column("system_code", String(100), nullable=False),
    Column("weight", Integer, nullable=False),
)
host_need = _temporary_table(
    "host_need",
    Column("system_code", String(100), primary_key=True),
    Column("from_day", Date, primary_key=True),
    Column("until_day", Date, nullable=False),
    Column("hosts", Integer, nullable=False),
)
trusted_day = _temporary_table(
    "trusted_day", Column("source", String(50), primary_key=True), Column("day", Date, primary_key=True)
)


@dataclass(frozen=True, slots=True)
class Host:
    """A running resource: whose it is, how much of the mean it carries (vCPU), since when it must show values."""

    resource_code: str
    system_code: str
    weight: int
    opened_on: date | None


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days, both ends included."""

    first: date
    last: date

    @classmethod
    def before(cls, day: date, days: int) -> Span:
        """Return the window of so many days that ends the day before."""
        return cls(day - timedelta(days=days), day - timedelta(days=1))

    def holds(self, day: ColumnElement[Any]) -> ColumnElement[bool]:
        """Return the condition that a day lies within."""
        return day.between(self.first, self.last)


class DaySums:
    """The sums as known at a frontier, given whose the services and hosts are."""

    def __init__(self, known: AsKnown, services: Iterable[tuple[str, str]], hosts: Sequence[Host]) -> None:
        self.known = known
        self.connection = known.connection
        self.hosts = hosts
        _temporary.drop_all(self.connection)
        _temporary.create_all(self.connection, checkfirst=False)
        self._fill(service_owner, list(services))
        self._fill(host_owner, [(host.resource_code, host.system_code, host.weight) for host in hosts])
        self._laid: list[Any] = []
        observed = known.observed_days()
        trusted = select(observed.c.source, observed.c.day).where(observed.c.is_trusted)
        self.connection.execute(trusted_day.insert().from_select(["source", "day"], trusted))

    def _fill(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """Fill a table with rows of values in the order of its columns: by what a driver takes as it is, for there are many."""
        names = [column.name for column in table.columns]
        if self.connection.dialect.name == "postgresql":
            query = f"INSERT INTO {table.name} SELECT * FROM json_populate_recordset(CAST(NULL AS {table.name}), :rows)"  # noqa: S608
            listed = [dict(zip(names, row, strict=True)) for row in rows]
            self.connection.execute(text(query), {"rows": json.dumps(listed, default=str)})
        elif rows:
            values = [tuple(str(value) if isinstance(value, date) else value for value in row) for row in rows]
            query = f"INSERT INTO {table.name} VALUES ({', '.join('?' for _ in names)})"  # noqa: S608 - names of ours
            self.connection.exec_driver_sql(query, values)

    def trusted_days(self, entity: str, span: Span) -> list[date]:
        """Return the days of a span that every source of an entity showed whole."""
        sources = self.sources(entity)
        if not sources:
            return []
        query = (
            select(trusted_day.c.day)
            .where(trusted_day.c.source.in_(sources), trusted_day.c.day.between(span.first, span.last))
            .group_by(trusted_day.c.day)
            .having(func.count() == len(sources))
            .order_by(trusted_day.c.day)
        )
        return list(self.connection.execute(query).scalars())

    def believed(self, entity: str, span: Span) -> list[tuple[str, str]]:
        """Return which days of a span which source of an entity showed whole, and whose sources are."""
        mine, query = self.sources(entity), select(trusted_day.c.source, trusted_day.c.day)
        query = query.where(trusted_day.c.source.in_(mine), span.holds(trusted_day.c.day)).order_by(
            *query.selected_columns
        )
        return [(source, "") for source in mine] + [
            (source, str(day)) for source, day in self.connection.execute(query)
        ]

    def sources(self, entity: str) -> list[str]:
        """Return the sources that ever brought a batch of an entity."""
        return self._sources.get(entity, [])

    @cached_property
    def _sources(self) -> dict[str, list[str]]:
        batches = self.known.batches().subquery()
        query = select(batches.c.entity, batches.c.source).distinct().order_by(batches.c.entity, batches.c.source)
        found: dict[str, list[str]] = {}
        for entity, source in self.connection.execute(query):
            found.setdefault(entity, []).append(source)
        return found

    def shown(self, days: Span) -> set[str]:
        """Return the resources that show anything on some days."""
        usage = self.known.rows("cloud_usage_day")
        query = select(usage.c.resource_code).where(days.holds(usage.c.day)).distinct()
        return set(self.connection.execute(query).scalars())

    def load(self, days: Span, shown: Collection[str] | None = None, only: Collection[str] | None = None) -> BySystem:
        """Return per system the days on which all its hosts showed values, and the sums over those days.

        Of a day: the vCPU-weighted mean of the hosts' CPU means (rounded down), the maximum of their CPU and of their memory
        maxima; hundredths of a percent. A host that is not among those `shown`, by default on these days, is not waited for; one
        that was opened on a day is from then on.
        """
        self._lay_needs(self.shown(days) if shown is None else shown)
        usage, owner = self.known.rows("cloud_usage_day"), host_owner
        has_values = and_(usage.c.cpu_mean_bp.is_not(None), usage.c.cpu_max_bp.is_not(None))
        hosts = (
            select(
                owner.c.system_code, usage.c.day,
                func.count(usage.c.resource_code.distinct()).label("hosts"),
                (total(usage.c.cpu_mean_bp * owner.c.weight) // total(owner.c.weight)).label("cpu_mean_bp"),
                func.max(usage.c.cpu_max_bp).label("cpu_max_bp"),
                func.max(usage.c.memory_max_bp).label("memory_max_bp"),
            )
            .join(owner, owner.c.resource_code == usage.c.resource_code)
            .join(trusted_day, and_(trusted_day.c.source == usage.c.source, trusted_day.c.day == usage.c.day))
            .where(days.holds(usage.c.day), has_values, of_these(owner.c.system_code, only))
            .group_by(owner.c.system_code, usage.c.day)
            .subquery("daily")
        )  # fmt: skip
        need = host_need
        is_whole = and_(
            need.c.system_code == hosts.c.system_code, hosts.c.day.between(need.c.from_day, need.c.until_day),
            hosts.c.hosts >= need.c.hosts,
        )  # fmt: skip
        query = (
            select(
                hosts.c.system_code,
                func.count().label("observed"),
                total(hosts.c.cpu_mean_bp).label("cpu_mean_sum"),
                total(hosts.c.cpu_max_bp).label("cpu_max_sum"),
                func.max(hosts.c.memory_max_bp).label("memory_max_bp"),
                func.max(hosts.c.day).label("seen_until"),
            )
            .join(need, is_whole)
            .group_by(hosts.c.system_code)
        )
        return by_system(self.connection, query)

    def _lay_needs(self, shown: Collection[str]) -> None:
        """Note how many hosts each system must show from which day on: it changes where one was opened."""
        opened: dict[str, list[date]] = {}
        for host in self.hosts:
            if host.resource_code in shown:
                opened.setdefault(host.system_code, []).append(host.opened_on or date.min)
        rows = [
            (system_code, first, following - timedelta(days=1), sum(day <= first for day in days))
            for system_code, days in opened.items()
            for first, following in pairwise([*sorted({*days}), date.max])
        ]
        if rows != self._laid:
            self.connection.execute(host_need.delete())
            self._fill(host_need, rows)
            self._laid = rows

    def use(self, days: Span) -> dict[tuple[str, str], Sums]:
        """Return per source and system the trusted days that show logins, and the sums."""
        usage = self.known.rows("system_usage_day")
        is_trusted = and_(trusted_day.c.day.is_not(None), usage.c.logins.is_not(None))
        query = (
            select(
                usage.c.source, usage.c.system_code,
                func.count(case((is_trusted, 1))).label("observed"),
                total(usage.c.logins).label("logins"),
                func.count(case((usage.c.logins > 0, 1))).label("login_days"),
                func.max(usage.c.active_users).label("active_users"),
                func.max(usage.c.registered_users).label("registered_users"),
                func.max(case((is_trusted, usage.c.day))).label("seen_until"),
            )
            .outerjoin(trusted_day, and_(trusted_day.c.source == usage.c.source, trusted_day.c.day == usage.c.day))
            .where(days.holds(usage.c.day))
            .group_by(usage.c.source, usage.c.system_code)
        )  # fmt: skip
        return {(row["source"], row["system_code"]): row for row in as_sums(self.connection, query)}


def by_system(connection: Connection, query: Select[Any]) -> BySystem:
    """Return the rows of a query by their system."""
    return {row["system_code"]: row for row in as_sums(connection, query)}


def as_sums(connection: Connection, query: Select[Any]) -> Iterator[Sums]:
    """Yield the rows of a query by the names of its columns."""
    found = connection.execute(query)
    names = tuple(found.keys())
    return (dict(zip(names, row, strict=True)) for row in found)


def of_these(system: ColumnElement[Any], only: Collection[str] | None) -> ColumnElement[bool]:
    """Return the condition that a system is one of some; true where none are named."""
    return true() if only is None else among(system, only)


def sum_where(value: ColumnElement[int], where: ColumnElement[bool]) -> ColumnElement[int]:
    """Return the sum of what meets a condition."""
    return total(case((where, value), else_=0))


def total(value: ColumnElement[Any]) -> ColumnElement[int]:
    """Return a sum as a whole number: PostgreSQL makes numeric of a sum of bigint, which divides otherwise."""
    return cast(func.coalesce(func.sum(value), 0), BigInteger)
