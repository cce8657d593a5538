"""How deep the suite digs: `make test` gives every test in minutes, `make soak` the same tests as deep as they were thought.

A test that sweeps (seeds, rows, places to be killed at, examples) says both of its numbers by `deep`. What is asserted is the same.
"""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

T = TypeVar("T")
SOAK = os.environ.get("SOAK") == "1"

MOSTLY_SQLITE = pytest.mark.databases("sqlite")
"""Of a module or a test: `make test` gives it on SQLite alone, but tests that are marked `BOTH`; `make soak` gives all on both.

For tests that ask the same statements again and again; one for each kind of statement is given on both.
"""
BOTH = pytest.mark.databases("sqlite", "postgresql")


def deep(usual: T, soak: T) -> T:
    """Return `soak` under `make soak`, else `usual`: enough to fail if what is tested were broken, not each way it could be."""
    return soak if SOAK else usual
