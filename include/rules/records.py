"""What is recorded of a project's life, as rules see it: one class an entity, its fields named as in `schemas/sources/`.

A field that is None was left blank in a row that was read: it has not happened, or nobody stated it. A row that was not read is no
record at all, and the fact that would hold it is absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from include.rules.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Dossier:
    """The steps of a project from its need to its running, one date each (arts. 8, 16–21, 26, 29, 40)."""

    project_code: str
    name: str
    unit_name: str | None = None
    demand_unit_name: str | None = None
    track: str | None = None
    fund_scope: str | None = None
    content_class: str | None = None
    is_public_service: bool | None = None
    upgrades_system_code: str | None = None
    self_build_approval_no: str | None = None
    self_build_approved_on: date | None = None
    off_plan_approval_no: str | None = None
    off_plan_approved_on: date | None = None
    higher_approval_no: str | None = None
    merged_ground: str | None = None
    review_requested_on: date | None = None
    review_opinion_on: date | None = None
    review_opinion_no: str | None = None
    design_submitted_on: date | None = None
    design_reply_on: date | None = None
    design_reply_no: str | None = None
    approved_investment_yuan: Decimal | None = None
    feasibility_filed_on: date | None = None
    design_filed_on: date | None = None
    county_filed_on: date | None = None
    construction_started_on: date | None = None
    implementing_body: str | None = None
    has_responsible_person: bool | None = None
    has_management_system: bool | None = None
    trial_started_on: date | None = None
    trial_ended_on: date | None = None
    is_scope_completed: bool | None = None
    users_tested_on: date | None = None
    is_improved: bool | None = None
    went_live_on: date | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval item on the platform: of the `feasibility` report or of the preliminary `design` (arts. 18, 19)."""

    item_id: str
    kind: str
    state: str | None
    submitted_on: date | None = None
    accepted_on: date | None = None
    decided_on: date | None = None
    document_no: str | None = None


@dataclass(frozen=True, slots=True)
class PlanPlace:
    """A line of an annual plan that names the project (art. 15)."""

    plan_year: int
    nature: str | None = None
    track: str | None = None
    planned_yuan: Decimal | None = None
    unit_name: str | None = None


@dataclass(frozen=True, slots=True)
class Suspension:
    """A stretch that is not counted into a term: `clock` is review, reply or design; one without an end still runs."""

    suspension_no: str
    clock: str
    kind: str
    begun_on: date
    ended_on: date | None = None
    decided_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract of a project, how it was awarded, and what it states (arts. 24, 25, 29(3))."""

    contract_no: str
    project_code: str
    name: str
    amount_yuan: Decimal
    signed_on: date | None = None
    procurement_method: str | None = None
    procurement_kind: str | None = None
    awarded_on: date | None = None
    award_filed_on: date | None = None
    states_ip: bool | None = None
    states_data_ownership: bool | None = None
    states_breach_liability: bool | None = None
    states_warranty: bool | None = None
    warranty_months: int | None = None
    states_termination: bool | None = None
    is_bureau_cosigned: bool | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment; `final` and `retention` are what art. 30 calls the remaining money."""

    payment_no: str
    kind: str
    paid_on: date
    amount_yuan: Decimal
    contract_no: str | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """An acceptance that was held, passed or failed (arts. 28–30)."""

    acceptance_no: str
    held_on: date
    result: str
    rectify_by: date | None = None
    organised_by: str | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """A report: 等保 `protection`, 密评 `cipher`, `risk`, or third-party `acceptance_test` (arts. 27, 29)."""

    report_no: str
    kind: str
    issued_on: date
    valid_until: date | None = None
    conclusion: str | None = None
    has_major_risk: bool | None = None
    system_code: str | None = None
    project_code: str | None = None
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """A review of performance: `ex_ante`, `self` or `post` (art. 31)."""

    review_no: str
    kind: str
    done_on: date
    conclusion: str | None = None


@dataclass(frozen=True, slots=True)
class Attestation:
    """What a person attested of a matter that data cannot decide; it holds on its first and on its last day.

    `plan_year` is the plan that it is about, where it is about one.
    """

    attestation_no: str
    matter: str
    conclusion: str
    ground: str
    attested_by: str
    attested_on: date
    expires_on: date
    plan_year: int | None = None

    def is_valid(self, day: date) -> bool:
        """Return whether it holds on a day."""
        return self.attested_on <= day <= self.expires_on


@dataclass(frozen=True, slots=True)
class Rectification:
    """A notice of an office to put something right by a day, and what came of it (art. 33)."""

    notice_no: str
    issued_by: str
    issued_on: date
    due_on: date
    topic: str | None = None
    project_code: str | None = None
    system_code: str | None = None
    reported_on: date | None = None
    result: str | None = None
    funds_paused_on: date | None = None
    funds_resumed_on: date | None = None


@dataclass(frozen=True, slots=True)
class PlanYear:
    """The days of one annual plan (arts. 11, 12, 14, 15)."""

    plan_year: int
    needs_called_on: date | None = None
    guide_issued_on: date | None = None
    joint_reviewed_on: date | None = None
    drafted_on: date | None = None
    issued_on: date | None = None


@dataclass(frozen=True, slots=True)
class UpgradeTarget:
    """The system that an upgrade builds on, as the register has it (art. 13(3))."""

    system_code: str
    status: str | None = None
    last_released_on: date | None = None
    went_live_on: date | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What one of the rules that a roll-up rests on says of the same subject."""

    rule: str
    title: str
    outcome: Outcome
    reason: str
    sentence: str
    holds_until: date | None = None
    is_past_mending: bool = False
    """Whether its own card says of the reason that nothing anybody still does makes it pass."""
