"""What the ledger works out itself of catalogue entries that were mapped together: how many files they have, and their warnings.

Pure. Entry by entry `page_mapper` does the same.
"""

from __future__ import annotations

from typing import Any

from include.ledger.links import files_of_many
from include.ledger.quality import Quality
from include.sources.columns import MappedRows

Values = list[Any]


def derived_columns(together: MappedRows, quality: Quality, *, tells_items: bool) -> list[Values]:
    """Return the derived columns of entries in the order of `DERIVED`; None for the rows that were left.

    `tells_items`: whether an entry without information items says that it has none.
    """
    left, main = together.left, together.main
    kept = [i for i in range(len(main.keys)) if i not in left]

    def column(name: str) -> Values:
        values = main.named(name)
        return [values[i] for i in kept] if left else values

    counts = list(map(len, files_of_many(column("distributions"))))
    without_items = _without_items(together) if tells_items else set()
    warnings = quality.warnings_of_many(column, [["no_items"] if i in without_items else [] for i in kept])
    return [_spread(values, kept, len(main.keys)) for values in (counts, warnings)]


def _without_items(together: MappedRows) -> set[int]:
    """Return the data entries that came with a list of information items, and with none in it."""
    having = {owner for one in together.children if one.entity == "resource_item" for owner in one.owners}
    kinds = together.main.named("kind")
    return {
        i
        for i, listed in enumerate(together.listed)
        if "resource_item" in listed and i not in having and kinds[i] == "data"
    }


def _spread(values: Values, places: list[int], count: int) -> Values:
    """Return values at their places, None at all others."""
    if len(values) == count:
        return values
    spread: Values = [None] * count
    for place, value in zip(places, values, strict=True):
        spread[place] = value
    return spread
