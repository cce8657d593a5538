"""Add the dossiers: what units keep of each project from opinion to performance review, of plan years and of departments."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from include.ledger.types import Moment, Yuan

revision = "0005"
down_revision = "0004"


def _entity(name: str, *columns: Any) -> None:
    op.create_table(
        name,
        sa.Column("source", sa.String(50), primary_key=True),
        sa.Column("record_key", sa.String(800), primary_key=True),
        *columns,
        sa.Column("source_hash", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("created_batch", sa.String(100), nullable=False),
        sa.Column("changed_batch", sa.String(100), nullable=False),
        sa.Column("tombstoned_at", Moment()),
    )
    op.create_table(
        f"{name}_change",
        sa.Column("source", sa.String(50), primary_key=True),
        sa.Column("record_key", sa.String(800), primary_key=True),
        sa.Column("batch_id", sa.String(100), primary_key=True),
        sa.Column("field", sa.String(60), primary_key=True),
        sa.Column("old", sa.Text()),
        sa.Column("new", sa.Text()),
        sa.Column("changed_at", Moment(), nullable=False),
    )


def upgrade() -> None:
    """Apply."""
    _entity(
        "project_dossier",
        sa.Column("project_code", sa.String(30)),
        sa.Column("name", sa.Text()),
        sa.Column("unit_name", sa.Text()),
        sa.Column("unit_uscc", sa.String(18)),
        sa.Column("demand_unit_name", sa.Text()),
        sa.Column("track", sa.String(40)),
        sa.Column("track_raw", sa.Text()),
        sa.Column("fund_scope", sa.String(40)),
        sa.Column("fund_scope_raw", sa.Text()),
        sa.Column("content_class", sa.String(40)),
        sa.Column("content_class_raw", sa.Text()),
        sa.Column("is_public_service", sa.Boolean()),
        sa.Column("upgrades_system_code", sa.Text()),
        sa.Column("self_build_approval_no", sa.Text()),
        sa.Column("self_build_approved_on", sa.Date()),
        sa.Column("off_plan_approval_no", sa.Text()),
        sa.Column("off_plan_approved_on", sa.Date()),
        sa.Column("higher_approval_no", sa.Text()),
        sa.Column("merged_ground", sa.String(40)),
        sa.Column("merged_ground_raw", sa.Text()),
        sa.Column("review_requested_on", sa.Date()),
        sa.Column("review_opinion_on", sa.Date()),
        sa.Column("review_opinion_no", sa.Text()),
        sa.Column("design_submitted_on", sa.Date()),
        sa.Column("design_reply_on", sa.Date()),
        sa.Column("design_reply_no", sa.Text()),
        sa.Column("approved_investment_yuan", Yuan()),
        sa.Column("feasibility_filed_on", sa.Date()),
        sa.Column("design_filed_on", sa.Date()),
        sa.Column("county_filed_on", sa.Date()),
        sa.Column("construction_started_on", sa.Date()),
        sa.Column("implementing_body", sa.Text()),
        sa.Column("has_responsible_person", sa.Boolean()),
        sa.Column("has_management_system", sa.Boolean()),
        sa.Column("trial_started_on", sa.Date()),
        sa.Column("trial_ended_on", sa.Date()),
        sa.Column("is_scope_completed", sa.Boolean()),
        sa.Column("users_tested_on", sa.Date()),
        sa.Column("is_improved", sa.Boolean()),
        sa.Column("went_live_on", sa.Date()),
    )
    op.create_index("project_dossier_by_project", "project_dossier", ["project_code"], unique=False)
    _entity(
        "suspension",
        sa.Column("suspension_no", sa.Text()),
        sa.Column("project_code", sa.String(30)),
        sa.Column("clock", sa.String(40)),
        sa.Column("clock_raw", sa.Text()),
        sa.Column("kind", sa.String(40)),
        sa.Column("kind_raw", sa.Text()),
        sa.Column("begun_on", sa.Date()),
        sa.Column("ended_on", sa.Date()),
        sa.Column("decided_by", sa.Text()),
        sa.Column("reason", sa.Text()),
    )
    op.create_index("suspension_by_project", "suspension", ["project_code"], unique=False)
    _entity(
        "contract",
        sa.Column("contract_no", sa.Text()),
        sa.Column("project_code", sa.String(30)),
        sa.Column("name", sa.Text()),
        sa.Column("amount_yuan", Yuan()),
        sa.Column("signed_on", sa.Date()),
        sa.Column("procurement_method", sa.String(40)),
        sa.Column("procurement_method_raw", sa.Text()),
        sa.Column("procurement_kind", sa.String(40)),
        sa.Column("procurement_kind_raw", sa.Text()),
        sa.Column("awarded_on", sa.Date()),
        sa.Column("award_filed_on", sa.Date()),
        sa.Column("states_ip", sa.Boolean()),
        sa.Column("states_data_ownership", sa.Boolean()),
        sa.Column("states_breach_liability", sa.Boolean()),
        sa.Column("states_warranty", sa.Boolean()),
        sa.Column("warranty_months", sa.BigInteger()),
        sa.Column("states_termination", sa.Boolean()),
        sa.Column("is_bureau_cosigned", sa.Boolean()),
    )
    op.create_index("contract_by_project", "contract", ["project_code"], unique=False)
    _entity(
        "payment",
        sa.Column("payment_no", sa.Text()),
        sa.Column("project_code", sa.String(30)),
        sa.Column("contract_no", sa.Text()),
        sa.Column("kind", sa.String(40)),
        sa.Column("kind_raw", sa.Text()),
        sa.Column("paid_on", sa.Date()),
        sa.Column("amount_yuan", Yuan()),
    )
    op.create_index("payment_by_project", "payment", ["project_code"], unique=False)
    _entity(
        "acceptance",
        sa.Column("acceptance_no", sa.Text()),
        sa.Column("project_code", sa.String(30)),
        sa.Column("held_on", sa.Date()),
        sa.Column("result", sa.String(40)),
        sa.Column("result_raw", sa.Text()),
        sa.Column("rectify_by", sa.Date()),
        sa.Column("organised_by", sa.Text()),
    )
    op.create_index("acceptance_by_project", "acceptance", ["project_code"], unique=False)
    _entity(
        "assessment",
        sa.Column("report_no", sa.Text()),
        sa.Column("kind", sa.String(40)),
        sa.Column("kind_raw", sa.Text()),
        sa.Column("project_code", sa.String(30)),
        sa.Column("system_code", sa.Text()),
        sa.Column("issued_on", sa.Date()),
        sa.Column("valid_until", sa.Date()),
        sa.Column("conclusion", sa.String(40)),
        sa.Column("conclusion_raw", sa.Text()),
        sa.Column("issuer", sa.Text()),
        sa.Column("has_major_risk", sa.Boolean()),
    )
    op.create_index("assessment_by_project", "assessment", ["project_code"], unique=False)
    _entity(
        "performance_review",
        sa.Column("review_no", sa.Text()),
        sa.Column("project_code", sa.String(30)),
        sa.Column("kind", sa.String(40)),
        sa.Column("kind_raw", sa.Text()),
        sa.Column("done_on", sa.Date()),
        sa.Column("conclusion", sa.Text()),
    )
    op.create_index("performance_review_by_project", "performance_review", ["project_code"], unique=False)
    _entity(
        "rectification",
        sa.Column("notice_no", sa.Text()),
        sa.Column("project_code", sa.String(30)),
        sa.Column("system_code", sa.Text()),
        sa.Column("issued_by", sa.Text()),
        sa.Column("topic", sa.Text()),
        sa.Column("issued_on", sa.Date()),
        sa.Column("due_on", sa.Date()),
        sa.Column("reported_on", sa.Date()),
        sa.Column("result", sa.String(40)),
        sa.Column("result_raw", sa.Text()),
        sa.Column("funds_paused_on", sa.Date()),
        sa.Column("funds_resumed_on", sa.Date()),
    )
    op.create_index("rectification_by_project", "rectification", ["project_code"], unique=False)
    _entity(
        "plan_year",
        sa.Column("plan_year", sa.Integer()),
        sa.Column("needs_called_on", sa.Date()),
        sa.Column("guide_issued_on", sa.Date()),
        sa.Column("joint_reviewed_on", sa.Date()),
        sa.Column("drafted_on", sa.Date()),
        sa.Column("issued_on", sa.Date()),
    )
    _entity(
        "department_year",
        sa.Column("plan_year", sa.Integer()),
        sa.Column("unit_name", sa.Text()),
        sa.Column("unit_uscc", sa.String(18)),
        sa.Column("budget_units", sa.BigInteger()),
        sa.Column("applications", sa.BigInteger()),
    )
    _entity(
        "attestation",
        sa.Column("attestation_no", sa.Text()),
        sa.Column("matter", sa.String(40)),
        sa.Column("matter_raw", sa.Text()),
        sa.Column("project_code", sa.String(30)),
        sa.Column("system_code", sa.Text()),
        sa.Column("conclusion", sa.String(40)),
        sa.Column("conclusion_raw", sa.Text()),
        sa.Column("ground", sa.Text()),
        sa.Column("attested_by", sa.Text()),
        sa.Column("attested_on", sa.Date()),
        sa.Column("expires_on", sa.Date()),
    )
    op.create_index("attestation_by_project", "attestation", ["project_code"], unique=False)
