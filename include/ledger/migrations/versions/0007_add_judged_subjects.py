"""Add what subjects were last judged on, so that what still holds is not judged again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "judged_subject",
        sa.Column("scope", sa.String(40), primary_key=True),
        sa.Column("subject_type", sa.String(40), primary_key=True),
        sa.Column("subject", sa.String(200), primary_key=True),
        sa.Column("facts_hash", sa.String(32), nullable=False),
        sa.Column("rules_version", sa.String(32), nullable=False),
        sa.Column("holds_until", sa.Date),
        sa.Column("outcomes", sa.Text, nullable=False),
        sa.Column("said", sa.String(40), nullable=False),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("judged_subject")
