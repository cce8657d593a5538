"""One round of probes until a moment: names are looked up beside it, addresses checked, and each host asked politely."""

from __future__ import annotations

import ipaddress
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pycurl

from include.clock import now
from include.errors import AddressRefused
from include.sources.probing.answer import LONGEST_DETAIL, judge
from include.sources.probing.names import Found, Names
from include.sources.probing.policy import ProbePolicy
from include.sources.probing.prober import Prober
from include.sources.probing.result import Outcome, ProbeResult
from include.sources.probing.target import Place, Target, UrlRefused, place_of
from include.sources.probing.transfer import Transfer
from include.sources.probing.waiting import Waiting

STARTS_AT_ONCE = 8
"""Probes begun before those under way are served again: beginning many at once makes the others look slow."""
NAMES_SECONDS = 0.02
"""How long the loop sleeps at most while names are being looked up."""


@dataclass(slots=True)
class Job:
    """A probe that waits or runs: its target, where it goes, and the checked addresses that are left to try."""

    index: int
    target: Target
    place: Place
    addresses: tuple[str, ...] = ()
    slot: str = ""
    """The address under which it counts; it stays when another address is tried."""
    begun: float = 0.0
    """On the monotonic clock; 0 before the first connection."""


class Round:
    """Probes lists of targets, one after the other, with the same handles and names."""

    def __init__(self, policy: ProbePolicy, prober: Prober[Job], names: Names) -> None:
        """Take the policy, what runs the transfers and what looks names up."""
        self._policy, self._prober, self._names = policy, prober, names
        self._clock: tuple[datetime, float] = (now(), time.monotonic())
        self._allowed: dict[str, bool] = {}
        self.hosts: dict[str, str] = {}
        """The host of every service whose address could be read."""
        self._start_over(0)

    def _start_over(self, size: int) -> None:
        self._results: list[ProbeResult | None] = [None] * size
        self._open = 0
        self._waiting: Waiting[Job] = Waiting(self._policy.per_host)
        self._unnamed: dict[str, list[Job]] = defaultdict(list)

    def probe(
        self, targets: Sequence[Target], until: float, enough: Callable[[ProbeResult], bool] = lambda _: False
    ) -> list[ProbeResult]:
        """Return a result for every target; ends at `until` (monotonic clock), or once a result is enough."""
        self._start_over(len(targets))
        for index, target in enumerate(targets):
            self._prepare(index, target)
        is_enough = False
        while self._open and not is_enough and time.monotonic() < until:
            self._start_some()
            self._admit_named()
            is_enough = any([enough(result) for result in self._serve(until)])
        self._prober.drop()
        return [
            result or self._result(targets[i].service_code, Outcome.OUT_OF_TIME, "巡检时间已到,未及探测")
            for i, result in enumerate(self._results)
        ]

    def _prepare(self, index: int, target: Target) -> None:
        """Settle what needs no connection; queue the rest, or have its name looked up first."""
        code = target.service_code
        if target.in_maintenance:
            self._results[index] = self._result(code, Outcome.SKIPPED_MAINTENANCE, "检修窗口内,未探测")
            return
        try:
            place = place_of(target.url)
        except UrlRefused as error:
            self._results[index] = self._result(code, Outcome.ADDRESS_REFUSED, str(error))
            return
        job = Job(index, target, place)
        self.hosts[code] = place.host
        self._open += 1
        if _is_address(place.host):
            self._admit(job, Found(place.host, (place.host,)))
            return
        self._names.ask(place.host)
        known = self._names.known(place.host)
        if known:
            self._admit(job, known)
        else:
            self._unnamed[place.host].append(job)

    def _admit(self, job: Job, found: Found) -> None:
        """Queue a job whose name is known, unless one of its addresses is not allowed."""
        if not found.is_answered:
            self._end(job, self._result(job.target.service_code, Outcome.OUT_OF_TIME, "域名服务器未应答"))
        elif not found.addresses:
            self._end(job, self._result(job.target.service_code, Outcome.NAME_UNRESOLVED, "域名无法解析"))
        elif refused := next((a for a in found.addresses if not self._is_allowed(found.host, a)), None):
            detail = f"地址 {refused} 不在允许探测的网段内"
            self._end(job, self._result(job.target.service_code, Outcome.ADDRESS_REFUSED, detail))
        else:
            job.addresses, job.slot = found.addresses, found.addresses[0]
            self._waiting.put(job.slot, job)

    def _is_allowed(self, host: str, address: str) -> bool:
        if address not in self._allowed:
            try:
                self._policy.addresses.check(host, address)
                self._allowed[address] = True
            except (AddressRefused, ValueError):
                self._allowed[address] = False
        return self._allowed[address]

    def _start_some(self) -> None:
        for _ in range(min(STARTS_AT_ONCE, self._policy.concurrency - self._prober.running)):
            job = self._waiting.take()
            if job is None:
                return
            job.begun = time.monotonic()
            self._start(job)

    def _start(self, job: Job) -> None:
        seconds = job.begun + self._policy.total_seconds - time.monotonic()
        self._prober.start(job, job.place, job.addresses, seconds, keeps_body=bool(job.target.expected_text))

    def _admit_named(self) -> None:
        """Take in the names that have been looked up; wait for one of them where there is nothing else to do."""
        is_idle = not self._prober.running and not self._waiting.has_turn
        for found in self._names.answers(NAMES_SECONDS if is_idle else 0.0):
            for job in self._unnamed.pop(found.host, ()):
                self._admit(job, found)

    def _serve(self, until: float) -> list[ProbeResult]:
        """Wait for something to happen and return the results that came of it."""
        can_start = self._waiting.has_turn and self._prober.running < self._policy.concurrency
        if can_start or not self._prober.running:
            longest = 0.0
        else:
            longest = min(
                until - time.monotonic(), NAMES_SECONDS if self._names.is_busy else self._policy.total_seconds
            )
        ended = (self._judge(*end) for end in self._prober.serve(longest))
        return [result for result in ended if result is not None]

    def _judge(self, transfer: Transfer, code: int, job: Job) -> ProbeResult | None:
        """Return the result of a transfer, or None where the next address of the host is tried instead."""
        has_time = time.monotonic() < job.begun + self._policy.total_seconds
        if code == pycurl.E_COULDNT_CONNECT and len(job.addresses) > 1 and has_time:
            job.addresses = job.addresses[1:]
            self._start(job)
            return None
        outcome, detail = judge(transfer, code, job.target.expected_text, self._policy)
        times = transfer.times()
        result = ProbeResult(
            job.target.service_code, outcome, transfer.curl.getinfo(pycurl.RESPONSE_CODE) or None,
            times.connect_ms, times.first_byte_ms, times.total_ms,
            transfer.certificate_expires_on() if job.place.is_secure else None,
            detail[:LONGEST_DETAIL] if detail else None, self._moment(job.begun), times.tls_ms,
        )  # fmt: skip
        self._waiting.end(job.slot)
        self._end(job, result)
        return result

    def _end(self, job: Job, result: ProbeResult) -> None:
        self._results[job.index] = result
        self._open -= 1

    def _result(self, service_code: str, outcome: Outcome, detail: str) -> ProbeResult:
        """Return a result of a target that was never connected to."""
        return ProbeResult(service_code, outcome, None, None, None, None, None, detail, self._moment(time.monotonic()))

    def _moment(self, ticks: float) -> datetime:
        at, then = self._clock
        return at + timedelta(seconds=ticks - then)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
