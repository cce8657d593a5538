"""Files that appear under their name only when they are whole, in a folder or at any fsspec location."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from include.sources.location import is_local, location


class NewFile:
    """A file that is being written, with the hash of what was."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path
        self.size = 0
        self._hash = hashlib.sha256()
        self._file = path.open("wb", buffering=1 << 20)

    @property
    def sha256(self) -> str:
        """Return the hash of what was written."""
        return self._hash.hexdigest()

    def write(self, text: str) -> None:
        """Write text as UTF-8."""
        content = text.encode()
        self._file.write(content)
        self._hash.update(content)
        self.size += len(content)

    def close(self) -> None:
        """Bring everything to the disk."""
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()


class Folder:
    """Where data sets are published."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._target, self._is_local = location(url), is_local(url)

    @contextmanager
    def writing(self, *names: str) -> Iterator[list[NewFile]]:
        """Open files that all appear when the block ends, one after the other, and leave nothing where it fails."""
        self._target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=self._target if self._is_local else None) as parts:
            files = [NewFile(name, Path(parts) / name) for name in names]
            try:
                yield files
            finally:
                for file in files:
                    file.close()
            for file in files:
                self._publish(file)

    def _publish(self, file: NewFile) -> None:
        if self._is_local:
            file.path.replace(self._target / file.name)
            return
        with file.path.open("rb") as source, (self._target / file.name).open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)  # object stores show a file only when it is whole
