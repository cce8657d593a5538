"""Add what came of leads that were settled, to decisions, the days of compliance and to the views; attestations of a plan year.

The three views that change stand in `migrations/sql/0011/`. PostgreSQL replaces them in place, so that their grants
stay; SQLite makes them anew.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

SQL = Path(__file__).parent.parent / "sql" / "0011"
VIEWS = ("open_lead", "findings", "compliance_daily")


def upgrade() -> None:
    """Apply."""
    op.add_column("decision", sa.Column("result", sa.String(30)))
    op.add_column("compliance_day", sa.Column("settled", sa.Integer()))
    op.add_column("attestation", sa.Column("plan_year", sa.Integer()))
    dialect = op.get_bind().dialect.name
    spell = import_module("include.ledger.migrations.versions.0009_add_datasets").spell
    for view in VIEWS:
        made = spell((SQL / f"{view}.sql").read_text("utf-8"), dialect).replace(":", r"\:")
        if dialect == "sqlite":
            op.execute(sa.text(f"DROP VIEW {view}"))
        else:
            made = made.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)
        op.execute(sa.text(made))
