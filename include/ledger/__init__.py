"""The ledger of projects, approval items and plans with their history; the only writer of the database."""
