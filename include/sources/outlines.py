"""Which cards there are, and what a DAG needs to know of each while it is parsed: read without a check, and fast."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from include.sources.own_files import files_in

SHIPPED = Path(__file__).parent / "cards"


def card_paths() -> dict[str, Path]:
    """Return the card file of every source; files in `$SHUHENG_CONFIG/sources/` replace shipped ones of the same name."""
    return {path.stem: path for path in files_in(SHIPPED, "sources")}


@dataclass(frozen=True, slots=True)
class Outline:
    """What a DAG needs to know of a card while it is parsed."""

    source: str
    title: str
    entity: str
    pool: str
    group: str
    is_enabled: bool


def outline_cards() -> list[Outline]:
    """Return an outline of every card without checking it: fast, and a broken card only fails in its own task."""
    outlines = [_outline(source, path.read_bytes()) for source, path in card_paths().items()]
    return sorted(outlines, key=lambda o: (o.entity, o.source))


@lru_cache(maxsize=256)
def _outline(source: str, text: bytes) -> Outline:
    """Return the outline of a card's text: every judging asks for those of all cards, and they seldom change."""
    try:
        data = yaml.load(text.decode("utf-8"), Loader=yaml.CSafeLoader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError):
        data = None
    data = data if isinstance(data, dict) else {}
    return Outline(
        source, str(data.get("title", source)), str(data.get("entity", "project")), str(data.get("pool", source)),
        str(data.get("group", "projects")), bool(data.get("enabled", True)),
    )  # fmt: skip
