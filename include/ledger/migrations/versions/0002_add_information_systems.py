"""Add the register of information systems, the exchange's services and calls, the city cloud and usage."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from include.ledger.types import Moment

revision = "0002"
down_revision = "0001"


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
        "system",
        sa.Column("system_code", sa.Text()),
        sa.Column("name", sa.Text()),
        sa.Column("unit_name", sa.Text()),
        sa.Column("unit_uscc", sa.String(18)),
        sa.Column("project_codes", sa.Text()),
        sa.Column("status", sa.String(40)),
        sa.Column("status_raw", sa.Text()),
        sa.Column("deployment", sa.String(40)),
        sa.Column("deployment_raw", sa.Text()),
        sa.Column("purpose", sa.String(40)),
        sa.Column("purpose_raw", sa.Text()),
        sa.Column("business_season", sa.Text()),
        sa.Column("declared_connection", sa.String(40)),
        sa.Column("declared_connection_raw", sa.Text()),
        sa.Column("protection_level", sa.Integer()),
        sa.Column("protection_no", sa.Text()),
        sa.Column("cipher_assessed_on", sa.Date()),
        sa.Column("registered_users", sa.Integer()),
        sa.Column("trial_started_on", sa.Date()),
        sa.Column("went_live_on", sa.Date()),
        sa.Column("last_released_on", sa.Date()),
        sa.Column("recorded_at", Moment()),
        sa.Column("updated_at", Moment()),
    )
    _entity(
        "exchange_service",
        sa.Column("service_code", sa.Text()),
        sa.Column("name", sa.Text()),
        sa.Column("system_code", sa.Text()),
        sa.Column("unit_name", sa.Text()),
        sa.Column("unit_uscc", sa.String(18)),
        sa.Column("kind", sa.String(40)),
        sa.Column("kind_raw", sa.Text()),
        sa.Column("state", sa.String(40)),
        sa.Column("state_raw", sa.Text()),
        sa.Column("rate_text", sa.Text()),
        sa.Column("calls_per_hour", sa.Integer()),
        sa.Column("timeout_seconds", sa.Integer()),
        sa.Column("endpoint", sa.Text()),
        sa.Column("expected_text", sa.Text()),
        sa.Column("recorded_at", Moment()),
        sa.Column("updated_at", Moment()),
    )
    op.create_index("exchange_service_by_system", "exchange_service", ["system_code"], unique=False)
    _entity(
        "exchange_call_day",
        sa.Column("day", sa.Date()),
        sa.Column("service_code", sa.Text()),
        sa.Column("caller_code", sa.Text()),
        sa.Column("is_probe", sa.Boolean()),
        sa.Column("calls", sa.Integer()),
        sa.Column("failures", sa.Integer()),
        sa.Column("last_success_at", Moment()),
        sa.Column("last_failure_at", Moment()),
    )
    op.create_index("exchange_call_day_by_day", "exchange_call_day", ["day"], unique=False)
    _entity(
        "cloud_resource",
        sa.Column("resource_code", sa.Text()),
        sa.Column("name", sa.Text()),
        sa.Column("platform", sa.Text()),
        sa.Column("zone", sa.String(40)),
        sa.Column("zone_raw", sa.Text()),
        sa.Column("resource_type", sa.String(40)),
        sa.Column("resource_type_raw", sa.Text()),
        sa.Column("vcpu", sa.Integer()),
        sa.Column("memory_gb", sa.Integer()),
        sa.Column("disk_gb", sa.Integer()),
        sa.Column("system_code", sa.Text()),
        sa.Column("unit_name", sa.Text()),
        sa.Column("unit_uscc", sa.String(18)),
        sa.Column("applied_on", sa.Date()),
        sa.Column("opened_on", sa.Date()),
        sa.Column("expires_on", sa.Date()),
        sa.Column("status", sa.String(40)),
        sa.Column("status_raw", sa.Text()),
        sa.Column("is_xinchuang", sa.Boolean()),
        sa.Column("protection_level", sa.Integer()),
        sa.Column("updated_at", Moment()),
    )
    _entity(
        "cloud_usage_day",
        sa.Column("day", sa.Date()),
        sa.Column("resource_code", sa.Text()),
        sa.Column("cpu_mean_bp", sa.Integer()),
        sa.Column("cpu_max_bp", sa.Integer()),
        sa.Column("memory_max_bp", sa.Integer()),
        sa.Column("disk_bp", sa.Integer()),
    )
    op.create_index("cloud_usage_day_by_day", "cloud_usage_day", ["day"], unique=False)
    _entity(
        "system_usage_day",
        sa.Column("day", sa.Date()),
        sa.Column("system_code", sa.Text()),
        sa.Column("logins", sa.Integer()),
        sa.Column("active_users", sa.Integer()),
        sa.Column("registered_users", sa.Integer()),
    )
    op.create_index("system_usage_day_by_day", "system_usage_day", ["day"], unique=False)
    _entity(
        "exemption",
        sa.Column("exemption_id", sa.Text()),
        sa.Column("system_code", sa.Text()),
        sa.Column("kind", sa.String(40)),
        sa.Column("kind_raw", sa.Text()),
        sa.Column("ground", sa.Text()),
        sa.Column("document_no", sa.Text()),
        sa.Column("granted_by", sa.Text()),
        sa.Column("valid_from", sa.Date()),
        sa.Column("expires_on", sa.Date()),
    )
    _entity(
        "maintenance_window",
        sa.Column("window_id", sa.Text()),
        sa.Column("system_code", sa.Text()),
        sa.Column("begins_at", Moment()),
        sa.Column("ends_at", Moment()),
        sa.Column("ground", sa.Text()),
    )
