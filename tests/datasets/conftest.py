"""Ledgers to export from and to harvest into."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from include.landing.store import LandingStore
from include.ledger.database import migrate, open_ledger
from tests.datasets.reading_back import Harvester


def _ledger(path: Path) -> Engine:
    migrate(f"sqlite:///{path}")
    return open_ledger(f"sqlite:///{path}")


@pytest.fixture
def ours(tmp_path: Path) -> Engine:
    """Return an engine on our own ledger."""
    return _ledger(tmp_path / "ours.db")


@pytest.fixture
def theirs(tmp_path: Path) -> Engine:
    """Return an engine on the empty ledger of another office."""
    return _ledger(tmp_path / "theirs.db")


@pytest.fixture
def harvest(store: LandingStore, monkeypatch: pytest.MonkeyPatch) -> Harvester:
    """Return what harvests an exported folder into a ledger."""
    return Harvester(store, monkeypatch)
