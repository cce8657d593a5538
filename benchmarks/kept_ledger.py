"""Ledgers of a size that takes minutes to make: made once, kept in a folder of `.data`, and copied for each round.

A folder is of one size, one schema and one way of filling; what was made in another way is removed. What was judged in it is judged
once more where the code of the project is another one since, so that no round pays for that.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.postgres import Postgres

TEMPLATE, COPY = "rules_template", "rules_copy"
_HERE = Path(__file__).parent
_FILLED_BY = ("rules_ledger.py", "systems_ledger.py", "series_ledger.py", "made_ledger.py")


def folder(data: Path, size: int, days: int) -> Path:
    """Return the folder for ledgers of a size, with series of some days, and remove those that were made in another way."""
    from include.ledger.database import HEAD

    text = HEAD.encode() + b"".join((_HERE / name).read_bytes() for name in _FILLED_BY)
    name = f"rules_at_size-{size}x{days}"
    mine = data / f"{name}-{hashlib.blake2b(text, digest_size=4).hexdigest()}"
    for other in data.glob(f"{name}-*"):
        if other != mine:
            shutil.rmtree(other)
    mine.mkdir(parents=True, exist_ok=True)
    return mine


def code_digest() -> str:
    """Return the hash of all code and configuration that a judging can rest on."""
    whole = hashlib.blake2b(digest_size=8)
    for file in sorted(f for f in (_HERE.parent / "include").rglob("*") if f.suffix in (".py", ".yaml")):
        whole.update(file.read_bytes())
    return whole.hexdigest()


@dataclass(frozen=True)
class KeptLedger:
    """The ledger of one database: on a server whose data are kept, or a file in the folder."""

    database: str
    server: Postgres | None
    home: Path

    def url(self, name: str) -> str:
        """Return the address of a ledger."""
        if self.server:
            return self.server.dsn(name).replace("postgresql://", "postgresql+psycopg://")
        return f"sqlite:///{self.home / name}.db"

    @cached_property
    def _note(self) -> Path:
        return self.home / f"{self.database}.json"

    @property
    def judged(self) -> dict[str, str]:
        """Return by which code each scope was judged last; written when the ledger is whole."""
        found: dict[str, str] = json.loads(self._note.read_text()) if self._note.exists() else {}
        return found

    def note(self, judged: dict[str, str]) -> None:
        """Note that the ledger is made, and which scopes were judged by which code."""
        self._note.write_text(json.dumps(judged))

    @property
    def is_made(self) -> bool:
        """Return whether it was made whole in an earlier run."""
        return self._note.exists()

    def make(self) -> str:
        """Make an empty ledger and return its address."""
        if self.server:
            self.server.create(TEMPLATE)
        for left in self.home.glob(f"{TEMPLATE}.db*"):
            left.unlink()
        return self.url(TEMPLATE)

    def settle(self) -> None:
        """Let the database do now what it would else do during a round."""
        if self.server:
            self.server.settle([TEMPLATE])

    @contextmanager
    def copy(self) -> Iterator[str]:
        """Yield the address of a copy."""
        if self.server:
            self.server.run(f'DROP DATABASE IF EXISTS "{COPY}" WITH (FORCE)')
            self.server.run(f'CREATE DATABASE "{COPY}" TEMPLATE "{TEMPLATE}" STRATEGY file_copy')
            self.server.run("CHECKPOINT")
        else:
            shutil.copy(self.home / f"{TEMPLATE}.db", self.home / f"{COPY}.db")
        try:
            yield self.url(COPY)
        finally:
            if self.server:
                self.server.run(f'DROP DATABASE IF EXISTS "{COPY}" WITH (FORCE)')
            for left in self.home.glob(f"{COPY}.db*"):
                left.unlink()

    def cpu(self) -> float:
        """Return the CPU seconds of the server so far."""
        return self.server.cpu_seconds() if self.server else 0.0
