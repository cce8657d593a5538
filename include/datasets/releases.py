"""Where data sets are published: releases that never change, and `current.json`, which names those that count.

    releases/<stamp>-<id>/<dataset>.v1.parquet, .csv, .schema.json, manifest.json     whole, and never written again
    releases/<stamp>-<id>/current/<dataset>.v1.parquet …                              links to what counts with it (local folders)
    current.json                                                                      the switch for all data sets at once
    current                                                                           a link to the newest of them (local folders)
    reports/                                                                          monthly reports

A reader takes `current.json` once and opens what it names, or resolves `current` once: it has the old or the new, never a mixture.
Whatever dies on the way leaves `.part-…`, which the next publication removes.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from include.sources.location import is_local, location

log = logging.getLogger(__name__)

CURRENT = "current.json"
MANIFEST = "manifest.json"
REPORTS = "reports"
LINKS = "current"
NAME = re.compile(r"\d{8}T\d{9}-[0-9a-f]{8}")
"""How a release is named: the moment of its snapshot in Asia/Shanghai, to the millisecond, and a hash of its content."""

_PART = ".part-"


class Releases:
    """The folder or fsspec location of a publication; one writer at a time (`include.datasets.publication`)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._root, self.is_local = location(url), is_local(url)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Give a folder to write into, which is gone in the end unless it was committed."""
        if self.is_local:
            self._root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=_PART, dir=self._root if self.is_local else None))
        folder.chmod(0o755)  # readers are others
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def remove_left_overs(self) -> None:
        """Remove what publications left that died: parts, and releases that came about and were never switched to."""
        current = self.current()
        named = {entry["release"] for entry in current.get("datasets", {}).values()}
        for name in self.names():
            if name not in named and name > (current.get("release") or ""):
                log.warning("release=%s was never switched to", name)
                self.remove(name)
        if self.is_local and self._root.is_dir():
            for left in (*self._root.glob(f"{_PART}*"), *self._root.glob(f"{REPORTS}/{_PART}*")):
                log.warning("removed=%s left by a publication that died", left.name)
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()

    def commit(self, staged: Path, name: str, links: Mapping[str, str]) -> None:
        """Let a staged folder be the release of a name; `links` are file name → path in the location, for local folders."""
        if not self.is_local:
            # An object store shows a file when it is whole; the manifest, which makes it a release, goes last.
            for file in sorted(staged.iterdir(), key=lambda f: (f.name == MANIFEST, f.name)):
                self._upload(file, f"releases/{name}/{file.name}")
            return
        self._link_files(staged, name, links)
        target = self._root / "releases" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        _sync(staged)
        staged.rename(target)
        _sync(target.parent)

    def _link_files(self, staged: Path, name: str, links: Mapping[str, str]) -> None:
        folder = staged / LINKS
        folder.mkdir()
        for file, path in links.items():
            with contextlib.suppress(OSError):  # a file system without links: there is current.json
                (folder / file).symlink_to(os.path.relpath(path, f"releases/{name}/{LINKS}"))

    def switch(self, current: Mapping[str, Any]) -> None:
        """Write `current.json`, in one step."""
        self._write_whole(CURRENT, json.dumps(current, ensure_ascii=False, indent=1) + "\n")

    def point(self, name: str | None) -> None:
        """Let the link `current` lead to a release, or to none; a local folder alone has one."""
        if not self.is_local:
            return
        link, wanted = self._root / LINKS, f"releases/{name}/{LINKS}"
        found = str(link.readlink()) if link.is_symlink() else None
        if name is None:
            link.unlink(missing_ok=True)
        elif found != wanted:
            part = self._root / f"{_PART}{os.getpid()}-link"
            part.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                part.symlink_to(wanted)
                part.replace(link)

    def current(self) -> dict[str, Any]:
        """Return `current.json`; empty where nothing was published yet."""
        file = self._root / CURRENT
        found: Any = json.loads(file.read_text("utf-8")) if file.exists() else {}
        if not isinstance(found, dict):
            raise ValueError(f"{file} holds no JSON object; restore it, or remove it to publish everything anew")
        return found

    def names(self) -> list[str]:
        """Return the releases, oldest first."""
        folder = self._root / "releases"
        return sorted(p.name for p in folder.iterdir() if NAME.fullmatch(p.name)) if folder.exists() else []

    def manifest(self, name: str) -> dict[str, Any]:
        """Return the manifest of a release; empty where it has none, as one that was not uploaded to its end."""
        file = self._root / "releases" / name / MANIFEST
        return dict(json.loads(file.read_text("utf-8"))) if file.exists() else {}

    def remove(self, name: str) -> None:
        """Remove a release with all that it holds; the caller has made sure that `current.json` does not name it."""
        folder = self._root / "releases" / name
        if self.is_local:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            folder.fs.rm(folder.path, recursive=True)
        log.info("removed release=%s", name)

    def older(self, keep: int) -> list[str]:
        """Return the releases that are older than the newest `keep` and that `current.json` does not name, oldest first."""
        named = {entry["release"] for entry in self.current().get("datasets", {}).values()}
        return [name for name in (self.names()[:-keep] if keep else self.names()) if name not in named]

    def files(self, folder: str) -> list[str]:
        """Return the names of the files in a folder of the location."""
        found = self._root / folder
        return sorted(p.name for p in found.iterdir() if not p.name.startswith(".")) if found.exists() else []

    def read_json(self, path: str) -> dict[str, Any]:
        """Return a JSON file of the location; empty where it is not there or is none."""
        file = self._root / path
        try:
            return dict(json.loads(file.read_text("utf-8")))
        except (OSError, ValueError):
            return {}

    def put(self, staged: Collection[Path], folder: str) -> None:
        """Let files appear in a folder of the location one after the other, in the order given, each when it is whole."""
        for file in staged:
            self._upload(file, f"{folder}/{file.name}")

    def drop(self, path: str) -> None:
        """Remove one file."""
        file = self._root / path
        if file.exists():
            file.unlink()

    def path(self, path: str) -> str:
        """Return where a path of the location is, for people and programs."""
        return str(self._root / path)

    def _upload(self, file: Path, path: str) -> None:
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if self.is_local:
            part = target.parent / f"{_PART}{os.getpid()}-{target.name}"
            shutil.copyfile(file, part)
            part.replace(target)
            return
        with file.open("rb") as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)

    def _write_whole(self, path: str, text: str) -> None:
        target = self._root / path
        self._root.mkdir(parents=True, exist_ok=True)
        if not self.is_local:
            target.write_text(text, "utf-8")
            return
        part = self._root / f"{_PART}{os.getpid()}-{target.name}"
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
        _sync(self._root)


def _sync(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
