"""Ledger and landing zone as tasks open them: imported only then, because a DAG's file is parsed often and needs neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.settings import load_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from include.landing.store import LandingStore


def ledger() -> Engine:
    """Open the ledger that the settings name."""
    from include.ledger.database import open_ledger

    return open_ledger()


def landing_zone() -> LandingStore:
    """Return the landing zone that the settings name."""
    from include.landing.store import LandingStore

    return LandingStore(load_settings().landing_url)
