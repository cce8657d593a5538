"""Made-up rows in the provincial platform's own form, and the way of a batch without a platform."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine
from stdnum.iso7064 import mod_11_10

from include.clock import now
from include.landing.batch import Manifest, land_pages, new_batch_id
from include.landing.store import LandingStore
from include.ledger.merge import MergeResult
from include.ledger.sync import filter_digest, merge_batch
from include.sources.card import Card
from include.sources.page import Page, PageFault

Row = dict[str, Any]


def code(number: int) -> str:
    """Return a check-valid project code of this city."""
    digits = f"2611230500040{4}{number:05d}"
    return f"2611-230500-04-04-{number:05d}{mod_11_10.calc_check_digit(digits)}"


def row(number: int, **changed: Any) -> Row:
    """Return a platform record; `changed` replaces raw fields."""
    return {
        "PROJECT_CODE": code(number), "PROJECT_NAME": f"测试系统{number}", "PROJECT_TYPE": "A00001", "PROJECT_NATURE": "0",
        "DIVISION_CODE": "230500", "THE_INDUSTRY": "A00009", "TOTAL_MONEY": "123.45", "VALIDITY_FLAG": "1", "SECRET_FLAG": "0",
        "APPLY_DATE": "2026-03-05 09:12:44.0", "UPDATETIME": "2026-03-05T09:12:44",
        "ENTERPRISE": {"ENTERPRISENAME": "市教育局", "LEREPCERTTYPE": "16", "LEREPCERTNO": "11230500MB1234567C"},
        "ITEMS": [item(number, 1), item(number, 2)],
    } | changed  # fmt: skip


def item(number: int, part: int, **changed: Any) -> Row:
    """Return an approval item of a platform record."""
    return {
        "SENDID": f"S{number:06d}-{part}", "ITEM_CODE": f"00{part}", "ITEM_NAME": "可行性研究报告审批", "DEPT_NAME": "市发展改革委",
        "DEAL_STATE": "ITEM_BJ", "ACCEPT_TIME": "2026-03-06 09:00:00", "DEAL_TIME": "2026-03-16 09:00:00",
        "FILE_NO": "双发改[2026]5号",
    } | changed  # fmt: skip


def pages_of(rows: list[Row], size: int = 10) -> list[Page]:
    """Return rows as the pages of a complete read."""
    starts = range(0, max(len(rows), 1), size)
    return [
        Page(n, rows[at : at + size], len(rows[at : at + size]), 0, len(rows), is_last=at + size >= len(rows))
        for n, at in enumerate(starts, 1)
    ]


def land(
    store: LandingStore, card: Card, pages: Iterable[Page | PageFault], *, full: bool = True, dry_run: bool = False
) -> Manifest:
    """Land pages as a sealed batch."""
    started = now()
    manifest = Manifest(
        new_batch_id(card.source, started), card.source, card.entity, card.digest, filter_digest(card),
        started.isoformat(), None if full else started.isoformat(), None, dry_run,
    )  # fmt: skip
    land_pages(manifest, pages, store, lambda rows, mark: mark)
    manifest.sealed_at = now().isoformat()
    store.put_manifest(card.source, manifest.batch_id, manifest.to_dict())
    return manifest


def sync(engine: Engine, store: LandingStore, card: Card, rows: list[Row], **how: Any) -> MergeResult:
    """Land rows as one batch and merge it."""
    size, force = how.pop("size", 10), how.pop("force", False)
    return merge_batch(engine, store, card, land(store, card, pages_of(rows, size), **how).batch_id, force=force)
