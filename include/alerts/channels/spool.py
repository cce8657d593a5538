"""The channel that always works: files in a folder or an object store, one page and one CSV a message, for people without a robot.

`<day>/<receiver>/<department>/<number>.html` and `.csv`; the same message twice is the same files.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

from include import clock
from include.alerts.channels.channel import ChannelCard
from include.alerts.message import Message
from include.alerts.rendering.harmless import one_line
from include.alerts.rendering.html import as_html
from include.alerts.rendering.rows import as_csv
from include.clock import SHANGHAI
from include.connections import Connection
from include.errors import ChannelUnreachable
from include.settings import load_settings
from include.sources.location import location

PAGE_LIMIT = 10_000_000
EVERYBODY = "全部单位"
"""The folder of receivers that see all units."""
_LONGEST_NAME = 100
_UNSAFE = re.compile(r"[^\w\u00b7()-]+")
_RESERVED = re.compile(r"(?i:con|prn|aux|nul|com\d|lpt\d)")
_OWN = re.compile(rb'<meta name="message-id" content="([0-9a-f]{1,64})">')
_HEAD_BYTES = 1024
_PART_SECONDS = 3600


class Spool:
    """Writes into the folder or fsspec URL of the connection's extra `path`, else `SPOOL_URL`."""

    def __init__(self, card: ChannelCard, connection: Connection | None = None) -> None:
        """Take the place; it is made with the first message."""
        self._title = f"the channel {card.id} (files)"
        url = str(connection.extra.get("path") or "") if connection else ""
        self.root: Any = location(url or load_settings().spool_url)

    def send(self, message: Message) -> str:
        """Write the files of a message and return the page's place; see `Channel.send`."""
        elsewhere = "全部线索见同名的 CSV 文件" if message.is_long else ""
        page, table = as_html(message.abridged, PAGE_LIMIT, elsewhere).encode(), as_csv(message)
        try:
            path = self._place(message)
            _write(path, page)  # the page first: by its id `recall` finds both
            _write(_table_of(path), table)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise ChannelUnreachable(
                f"{self._title}: cannot write to {_shown(self.root)} ({why}); check the folder and its space"
            ) from error
        return _shown(path)

    def recall(self, known_ids: Container[str]) -> list[str]:
        """Remove the files of messages that are not known any more, and return their places; other files are left alone."""
        removed: list[str] = []
        for page in list(self._pages()):
            message_id = _id_of(page)
            if message_id is None or message_id in known_ids:
                continue
            for path in (page, _table_of(page)):
                if path.exists():
                    path.unlink()
                    removed.append(_shown(path))
            self._drop_empty(page.parent)
        return removed + self._drop_parts()

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _place(self, message: Message) -> Any:
        day = f"{message.decided_at.astimezone(SHANGHAI):%Y-%m-%d}"
        folder = self.root / day / safe_name(message.receiver) / safe_name(message.department or EVERYBODY)
        path = folder / f"{safe_name(message.number)}.html"
        if path.exists() and _id_of(path) != message.message_id:  # two ids with the same beginning
            return folder / f"{safe_name(message.message_id)}.html"
        return path

    def _pages(self) -> Iterator[Any]:
        if self.root.exists():
            yield from sorted(self.root.glob("*/*/*/*.html"))

    def _drop_parts(self) -> list[str]:
        """Remove what writers that were killed left behind: only old ones, another may be writing."""
        if not self.root.exists():
            return []
        before = clock.now().timestamp() - _PART_SECONDS
        old = [path for path in sorted(self.root.glob("*/*/*/.*.part")) if path.stat().st_mtime < before]
        for path in old:
            path.unlink(missing_ok=True)
        return [_shown(path) for path in old]

    def _drop_empty(self, folder: Any) -> None:
        for _ in range(3):
            if folder == self.root or not folder.is_dir() or any(folder.iterdir()):
                return
            folder.rmdir()
            folder = folder.parent


def safe_name(text: str) -> str:
    """Return a name that is a single, plain part of a path everywhere; one that had to be changed keeps apart by a hash."""
    plain = unicodedata.normalize("NFC", one_line(text))
    name = _UNSAFE.sub("_", plain).encode()[:_LONGEST_NAME].decode("utf-8", "ignore").strip("._ ")
    if name == text and not _RESERVED.fullmatch(name) and name:
        return name
    return f"{name or '_'}-{hashlib.blake2b(text.encode('utf-8', 'replace'), digest_size=4).hexdigest()}"


def _shown(path: Any) -> str:
    """Return a place without the login that its URL may have."""
    return re.sub(r"(?<=//)[^/@]*@", "", str(path))


def _table_of(page: Any) -> Any:
    return page.with_name(f"{page.name.removesuffix('.html')}.csv")


def _id_of(page: Any) -> str | None:
    """Return the id of the message a page is of; None for a file that is none of ours."""
    try:
        with page.open("rb") as source:
            match = _OWN.search(source.read(_HEAD_BYTES))
    except FileNotFoundError:
        return None
    return match[1].decode() if match else None


def _write(path: Any, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(path, Path) or "://" in str(path):
        path.write_bytes(content)  # object stores show a file only when it is whole
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
