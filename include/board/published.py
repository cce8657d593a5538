"""What is published, read from `current.json` where data sets are published to; the board never opens the data sets themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from include.board.state_models import DatasetRow, Datasets
from include.settings import load_settings

CURRENT = "current.json"


def read_datasets() -> Datasets:
    """Return the data sets that are published now; what cannot be read is told as a problem, for the ledger's pages stand."""
    url = load_settings().datasets_url
    try:
        content = _read(url)
        found = orjson.loads(content) if content is not None else {}
        rows = [_row(name, one) for name, one in _entries(found)]
        checked = found.get("checked_at")
        return Datasets(checked_at=str(checked) if checked else None, items=rows)
    except (OSError, ValueError, TypeError, AttributeError):
        return Datasets(checked_at=None, problem=f"{CURRENT} 不能读取")


def _read(url: str) -> bytes | None:
    """Return the file's content, None where nothing was published yet."""
    folder: Any = Path(url)
    if "://" in url:
        from upath import UPath  # slow to import, and a local folder needs none of it

        folder = UPath(url)
    file = folder / CURRENT
    content: bytes | None = file.read_bytes() if file.exists() else None
    return content


def _entries(found: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    entries = found.get("datasets", {})
    pairs = entries.items() if isinstance(entries, Mapping) else ((one["name"], one) for one in entries)
    yield from sorted(pairs)


def _row(name: str, one: Mapping[str, Any]) -> DatasetRow:
    held = one.get("held_back") or one.get("held") or {}
    held = held if isinstance(held, Mapping) else {"why": held}
    texts = {key: _text(one.get(key)) for key in ("version", "release", "as_of")}
    return DatasetRow(
        name=name, **texts, rows=one.get("rows"), hash=_text(one.get("hash") or one.get("sha256")),
        held_back=_text(held.get("why") or held.get("reason")), held_since=_text(held.get("since")),
    )  # fmt: skip


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
