"""The probes that wait: each address is asked by so many at once, and addresses take turns."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Generic, TypeVar

Job = TypeVar("Job")


class Waiting(Generic[Job]):
    """Jobs by address; `take` gives the next one whose address may be asked, `end` makes room for another."""

    def __init__(self, per_address: int) -> None:
        """Take how many may run at one address."""
        self._per_address = per_address
        self._jobs: dict[str, deque[Job]] = defaultdict(deque)
        self._running: dict[str, int] = defaultdict(int)
        self._turns: deque[str] = deque()
        self._in_turn: set[str] = set()

    def put(self, address: str, job: Job) -> None:
        """Add a job."""
        self._jobs[address].append(job)
        self._line_up(address)

    def take(self) -> Job | None:
        """Return the next job that may run, or None."""
        if not self._turns:
            return None
        address = self._turns.popleft()
        self._in_turn.discard(address)
        self._running[address] += 1
        job = self._jobs[address].popleft()
        self._line_up(address)
        return job

    def end(self, address: str) -> None:
        """Say that a job at an address has ended."""
        self._running[address] -= 1
        self._line_up(address)

    @property
    def has_turn(self) -> bool:
        """Return whether a job could be taken."""
        return bool(self._turns)

    def _line_up(self, address: str) -> None:
        has_room = self._running[address] < self._per_address
        if self._jobs[address] and has_room and address not in self._in_turn:
            self._in_turn.add(address)
            self._turns.append(address)
