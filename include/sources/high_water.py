"""The latest moment of change in rows, by the card's cursor: where the next window begins. Judges no record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from include.sources.card import Card
from include.sources.conversions import converter

HighWater = Callable[[list[dict[str, Any]], str | None], str | None]
"""Rows and the mark so far → the mark."""


def high_water_of(card: Card) -> HighWater:
    """Return the function that finds the latest moment of change, as canonical text; unreadable ones are left to quarantine."""
    cursor = card.cursor
    if cursor is None:
        return lambda rows, mark: mark
    read = converter("datetime", {})
    name = cursor.field

    def latest(rows: list[dict[str, Any]], mark: str | None) -> str | None:
        raws = {raw for row in rows if isinstance(raw := row.get(name), str | int)}
        texts = [raw for raw in raws if isinstance(raw, str) and raw[:1].isdigit()]
        if len(texts) == len(raws) and len({len(t) for t in texts}) == 1:
            # Written alike, so the order of the texts is that of the moments, and one needs to be read.
            raws = {max(texts)}
        for raw in raws:
            try:
                moment = read(raw)
            except ValueError:
                continue
            if isinstance(moment, str) and (mark is None or moment > mark):
                mark = moment
        return mark

    return latest
