"""How deep the suite digs: `make test` gives every test in minutes, `make soak` the same tests as deep as they were thought.

A test that sweeps (seeds, rows, places to be killed at, examples) says both of its numbers by `deep`. What is asserted is the same.
"""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

T = TypeVar("T")
SOAK = os.environ.get("SOAK") == "1"


def deep(usual: T, soak: T) -> T:
    """Return `soak` under `make soak`, else `usual`: enough to fail if what is tested were broken, not each way it could be."""
    return soak if SOAK else usual


sqlite_usually = pytest.mark.parametrize(
    "ledger_url",
    deep(["sqlite"], ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]),
    indirect=True,
)
"""Marks a test of what says the same to both databases, in words that others have sent to both: on each only in the soak."""
