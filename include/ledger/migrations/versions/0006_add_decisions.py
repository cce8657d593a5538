"""Add what people decide about findings, and the versions by which rules judge."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from include.ledger.types import Moment

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply."""
    op.add_column("finding", sa.Column("severity", sa.String(20)))
    op.add_column("finding", sa.Column("rule_version", sa.String(32)))
    op.add_column("finding", sa.Column("handling", sa.String(20), nullable=False, server_default="new"))
    op.add_column("finding", sa.Column("handled_until", sa.Date()))
    op.add_column("finding", sa.Column("handled_by", sa.String(200)))
    op.add_column("finding", sa.Column("decision_id", sa.String(250)))
    op.add_column("finding", sa.Column("overdue_since", sa.Date()))
    op.create_index("finding_by_handled_until", "finding", ["handled_until"], unique=False)
    op.create_table(
        "decision",
        sa.Column("decision_id", sa.String(250), primary_key=True),
        sa.Column("finding_id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("requested_by", sa.String(200), nullable=False),
        sa.Column("approved_by", sa.String(200)),
        sa.Column("ground", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("plan", sa.Text()),
        sa.Column("until", sa.Date()),
        sa.Column("decided_at", Moment(), nullable=False),
    )
    op.create_index("decision_by_finding", "decision", ["finding_id"], unique=False)
    op.create_table(
        "rule_version",
        sa.Column("rule", sa.String(80), primary_key=True),
        sa.Column("scope", sa.String(40), primary_key=True),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
    )
