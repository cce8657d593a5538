"""Runs many transfers in one thread: curl's multi interface, driven by epoll, with a measure of its own lateness."""

from __future__ import annotations

import select
import time
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import pycurl

from include.sources.probing.policy import ProbePolicy
from include.sources.probing.target import Place
from include.sources.probing.transfer import Transfer

Job = TypeVar("Job")

_EVENTS = {
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
}
_READY = (
    (select.EPOLLIN | select.EPOLLHUP, pycurl.CSELECT_IN),
    (select.EPOLLOUT, pycurl.CSELECT_OUT),
    (select.EPOLLERR, pycurl.CSELECT_ERR),
)


class Prober(Generic[Job]):
    """As many transfers at once as the policy allows; each carries a job that comes back with its end."""

    def __init__(self, policy: ProbePolicy, authorities: Path) -> None:
        """Take the policy and the file of the authorities that are trusted."""
        self._policy, self._authorities = policy, authorities
        self._idle: list[Transfer] = []
        self._running: dict[pycurl.Curl, tuple[Transfer, Job]] = {}
        self._epoll = select.epoll()
        self._watched: set[int] = set()
        self._due: float | None = None
        self._lags = array("f")
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    @property
    def running(self) -> int:
        """Return how many transfers are under way."""
        return len(self._running)

    def start(self, job: Job, place: Place, addresses: Sequence[str], seconds: float, *, keeps_body: bool) -> None:
        """Begin a transfer."""
        transfer = self._idle.pop() if self._idle else Transfer(self._policy, self._authorities)
        transfer.ask(place, addresses, seconds, keeps_body=keeps_body)
        self._running[transfer.curl] = transfer, job
        self._multi.add_handle(transfer.curl)

    def serve(self, seconds: float) -> Iterator[tuple[Transfer, int, Job]]:
        """Wait at most so long for something to happen, and give each transfer that has ended with its code of curl."""
        begun = time.monotonic()
        wait = max(0.0, min(seconds, self._due - begun if self._due is not None else seconds))
        ready = self._epoll.poll(wait)
        woken = time.monotonic()
        for fd, events in ready:
            self._multi.socket_action(fd, sum(bit for mask, bit in _READY if events & mask))
        if self._due is not None and woken >= self._due:
            self._due = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        yield from self._ended()
        # Whatever came in the meantime has waited for all of this; and a sleep that was too long kept events waiting as well.
        self._lags.append((time.monotonic() - woken + max(0.0, woken - begun - wait)) * 1000)

    def drop(self) -> list[Job]:
        """End all transfers under way and return their jobs."""
        jobs = [job for _, job in self._running.values()]
        for curl in list(self._running):
            self._release(curl)
        return jobs

    def lag_ms(self) -> int:
        """Return within how many milliseconds 99 of 100 events were served."""
        ordered = sorted(self._lags)
        return round(ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]) if ordered else 0

    def close(self) -> None:
        """End what is under way and free all handles."""
        self.drop()
        for transfer in self._idle:
            transfer.curl.close()
        self._multi.close()
        self._epoll.close()

    def _ended(self) -> Iterator[tuple[Transfer, int, Job]]:
        more = 1
        while more:
            more, well, badly = self._multi.info_read()
            for curl, code in [(c, 0) for c in well] + [(c, number) for c, number, _ in badly]:
                transfer, job = self._running[curl]
                yield transfer, code, job
                self._release(curl)

    def _release(self, curl: pycurl.Curl) -> None:
        transfer, _ = self._running.pop(curl)
        self._multi.remove_handle(curl)
        self._idle.append(transfer)

    def _watch(self, what: int, fd: int, multi: pycurl.CurlMulti, data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            if fd in self._watched:
                self._watched.discard(fd)
                self._epoll.unregister(fd)
            return
        if fd in self._watched:
            self._epoll.modify(fd, _EVENTS[what])
        else:
            self._watched.add(fd)
            self._epoll.register(fd, _EVENTS[what])

    def _set_timer(self, milliseconds: int) -> None:
        self._due = time.monotonic() + milliseconds / 1000 if milliseconds >= 0 else None
