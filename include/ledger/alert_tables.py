"""The tables of alerts and publications: what was told to whom, messages on their way, holds, incidents, daily compliance.

Beside `tables.py`, on the same metadata; migrations are written out and a test compares them with both.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table, Text, false

from include.ledger.tables import finding, finding_event, metadata, verdict
from include.ledger.types import Moment

told = Table(
    "told",
    metadata,
    Column("receiver", String(60), primary_key=True),
    Column("finding_id", String(32), primary_key=True),
    Column("department", String(200), nullable=False),
    Column("topic", String(60), nullable=False),
    Column("state", String(20), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("severity", String(20)),
    Column("reopened", Integer, nullable=False),
    Column("first_told_on", Date, nullable=False),
    Column("last_told_on", Date, nullable=False),
    Column("message_id", String(32), nullable=False),
)
"""What a receiver was last told of a finding, and since when it knows of it: what `decide` compares with."""
Index("told_by_finding", told.c.finding_id)

outbox = Table(
    "outbox",
    metadata,
    Column("message_id", String(32), primary_key=True),
    Column("channel", String(60), nullable=False),
    Column("receiver", String(60), nullable=False),
    Column("department", String(200), nullable=False),
    Column("reasons", Text, nullable=False),
    Column("is_urgent", Boolean, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("finding_ids", Text, nullable=False),
    Column("body_hash", String(32), nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", Moment, nullable=False),
    Column("claimed_by", String(200)),
    Column("claimed_until", Moment),
    Column("sent_at", Moment),
    Column("receipt", Text),
    Column("last_error", Text),
)
"""Messages on their way; a row that is claimed is pending with `claimed_until` in the future."""
PENDING, SENT, DEAD = "pending", "sent", "dead"
"""The states of a message in `outbox`."""
Index("outbox_by_state", outbox.c.state, outbox.c.channel, outbox.c.next_try_at)

delivery_attempt = Table(
    "delivery_attempt",
    metadata,
    Column("message_id", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("channel", String(60), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("outcome", String(20)),
    Column("detail", Text),
)
"""Every try to send, written before it is made; one without an end was cut short. The rate of a channel is counted here."""
Index("delivery_attempt_by_channel", delivery_attempt.c.channel, delivery_attempt.c.started_at)

channel_state = Table(
    "channel_state",
    metadata,
    Column("channel", String(60), primary_key=True),
    Column("blocked_until", Moment),
    Column("failing_since", Moment),
    Column("last_sent_at", Moment),
    Column("last_error", Text),
)
"""How a channel fares: until when it asked to be left alone, since when nothing got through."""

alert_hold = Table(
    "alert_hold",
    metadata,
    Column("hold_id", String(32), primary_key=True),
    Column("scope", String(40), nullable=False),
    Column("day", Date, nullable=False),
    Column("raised_at", Moment, nullable=False),
    Column("findings", Integer, nullable=False),
    Column("allowed", Integer, nullable=False),
    Column("subjects", Integer, nullable=False),
    Column("by_rule", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("released_at", Moment),
    Column("requested_by", String(200)),
    Column("approved_by", String(200)),
    Column("reason", Text),
)
"""A run that brought so many new findings at once that they wait for two people: held or released."""

held_finding = Table(
    "held_finding",
    metadata,
    Column("finding_id", String(32), primary_key=True),
    Column("hold_id", String(32), nullable=False),
)
"""The findings that nobody is told of until their hold is released."""
Index("held_finding_by_hold", held_finding.c.hold_id)

incident = Table(
    "incident",
    metadata,
    Column("incident_id", String(32), primary_key=True),
    Column("pipeline", String(80), nullable=False),
    Column("cause", String(40), nullable=False),
    Column("part", String(200), nullable=False),
    Column("detail", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    Column("times", Integer, nullable=False),
    Column("told_at", Moment),
    Column("resolved_at", Moment),
)
"""Something wrong with the pipelines themselves (failed, late, never started, channel dead); closed by the next success."""
Index("incident_by_pipeline", incident.c.pipeline, incident.c.resolved_at)

compliance_day = Table(
    "compliance_day",
    metadata,
    Column("day", Date, primary_key=True),
    Column("rule", String(80), primary_key=True),
    Column("department", String(200), primary_key=True),
    *(
        Column(name, Integer, nullable=False)
        for name in (
            "passed", "warned", "failed", "unknown", "not_applicable", "waived", "opened", "resolved", "reopened",
        )
    ),
    Column("open_age_p50", Integer),
    Column("open_age_p90", Integer),
    Column("appended_at", Moment, nullable=False),
    Column("is_replay", Boolean, nullable=False, server_default=false()),
    Column("settled", Integer),
)  # fmt: skip
"""Per day, rule and department what was found; ages of open findings in days; `settled` is null of days before it was counted.

A past day is written again only as `is_replay`."""

expunged = Table(
    "expunged",
    metadata,
    Column("expunged_at", Moment, primary_key=True),
    Column("source", String(50), primary_key=True),
    Column("records", Integer, nullable=False),
)
"""When records were removed as classified, and how many: what was published before must go as well. No names."""

rule_title = Table(
    "rule_title",
    metadata,
    Column("rule", String(80), primary_key=True),
    Column("scope", String(40), nullable=False),
    Column("subject_type", String(40), nullable=False),
    Column("title", Text, nullable=False),
    Column("clause", String(40), nullable=False),
    Column("document", Text, nullable=False),
    Column("article", Text, nullable=False),
    Column("article_no", Integer),
    Column("modality", String(20), nullable=False),
    Column("remedy", Text, nullable=False),
    Column("told", Text, nullable=False),
    Column("responsible", Text, nullable=False),
    Column("is_in_force", Boolean, nullable=False),
)
"""What the cards say of the rules, for whoever reads the ledger by SQL; a rule that is gone stays, no longer in force."""

Index(
    "verdict_standing", verdict.c.rule, verdict.c.subject_type, verdict.c.subject, verdict.c.outcome, verdict.c.scope,
    sqlite_where=verdict.c.until_day.is_(None), postgresql_where=verdict.c.until_day.is_(None),
)  # fmt: skip
Index("finding_by_state", finding.c.state, finding.c.rule)
Index("finding_event_by_day", finding_event.c.day, finding_event.c.kind)
