"""Cutting to a limit in bytes: texts at the borders of what people see as one character, items with what is left counted."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from include.alerts.message import Item, Message, Reason, Section

Size = Callable[[str], int]
ELLIPSIS = "…"
_JOINER = "\u200d"
_LONGEST_CLUSTER = 32


def utf8(text: str) -> int:
    """Return the size of a text in bytes."""
    return len(text.encode())


def cut(text: str, limit: int, size: Size = utf8) -> str:
    """Return a text of at most `limit` as `size` measures it, cut where a character as people see it ends, with … after it.

    `size` may measure the text as it will be escaped: what is cut is the text before, so no escape and no construct is ever split.
    """
    text = text[: limit + 1]  # no character is smaller than a byte: what comes after cannot fit
    if size(text) <= limit:
        return text
    ends = borders(text)
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        if size(text[: ends[middle]] + ELLIPSIS) <= limit:
            low = middle + 1
        else:
            high = middle
    while low and size(short := text[: ends[low - 1]].rstrip() + ELLIPSIS) > limit:
        low -= 1
    return short if low else (ELLIPSIS if size(ELLIPSIS) <= limit else "")


def borders(text: str) -> list[int]:
    """Return where characters as people see them end: marks, joined emoji and pairs of flags stay together."""
    ends: list[int] = []
    start = 0
    for index in range(1, len(text)):
        if not _belongs(text, start, index) or index - start >= _LONGEST_CLUSTER:
            ends.append(index)
            start = index
    return [*ends, len(text)] if text else ends


def _belongs(text: str, start: int, index: int) -> bool:
    """Return whether the sign at an index belongs to the character that begins at `start`."""
    sign = text[index]
    if sign == _JOINER or text[index - 1] == _JOINER:
        return True
    if unicodedata.category(sign).startswith("M") or "\U0001f3fb" <= sign <= "\U0001f3ff":
        return True
    return _is_flag(sign) and all(map(_is_flag, text[start:index])) and (index - start) % 2 == 1


def _is_flag(sign: str) -> bool:
    return "\U0001f1e6" <= sign <= "\U0001f1ff"


@dataclass(frozen=True, slots=True)
class Shown:
    """A section as far as it is shown: its first items, and how many of all are not."""

    section: Section
    items: tuple[Item, ...]

    @property
    def left(self) -> int:
        """Return how many of the section's findings are not shown."""
        return total(self.section) - len(self.items)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What of a message is shown; `left` counts the findings of the sections that are not shown at all."""

    sections: tuple[Shown, ...]
    left: int

    @property
    def all_left(self) -> int:
        """Return how many findings of the message are not shown."""
        return self.left + sum(shown.left for shown in self.sections)


HEADINGS_SHARE = 0.5
"""Headings take at most this share of the room: one reason in many topics must leave some for what happened."""


def fit(
    message: Message,
    room: int,
    heading: Callable[[Section], int],
    item: Callable[[Item], int],
    most_items: int | None = None,
) -> Fitted:
    """Choose what is shown in `room`: first the sections with their counts, then items from the most important section on.

    `heading` and `item` say how large a section without items (with the line that counts what is left) and an item are.
    """
    shown, spent = _sections(message.sections, room, heading)
    items: list[Sequence[Item]] = []
    number = 0
    for section in shown:
        taken = 0
        for one in section.items:
            cost = item(one)
            if spent + cost > room or (most_items is not None and number >= most_items):
                break
            spent += cost
            taken += 1
            number += 1
        items.append(section.items[:taken])
    left = sum(total(s) for s in message.sections[len(shown) :])
    return Fitted(tuple(Shown(s, tuple(i)) for s, i in zip(shown, items, strict=True)), left)


def _sections(
    sections: Sequence[Section], room: int, heading: Callable[[Section], int]
) -> tuple[Sequence[Section], int]:
    spent = 0
    for index, section in enumerate(sections):
        cost = heading(section)
        if spent + cost > room * HEADINGS_SHARE and (index or spent + cost > room):
            return sections[:index], spent
        spent += cost
    return sections, spent


def total(section: Section) -> int:
    """Return how many items a section would have if all were shown; of changed rules one stands for many findings."""
    return len(section.items) if section.reason is Reason.RULE_CHANGED else max(section.count, len(section.items))
