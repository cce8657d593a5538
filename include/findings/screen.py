"""Lines for a terminal: measured in its cells, where a Chinese character takes two, and free of characters that command it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size

WIDTH = 100
"""Cells of a line where the terminal does not say how many it has."""

LABEL = 11
"""Cells of the column of labels."""

_CLOSING = ",。;:、!?)”》〉】〕"
_PIECE = re.compile(rf"[!-~]+[{_CLOSING}]*|.[{_CLOSING}]*")


def plain(text: str) -> str:
    """Return a text whose characters all show themselves: line breaks, escapes and turns of direction are written out.

    What a register calls a thing is somebody else's text; printed raw it could clear the screen or turn the line round.
    """
    return "".join(ch if ch.isprintable() else " " if ch in "\t\u3000" else f"\\u{ord(ch):04x}" for ch in text)


def wrapped(text: str, width: int) -> list[str]:
    """Return a text in lines of at most so many cells, broken between words or Chinese characters."""
    lines, line = [], ""
    for piece in (part for whole in _PIECE.findall(plain(text)) for part in _cut(whole, width)):
        if cell_len(line) + cell_len(piece) > width:
            lines.append(line.rstrip())
            line = "" if piece == " " else piece
        else:
            line += piece
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _cut(piece: str, width: int) -> Iterable[str]:
    """Cut a word that no line could hold, as a hash or an address."""
    while cell_len(piece) > width:
        yield piece[: width // 2]
        piece = piece[width // 2 :]
    yield piece


def fitted(text: str, width: int) -> str:
    """Return a text cut to one line."""
    shown = plain(text)
    return shown if cell_len(shown) <= width else set_cell_size(shown, width - 1).rstrip() + "…"


def section(label: str, texts: Iterable[str], width: int, most: int | None, rest: str) -> list[str]:
    """Return the lines of a labelled part; behind `most` of them `rest`, filled with a count, stands for what is left out."""
    lines = [line for text in texts for line in wrapped(text, width - LABEL)]
    if most and len(lines) > most:
        lines = [*lines[: most - 1], fitted(rest.format(len(lines) - most + 1), width - LABEL)]
    pad = " " * max(1, LABEL - cell_len(label))
    return [(label + pad if at == 0 else " " * LABEL) + line for at, line in enumerate(lines)]
