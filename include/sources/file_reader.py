"""Read the files of a folder by the card, in order of name: workbooks and CSV files, or documents.

A file that cannot be read is a fault in its place; the others are read. Does not know what is in a file.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from itertools import count
from pathlib import Path

from include.connections import Connection
from include.errors import ConfigurationError, LimitExceeded, ShuhengError, SourceMalformed, SourceUnreachable
from include.sources.card import Card
from include.sources.document import portions
from include.sources.documents_in_files import read_document
from include.sources.file_block import Files
from include.sources.page import PageFault, Window
from include.sources.raw_page import Contents, RawPage
from include.sources.workbook_rows import WorkbookReader

log = logging.getLogger(__name__)

_UNCOMPRESSED = 8
"""How many times a card's page_bytes a workbook may be once it is uncompressed."""

ReadFile = Callable[[bytes, str], Iterable[Contents]]


def read_files(card: Card, connection: Connection, window: Window) -> Iterator[RawPage | PageFault]:
    """Yield the pages of every sheet with the card's heading, or of every document; always whole, whatever the window.

    Raises `ConfigurationError` where the connection names no folder.
    """
    if card.files is None:
        raise ConfigurationError(f"card {card.source!r} has no file block; the file reader needs it")
    if not connection.extra.get("path"):
        raise ConfigurationError(f"connection {connection.conn_id!r} names no folder; put it into extra.path")
    log.debug("reading files source=%s full=%s", card.source, window.is_full)
    folder = Path(str(connection.extra["path"]))
    numbers = count(1)
    held: RawPage | PageFault | None = None
    for found in _found(card, card.files, folder):
        if held is not None:
            yield held
        if isinstance(found, ShuhengError):
            log.warning("file failed source=%s error=%s: %s", card.source, type(found).__name__, found)
            held = PageFault(next(numbers), found)
        else:
            held = replace(found, number=next(numbers))
    if held is not None:
        yield replace(held, is_last=True) if isinstance(held, RawPage) else held


def _found(card: Card, files: Files, folder: Path) -> Iterator[RawPage | ShuhengError]:
    """Yield the pages of all files, and the error of each that has none."""
    try:
        paths = _paths(files, folder)
    except OSError as error:
        yield SourceUnreachable(
            f"the folder {str(folder)!r} cannot be listed ({type(error).__name__}); create it, or correct extra.path and "
            "the rights on it"
        )
        return
    if not paths:
        yield SourceUnreachable(
            f"no files match {', '.join(files.glob)} in {str(folder)!r}; wait for the delivery or correct the folder"
        )
    read, limit = _reader(card, files)
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            data = _read_whole(path, limit)
            size = len(data)
            for contents in read(data, name):
                yield from _pages(contents, size)
                size = 0
        except OSError as error:
            yield SourceUnreachable(
                f"the file {name!r} cannot be opened ({type(error).__name__}); check the rights on it"
            )
        except ShuhengError as error:
            yield type(error)(f"the file {name!r} cannot be read: {error}")


def _reader(card: Card, files: Files) -> tuple[ReadFile, int]:
    """Return what reads the content of a file, and how many bytes a file may have."""
    kind = card.document.format if card.document else "sheets"
    if kind != "sheets":
        return partial(read_document, card), card.limits.page_bytes
    limit = card.limits.page_bytes * _UNCOMPRESSED
    return WorkbookReader(card, files, limit).read, limit


def _pages(contents: Contents, size: int) -> Iterator[RawPage]:
    """Cut the rows into pages; the first has the size of the file and the notes, and is there without rows too."""
    page = RawPage(0, [], contents.declared_rows, received_bytes=size, notes=contents.notes)
    for part, rows in enumerate(portions(contents.rows)):
        yield replace(page, rows=rows, part=part)
        page = RawPage(0, [], contents.declared_rows)


def _paths(files: Files, folder: Path) -> list[Path]:
    """Return the files that match, in order of name; upper and lower case are one, as where the files come from."""
    is_deep = any("/" in pattern for pattern in files.glob)
    listed = folder.rglob("*") if is_deep else folder.iterdir()
    patterns = [pattern.casefold() for pattern in files.glob]
    found = []
    for path in listed:
        name = path.relative_to(folder).as_posix().casefold()
        if path.is_file() and not path.name.startswith(".") and any(fnmatchcase(name, p) for p in patterns):
            found.append(path)
    return sorted(found)


def _read_whole(path: Path, limit: int) -> bytes:
    """Read a file that nobody is writing."""
    if path.name.startswith("~$"):
        raise SourceMalformed(
            "it is the lock of a workbook that someone has open; close the workbook, or delete the lock if nobody has it open"
        )
    before = path.stat()
    if before.st_size == 0:
        raise SourceMalformed("it is empty; deliver it again")
    if before.st_size > limit:
        raise LimitExceeded(
            f"it has {before.st_size} bytes, more than the {limit} allowed; raise page_bytes in the card"
        )
    data = path.read_bytes()
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(data) != after.st_size:
        raise SourceMalformed("it changed while it was read; wait until it is copied to its end, then read again")
    return data
