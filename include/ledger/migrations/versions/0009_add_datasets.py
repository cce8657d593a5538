"""Add the data sets' views, the titles of rules that they show, and the indexes that they ask for.

The views stand in `migrations/sql/0009/` as they were when this migration was written, in SQL that both databases understand but
for a few words; `spell` writes those as each of them does.
"""

from __future__ import annotations

import re
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

SQL = Path(__file__).parent.parent / "sql" / "0009"
VIEWS = (
    "present_project_code", "known_system", "system_project", "open_lead", "owned_service", "approval_items", "projects",
    "systems", "interconnection", "usage_monthly", "resources", "findings", "compliance_daily", "dossier",
)  # fmt: skip
"""In the order in which they rest on each other."""

_ARGUMENT = r"([\w.]+)"
WORDS = {
    rf"\bdays\({_ARGUMENT}, {_ARGUMENT}\)": {
        "sqlite": r"CAST(julianday(\1) - julianday(\2) AS integer)", "postgresql": r"(\1 - \2)",
    },
    rf"\bbefore\({_ARGUMENT}, (\d+)\)": {"sqlite": r"date(\1, '-\2 days')", "postgresql": r"(\1 - \2)"},
    rf"\bday_of\({_ARGUMENT}\)": {
        "sqlite": r"substr(\1, 1, 10)", "postgresql": r"CAST(\1 AT TIME ZONE 'Asia/Shanghai' AS date)",
    },
    rf"\bbytes\({_ARGUMENT}\)": {"sqlite": r"\1", "postgresql": r'\1 COLLATE "C"'},
    rf"\bjson_text\({_ARGUMENT}\)": {
        "sqlite": r"json_quote(\1)", "postgresql": r"CAST(to_json(CAST(\1 AS text)) AS text)",
    },
    r"\bgroup_concat\(": {"sqlite": "group_concat(", "postgresql": "string_agg("},
}  # fmt: skip
"""Days between two days, a day before another, the day of a moment in Shanghai, order by bytes, JSON text, texts put together."""


def spell(sql: str, dialect: str) -> str:
    """Return a view's statement in the words of a database."""
    for word, spelled in WORDS.items():
        sql = re.sub(word, spelled[dialect], sql)
    return sql


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "rule_title",
        sa.Column("rule", sa.String(80), primary_key=True),
        sa.Column("scope", sa.String(40), nullable=False),
        sa.Column("subject_type", sa.String(40), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("clause", sa.String(40), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("article", sa.Text(), nullable=False),
        sa.Column("article_no", sa.Integer()),
        sa.Column("modality", sa.String(20), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("responsible", sa.Text(), nullable=False),
        sa.Column("is_in_force", sa.Boolean(), nullable=False),
    )
    op.add_column("compliance_day", sa.Column("is_replay", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        "verdict_standing", "verdict", ["rule", "subject_type", "subject", "outcome", "scope"], unique=False,
        sqlite_where=sa.text("until_day IS NULL"), postgresql_where=sa.text("until_day IS NULL"),
    )  # fmt: skip
    op.create_index("finding_by_state", "finding", ["state", "rule"], unique=False)
    op.create_index("finding_event_by_day", "finding_event", ["day", "kind"], unique=False)
    dialect = op.get_bind().dialect.name
    for view in VIEWS:
        op.execute(sa.text(spell((SQL / f"{view}.sql").read_text("utf-8"), dialect).replace(":", r"\:")))
