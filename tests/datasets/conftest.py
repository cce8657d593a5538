"""Ledgers to export from and to harvest into."""

from __future__ import annotations

from pathlib import Path
from shutil import copy

import pytest
from sqlalchemy import Engine

from include.landing.store import LandingStore
from include.ledger.database import open_ledger
from tests.datasets.reading_back import Harvester


def _ledger(path: Path, migrated: Path) -> Engine:
    copy(migrated, path)
    return open_ledger(f"sqlite:///{path}")


@pytest.fixture
def ours(tmp_path: Path, migrated_sqlite: Path) -> Engine:
    """Return an engine on our own ledger."""
    return _ledger(tmp_path / "ours.db", migrated_sqlite)


@pytest.fixture
def theirs(tmp_path: Path, migrated_sqlite: Path) -> Engine:
    """Return an engine on the empty ledger of another office."""
    return _ledger(tmp_path / "theirs.db", migrated_sqlite)


@pytest.fixture
def harvest(store: LandingStore, monkeypatch: pytest.MonkeyPatch) -> Harvester:
    """Return what harvests an exported folder into a ledger."""
    return Harvester(store, monkeypatch)
