"""What pages show and the API answers, typed: amounts are decimal texts in yuan, days ISO dates, moments with their offset."""

from __future__ import annotations

from datetime import date, datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class Model(BaseModel):
    """One thing that is shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Links(Model):
    """Addresses of this page of a list and of its neighbours; None at either end."""

    self: str
    next: str | None
    prev: str | None


class Listed(Model, Generic[T]):
    """One page of a list; `total` counts all rows that were asked for."""

    items: list[T]
    total: int
    limit: int
    offset: int
    links: Links | None = None

    @property
    def last(self) -> int:
        """Return the number of the last row shown, counted from 1."""
        return self.offset + len(self.items)


class FindingRow(Model):
    """A finding in a list. `article` is None where the rule rests on another document; `age_days` since it was first seen."""

    finding_id: str
    rule: str
    title: str
    scope: str
    clause: str
    article: int | None
    subject_type: str
    subject: str
    subject_name: str | None
    department: str | None
    occurrence: str
    state: str
    outcome: str
    severity: str | None
    handling: str
    handled_until: date | None
    overdue_since: date | None
    unverified_since: date | None
    first_seen_on: date
    judged_on: date
    age_days: int
    reopened: int
    message: str


class Clause(Model):
    """The clause that a rule rests on; `reading` is how a misprint is read."""

    number: str
    source: str
    modality: str
    text: str
    reading: str | None


class FactShown(Model):
    """One fact that a verdict rests on: its value in words, and where it comes from."""

    name: str
    title: str
    text: str
    source: str
    seen_until: date | None
    batch: str | None


class Threshold(Model):
    """One parameter that a verdict rests on."""

    name: str
    text: str
    is_confirmed: bool
    since: date | None
    source: str


class Event(Model):
    """Something that happened to a finding."""

    number: int
    day: date
    kind: str
    outcome: str
    message: str
    by: str | None


class Stretch(Model):
    """The days on which a verdict stood; `until_day` is its last day, None while it stands."""

    from_day: date
    until_day: date | None
    outcome: str
    reason: str


class ToldRow(Model):
    """Who was told of a finding, and in which message last; `state` says whether that one has arrived (sent, pending, dead)."""

    receiver: str
    first_told_on: date
    last_told_on: date
    message_id: str
    state: str


class DecisionRow(Model):
    """What somebody decided of a finding."""

    kind: str
    requested_by: str
    approved_by: str | None
    ground: str | None
    reason: str | None
    plan: str | None
    until: date | None
    decided_at: datetime
    result: str | None


class FindingDetail(FindingRow):
    """Everything about one finding: why, since when, on what evidence, who knows, what next."""

    law: Clause | None
    steps: list[str]
    facts: list[FactShown]
    thresholds: list[Threshold]
    events: list[Event]
    stretches: list[Stretch]
    told: list[ToldRow]
    decisions: list[DecisionRow]
    to_be_told: list[str]
    remedy: str | None
    is_waivable: bool | None
    is_past_mending: bool
    holds_until: date | None
    judged_day: date | None
    would_be: str | None
    is_held: bool
    is_again: bool


class VerdictRow(Model):
    """What a rule says of a subject now."""

    rule: str
    title: str
    clause: str
    article: int | None
    occurrence: str
    outcome: str
    reason: str
    since: date
    message: str
    steps: list[str]
    finding_id: str | None
