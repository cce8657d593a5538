"""Page files and manifests: written once, addressed by hash, never changed.

A page file is zstd-compressed JSON lines, one canonical (sorted keys) raw row a line, named by the SHA-256 of its content;
an identical page is stored once however often it is read. Works on any fsspec location; on a local folder files appear by rename.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import zstandard

from include.errors import LandingCorrupt
from include.sources.location import location
from include.sources.page import PackedLines, canonical_lines, pack


class LandingStore:
    """The landing zone at a folder or an fsspec URL."""

    def __init__(self, url: str) -> None:
        self._root = location(url)

    def put_page(self, source: str, rows: list[dict[str, Any]]) -> str:
        """Store the rows of a page and return the hash that is its name."""
        return self.put_packed(source, pack(canonical_lines(rows)))

    def put_packed(self, source: str, lines: PackedLines) -> str:
        """Store a page that is packed already."""
        path = self._page(source, lines.name)
        if not path.exists():
            self._write(path, lines.content)
        elif isinstance(path, Path):
            os.utime(path)  # in use again: whoever sweeps old pages away sees that a batch is about to name it
        return lines.name

    def has_page(self, source: str, name: str) -> bool:
        """Return whether a page is landed."""
        return bool(self._page(source, name).exists())

    def get_page(self, source: str, name: str) -> list[bytes]:
        """Return the lines of a page after checking them against its name."""
        content = self.get_lines(source, name)
        return content.split(b"\n") if content else []

    def get_lines(self, source: str, name: str) -> bytes:
        """Return the lines of a page as they stand in its file, after checking them against its name."""
        path = self._page(source, name)
        again = "read the source again"
        try:
            content = zstandard.decompress(path.read_bytes())
        except FileNotFoundError as error:
            raise LandingCorrupt(f"page {name} of {source} is gone from the landing zone ({path}); {again}") from error
        except zstandard.ZstdError as error:
            self._put_aside(path)
            raise LandingCorrupt(f"page {name} of {source} cannot be decompressed ({path}); {again}") from error
        if hashlib.sha256(content).hexdigest() != name:
            self._put_aside(path)
            raise LandingCorrupt(f"page {name} of {source} does not match its hash ({path}); {again}")
        return content

    def check_page(self, source: str, name: str) -> None:
        """Hold a page against its name, as `get_lines` does."""
        self.get_lines(source, name)

    def pages(self, source: str) -> list[str]:
        """Return the names of all page files of a source."""
        return sorted(p.name.removesuffix(".jsonl.zst") for p in self._root.glob(f"{source}/pages/*/*.jsonl.zst"))

    def drop_page(self, source: str, name: str) -> None:
        """Remove a page file. Only the expunging of classified records and retention may do this."""
        self._page(source, name).unlink(missing_ok=True)

    def page_written_at(self, source: str, name: str) -> tuple[float, int]:
        """Return when a page was last written or used, in seconds since 1970, and its bytes; now where it cannot be told."""
        stat = self._page(source, name).stat()
        return float(getattr(stat, "st_mtime", 0) or time.time()), int(stat.st_size)

    def sources(self) -> list[str]:
        """Return the sources of which pages or batches are landed."""
        found = {p.parent.name for part in ("pages", "batches") for p in self._root.glob(f"*/{part}")}
        return sorted(found)

    def put_proof(self, day: str, lines: list[bytes]) -> None:
        """Write the list of what was removed on a day: JSON lines with hash and reason."""
        self._write(self._root / "removed" / f"{day}.jsonl.zst", pack(b"\n".join(lines)).content)

    def get_proof(self, day: str) -> list[bytes]:
        """Return the lines of what was removed on a day; none where nothing was."""
        path = self._root / "removed" / f"{day}.jsonl.zst"
        return zstandard.decompress(path.read_bytes()).split(b"\n") if path.exists() else []

    def put_manifest(self, source: str, batch_id: str, manifest: dict[str, Any]) -> None:
        """Write the manifest of a batch: from then on the batch exists."""
        text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True)
        self._write(self._root / source / "batches" / f"{batch_id}.json", text.encode())

    def get_manifest(self, source: str, batch_id: str) -> dict[str, Any]:
        """Return the manifest of a batch."""
        path = self._root / source / "batches" / f"{batch_id}.json"
        try:
            manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except FileNotFoundError as error:
            raise LandingCorrupt(f"there is no batch {batch_id} of {source} in the landing zone ({path})") from error
        except ValueError as error:
            raise LandingCorrupt(f"the manifest of batch {batch_id} cannot be read ({path})") from error
        return manifest

    def manifests(self, source: str) -> list[str]:
        """Return the batch ids of a source, oldest first."""
        return sorted(p.name.removesuffix(".json") for p in self._root.glob(f"{source}/batches/*.json"))

    def _put_aside(self, path: Any) -> None:
        """Keep a damaged file under another name, so that the next read lands the page anew."""
        path.rename(path.with_name(f"{path.name}.damaged"))

    def _page(self, source: str, name: str) -> Any:
        return self._root / source / "pages" / name[:2] / f"{name}.jsonl.zst"

    def _write(self, path: Any, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(path, os.PathLike) or "://" in str(path):
            path.write_bytes(content)  # object stores show a file only when it is whole
            return
        part = Path(path).with_name(f".{Path(path).name}.{os.getpid()}.part")
        part.write_bytes(content)
        part.replace(path)
