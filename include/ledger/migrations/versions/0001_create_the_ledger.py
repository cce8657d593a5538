"""Create the ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from include.ledger.types import Moment, Yuan

revision = "0001"
down_revision = None

CURRENT_PROJECT = """
CREATE VIEW current_project AS
SELECT ranked.* FROM (
  SELECT e.*, row_number() OVER (PARTITION BY e.project_code ORDER BY coalesce(a.authority, 100), e.source) AS authority_rank
  FROM project e LEFT JOIN source_authority a ON a.source = e.source
  WHERE e.tombstoned_at IS NULL
) ranked WHERE ranked.authority_rank = 1
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "absence",
        sa.Column("source", sa.String(length=50), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("record_key", sa.String(length=800), nullable=False),
        sa.Column("first_batch", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("source", "entity", "record_key"),
    )
    op.create_table(
        "approval_item",
        sa.Column("source", sa.String(length=50), nullable=False),
        sa.Column("record_key", sa.String(length=800), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=True),
        sa.Column("project_code", sa.String(length=30), nullable=True),
        sa.Column("item_code", sa.Text(), nullable=True),
        sa.Column("item_name", sa.Text(), nullable=True),
        sa.Column("dept_name", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=True),
        sa.Column("state_raw", sa.Text(), nullable=True),
        sa.Column("submitted_at", Moment(timezone=True), nullable=True),
        sa.Column("accepted_at", Moment(timezone=True), nullable=True),
        sa.Column("decided_at", Moment(timezone=True), nullable=True),
        sa.Column("document_no", sa.Text(), nullable=True),
        sa.Column("source_hash", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("created_batch", sa.String(length=100), nullable=False),
        sa.Column("changed_batch", sa.String(length=100), nullable=False),
        sa.Column("tombstoned_at", Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("source", "record_key"),
    )
    op.create_index("approval_item_by_project", "approval_item", ["source", "project_code"], unique=False)
    op.create_table(
        "approval_item_change",
        sa.Column("source", sa.String(length=50), nullable=False),
        sa.Column("record_key", sa.String(length=800), nullable=False),
        sa.Column("batch_id", sa.String(length=100), nullable=False),
        sa.Column("field", sa.String(length=60), nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.Column("changed_at", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "record_key", "batch_id", "field"),
    )
    op.create_table(
        "batch",
        sa.Column("batch_id", sa.String(length=100), nullable=False),
        sa.Column("source", sa.String(length=50), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("is_full", sa.Boolean(), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("filter_digest", sa.String(length=32), nullable=False),
        sa.Column("card_digest", sa.String(length=32), nullable=False),
        sa.Column("started_at", Moment(timezone=True), nullable=False),
        sa.Column("sealed_at", Moment(timezone=True), nullable=False),
        sa.Column("merged_at", Moment(timezone=True), nullable=False),
        sa.Column("rows_received", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("unchanged", sa.BigInteger(), nullable=False),
        sa.Column("repeated", sa.BigInteger(), nullable=False),
        sa.Column("quarantined", sa.BigInteger(), nullable=False),
        sa.Column("restored", sa.BigInteger(), nullable=False),
        sa.Column("absent", sa.BigInteger(), nullable=False),
        sa.Column("tombstoned", sa.BigInteger(), nullable=False),
        sa.Column("children", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id"),
    )
    op.create_index("batch_by_source", "batch", ["source", "started_at"], unique=False)
    op.create_table(
        "plan_entry",
        sa.Column("source", sa.String(length=50), nullable=False),
        sa.Column("record_key", sa.String(length=800), nullable=False),
        sa.Column("plan_year", sa.Integer(), nullable=True),
        sa.Column("project_code", sa.String(length=30), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("unit_name", sa.Text(), nullable=True),
        sa.Column("unit_uscc", sa.String(length=18), nullable=True),
        sa.Column("nature", sa.String(length=40), nullable=True),
        sa.Column("nature_raw", sa.Text(), nullable=True),
        sa.Column("planned_yuan", Yuan(precision=15, scale=2), nullable=True),
        sa.Column("track", sa.String(length=40), nullable=True),
        sa.Column("track_raw", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("code_form", sa.String(length=40), nullable=True),
        sa.Column("code_check", sa.String(length=40), nullable=True),
        sa.Column("source_hash", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("created_batch", sa.String(length=100), nullable=False),
        sa.Column("changed_batch", sa.String(length=100), nullable=False),
        sa.Column("tombstoned_at", Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("source", "record_key"),
    )
    op.create_table(
        "plan_entry_change",
        sa.Column("source", sa.String(length=50), nullable=False),
        sa.Column("record_key", sa.String(length=800), nullable=False),
        sa.Column("batch_id", sa.String(length=100), nullable=False),
        sa.Column("field", sa.String(length=60), nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.Column("changed_at", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "record_key", "batch_id", "field"),
    )
    op.create_table(
        "project",
        sa.Column("source", sa.String(length=50), nullable=False),
        sa.Column("record_key", sa.String(length=800), nullable=False),
        sa.Column("project_code", sa.String(length=30), nullable=True),
        sa.Column("former_code", sa.String(length=30), nullable=True),
        sa.Column("report_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("project_type", sa.String(length=40), nullable=True),
        sa.Column("project_type_raw", sa.Text(), nullable=True),
        sa.Column("nature", sa.String(length=40), nullable=True),
        sa.Column("nature_raw", sa.Text(), nullable=True),
        sa.Column("division_code", sa.Text(), nullable=True),
        sa.Column("division_name", sa.Text(), nullable=True),
        sa.Column("place_code", sa.Text(), nullable=True),
        sa.Column("place_detail", sa.Text(), nullable=True),
        sa.Column("industry_code", sa.Text(), nullable=True),
        sa.Column("managed_industry", sa.String(length=40), nullable=True),
        sa.Column("managed_industry_raw", sa.Text(), nullable=True),
        sa.Column("fund_source", sa.Text(), nullable=True),
        sa.Column("unit_name", sa.Text(), nullable=True),
        sa.Column("unit_uscc", sa.String(length=18), nullable=True),
        sa.Column("total_investment_yuan", Yuan(precision=15, scale=2), nullable=True),
        sa.Column("investment_note", sa.Text(), nullable=True),
        sa.Column("scale_content", sa.Text(), nullable=True),
        sa.Column("start_year", sa.Integer(), nullable=True),
        sa.Column("end_year", sa.Integer(), nullable=True),
        sa.Column("applied_at", Moment(timezone=True), nullable=True),
        sa.Column("recorded_at", Moment(timezone=True), nullable=True),
        sa.Column("updated_at", Moment(timezone=True), nullable=True),
        sa.Column("permit_item_code", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("is_major", sa.Boolean(), nullable=True),
        sa.Column("is_foreign", sa.Boolean(), nullable=True),
        sa.Column("code_form", sa.String(length=40), nullable=True),
        sa.Column("code_check", sa.String(length=40), nullable=True),
        sa.Column("source_hash", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("created_batch", sa.String(length=100), nullable=False),
        sa.Column("changed_batch", sa.String(length=100), nullable=False),
        sa.Column("tombstoned_at", Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("source", "record_key"),
    )
    op.create_index("project_by_code", "project", ["project_code"], unique=False)
    op.create_table(
        "project_alias",
        sa.Column("source", sa.String(length=50), nullable=False),
        sa.Column("former_code", sa.String(length=30), nullable=False),
        sa.Column("project_code", sa.String(length=30), nullable=False),
        sa.Column("batch_id", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("source", "former_code", "project_code"),
    )
    op.create_table(
        "project_change",
        sa.Column("source", sa.String(length=50), nullable=False),
        sa.Column("record_key", sa.String(length=800), nullable=False),
        sa.Column("batch_id", sa.String(length=100), nullable=False),
        sa.Column("field", sa.String(length=60), nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.Column("changed_at", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "record_key", "batch_id", "field"),
    )
    op.create_table(
        "quarantine",
        sa.Column("source", sa.String(length=50), nullable=False),
        sa.Column("record_hash", sa.String(length=32), nullable=False),
        sa.Column("record_key", sa.String(length=800), nullable=True),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("batch_id", sa.String(length=100), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("opened_at", Moment(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("closed_batch", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("source", "record_hash"),
    )
    op.create_table(
        "question",
        sa.Column("kind", sa.String(length=50), nullable=False),
        sa.Column("source", sa.String(length=50), nullable=False),
        sa.Column("subject", sa.String(length=800), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("opened_at", Moment(timezone=True), nullable=False),
        sa.Column("opened_batch", sa.String(length=100), nullable=False),
        sa.Column("closed_at", Moment(timezone=True), nullable=True),
        sa.Column("closed_batch", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("kind", "source", "subject"),
    )
    op.create_table(
        "source_authority",
        sa.Column("source", sa.String(length=50), nullable=False),
        sa.Column("authority", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source"),
    )
    op.create_table(
        "watermark",
        sa.Column("source", sa.String(length=50), nullable=False),
        sa.Column("changed_until", Moment(timezone=True), nullable=False),
        sa.Column("filter_digest", sa.String(length=32), nullable=False),
        sa.Column("batch_id", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("source"),
    )
    op.execute(CURRENT_PROJECT)
