"""Index systems and the reports on them by the code of the system: a day of rules looks for some thousand among all of them."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Apply."""
    op.create_index("system_by_code", "system", ["system_code"], unique=False)
    op.create_index("assessment_by_system", "assessment", ["system_code"], unique=False)
    op.create_index("assessment_by_number", "assessment", ["report_no"], unique=False)
