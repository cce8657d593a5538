"""Add the sums over the middle of a window, and index the series by batch: which of their days a batch wrote is asked each day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "window_sum",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("stamp", sa.String(32), nullable=False),
        sa.Column("known", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    for series in ("exchange_call_day", "cloud_usage_day", "system_usage_day"):
        op.create_index(f"{series}_by_batch", series, ["changed_batch", "day"], unique=False)
