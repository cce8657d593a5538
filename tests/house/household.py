"""A house with things of every age: batches as reads leave them, messages as deliveries do, files as they are written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert

from include.house.removal import House
from include.house.retention import LegalHold, Retention
from include.landing.batch import Manifest, PageEntry
from include.landing.store import LandingStore
from include.ledger.alert_tables import delivery_attempt, outbox
from include.ledger.tables import batch, finding, probe_sweep, quarantine, verdict
from tests.rules.evidence import DAY, at

KEEP = {
    "landing_pages": 100, "probe_rounds": 50, "probe_days": 1000, "message_bodies": 60, "delivery_attempts": 40,
    "spool_files": 20, "releases": 0,
}  # fmt: skip
FINDING = "f" * 32
_COUNTS = (
    "rows_received", "refused", "created", "changed", "unchanged", "repeated", "quarantined", "restored", "absent", "tombstoned",
)  # fmt: skip


def ago(days: int) -> date:
    return DAY - timedelta(days=days)


def hold(**what: Any) -> LegalHold:
    return LegalHold(**({"ground": "双纪函〔2026〕12号", "until": DAY} | what))


class Household:
    """Lands, records and writes; `house()` is what retention then works on, at noon of `DAY`."""

    def __init__(self, engine: Engine, store: LandingStore, folder: Path) -> None:
        self.engine, self.store, self.folder = engine, store, folder
        self.landing, self.spool, self.datasets = folder / "landing", folder / "spool", folder / "datasets"
        self._number = 0

    def house(self, *holds: LegalHold, keep_days: Mapping[str, int] | None = None, **how: Any) -> House:
        how = {"replay_days": 700, "last_releases": 2, "last_of_month": True} | how
        retention = Retention(KEEP | (keep_days or {}), legal_holds=holds, **how)
        return House(self.engine, self.store, retention, at(DAY, 12), str(self.spool), str(self.datasets))

    # -- the landing zone

    def page(self, source: str, text: str, day: date) -> str:
        """Land a page as it was written on a day."""
        name = self.store.put_page(source, [{"text": text}])
        self.age(self.store._page(source, name), day)
        return name

    def age(self, path: Path, day: date) -> None:
        os.utime(path, (at(day).timestamp(),) * 2)

    def land(
        self,
        day: date,
        *texts: str,
        source: str = "contracts",
        merged: bool = True,
        dry_run: bool = False,
        full: bool = False,
    ) -> str:
        """Land a batch of one page a text; by default the ledger has it."""
        self._number += 1
        when = at(day)
        batch_id = f"{source}-{when:%Y%m%dT%H%M%S}{self._number:06d}-0"
        pages = [
            PageEntry(n, self.page(source, text, day), 1, 1, 0, None, None, 10, n == len(texts))
            for n, text in enumerate(texts, 1)
        ]
        manifest = Manifest(batch_id, source, "contract", "c", "f", when.isoformat(), None, None, dry_run, pages=pages)
        self.store.put_manifest(source, batch_id, manifest.to_dict())
        if merged:
            zero = dict.fromkeys(_COUNTS, 0)
            row = {"batch_id": batch_id, "source": source, "entity": "contract", "is_full": full, "is_complete": full}
            row |= dict.fromkeys(("started_at", "sealed_at", "merged_at"), when) | zero
            self._insert(
                batch,
                row | {"filter_digest": "f", "card_digest": "c", "children": "{}", "reasons": "[]", "notes": "[]"},
            )
        return batch_id

    def texts(self, source: str = "contracts") -> set[str]:
        """Return the texts of the pages that are left."""
        pages = (self.store.get_page(source, name) for name in self.store.pages(source))
        return {json.loads(line)["text"] for page in pages for line in page}

    def proven(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.store.get_proof(DAY.isoformat())]

    # -- the ledger

    def judged(self, *evidence: str, subject: str = "S", state: str = "open", finding_id: str = FINDING) -> None:
        """Record a finding whose verdict names batches or sweeps as its evidence."""
        body = json.dumps({"facts_used": {"amount": {"value": 1, "source": "s", "evidence": list(evidence)}}})
        key = {"rule": "r", "subject_type": "contract", "subject": subject, "occurrence": ""}
        said = {"outcome": "fail", "reason": "late"}
        self._insert(verdict, key | said | {"from_day": ago(9), "scope": "regulation", "body": body})
        self._insert(
            finding, key | said | {"finding_id": finding_id, "state": state, "message": "m", "first_seen_on": ago(9),
                                   "judged_on": DAY, "reopened": 0}
        )  # fmt: skip

    def set_aside(self, batch_id: str, page: int, state: str = "open") -> None:
        self._insert(
            quarantine, {"source": "contracts", "record_hash": f"h{page}", "entity": "contract", "batch_id": batch_id, "page": page,
                         "line": 1, "problems": "[]", "raw": "{}", "opened_at": at(ago(300)), "state": state}
        )  # fmt: skip

    def swept(self, day: date, sweep_id: str, text: str = "") -> None:
        """Record a sweep of probes and, with a text, its page."""
        page = self.page("probe", text, day) if text else None
        zero = dict.fromkeys(("endpoints", "succeeded", "failed", "inconclusive", "lag_ms"), 0) | {"is_cut_off": False}
        moments = dict.fromkeys(("started_at", "ended_at", "merged_at"), at(day))
        causes = json.dumps({"causes": [], "page": page})
        self._insert(
            probe_sweep, zero | moments | {"sweep_id": sweep_id, "endpoints": 1, "outcomes": "{}", "causes": causes}
        )

    def message(
        self, number: int, day: date, *finding_ids: str, state: str = "sent", tries: Iterable[date] = ()
    ) -> str:
        """Record a message that was decided, and if so sent, on a day, with tries to deliver it."""
        message_id = f"{number:032x}"[::-1]
        sent_at: datetime | None = at(day, 9) if state == "sent" else None
        self._insert(
            outbox, {"message_id": message_id, "channel": "spool", "receiver": "unit", "department": "d", "reasons": "opened",
                     "is_urgent": False, "title": "t", "body": f"body {number}", "finding_ids": json.dumps(finding_ids),
                     "body_hash": f"{number:032x}", "decided_at": at(day, 8), "state": state, "attempts": 1,
                     "next_try_at": at(day, 8), "sent_at": sent_at}
        )  # fmt: skip
        for n, when in enumerate(tries, 1):
            row = {"message_id": message_id, "number": n, "channel": "spool", "started_at": at(when, 9)}
            self._insert(delivery_attempt, row)
        return message_id

    # -- files

    def spooled(self, day: date, message_id: str) -> Path:
        path = self.spool / day.isoformat() / "unit" / "市教育局" / f"{message_id[:8]}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"of {message_id}", "utf-8")
        return path

    def released(self, day: date, *, current: bool = False) -> str:
        name = f"{day:%Y%m%d}T060000-{day:%j}"
        folder = self.datasets / "releases" / name
        folder.mkdir(parents=True)
        (folder / "projects.v1.csv").write_text("代码\n", "utf-8")
        (folder / "manifest.json").write_text(json.dumps({"release": name}), "utf-8")
        if current:
            (self.datasets / "current.json").write_text(json.dumps({"projects": {"release": name}}), "utf-8")
        return name

    def releases(self) -> set[str]:
        return {path.name for path in (self.datasets / "releases").iterdir()}

    def _insert(self, table: Any, row: dict[str, Any]) -> None:
        with self.engine.begin() as connection:
            connection.execute(insert(table), [row])
