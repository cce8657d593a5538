"""Which endpoints are due to be probed: those of living, published interfaces, in shards that stay alike from run to run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, func, select

from include.ledger.tables import exchange_service, maintenance_window
from include.sources.probing.target import Target, interleaved


def count_targets(engine: Engine) -> int:
    """Return how many endpoints are to be probed, over all shards."""
    with engine.connect() as connection:
        query = select(func.count(exchange_service.c.service_code.distinct())).where(_is_probed())
        return int(connection.execute(query).scalar_one())


def read_targets(engine: Engine, shard: int, of: int, at: datetime) -> list[Target]:
    """Return the endpoints of one shard, 0 to `of` - 1, hosts taking turns; `at` decides which maintenance is under way.

    A service stays in its shard for as long as `of` is the same, whatever else the catalogue lists.
    """
    with engine.connect() as connection:
        resting = _systems_in_maintenance(connection, at)
        return interleaved(
            Target(row.service_code, row.system_code, row.endpoint, row.expected_text, row.system_code in resting)
            for row in _services(connection)
            if shard_of(row.service_code, of) == shard
        )


def shard_of(service_code: str, of: int) -> int:
    """Return the shard of a service: a stable hash of its code."""
    return int.from_bytes(hashlib.blake2b(service_code.encode(), digest_size=8).digest()) % of


def _is_probed() -> ColumnElement[bool]:
    s = exchange_service.c
    has_endpoint = and_(s.endpoint.is_not(None), s.endpoint != "")
    return and_(s.tombstoned_at.is_(None), s.kind == "api", s.state == "published", has_endpoint)


def _services(connection: Connection) -> Iterator[Any]:
    """Give each service once, though two sources list it."""
    s = exchange_service.c
    query = select(s.service_code, s.system_code, s.endpoint, s.expected_text).where(_is_probed())
    last = None
    for row in connection.execute(query.order_by(s.service_code, s.source, s.record_key)):
        if row.service_code != last:
            yield row
        last = row.service_code


def _systems_in_maintenance(connection: Connection, at: datetime) -> frozenset[str]:
    w = maintenance_window.c
    query = select(w.system_code).where(w.tombstoned_at.is_(None), w.begins_at <= at, w.ends_at > at)
    return frozenset(connection.execute(query).scalars())
