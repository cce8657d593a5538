"""The facts that rules are judged on: what `facts_of_day` reads out of the ledger and the functions of the law look at.

Windows are whole days that end the day before the day judged. Zero is a value; a day without a value is not observed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Project:
    """A project that a system belongs to; `is_planned_upgrade` where an annual plan extends or rebuilds it."""

    code: str
    name: str
    nature: str | None = None
    is_planned_upgrade: bool = False


@dataclass(frozen=True, slots=True)
class PendingProject:
    """A project of a unit whose feasibility report is handed in since a day and not decided."""

    code: str
    name: str
    nature: str | None
    applied_on: date


@dataclass(frozen=True, slots=True)
class Exemption:
    """A recorded exemption; it holds on both its first and its last day."""

    exemption_id: str
    kind: str
    ground: str
    document_no: str | None
    granted_by: str | None
    valid_from: date | None
    expires_on: date

    def is_valid(self, day: date) -> bool:
        """Return whether it holds on a day."""
        return (self.valid_from is None or self.valid_from <= day) and day <= self.expires_on

    @property
    def is_signed(self) -> bool:
        """Return whether it says who granted it: what nobody signed excuses nothing (art. 13, 原则上 with reason and signer)."""
        return bool(self.granted_by)


@dataclass(frozen=True, slots=True)
class Listing:
    """What the exchange lists of a system: its services and tables, and whether it is registered as an application."""

    services: tuple[str, ...]
    is_application: bool


@dataclass(frozen=True, slots=True)
class Load:
    """How much of its cloud resources a system used; shares are hundredths of a percent.

    `cpu_mean_bp`: mean over the days of the vCPU-weighted mean of its hosts; `cpu_max_mean_bp`: mean over the days of the
    highest daily maximum; `memory_max_bp`: the highest of all. None where no day was observed.
    """

    days: int
    observed: int
    cpu_mean_bp: int | None
    cpu_max_mean_bp: int | None
    memory_max_bp: int | None


@dataclass(frozen=True, slots=True)
class Use:
    """How people used a system: logins in all, days with a login, most active users on a day, registered users."""

    days: int
    observed: int
    logins: int
    login_days: int
    active_users: int
    registered_users: int | None


@dataclass(frozen=True, slots=True)
class Calls:
    """Business calls at the exchange: `calls` received by its services, `own_calls` made by it; probe calls stand apart.

    `days_since_success` counts days that could be observed, so that an outage of the exchange ages nothing; None where none
    succeeded. `is_flat`: traffic as a machine makes it, every day alike.
    """

    days: int
    observed: int
    calls: int
    successes: int
    own_calls: int
    probe_calls: int
    last_success_on: date | None
    days_since_success: int | None
    last_failure_on: date | None
    is_flat: bool


@dataclass(frozen=True, slots=True)
class Probes:
    """What our own probes of a system's services met; a system without an endpoint to probe has none of them."""

    days: int
    observed: int
    probes: int
    successes: int
    failures: int
    inconclusive: int
    last_success_on: date | None
    days_since_success: int | None
    state: str


@dataclass(frozen=True, slots=True)
class Catalogued:
    """How many entries of one kind the catalogues hold, and how they stand; of a system, or of all together.

    `entries` are all but withdrawn ones, `drafts` those of them not registered yet. `unlinked` are entries of the same unit that
    name no system: any of them may be this system's own. An entry may be withheld (不予共享) `without_basis`; of the shared ones
    some are `mounted` (挂接). `due` for collection (归集) are `delivered`, `partly` so, or not at all. From `timely` on: freshness.
    """

    entries: int = 0
    drafts: int = 0
    unlinked: int = 0
    shared: int = 0
    mounted: int = 0
    withheld: int = 0
    without_basis: int = 0
    share_unknown: int = 0
    due: int = 0
    delivered: int = 0
    partly: int = 0
    not_required: int = 0
    collection_unknown: int = 0
    timely: int = 0
    overdue: int = 0
    uncycled: int = 0
    cycle_missing: int = 0
    date_missing: int = 0
    date_inexact: int = 0
    date_in_future: int = 0
