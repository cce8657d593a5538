"""One round of probes until a moment: names are looked up beside it, addresses checked, and each host asked politely."""

from __future__ import annotations

import ipaddress
import random
import resource
import time
from collections import defaultdict, deque
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
PATIENCE_SECONDS = 1.0
"""After which a probe only waits: it costs a descriptor and no time of the loop, and another may begin beside it."""
SPARE_DESCRIPTORS = 128
"""Left to the rest of the process."""
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
    is_over: bool = False
    is_patient: bool = False
    """Whether it has run for so long that it counts as waiting."""


class Round:
    """Probes lists of targets, one after the other, with the same handles and names.

    The order is drawn from `seed`: were the time too short, it would not be the same services each time that are left out.
    """

    def __init__(self, policy: ProbePolicy, prober: Prober[Job], names: Names, seed: str) -> None:
        """Take the policy, what runs the transfers and what looks names up."""
        self._policy, self._prober, self._names, self._seed = policy, prober, names, seed
        self._most_open = min(policy.open_connections, _descriptors())
        self._clock: tuple[datetime, float] = (now(), time.monotonic())
        self._allowed: dict[str, bool] = {}
        self.hosts: dict[str, str] = {}
        """The host of every service whose address could be read."""
        self._start_over(0)

    def _start_over(self, size: int) -> None:
        self._results: list[ProbeResult | None] = [None] * size
        self._open = 0
        self._young: deque[Job] = deque()
        self._patient = 0
        self._waiting: Waiting[Job] = Waiting(self._policy.per_host)
        self._unnamed: dict[str, list[Job]] = defaultdict(list)

    def probe(
        self, targets: Sequence[Target], until: float, enough: Callable[[ProbeResult], bool] = lambda _: False
    ) -> list[ProbeResult]:
        """Return a result for every target; ends at `until` (monotonic clock), or once a result is enough."""
        self._start_over(len(targets))
        order = list(enumerate(targets))
        random.Random(self._seed).shuffle(order)  # noqa: S311 - nothing secret
        for index, target in order:
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
        for _ in range(min(STARTS_AT_ONCE, self._room())):
            job = self._waiting.take()
            if job is None:
                return
            job.begun = time.monotonic()
            self._young.append(job)
            self._start(job)

    def _room(self) -> int:
        """Return how many probes may begin; those that only wait for an answer do not count as running."""
        patient_before = time.monotonic() - PATIENCE_SECONDS
        while self._young and (self._young[0].is_over or self._young[0].begun < patient_before):
            job = self._young.popleft()
            if not job.is_over:
                job.is_patient = True
                self._patient += 1
        running = self._prober.running
        return min(self._policy.concurrency - running + self._patient, self._most_open - running)

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
        ended = (self._judge(*end) for end in self._prober.serve(self._longest_wait(until)))
        return [result for result in ended if result is not None]

    def _longest_wait(self, until: float) -> float:
        has_turn = self._waiting.has_turn
        if not self._prober.running or (has_turn and self._room() > 0):
            return 0.0
        waits = [until - time.monotonic()]
        if has_turn and self._young:
            waits.append(self._young[0].begun + PATIENCE_SECONDS - time.monotonic())
        if self._names.is_busy:
            waits.append(NAMES_SECONDS)
        return max(0.0, min(waits))

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
        self._patient -= job.is_patient
        job.is_over = True

    def _result(self, service_code: str, outcome: Outcome, detail: str) -> ProbeResult:
        """Return a result of a target that was never connected to."""
        return ProbeResult(service_code, outcome, None, None, None, None, None, detail, self._moment(time.monotonic()))

    def _moment(self, ticks: float) -> datetime:
        at, then = self._clock
        return at + timedelta(seconds=ticks - then)


def _descriptors() -> int:
    """Return how many connections the process may open; at least one, and what fails for want of more is told apart."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1_000_000 if soft == resource.RLIM_INFINITY else max(1, soft - SPARE_DESCRIPTORS)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
