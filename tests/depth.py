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


@pytest.hookimpl(tryfirst=True)  # before the mark that it adds is read
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the databases by a test's closest mark; the `conftest.py` of a folder in which there are such marks has this hook."""
    mark = metafunc.definition.get_closest_marker("databases")
    if mark and mark.args == ("sqlite",) and not SOAK and "ledger_url" in metafunc.fixturenames:
        metafunc.definition.add_marker(pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True))
