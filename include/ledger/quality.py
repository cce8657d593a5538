"""Quality warnings of a catalogue entry: what its owner should mend although the entry is taken. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def warnings_of(record: dict[str, Any], doubts: Iterable[str] = ()) -> str | None:
    """Return the codes of what is doubtful in an entry, sorted, with commas; None where nothing is."""
    found = set(doubts)
    return ",".join(sorted(found)) or None
