"""Alembic migrations of the ledger, numbered, never edited once landed."""
