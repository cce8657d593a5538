"""Something wrong with the pipelines themselves: told to the operator once, again after a working day, and closed by success.

Whoever sees something only writes it down here; `incident_notice` tells of all of it at once. Nothing else writes `incident`.
A row of the cause `heartbeat` is no incident: it says when a pipeline last came to its end, and is always closed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select, text, update

from include.ledger.alert_tables import incident
from include.ledger.database import lock_key


class Cause(StrEnum):
    """What is wrong."""

    FAILED = "failed"
    LATE = "late"
    MISSING = "missing"
    DEAD_LETTER = "dead_letter"
    CHANNEL_DOWN = "channel_down"
    NO_CHANNEL = "no_channel"
    NO_ADDRESS = "no_address"
    HELD = "held"
    CONFIGURATION = "configuration"
    HEARTBEAT = "heartbeat"


CAUSE_WORDS = {
    Cause.FAILED: "运行失败", Cause.LATE: "运行超时未完成", Cause.MISSING: "应有结果未到", Cause.DEAD_LETTER: "消息未能送达",
    Cause.CHANNEL_DOWN: "发送渠道不通", Cause.NO_CHANNEL: "没有可用的发送渠道", Cause.CONFIGURATION: "配置有误",
    Cause.NO_ADDRESS: "单位没有收件地址", Cause.HELD: "暂缓发送的线索待放行", Cause.HEARTBEAT: "最近一次完成",
}  # fmt: skip
"""What people read."""

ENDED_BY_SUCCESS = (Cause.FAILED, Cause.LATE)
"""Causes that the next run that succeeds closes; the others are closed by who looks for them and finds all well."""

STEADY = timedelta(minutes=70)
"""How long something must stay over before its end is told; seen again before, it goes on. So an hourly run that fails every other
time is one incident, not a message an hour."""

_LONGEST_PART, _LONGEST_DETAIL = 200, 1_000


@dataclass(frozen=True, slots=True)
class Sighting:
    """That something is wrong: with which pipeline (its DAG), how, with which part of it; `detail` is what people read of it."""

    pipeline: str
    cause: Cause
    part: str = ""
    detail: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what makes two sightings the same incident."""
        return self.pipeline, self.cause.value, self.part[:_LONGEST_PART]


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident as the ledger keeps it; `times` says how often it was seen, `told_at` when the operator was last told of it."""

    incident_id: str
    pipeline: str
    cause: str
    part: str
    detail: str
    opened_at: datetime
    last_seen_at: datetime
    times: int
    told_at: datetime | None
    resolved_at: datetime | None

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what it is about."""
        return self.pipeline, self.cause, self.part


def lock(connection: Connection) -> None:
    """Let one transaction after the other look at the incidents and write some; on SQLite there is but one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("incidents")})


def see(connection: Connection, sightings: Collection[Sighting], at: datetime) -> int:
    """Write down what was seen: a new incident, or one that is known or was over for a moment. Return how many are new."""
    lock(connection)
    recent = load(connection, incident.c.resolved_at.is_(None) | (incident.c.resolved_at > at - STEADY))
    known, new = {one.key: one for one in sorted(recent, key=lambda one: one.resolved_at is None)}, 0
    for sighting in {s.key: s for s in sightings}.values():
        found, detail = known.get(sighting.key), sighting.detail[:_LONGEST_DETAIL]
        if found is None:
            _insert(connection, sighting, detail, at)
            new += 1
            continue
        values = {"last_seen_at": at, "times": found.times + 1, "detail": detail or found.detail, "resolved_at": None}
        connection.execute(update(incident).where(incident.c.incident_id == found.incident_id).values(**values))
    return new


def _insert(connection: Connection, sighting: Sighting, detail: str, at: datetime, **more: Any) -> None:
    pipeline, cause, part = sighting.key
    name = "\x1f".join((pipeline, cause, part, at.isoformat()))
    values = {
        "incident_id": hashlib.blake2b(name.encode(), digest_size=16).hexdigest(), "pipeline": pipeline, "cause": cause,
        "part": part, "detail": detail, "opened_at": at, "last_seen_at": at, "times": 1, **more,
    }  # fmt: skip
    connection.execute(insert(incident).values(**values))


def resolve(
    connection: Connection,
    pipeline: str,
    causes: Collection[Cause],
    at: datetime,
    still: Collection[str] = (),
) -> int:
    """Close the incidents of a pipeline with some causes, but those whose part is `still` wrong; return how many."""
    lock(connection)
    names = sorted(cause.value for cause in causes)
    open_ones = incident.c.resolved_at.is_(None) & (incident.c.pipeline == pipeline) & incident.c.cause.in_(names)
    parts = sorted(part[:_LONGEST_PART] for part in still)
    return connection.execute(
        update(incident).where(open_ones, incident.c.part.not_in(parts)).values(resolved_at=at)
    ).rowcount


def beat(connection: Connection, pipeline: str, at: datetime) -> None:
    """Write down that a pipeline came to its end."""
    lock(connection)
    known = (incident.c.pipeline == pipeline) & (incident.c.cause == Cause.HEARTBEAT.value)
    values = {"last_seen_at": at, "times": incident.c.times + 1, "resolved_at": at}
    if not connection.execute(update(incident).where(known).values(**values)).rowcount:
        _insert(connection, Sighting(pipeline, Cause.HEARTBEAT), "最近一次完成的时间", at, resolved_at=at)


def beats(connection: Connection) -> dict[str, tuple[datetime, datetime]]:
    """Return of every pipeline that ever came to its end when it did so first and last."""
    is_beat = incident.c.cause == Cause.HEARTBEAT.value
    query = select(incident.c.pipeline, incident.c.opened_at, incident.c.last_seen_at).where(is_beat)
    return {pipeline: (first, last) for pipeline, first, last in connection.execute(query)}


def open_incidents(connection: Connection) -> list[Incident]:
    """Return what is wrong now, the oldest first."""
    return load(connection, incident.c.resolved_at.is_(None))


def untold_ends(connection: Connection, at: datetime) -> list[Incident]:
    """Return the incidents that have stayed over, of which the operator was told, but not of their end."""
    has_ended = incident.c.resolved_at <= at - STEADY
    return load(connection, has_ended & (incident.c.told_at < incident.c.resolved_at))


def load(connection: Connection, condition: ColumnElement[bool]) -> list[Incident]:
    """Return the incidents that meet a condition, the oldest first."""
    query = select(incident).where(condition, incident.c.cause != Cause.HEARTBEAT.value)
    rows = connection.execute(query.order_by(incident.c.opened_at, incident.c.incident_id)).mappings()
    return [Incident(**row) for row in rows]


def note_told(connection: Connection, told: Sequence[Incident], at: datetime) -> None:
    """Write down that the operator was told of some."""
    ids = sorted(one.incident_id for one in told)
    connection.execute(update(incident).where(incident.c.incident_id.in_(ids)).values(told_at=at))
