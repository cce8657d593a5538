"""A house for every test, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from include.landing.store import LandingStore
from tests.house.household import Household


@pytest.fixture
def home(engine: Engine, store: LandingStore, tmp_path: Path) -> Household:
    return Household(engine, store, tmp_path)
