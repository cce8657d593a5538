"""A platform of a test's own that has rows by day, and the way of a daily series from it into the ledger."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include.clock import SHANGHAI
from include.landing.store import LandingStore
from include.ledger import sync
from include.ledger.merge import MergeResult
from include.ledger.tables import observed_day, watermark
from include.sources.card_files import load_card
from tests.sources.answering import Asked, Reply, reply

SOURCE = "daily"
TODAY = date(2026, 11, 24)
DAY = timedelta(days=1)

CARD = {
    "source": SOURCE, "title": "某平台日统计", "entity": "system_usage_day", "group": "systems", "reader": "http",
    "connection": SOURCE, "request": {"path": "/daily"},
    "paging": {"style": "page", "number": "page", "size": "size", "page_size": 5000},
    "envelope": {"code": "code", "rows": "rows", "total": {"path": "total"}},
    "cursor": {"field": "day", "since": "from", "until": "to", "format": "%Y-%m-%d"},
    "series": {"first_days": 30, "settle_days": 2, "is_dense": True}, "key": ["day", "system_code"],
    "classified": [{"field": "level", "open": [None, ""]}],
    "fields": {"day": "day", "system_code": "code", "logins": "n", "active_users": "u"},
    "limits": {"attempts": 1, "backoff_seconds": 0},
}  # fmt: skip


def rows_of(day: date, systems: int = 30, logins: int = 5) -> list[dict[str, Any]]:
    return [{"day": f"{day:%Y%m%d}", "code": f"S{n}", "n": logins, "u": min(1, logins)} for n in range(systems)]


class DailyPlatform:
    """Rows of each day, told over from any day to any other; `odd` replaces those of some days."""

    def __init__(self) -> None:
        self.odd: dict[date, list[dict[str, Any]]] = {}
        self.systems = 30
        self.page_size = 5000
        self.is_truncated = False
        self.ahead = timedelta(0)
        self.asked: list[tuple[str, str]] = []

    def answer(self, asked: Asked) -> Reply:
        """Return one page of the days that are asked for."""
        if asked.query["page"] == "1":
            self.asked.append((asked.query["from"], asked.query["to"]))
        first, last = (date.fromisoformat(asked.query[name]) for name in ("from", "to"))
        days = [first + n * DAY for n in range((last - first).days + 1)]
        found = [row for day in days for row in self.odd.get(day, rows_of(day, self.systems))]
        begin = (int(asked.query["page"]) - 1) * self.page_size
        total = len(found) + 7 if self.is_truncated else len(found)
        moment = format_datetime(datetime.now(SHANGHAI) + self.ahead)
        document = {"code": "0", "rows": found[begin : begin + self.page_size], "total": total}
        return reply(document, Date=moment)


class Series:
    """Syncs the platform on days that a test chooses."""

    def __init__(self, platform: DailyPlatform, engine: Engine, store: LandingStore, patch: pytest.MonkeyPatch) -> None:
        self.platform, self.engine, self.store, self._patch = platform, engine, store, patch
        self.day = TODAY
        self._minute = 0

    def run(self, mode: str = "auto", *, dry_run: bool = False, **window: datetime) -> MergeResult:
        """Land and merge once, a minute after the time before."""
        self._minute += 1
        moment = datetime(self.day.year, self.day.month, self.day.day, 8, self._minute, tzinfo=SHANGHAI)
        self._patch.setattr(sync, "now", lambda: moment)
        card = load_card(SOURCE)
        manifest = sync.land(self.engine, self.store, card, mode, **window, dry_run=dry_run)
        return sync.merge_batch(self.engine, self.store, card, manifest.batch_id)

    def observed(self) -> list[Any]:
        """Return all rows of `observed_day`, by day and batch."""
        query = select(observed_day).order_by(observed_day.c.day, observed_day.c.batch_id)
        with self.engine.connect() as connection:
            return list(connection.execute(query))

    def doubts(self) -> dict[date, str]:
        """Return the doubts of the days that have some, of the newest batch that said so."""
        return {row.day: row.doubts for row in self.observed() if row.doubts}

    def read_until(self) -> datetime | None:
        """Return the watermark."""
        with self.engine.connect() as connection:
            return connection.execute(select(watermark.c.changed_until)).scalar()
