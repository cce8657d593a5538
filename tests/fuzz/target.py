"""What is fuzzed: a reader that may raise errors on purpose and no others, and the documents to begin with."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Target(NamedTuple):
    """`read` lets through whatever is a defect; `begun` returns well-formed documents of its kind."""

    read: Callable[[bytes], None]
    begun: Callable[[], list[bytes]]
