"""What the daily series add up to for each system over a window of days, worked out in the database.

However many days the ledger holds and however long the window is, one row a system comes back. What happened counts on every day;
that nothing happened is believed of trusted days only (`observed_day`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
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
)

from include.ledger.as_known import AsKnown

Sums = dict[str, Any]
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


class DaySums:
    """The sums as known at a frontier, given whose the services and hosts are."""

    def __init__(self, known: AsKnown, services: Iterable[tuple[str, str]], hosts: Sequence[Host]) -> None:
        self.known = known
        self.connection = known.connection
        self.hosts = hosts
        _temporary.drop_all(self.connection)
        _temporary.create_all(self.connection, checkfirst=False)
        self._fill(service_owner, [{"service_code": s, "system_code": o} for s, o in services])
        self._fill(
            host_owner,
            [{"resource_code": h.resource_code, "system_code": h.system_code, "weight": h.weight} for h in hosts],
        )
        observed = known.observed_days()
        trusted = select(observed.c.source, observed.c.day).where(observed.c.is_trusted)
        self.connection.execute(trusted_day.insert().from_select(["source", "day"], trusted))

    def _fill(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            self.connection.execute(table.insert(), rows)

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

    def load(self, span: Span) -> dict[str, Sums]:
        """Return per system the days on which all its hosts showed values, and the sums over those days.

        Of a day: the vCPU-weighted mean of the hosts' CPU means (rounded down), the maximum of their CPU and of their memory
        maxima; hundredths of a percent. A host that shows nothing in the whole span is not waited for; one opened within it is
        from that day on.
        """
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
            .where(usage.c.day.between(span.first, span.last), has_values)
            .group_by(owner.c.system_code, usage.c.day)
            .subquery("daily")
        )  # fmt: skip
        self._need_hosts(span)
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

    def _need_hosts(self, span: Span) -> None:
        """Note how many hosts each system must show on which days: it changes where one was opened within the span."""
        usage = self.known.rows("cloud_usage_day")
        shown = select(usage.c.resource_code).where(usage.c.day.between(span.first, span.last)).distinct()
        showing = set(self.connection.execute(shown).scalars())
        opened: dict[str, list[date]] = {}
        for host in self.hosts:
            if host.resource_code in showing:
                opened.setdefault(host.system_code, []).append(max(host.opened_on or span.first, span.first))
        rows = []
        for system_code, days in opened.items():
            steps = sorted({*days, span.last + timedelta(days=1)})
            for first, following in zip(steps, steps[1:], strict=False):
                hosts = sum(day <= first for day in days)
                until = following - timedelta(days=1)
                rows.append({"system_code": system_code, "from_day": first, "until_day": until, "hosts": hosts})
        self.connection.execute(host_need.delete())
        self._fill(host_need, rows)

    def use(self, span: Span) -> dict[tuple[str, str], Sums]:
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
            .where(usage.c.day.between(span.first, span.last))
            .group_by(usage.c.source, usage.c.system_code)
        )  # fmt: skip
        return {(row["source"], row["system_code"]): dict(row) for row in self.connection.execute(query).mappings()}


def by_system(connection: Connection, query: Select[Any]) -> dict[str, Sums]:
    """Return the rows of a query by their system."""
    return {row["system_code"]: dict(row) for row in connection.execute(query).mappings()}


def sum_where(value: ColumnElement[int], where: ColumnElement[bool]) -> ColumnElement[int]:
    """Return the sum of what meets a condition."""
    return total(case((where, value), else_=0))


def total(value: ColumnElement[Any]) -> ColumnElement[int]:
    """Return a sum as a whole number: PostgreSQL makes numeric of a sum of bigint, which divides otherwise."""
    return cast(func.coalesce(func.sum(value), 0), BigInteger)
