"""Search everything that a run left behind, in every form in which a text may lie there."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import zstandard

SQLITE = b"SQLite format 3\x00"


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
    return [
        (text, form, name)
        for text in sorted(needles)
        for form, needle in forms(text).items()
        if not only or form in only
        for name, content in files.items()
        if needle in content
    ]
