"""Rows of a page that have the same keys, and the search over the texts of one of their columns.

To look at a column costs a fraction of looking at its values row by row, and most columns repeat a few words. Does not know
what is searched for, nor does it mask anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from include.sources.personal_data import SEPARATOR

Row = dict[str, Any]
Keys = tuple[str, ...]

AT_ONCE = 100
"""Rows that are looked at by column at once: enough to spread the cost of a column, and still within the fast caches."""

_TEXTS = frozenset({str})

_MOST_CLEAN = 500
"""Distinct texts that a column keeps in mind as clean; one with more of them hardly repeats itself."""

_FEW = 6
"""Texts that are searched at once where all of them together were hit."""


class Alike:
    """Rows with the same keys, and their values by column."""

    def __init__(self, rows: Sequence[Row], keys: Keys) -> None:
        self.rows, self.keys = rows, keys
        values = zip(*map(dict.values, rows), strict=True)
        self.columns: dict[str, Sequence[Any]] = dict(zip(keys, values, strict=True))
        self.kinds: dict[str, set[type]] = {key: set(map(type, column)) for key, column in self.columns.items()}

    def texts(self, key: str) -> Sequence[str]:
        """Return a column as texts."""
        column = self.columns[key]
        return column if self.kinds[key] == _TEXTS else list(map(str, column))


def by_keys(rows: list[Row]) -> dict[Keys, list[Row]]:
    """Return rows by their keys."""
    shapes = set(map(tuple, rows))
    if len(shapes) == 1:  # nearly always
        return {shapes.pop(): rows}
    found: dict[Keys, list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row), []).append(row)
    return found


class Search:
    """Searches one column, from page to page; `may_be` tells whether it might hit in texts with separators between them."""

    def __init__(self, may_be: Callable[[str], bool]) -> None:
        self._may_be = may_be
        self._clean: set[str] = set()
        self._hardly_repeats = self._was_hit = False

    def places(self, texts: Sequence[str]) -> Iterable[int]:
        """Return the places of the texts that are hit."""
        if not self._hardly_repeats:
            if self._clean.issuperset(texts):
                return ()
            new = set(texts) - self._clean
            if 2 * len(new) > len(texts) > _FEW:
                self._hardly_repeats, self._clean = True, set()
            elif not self._may_be(SEPARATOR.join(new)):
                self._clean = new if len(self._clean) > _MOST_CLEAN else self._clean | new
                return ()
        if not self._was_hit and not self._may_be(SEPARATOR.join(texts)):
            return ()
        found = [at for start in range(0, len(texts), _FEW) for at in self._among_few(texts, start)]
        self._was_hit = bool(found)
        return found

    def _among_few(self, texts: Sequence[str], start: int) -> list[int]:
        few = texts[start : start + _FEW]
        return (
            [at for at, one in enumerate(few, start) if self._may_be(one)] if self._may_be(SEPARATOR.join(few)) else []
        )
