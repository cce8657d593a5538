"""The small city with catalogues: an exchange's with every kind, and a portal's with data alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from include.ledger.tables import ENTITIES
from tests.rules.city import City
from tests.rules.evidence import DAY, at

EXCHANGE, PORTAL = "own_catalogue", "own_portal"

GOOD = {
    "kind": "data", "title": "目录", "share_type": "conditional", "state": "published", "collection": "delivered",
    "update_cycle": "monthly", "data_updated_on": date(2026, 11, 1), "data_updated_raw": "2026-11-01", "distribution_count": 1,
    "provider_name": "市教育局",
}  # fmt: skip
"""An entry that nothing is wrong with; it names its unit alone."""


def write_cards(folder: Path) -> None:
    """Put the outlines of the catalogues' cards into a bureau's folder."""
    (folder / "sources").mkdir(parents=True)
    for source, title in ((EXCHANGE, "市目录平台"), (PORTAL, "开放门户")):
        text = f"title: {title}\ngroup: catalogues\nentity: resource\n"
        (folder / "sources" / f"{source}.yaml").write_text(text, "utf-8")


class CataloguedCity(City):
    """The city, its catalogues read whole on the day."""

    def __init__(self, engine: Engine, day: date = DAY) -> None:
        super().__init__(engine, day)
        self.read_catalogue(EXCHANGE, at(day, 2))
        self.read_catalogue(PORTAL, at(day, 2), authority=200)

    def read_catalogue(self, source: str, when: datetime, **how: Any) -> str:
        """Record one more batch of a catalogue."""
        self.last[source] = self.batch(source, "resource", when, **how)
        return self.last[source]

    def enter(self, *entries: dict[str, Any], source: str = EXCHANGE) -> None:
        """Add entries, each good but for what it says."""
        known = len(self.read("resource"))
        rows = [GOOD | {"resource_id": f"r{known + n}"} | entry for n, entry in enumerate(entries)]
        self.put("resource", self.last[source], rows)

    def flap(self, ids: Sequence[str], moments: Iterable[datetime], source: str = EXCHANGE) -> None:
        """Let records be tombstoned and come back, once at each moment."""
        table, change = ENTITIES["resource"]
        gone: datetime | None = None
        for when in moments:
            out = self.read_catalogue(source, when)
            back = self.read_catalogue(source, when.replace(hour=when.hour + 1), restored=len(ids))
            text = when.isoformat()
            lines = [
                {"source": source, "record_key": i, "batch_id": batch_id, "field": "tombstoned_at", "old": old, "new": new,
                 "changed_at": when}
                for i in ids for batch_id, old, new in ((out, gone, text), (back, text, None))
            ]  # fmt: skip
            with self.engine.begin() as connection:
                connection.execute(change.insert(), lines)
                mine = table.c.record_key.in_(ids) & (table.c.source == source)
                connection.execute(table.update().where(mine).values(changed_batch=back))
