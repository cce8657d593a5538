"""What is shown of the whole: sources, alerts, daily figures, publications; forms as in `include.board.models`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from include.board.models import Listed, Model


class BatchRow(Model):
    """What one reading of a source brought."""

    batch_id: str
    merged_at: datetime
    is_full: bool
    is_complete: bool
    received: int
    changes: int
    quarantined: int
    held: int
    reasons: list[str]


class SourceRow(Model):
    """How far a source is known. `evidence` is what the rule evidence-current says of it."""

    source: str
    title: str
    group: str
    entity: str
    is_enabled: bool
    last: BatchRow | None
    complete_at: datetime | None
    quarantined: int
    questions: int
    evidence: str | None
    message: str | None


class QuestionCount(Model):
    """Open questions of a kind."""

    kind: str
    count: int


class Sources(Model):
    """All sources, what is set aside, what a person should look at."""

    items: list[SourceRow]
    questions: list[QuestionCount]


class MessageRow(Model):
    """A message on its way; `attempts` counts the tries that were made."""

    message_id: str
    channel: str
    receiver: str
    department: str
    title: str
    reasons: list[str]
    is_urgent: bool
    state: str
    attempts: int
    decided_at: datetime
    next_try_at: datetime
    sent_at: datetime | None
    last_error: str | None


class MessageDetail(MessageRow):
    """A message as its receiver reads it; `content` is None where its text was cleared after its time."""

    content: dict[str, Any] | None
    tries: list[dict[str, Any]]


class HoldRow(Model):
    """Findings that wait because one run brought too many at once."""

    hold_id: str
    scope: str
    day: date
    raised_at: datetime
    findings: int
    allowed: int
    subjects: int
    by_rule: dict[str, int]
    state: str
    released_at: datetime | None
    requested_by: str | None
    approved_by: str | None
    reason: str | None


class IncidentRow(Model):
    """Something wrong with the pipelines themselves."""

    incident_id: str
    pipeline: str
    cause: str
    part: str
    detail: str
    opened_at: datetime
    last_seen_at: datetime
    times: int
    resolved_at: datetime | None


class ChannelRow(Model):
    """How a channel fares."""

    channel: str
    pending: int
    sent: int
    dead: int
    blocked_until: datetime | None
    failing_since: datetime | None
    last_sent_at: datetime | None
    last_error: str | None


class PipelineRow(Model):
    """When a pipeline came to its end for the first time, and last."""

    pipeline: str
    title: str
    first_ended_at: datetime
    last_ended_at: datetime


class Alerts(Model):
    """Messages, channels, holds, incidents, and when each pipeline last came to its end."""

    messages: Listed[MessageRow]
    channels: list[ChannelRow]
    holds: list[HoldRow]
    incidents: list[IncidentRow]
    pipelines: list[PipelineRow]


class ComplianceRow(Model):
    """What was found of a rule in a department on a day; unknown, waived and settled beside the rate in basis points."""

    day: date
    rule: str
    department: str
    passed: int
    warned: int
    failed: int
    unknown: int
    not_applicable: int
    waived: int
    settled: int | None
    opened: int
    resolved: int
    reopened: int
    rate_bp: int | None
    open_age_p50: int | None
    open_age_p90: int | None


class RateRow(Model):
    """A rate of the newest judging; `share_bp` in basis points, None without a denominator."""

    name: str
    title: str
    scope: str
    day: date
    numerator: int
    denominator: int
    unknown: int
    exempt: int
    waived: int
    settled: int
    share_bp: int | None


class ScopeRow(Model):
    """What the newest judging of a scope found; `is_old` if it is not of the newest working day."""

    scope: str
    day: date
    revision: int
    evaluated_at: datetime
    counts: dict[str, int]
    is_old: bool


class DepartmentRow(Model):
    """Open findings of a department; None are subjects whose department is not registered."""

    department: str | None
    leads: int
    hints: int
    handled: int
    oldest: date


class TrendPoint(Model):
    """What stood on a day over all rules."""

    day: date
    passed: int
    warned: int
    failed: int
    unknown: int
    waived: int
    settled: int
    opened: int
    resolved: int
    rate_bp: int | None


class Overview(Model):
    """The state of the city on one page."""

    rates: list[RateRow]
    scopes: list[ScopeRow]
    severities: dict[str, int]
    handlings: dict[str, int]
    ages: dict[str, int]
    departments: list[DepartmentRow]
    trend: list[TrendPoint]
    old: list[SourceRow]
    never_judged: list[str]
    incidents: int
    dead: int
    holds: int
    overdue: int
    open: int


class DatasetRow(Model):
    """A published data set; `held_back` says why a newer one was not published."""

    name: str
    title: str
    version: str | None
    release: str | None
    as_of: str | None
    rows: int | None
    hash: str | None
    held_back: str | None
    held_since: str | None


class Datasets(Model):
    """What is published, as current.json says; `problem` where it cannot be read."""

    checked_at: str | None
    items: list[DatasetRow] = Field(default_factory=list)
    problem: str | None = None
