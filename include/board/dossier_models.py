"""What is shown of systems and projects; forms as in `include.board.models`."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from include.board.models import FindingRow, Model, VerdictRow


class SubjectRow(Model):
    """A system or project in a list; leads are its open findings of outcome `fail`, hints those of `warn`."""

    code: str
    name: str
    unit: str | None
    leads: int
    hints: int


class SystemRow(SubjectRow):
    """A system in a list."""

    status: str | None
    deployment: str | None
    protection_level: int | None
    went_live_on: date | None


class Named(Model):
    """Something with a code and a name."""

    code: str
    name: str | None


class Labelled(Model):
    """A field of a record in words."""

    title: str
    text: str


class UsageDay(Model):
    """How a system was used on a day."""

    day: date
    logins: int | None
    active_users: int | None


class ServiceRow(Model):
    """A service of a system on the exchange, with the state of its probes."""

    code: str
    name: str | None
    kind: str | None
    state: str | None
    probe: str | None
    since: datetime | None


class SystemDetail(SystemRow):
    """The dossier of a system."""

    fields: list[Labelled]
    projects: list[Named]
    holes: list[FindingRow]
    verdicts: list[VerdictRow]
    services: list[ServiceRow]
    resources: dict[str, int]
    reports: list[Labelled]
    usage: list[UsageDay]


class ProjectRow(SubjectRow):
    """A project in a list; money in yuan."""

    nature: str | None
    type: str | None
    investment_yuan: Decimal | None
    applied_on: date | None
    plan_years: list[int]
    systems: int


class Clock(Model):
    """A term of the law in working days; `left` says how many remain, at least and at most, None where it does not run."""

    rule: str
    title: str
    clause: str
    outcome: str
    reason: str
    due: date | None
    latest: date | None
    left: tuple[int, int] | None
    steps: list[str]
    message: str


class TimelineEntry(Model):
    """Something that happened, or is to happen, to a project on a day."""

    day: date
    kind: str
    title: str
    text: str
    source: str


class ProjectDetail(ProjectRow):
    """The dossier of a project."""

    fields: list[Labelled]
    timeline: list[TimelineEntry]
    clocks: list[Clock]
    named_systems: list[Named]
    holes: list[FindingRow]
    verdicts: list[VerdictRow]
