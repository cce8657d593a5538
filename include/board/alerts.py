"""Alerts: messages on their way, how channels fare, what waits for release, what is wrong with the pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import case, func, select

from include.alerts.incidents import Cause, beats
from include.alerts.watchdog import WATCH
from include.board.asked import AlertsAsked
from include.board.looking import Look
from include.board.models import Listed
from include.board.problems import not_found
from include.board.state_models import Alerts, ChannelRow, HoldRow, IncidentRow, MessageDetail, MessageRow, PipelineRow
from include.ledger.alert_tables import alert_hold, channel_state, delivery_attempt, incident, outbox

MOST = 100
"""Holds and incidents that are shown; the newest."""

_SHOWN = [
    outbox.c[name]
    for name in (
        "message_id", "channel", "receiver", "department", "title", "reasons", "is_urgent", "state", "attempts", "decided_at",
        "next_try_at", "sent_at", "last_error",
    )
]  # fmt: skip


def list_alerts(look: Look, asked: AlertsAsked) -> Alerts:
    """Return one page of the messages that were asked for, and all that stands beside them."""
    where = [outbox.c.state.in_(asked.state)] if asked.state else []
    where += [outbox.c[n] == v for n in ("channel", "receiver", "department") if (v := getattr(asked, n))]
    total = look.connection.execute(select(func.count()).select_from(outbox).where(*where)).scalar_one()
    query = select(*_SHOWN).where(*where).order_by(outbox.c.decided_at.desc(), outbox.c.message_id)
    rows = look.connection.execute(query.limit(asked.limit).offset(asked.offset)).mappings()
    items = [MessageRow(**_row(row)) for row in rows]
    return Alerts(
        messages=Listed(items=items, total=total, limit=asked.limit, offset=asked.offset), channels=_channels(look),
        holds=_holds(look), incidents=_incidents(look), pipelines=_pipelines(look),
    )  # fmt: skip


def _row(row: Mapping[Any, Any]) -> dict[str, Any]:
    return dict(row) | {"reasons": [reason for reason in row["reasons"].split(",") if reason]}


def read_message(look: Look, message_id: str) -> MessageDetail:
    """Return a message with its text and every try to send it."""
    query = select(*_SHOWN, outbox.c.body).where(outbox.c.message_id == message_id)
    row = look.connection.execute(query).mappings().first()
    if row is None:
        raise not_found(f"编号为 {message_id} 的消息")
    kept = {name: value for name, value in row.items() if name != "body"}
    a = delivery_attempt
    tries = select(a.c.number, a.c.started_at, a.c.ended_at, a.c.outcome, a.c.detail).where(
        a.c.message_id == message_id
    )
    return MessageDetail(
        **_row(kept), content=orjson.loads(row["body"]) if row["body"] else None,
        tries=[dict(one) for one in look.connection.execute(tries.order_by(a.c.number).limit(MOST)).mappings()],
    )  # fmt: skip


def _channels(look: Look) -> list[ChannelRow]:
    counts = [func.sum(case((outbox.c.state == s, 1), else_=0)) for s in ("pending", "sent", "dead")]
    query = select(outbox.c.channel, *counts).group_by(outbox.c.channel)
    found = {channel: (p, s, d) for channel, p, s, d in look.connection.execute(query)}
    states = {row["channel"]: row for row in look.connection.execute(select(channel_state)).mappings()}
    rows = []
    for channel in sorted({*found, *states}):
        pending, sent, dead = found.get(channel, (0, 0, 0))
        state: Mapping[Any, Any] = states.get(channel, {})
        fares = {n: state.get(n) for n in ("blocked_until", "failing_since", "last_sent_at", "last_error")}
        rows.append(ChannelRow(channel=channel, pending=pending, sent=sent, dead=dead, **fares))
    return rows


def _holds(look: Look) -> list[HoldRow]:
    h = alert_hold
    query = select(h).order_by(case((h.c.state == "held", 0), else_=1), h.c.raised_at.desc(), h.c.hold_id).limit(MOST)
    return [
        HoldRow(**{**row, "by_rule": orjson.loads(row["by_rule"])}) for row in look.connection.execute(query).mappings()
    ]


def _incidents(look: Look) -> list[IncidentRow]:
    i = incident
    query = select(i).where(i.c.cause != Cause.HEARTBEAT.value)
    query = query.order_by(i.c.resolved_at.is_not(None), i.c.opened_at.desc(), i.c.incident_id).limit(MOST)
    return [
        IncidentRow(**{name: row[name] for name in IncidentRow.model_fields})
        for row in look.connection.execute(query).mappings()
    ]


def _pipelines(look: Look) -> list[PipelineRow]:
    """Return them in the order of the day, with those that no file names at the end."""
    titles, ended = {**look.reference.pipelines, WATCH: "运行监测"}, beats(look.connection)
    return [
        PipelineRow(
            pipeline=name, title=titles.get(name, name), first_ended_at=ended[name][0], last_ended_at=ended[name][1]
        )
        for name in sorted(ended, key=lambda name: (list(titles).index(name) if name in titles else len(titles), name))
    ]
