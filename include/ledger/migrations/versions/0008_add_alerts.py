"""Add alerts: what was told, outbox, holds, incidents; daily compliance; and whose department a subject is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from include.ledger.types import Moment

revision = "0008"
down_revision = "0007"

CURRENT_SYSTEM = """
CREATE VIEW current_system AS
SELECT ranked.* FROM (
  SELECT e.*, row_number() OVER (PARTITION BY e.system_code
    ORDER BY coalesce(a.authority, 100), e.source, e.record_key) AS authority_rank
  FROM system e LEFT JOIN source_authority a ON a.source = e.source
  WHERE e.tombstoned_at IS NULL
) ranked WHERE ranked.authority_rank = 1
"""

SUBJECT_UNIT = """
CREATE VIEW subject_unit AS
SELECT 'system' AS subject_type, system_code AS subject, unit_name, name FROM current_system
UNION ALL
SELECT 'project', project_code, unit_name, name FROM current_project
UNION ALL
SELECT 'contract', c.contract_no, max(p.unit_name), max(c.name)
FROM contract c LEFT JOIN current_project p ON p.project_code = c.project_code
WHERE c.tombstoned_at IS NULL AND c.contract_no IS NOT NULL GROUP BY c.contract_no
UNION ALL
SELECT 'rectification', r.notice_no, max(coalesce(p.unit_name, s.unit_name)), max(r.topic)
FROM rectification r LEFT JOIN current_project p ON p.project_code = r.project_code
LEFT JOIN current_system s ON s.system_code = r.system_code
WHERE r.tombstoned_at IS NULL AND r.notice_no IS NOT NULL GROUP BY r.notice_no
UNION ALL
SELECT 'plan_entry', project_code, max(unit_name), max(name)
FROM plan_entry WHERE tombstoned_at IS NULL AND project_code IS NOT NULL GROUP BY project_code
UNION ALL
SELECT 'department_year', plan_year || ':' || coalesce(unit_uscc, unit_name), max(unit_name), max(unit_name)
FROM department_year WHERE tombstoned_at IS NULL AND plan_year IS NOT NULL
GROUP BY plan_year || ':' || coalesce(unit_uscc, unit_name)
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "told",
        sa.Column("receiver", sa.String(60), primary_key=True),
        sa.Column("finding_id", sa.String(32), primary_key=True),
        sa.Column("department", sa.String(200), nullable=False),
        sa.Column("topic", sa.String(60), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("severity", sa.String(20)),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("first_told_on", sa.Date(), nullable=False),
        sa.Column("last_told_on", sa.Date(), nullable=False),
        sa.Column("message_id", sa.String(32), nullable=False),
    )
    op.create_index("told_by_finding", "told", ["finding_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("message_id", sa.String(32), primary_key=True),
        sa.Column("channel", sa.String(60), nullable=False),
        sa.Column("receiver", sa.String(60), nullable=False),
        sa.Column("department", sa.String(200), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("is_urgent", sa.Boolean(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("finding_ids", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.String(32), nullable=False),
        sa.Column("decided_at", Moment(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", Moment(), nullable=False),
        sa.Column("claimed_by", sa.String(200)),
        sa.Column("claimed_until", Moment()),
        sa.Column("sent_at", Moment()),
        sa.Column("receipt", sa.Text()),
        sa.Column("last_error", sa.Text()),
    )
    op.create_index("outbox_by_state", "outbox", ["state", "channel", "next_try_at"], unique=False)
    op.create_table(
        "delivery_attempt",
        sa.Column("message_id", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("channel", sa.String(60), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment()),
        sa.Column("outcome", sa.String(20)),
        sa.Column("detail", sa.Text()),
    )
    op.create_index("delivery_attempt_by_channel", "delivery_attempt", ["channel", "started_at"], unique=False)
    op.create_table(
        "channel_state",
        sa.Column("channel", sa.String(60), primary_key=True),
        sa.Column("blocked_until", Moment()),
        sa.Column("failing_since", Moment()),
        sa.Column("last_sent_at", Moment()),
        sa.Column("last_error", sa.Text()),
    )
    op.create_table(
        "alert_hold",
        sa.Column("hold_id", sa.String(32), primary_key=True),
        sa.Column("scope", sa.String(40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("raised_at", Moment(), nullable=False),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.Column("allowed", sa.Integer(), nullable=False),
        sa.Column("subjects", sa.Integer(), nullable=False),
        sa.Column("by_rule", sa.Text(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("released_at", Moment()),
        sa.Column("requested_by", sa.String(200)),
        sa.Column("approved_by", sa.String(200)),
        sa.Column("reason", sa.Text()),
    )
    op.create_table(
        "held_finding",
        sa.Column("finding_id", sa.String(32), primary_key=True),
        sa.Column("hold_id", sa.String(32), nullable=False),
    )
    op.create_index("held_finding_by_hold", "held_finding", ["hold_id"], unique=False)
    op.create_table(
        "incident",
        sa.Column("incident_id", sa.String(32), primary_key=True),
        sa.Column("pipeline", sa.String(80), nullable=False),
        sa.Column("cause", sa.String(40), nullable=False),
        sa.Column("part", sa.String(200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("last_seen_at", Moment(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("told_at", Moment()),
        sa.Column("resolved_at", Moment()),
    )
    op.create_index("incident_by_pipeline", "incident", ["pipeline", "resolved_at"], unique=False)
    op.create_table(
        "compliance_day",
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("rule", sa.String(80), primary_key=True),
        sa.Column("department", sa.String(200), primary_key=True),
        sa.Column("passed", sa.Integer(), nullable=False),
        sa.Column("warned", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("not_applicable", sa.Integer(), nullable=False),
        sa.Column("waived", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("resolved", sa.Integer(), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("open_age_p50", sa.Integer()),
        sa.Column("open_age_p90", sa.Integer()),
        sa.Column("appended_at", Moment(), nullable=False),
    )
    op.create_table(
        "expunged",
        sa.Column("expunged_at", Moment(), primary_key=True),
        sa.Column("source", sa.String(50), primary_key=True),
        sa.Column("records", sa.Integer(), nullable=False),
    )
    op.execute(CURRENT_SYSTEM)
    op.execute(SUBJECT_UNIT)
