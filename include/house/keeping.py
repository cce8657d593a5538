"""Keep house: for every kind of what is kept, what may go goes, with proof. The DAG and the command line call this."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Engine

from include.clock import now
from include.errors import ConfigurationError
from include.house.landing_pages import plan_pages, remove_pages
from include.house.messages import plan_attempts, plan_bodies, remove_attempts, remove_bodies
from include.house.probes import plan_days, plan_rounds, remove_days, remove_rounds
from include.house.releases import plan_releases, remove_releases
from include.house.removal import House, Planner, Removed, Remover, carry_out
from include.house.retention import load_retention
from include.house.spool_files import plan_spool, remove_spool
from include.landing.store import LandingStore
from include.ledger.database import open_ledger
from include.settings import load_settings

log = logging.getLogger(__name__)

KINDS: dict[str, tuple[Planner, Remover]] = {
    "landing_pages": (plan_pages, remove_pages),
    "probe_rounds": (plan_rounds, remove_rounds),
    "probe_days": (plan_days, remove_days),
    "message_bodies": (plan_bodies, remove_bodies),
    "delivery_attempts": (plan_attempts, remove_attempts),
    "spool_files": (plan_spool, remove_spool),
    "releases": (plan_releases, remove_releases),
}
"""Kind → what finds what may go, and what removes it. Each is done by itself: one that fails keeps no other."""


def open_house(at: datetime | None = None, engine: Engine | None = None) -> House:
    """Return the house of the settings, at a moment (now)."""
    settings = load_settings()
    return House(
        engine or open_ledger(), LandingStore(settings.landing_url), load_retention(), at or now(), settings.spool_url,
        settings.datasets_url,
    )  # fmt: skip


def keep(house: House, kind: str, *, apply: bool) -> Removed:
    """Do one kind; with `apply` false only say what would go. Raises `ConfigurationError` for a kind that is none."""
    if kind not in KINDS:
        raise ConfigurationError(f"{kind!r} is no kind of what is kept; use one of {', '.join(KINDS)}")
    plan, remove = KINDS[kind]
    done = carry_out(house, plan(house), remove, apply=apply)
    log.info("%s: %d removed=%s size=%d stays=%s", kind, done.things, apply, done.size, dict(done.stays))
    return done


def keep_all(house: House, *, apply: bool, kinds: Iterable[str] = tuple(KINDS)) -> list[Removed]:
    """Do several kinds, one after the other."""
    return [keep(house, kind, apply=apply) for kind in kinds]
