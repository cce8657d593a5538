"""Search everything that a run left behind, in every form in which a text may lie there."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import zstandard

SQLITE = b"SQLite format 3\x00"
_AT_ONCE = 1 << 20


def everything_under(folder: Path) -> dict[str, bytes]:
    """Return every file by name; beside the raw bytes, pages unpacked and databases dumped."""
    found = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    for name, content in list(found.items()):  # after all raw bytes: closing a database may fold its WAL away
        if name.endswith(".zst"):
            found[f"{name}, unpacked"] = zstandard.decompress(content)
        if content.startswith(SQLITE):
            found[f"{name}, dumped"] = _dump(folder / name)
    return found


def _dump(path: Path) -> bytes:
    connection = sqlite3.connect(path)
    try:
        return "\n".join(connection.iterdump()).encode()
    finally:
        connection.close()


def forms(text: str) -> dict[str, bytes]:
    """Return the bytes of a text in the encodings and escapes in which it may have been written."""
    escaped = json.dumps(text)[1:-1]
    return {
        "UTF-8": text.encode(),
        "GB18030": text.encode("gb18030"),
        "UTF-16": text.encode("utf-16-le"),
        "\\uXXXX": escaped.encode(),
        "\\uXXXX in capitals": re.sub(r"(?<=\\u)[0-9a-f]{4}", lambda m: m[0].upper(), escaped).encode(),
    }


def traces(texts: Iterable[str], files: dict[str, bytes], only: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
    """Return where any of the texts occurs, as (text, form, file), in all forms or in some.

    A project code is also searched for without its dashes.
    """
    needles = set(texts)
    needles |= {text.replace("-", "") for text in needles if re.fullmatch(r"[\d-]{20,}", text)}
    wanted = [
        (text, form, needle)
        for text in sorted(needles)
        for form, needle in forms(text).items()
        if not only or form in only
    ]
    sieve = Sieve({needle for _, _, needle in wanted})
    held = {name: sieve.held_by(content) for name, content in files.items()}
    return [(text, form, name) for text, form, needle in wanted for name in files if needle in held[name]]


class Sieve:
    """Which of many byte strings occur in a large one: exactly those, found in one pass instead of one for each.

    A string of 7 bytes or more covers, wherever it stands, a whole word of 4 bytes that begins at a multiple of 4; one of 15 bytes
    covers one of 8. So only those words are looked up, and only strings of which one is there are then searched for.
    """

    def __init__(self, needles: Iterable[bytes]) -> None:
        self._tiny: list[bytes] = []
        self._short: dict[int, set[bytes]] = {}
        self._words: dict[int, dict[int, set[bytes]]] = {4: {}, 8: {}}
        for needle in needles:
            width = 8 if len(needle) >= 15 else 4
            if len(needle) < 4:
                self._tiny.append(needle)
                continue
            if len(needle) < 7:
                self._short.setdefault(int.from_bytes(needle[:4], sys.byteorder), set()).add(needle)
                continue
            for at in range(width):
                word = int.from_bytes(needle[at : at + width], sys.byteorder)
                self._words[width].setdefault(word, set()).add(needle)

    def held_by(self, content: bytes) -> set[bytes]:
        """Return those that occur."""
        likely = set(self._tiny)
        for width, words in self._words.items():
            for word in _found(content, width, words):
                likely |= words[word]
        return {needle for needle in likely if needle in content} | self._short_ones(content)

    def _short_ones(self, content: bytes) -> set[bytes]:
        """Return those of 4 to 6 bytes that occur: the first word is looked up at every byte, the rest compared there."""
        found: set[bytes] = set()
        for at, word in _places(content, self._short):
            found.update(needle for needle in self._short[word] if content.startswith(needle, at))
        return found


def _places(content: bytes, words: Collection[int]) -> Iterator[tuple[int, int]]:
    """Yield where one of some words of 4 bytes begins, and which."""
    if not words:
        return
    wanted, table = _table(words, np.uint32)
    for shift in range(4):
        for at in range(shift, len(content) - 3, _AT_ONCE):
            part = np.frombuffer(content, np.uint32, min(_AT_ONCE, len(content) - at) // 4, at)
            places = np.flatnonzero(table[_folded(part)])
            places = places[np.isin(part[places], wanted)]
            yield from (
                (at + 4 * place, word) for place, word in zip(places.tolist(), part[places].tolist(), strict=True)
            )


def _table(words: Collection[int], kind: Any) -> tuple[Any, Any]:
    """Return the words, and which folded words may be one of them."""
    wanted = np.fromiter(words, kind, len(words))
    table = np.zeros(1 << 16, bool)
    table[_folded(wanted)] = True
    return wanted, table


def _found(content: bytes, width: int, words: Collection[int]) -> list[int]:
    """Return which words stand at multiples of their width."""
    if not words or len(content) < width:
        return []
    kind = np.uint32 if width == 4 else np.uint64
    wanted, table = _table(words, kind)
    found: set[int] = set()
    for at in range(0, len(content), _AT_ONCE):  # so that what is worked out stays in the processor's cache
        part = np.frombuffer(content[at : at + _AT_ONCE], kind, min(_AT_ONCE, len(content) - at) // width)
        likely = part[table[_folded(part)]]
        found.update(int(word) for word in likely[np.isin(likely, wanted)])
    return list(found)


def _folded(words: Any) -> Any:
    """Return 16 bits of each word, mixed so that words alike in a part differ here."""
    bits = words.dtype.itemsize * 8
    factor = words.dtype.type(0x9E3779B97F4A7C15 & ((1 << bits) - 1))
    return (words * factor) >> words.dtype.type(bits - 16)
