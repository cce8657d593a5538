"""Add the catalogues: entries, their information items, and what people decided about identities."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from include.ledger.types import Moment

revision = "0004"
down_revision = "0003"

CURRENT_RESOURCE = """
CREATE VIEW current_resource AS
SELECT ranked.* FROM (
  SELECT e.*, row_number() OVER (PARTITION BY e.kind, coalesce(e.code, e.source || '|' || e.resource_id)
    ORDER BY coalesce(a.authority, 100), e.source, e.record_key) AS authority_rank
  FROM resource e LEFT JOIN source_authority a ON a.source = e.source
  WHERE e.tombstoned_at IS NULL
) ranked WHERE ranked.authority_rank = 1
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "resource",
        sa.Column("source", sa.String(50), primary_key=True),
        sa.Column("record_key", sa.String(800), primary_key=True),
        sa.Column("resource_id", sa.String(800)),
        sa.Column("kind", sa.String(40)),
        sa.Column("kind_raw", sa.Text()),
        sa.Column("code", sa.Text()),
        sa.Column("title", sa.Text()),
        sa.Column("provider_name", sa.Text()),
        sa.Column("provider_uscc", sa.String(18)),
        sa.Column("system_code", sa.Text()),
        sa.Column("system_name", sa.Text()),
        sa.Column("project_codes", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("category", sa.Text()),
        sa.Column("theme", sa.Text()),
        sa.Column("keywords", sa.Text()),
        sa.Column("format", sa.String(40)),
        sa.Column("format_raw", sa.Text()),
        sa.Column("share_type", sa.String(40)),
        sa.Column("share_type_raw", sa.Text()),
        sa.Column("share_condition", sa.Text()),
        sa.Column("share_basis", sa.Text()),
        sa.Column("share_method", sa.String(40)),
        sa.Column("share_method_raw", sa.Text()),
        sa.Column("open_type", sa.String(40)),
        sa.Column("open_type_raw", sa.Text()),
        sa.Column("open_condition", sa.Text()),
        sa.Column("update_cycle", sa.String(40)),
        sa.Column("update_cycle_raw", sa.Text()),
        sa.Column("state", sa.String(40)),
        sa.Column("state_raw", sa.Text()),
        sa.Column("collection", sa.String(40)),
        sa.Column("collection_raw", sa.Text()),
        sa.Column("issued_on", sa.Date()),
        sa.Column("issued_raw", sa.Text()),
        sa.Column("modified_on", sa.Date()),
        sa.Column("modified_raw", sa.Text()),
        sa.Column("data_updated_on", sa.Date()),
        sa.Column("data_updated_raw", sa.Text()),
        sa.Column("record_count", sa.BigInteger()),
        sa.Column("landing_page", sa.Text()),
        sa.Column("license", sa.Text()),
        sa.Column("relations", sa.Text()),
        sa.Column("distributions", sa.Text()),
        sa.Column("component_type", sa.String(40)),
        sa.Column("component_type_raw", sa.Text()),
        sa.Column("version", sa.Text()),
        sa.Column("access_mode", sa.String(40)),
        sa.Column("access_mode_raw", sa.Text()),
        sa.Column("endpoint", sa.Text()),
        sa.Column("ip_owner", sa.Text()),
        sa.Column("platform", sa.Text()),
        sa.Column("zone", sa.String(40)),
        sa.Column("zone_raw", sa.Text()),
        sa.Column("cloud_type", sa.String(40)),
        sa.Column("cloud_type_raw", sa.Text()),
        sa.Column("vcpu", sa.Integer()),
        sa.Column("memory_gb", sa.Integer()),
        sa.Column("disk_gb", sa.Integer()),
        sa.Column("expires_on", sa.Date()),
        sa.Column("updated_at", Moment()),
        sa.Column("distribution_count", sa.Integer()),
        sa.Column("warnings", sa.Text()),
        sa.Column("source_hash", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("created_batch", sa.String(100), nullable=False),
        sa.Column("changed_batch", sa.String(100), nullable=False),
        sa.Column("tombstoned_at", Moment()),
    )
    op.create_index("resource_by_code", "resource", ["code"], unique=False)
    op.create_index("resource_by_system", "resource", ["system_code"], unique=False)
    op.create_table(
        "resource_change",
        sa.Column("source", sa.String(50), primary_key=True),
        sa.Column("record_key", sa.String(800), primary_key=True),
        sa.Column("batch_id", sa.String(100), primary_key=True),
        sa.Column("field", sa.String(60), primary_key=True),
        sa.Column("old", sa.Text()),
        sa.Column("new", sa.Text()),
        sa.Column("changed_at", Moment(), nullable=False),
    )
    op.create_table(
        "resource_item",
        sa.Column("source", sa.String(50), primary_key=True),
        sa.Column("record_key", sa.String(800), primary_key=True),
        sa.Column("resource_id", sa.String(800)),
        sa.Column("name", sa.Text()),
        sa.Column("code", sa.Text()),
        sa.Column("data_type", sa.String(40)),
        sa.Column("data_type_raw", sa.Text()),
        sa.Column("length", sa.Integer()),
        sa.Column("share_type", sa.String(40)),
        sa.Column("share_type_raw", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("source_hash", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("created_batch", sa.String(100), nullable=False),
        sa.Column("changed_batch", sa.String(100), nullable=False),
        sa.Column("tombstoned_at", Moment()),
    )
    op.create_index("resource_item_by_resource", "resource_item", ["source", "resource_id"], unique=False)
    op.create_table(
        "resource_item_change",
        sa.Column("source", sa.String(50), primary_key=True),
        sa.Column("record_key", sa.String(800), primary_key=True),
        sa.Column("batch_id", sa.String(100), primary_key=True),
        sa.Column("field", sa.String(60), primary_key=True),
        sa.Column("old", sa.Text()),
        sa.Column("new", sa.Text()),
        sa.Column("changed_at", Moment(), nullable=False),
    )
    op.create_table(
        "identity_decision",
        sa.Column("source", sa.String(50), primary_key=True),
        sa.Column("record_key", sa.String(800), primary_key=True),
        sa.Column("new_key", sa.String(800), primary_key=True),
        sa.Column("is_same", sa.Boolean(), nullable=False),
        sa.Column("decided_at", Moment(), nullable=False),
        sa.Column("decided_by", sa.String(100), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    op.create_table(
        "batch_record",
        sa.Column("source", sa.String(50), primary_key=True),
        sa.Column("batch_id", sa.String(100), primary_key=True),
        sa.Column("outcome", sa.String(20), primary_key=True),
        sa.Column("record_key", sa.String(800), primary_key=True),
        sa.Column("detail", sa.Text(), nullable=False),
    )
    op.add_column("batch", sa.Column("held", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("batch", sa.Column("warned", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("batch", sa.Column("declared", sa.BigInteger()))
    op.add_column("quarantine", sa.Column("new_key", sa.String(800)))
    op.execute(CURRENT_RESOURCE)
    # Records that come and go are a finding of their source now (records-steady).
    op.execute(
        "UPDATE question SET closed_at = opened_at, closed_batch = opened_batch "
        "WHERE kind = 'unstable_source' AND closed_at IS NULL"
    )
