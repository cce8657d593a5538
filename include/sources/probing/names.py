"""Looks names up beside the sweep, each once, in threads that may hang without holding anything up.

The system's resolver has no time limit that holds; so a lookup that takes too long is given up and its thread left behind.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Lookup = Callable[[str], Sequence[str]]
"""Returns every address of a host; raises OSError where there is none."""

THREADS = 16
MOST_THREADS = 128
_FOUND_NOTHING = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME), socket.EAI_FAIL})


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a lookup: addresses, or none; `is_answered` false where the name service itself did not answer."""

    host: str
    addresses: tuple[str, ...]
    is_answered: bool = True


def system_lookup(host: str) -> list[str]:
    """Ask the system's resolver; addresses of version 4 come first, which every network of a bureau routes."""
    entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    entries.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


class Names:
    """The names of one sweep."""

    def __init__(self, lookup: Lookup, seconds: float) -> None:
        """Take how a name is looked up and how long one lookup may take."""
        self._lookup, self._seconds = lookup, seconds
        self._asked: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._found: queue.SimpleQueue[Found] = queue.SimpleQueue()
        self._begun: dict[str, float] = {}
        self._open: set[str] = set()
        self._known: dict[str, Found] = {}
        self._threads = 0

    def ask(self, host: str) -> None:
        """Have a name looked up, unless it was before."""
        if host in self._open or host in self._known:
            return
        self._open.add(host)
        self._asked.put(host)
        if self._threads < THREADS:
            self._start()

    def known(self, host: str) -> Found | None:
        """Return what was found for a name, or None while it is being looked up."""
        return self._known.get(host)

    def answers(self, seconds: float = 0.0) -> list[Found]:
        """Return the lookups that have ended since the last call, or within so many seconds if none has."""
        ended = []
        try:
            ended.append(self._found.get(timeout=seconds) if seconds and self._open else self._found.get_nowait())
            while True:
                ended.append(self._found.get_nowait())
        except queue.Empty:
            pass
        late = time.monotonic() - self._seconds
        ended += [Found(host, (), is_answered=False) for host, begun in list(self._begun.items()) if begun < late]
        return [found for found in ended if self._settle(found)]

    @property
    def is_busy(self) -> bool:
        """Return whether a name is still being looked up."""
        return bool(self._open)

    def close(self) -> None:
        """Let the threads end that do not hang; those that do are daemons and end with the process."""
        for _ in range(self._threads):
            self._asked.put(None)

    def _settle(self, found: Found) -> bool:
        if found.host not in self._open:
            return False  # it came after it was given up
        self._open.discard(found.host)
        self._known[found.host] = found
        if self._begun.pop(found.host, None) is not None and not found.is_answered and self._threads < MOST_THREADS:
            self._start()  # in place of the one that hangs
        return True

    def _start(self) -> None:
        self._threads += 1
        threading.Thread(target=self._work, name="probe-names", daemon=True).start()

    def _work(self) -> None:
        while (host := self._asked.get()) is not None:
            self._begun[host] = time.monotonic()
            self._found.put(self._look(host))

    def _look(self, host: str) -> Found:
        try:
            return Found(host, tuple(self._lookup(host)))
        except (OSError, UnicodeError) as error:
            code = error.errno if isinstance(error, socket.gaierror) else None
            return Found(host, (), is_answered=isinstance(error, UnicodeError) or code in _FOUND_NOTHING)
