"""Add what is observed day by day, the probes, and the verdicts and findings that come of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from include.ledger.types import Moment

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "observed_day",
        sa.Column("source", sa.String(50), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("batch_id", sa.String(100), primary_key=True),
        sa.Column("is_trusted", sa.Boolean(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("doubts", sa.Text(), nullable=False),
    )
    op.create_table(
        "probe_sweep",
        sa.Column("sweep_id", sa.String(200), primary_key=True),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=False),
        sa.Column("merged_at", Moment(), nullable=False),
        sa.Column("endpoints", sa.Integer(), nullable=False),
        sa.Column("succeeded", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("inconclusive", sa.Integer(), nullable=False),
        sa.Column("is_cut_off", sa.Boolean(), nullable=False),
        sa.Column("lag_ms", sa.Integer(), nullable=False),
        sa.Column("outcomes", sa.Text(), nullable=False),
        sa.Column("causes", sa.Text(), nullable=False),
    )
    op.create_table(
        "probe_day",
        sa.Column("service_code", sa.String(100), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("probes", sa.Integer(), nullable=False),
        sa.Column("successes", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("inconclusive", sa.Integer(), nullable=False),
        sa.Column("total_ms_sum", sa.BigInteger(), nullable=False),
        sa.Column("total_ms_max", sa.Integer(), nullable=False),
        sa.Column("last_success_at", Moment()),
        sa.Column("last_failure_at", Moment()),
        sa.Column("last_outcome", sa.String(40), nullable=False),
        sa.Column("last_detail", sa.Text()),
        sa.Column("certificate_expires_on", sa.Date()),
    )
    op.create_index("probe_day_by_day", "probe_day", ["day"], unique=False)
    op.create_table(
        "probe_state",
        sa.Column("service_code", sa.String(100), primary_key=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("since_at", Moment(), nullable=False),
        sa.Column("failures_in_a_row", sa.Integer(), nullable=False),
        sa.Column("successes_in_a_row", sa.Integer(), nullable=False),
        sa.Column("sweep_id", sa.String(200), nullable=False),
    )
    op.create_table(
        "evaluation",
        sa.Column("scope", sa.String(40), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("revision", sa.Integer(), primary_key=True),
        sa.Column("known", sa.Text(), nullable=False),
        sa.Column("rules_version", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("verdicts", sa.Integer(), nullable=False),
        sa.Column("outcomes", sa.Text(), nullable=False),
        sa.Column("rates", sa.Text(), nullable=False),
        sa.Column("evaluated_at", Moment(), nullable=False),
    )
    op.create_table(
        "verdict",
        sa.Column("rule", sa.String(80), primary_key=True),
        sa.Column("subject_type", sa.String(40), primary_key=True),
        sa.Column("subject", sa.String(200), primary_key=True),
        sa.Column("occurrence", sa.String(80), primary_key=True),
        sa.Column("from_day", sa.Date(), primary_key=True),
        sa.Column("until_day", sa.Date()),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(60), nullable=False),
        sa.Column("scope", sa.String(40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_table(
        "finding",
        sa.Column("finding_id", sa.String(32), primary_key=True),
        sa.Column("rule", sa.String(80), nullable=False),
        sa.Column("subject_type", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("occurrence", sa.String(80), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(60), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("first_seen_on", sa.Date(), nullable=False),
        sa.Column("judged_on", sa.Date(), nullable=False),
        sa.Column("unverified_since", sa.Date()),
        sa.Column("reopened", sa.Integer(), nullable=False),
    )
    op.create_index("finding_by_subject", "finding", ["subject_type", "subject"], unique=False)
    op.create_table(
        "finding_event",
        sa.Column("finding_id", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(60), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
    )
