"""Which index of the world plays which part: digital, classified, void, re-issued, bad; position decides."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The part a record plays."""

    PLAIN = "plain"
    DIGITAL = "digital"
    TWIN = "twin"
    OLD_CODE = "old_code"
    NEW_CODE = "new_code"
    CLASSIFIED = "classified"
    VOID = "void"
    VOID_DIGITAL = "void_digital"
    BAD_DATE = "bad_date"
    NEGATIVE_MONEY = "negative_money"
    MISSING_NAME = "missing_name"
    ODD_NATURE = "odd_nature"
    ODD_STATE = "odd_state"
    FAILED_CHECK = "failed_check"
    OLD_FORM = "old_form"
    FILED_DIGITAL = "filed_digital"
    COUNTY_DIGITAL = "county_digital"
    HIGH_TECH = "high_tech"
    PHONE = "phone_in_text"


BAD = frozenset({Kind.BAD_DATE, Kind.NEGATIVE_MONEY, Kind.MISSING_NAME})
COMPARED = frozenset({Kind.DIGITAL, Kind.TWIN})
"""The projects that are held against the annual plan."""
STILL = COMPARED | BAD | {Kind.CLASSIFIED, Kind.OLD_CODE, Kind.NEW_CODE, Kind.ODD_NATURE, Kind.ODD_STATE}
"""Records whose part would change if time changed their name, money or code."""

MODULI: tuple[tuple[int, int, Kind], ...] = (
    (333, 5, Kind.CLASSIFIED),
    (200, 8, Kind.VOID),
    (200, 45, Kind.VOID_DIGITAL),
    (1000, 11, Kind.BAD_DATE),
    (1000, 14, Kind.NEGATIVE_MONEY),
    (1000, 17, Kind.MISSING_NAME),
    (500, 20, Kind.ODD_NATURE),
    (500, 22, Kind.ODD_STATE),
    (250, 40, Kind.FAILED_CHECK),
    (50, 46, Kind.FILED_DIGITAL),
    (50, 47, Kind.COUNTY_DIGITAL),
    (50, 48, Kind.HIGH_TECH),
    (20, 13, Kind.OLD_FORM),
    (40, 25, Kind.PHONE),
)


class Layout:
    """The parts in a world of `size` projects; what comes later is plain."""

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"a world needs at least one project, not {size}")
        self.size = size
        self.step = max(2, min(33, size // 20), size // 3000)

    @property
    def digital_count(self) -> int:
        """Return how many digital projects the start of the world holds, twins not counted."""
        return (self.size + self.step - 1) // self.step

    def digital(self, ordinal: int) -> int:
        """Return the index of the digital project number `ordinal`."""
        return ordinal * self.step

    def twin_of(self, ordinal: int) -> int | None:
        """Return the index that lists this digital project a second time, under another code, if one does."""
        index = ordinal * self.step + 1
        return index if ordinal % 20 == 18 and index < self.size else None

    def kind(self, index: int) -> Kind:
        """Return the part of a record."""
        if index >= self.size:
            return Kind.PLAIN
        ordinal, rest = divmod(index, self.step)
        if rest == 0:
            return Kind.DIGITAL
        if rest == 1 and ordinal % 20 == 18:
            return Kind.TWIN
        other = ordinal * (self.step - 1) + rest - 1
        if other % 100 == 30 and self._is_pair(other):
            return Kind.OLD_CODE
        if other % 100 == 31 and self._is_pair(other - 1):
            return Kind.NEW_CODE
        for modulus, remainder, kind in MODULI:
            if other % modulus == remainder:
                return kind
        return Kind.PLAIN

    def identity(self, index: int) -> int:
        """Return the index that gives a record its name and unit: its own, or the one it repeats."""
        kind = self.kind(index)
        if kind is Kind.TWIN:
            return index - 1
        return self.former(index) if kind is Kind.NEW_CODE else index

    def former(self, index: int) -> int:
        """Return the index of the withdrawn code that a re-issued project had before."""
        ordinal, rest = divmod(index, self.step)
        return self._index_of(ordinal * (self.step - 1) + rest - 2)

    def _index_of(self, other: int) -> int:
        return other // (self.step - 1) * self.step + other % (self.step - 1) + 1

    def _is_pair(self, other: int) -> bool:
        first, second = self._index_of(other), self._index_of(other + 1)
        return second < self.size and not (self._is_twin(first) or self._is_twin(second))

    def _is_twin(self, index: int) -> bool:
        ordinal, rest = divmod(index, self.step)
        return rest == 1 and ordinal % 20 == 18
