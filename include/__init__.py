"""Shuheng's own code, read left to right: sources, landing, ledger; see docs/data-way.md."""
