"""What is published, read from `current.json` where data sets are published to; the board never opens the data sets themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.board.state_models import DatasetRow, Datasets
from include.datasets.releases import CURRENT, Releases
from include.settings import load_settings


def read_datasets() -> Datasets:
    """Return the data sets that are published now; what cannot be read is told as a problem, for the ledger's pages stand."""
    try:
        found = Releases(load_settings().datasets_url).current()
        rows = [_row(name, one) for name, one in sorted(found.get("datasets", {}).items())]
        return Datasets(checked_at=_text(found.get("checked_at")), items=rows)
    except (OSError, ValueError, TypeError, AttributeError):
        return Datasets(checked_at=None, problem=f"{CURRENT} 不能读取")


def _row(name: str, one: Mapping[str, Any]) -> DatasetRow:
    held, parquet = one.get("held_back") or {}, one.get("files", {}).get("parquet", {})
    reasons = ";".join(reason["text"] for reason in held.get("reasons", ()))
    return DatasetRow(
        name=name, title=str(one.get("title") or name), **{key: _text(one.get(key)) for key in ("version", "release", "as_of")},
        rows=one.get("rows"), hash=_text(parquet.get("sha256")), held_back=reasons or None, held_since=_text(held.get("since")),
    )  # fmt: skip


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
