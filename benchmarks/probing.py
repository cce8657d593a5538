"""W3: a sweep over thousands of endpoints against requests, plain pycurl and a bare limit, and one in which a tenth hang.

The endpoints are the sandbox's gateways on loopback addresses, in a process of their own. The ways take turns in each round.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.goals import Goal
from benchmarks.usage import RunFailed, background, bare_interpreter_kib, run_measured

ADDRESSES = 201
MIX = {"ok": 90, "slow": 6, "refuses": 2, "tls_self_signed": 2}
HANGING = {"ok": 90, "hangs": 10}
"""Percent of the endpoints by behaviour."""
WAITS = 0.5
"""Seconds that a slow endpoint takes."""
CONCURRENCIES = (50, 200)
WAYS = ("requests", "session", "pycurl", "limit", "ours")
PROBE_SECONDS = 3.0
BUDGETS = {"enough for all": 60.0, "too little": 6.0}
SERVER = "import sys, uvloop; from include.sandbox.gateway import main; uvloop.install(); sys.exit(main(sys.argv[1:]))"
"""The gateways on a faster loop: the endpoints must not be what limits the fastest of those who ask them.

Without assertions, of which one says that transports are asyncio's own.
"""
OVER = 1.0
"""Seconds by which a sweep may exceed its time."""
EXPECTED = {"ok": "succeeded", "slow": "succeeded", "refuses": "refused", "tls_self_signed": "tls_untrusted"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one way; seconds of the probing itself, milliseconds as it reports them of endpoints that answer at once."""

    way: str
    concurrency: int
    endpoints: int
    wall: float
    cpu: float
    peak_mib: float
    p50: float
    p99: float
    lag_ms: int | None
    outcomes: dict[str, int]

    @property
    def micros(self) -> float:
        """Return CPU microseconds per probe."""
        return self.cpu / self.endpoints * 1e6


@dataclass(frozen=True, slots=True)
class Hung:
    """One of our sweeps in which a tenth of the endpoints hang."""

    budget: str
    seconds: float
    wall: float
    wrong: int
    """Endpoints that answer at once and were said to have failed."""
    concluded: int
    """Endpoints that answer at once and were reached in time."""
    healthy: int


def measure(endpoints: int, runs: int, home: Path, say: Callable[[str], None]) -> tuple[list[Sample], list[Hung]]:
    """Return every run of every way, and our sweeps over hanging endpoints."""
    samples, hung = [], []
    with _gateway(endpoints, MIX, home) as work:
        for _ in range(runs):
            for concurrency in CONCURRENCIES:
                for way in WAYS:
                    samples.append(_run(way, concurrency, work))
                    s = samples[-1]
                    say(f"{way} {concurrency}: {s.wall:.2f} s, {s.micros:.0f} µs CPU a probe, p50 {s.p50:.1f} ms")
    with _gateway(endpoints, HANGING, home) as work:
        for budget, seconds in BUDGETS.items():
            scaled = seconds if budget == "enough for all" else seconds * min(1.0, endpoints / 10_000)
            hung.append(_hang(budget, scaled, work))
            say(f"a tenth hang, {scaled:.1f} s are {budget}: {hung[-1]}")
    return samples, hung


@contextmanager
def _gateway(endpoints: int, mix: dict[str, int], home: Path) -> Iterator[Path]:
    """Serve a mix and give the file that says what is to be probed, in a shuffled order that is the same every time."""
    urls, work = home / "urls.json", home / "work.json"
    counts = [f"--{kind.replace('_', '-')}={endpoints * percent // 100}" for kind, percent in mix.items()]
    command = [sys.executable, "-O", "-c", SERVER, f"--addresses={ADDRESSES}", f"--urls={urls}"]
    with background([*command, *counts], os.environ, home / "gateway.log") as ready:
        found = list(json.loads(urls.read_text("utf-8")).items())
        random.Random(7).shuffle(found)
        names = [name for name, _ in found]
        given = {
            "urls": [url for _, url in found], "names": names, "kinds": {n: n.rsplit("-", 1)[0] for n in names},
            "ca_file": ready["ca_file"], "health_text": ready["health_text"], "probe_seconds": PROBE_SECONDS,
            "sweep_seconds": BUDGETS["enough for all"],
        }  # fmt: skip
        work.write_text(json.dumps(given), "utf-8")
        yield work


def _run(way: str, concurrency: int, work: Path) -> Sample:
    usage = run_measured(
        [sys.executable, "-m", "benchmarks.peers.probers", way, str(concurrency), str(work)], os.environ
    )
    said = usage.said
    outcomes: dict[str, int] = said["outcomes"]
    wrong = [key for key in outcomes if EXPECTED.get(key.split(" ")[0], "") != key.split(" ")[1]]
    if wrong:
        raise RunFailed(f"{way} at {concurrency} reports what the endpoints did not do: {outcomes}")
    return Sample(
        way, concurrency, sum(outcomes.values()), said["wall"], said["cpu"],
        (usage.peak_kib - bare_interpreter_kib()) / 1024, said["p50"], said["p99"], said.get("lag_ms"), outcomes,
    )  # fmt: skip


def _hang(budget: str, seconds: float, work: Path) -> Hung:
    given = json.loads(work.read_text("utf-8")) | {"sweep_seconds": seconds}
    file = work.with_name("hanging.json")
    file.write_text(json.dumps(given), "utf-8")
    usage = run_measured([sys.executable, "-m", "benchmarks.peers.probers", "ours", "200", str(file)], os.environ)
    outcomes = Counter(usage.said["outcomes"])
    healthy = sum(n for key, n in outcomes.items() if key.startswith("ok "))
    concluded, unreached = outcomes["ok succeeded"], outcomes["ok out_of_time"]
    return Hung(budget, seconds, usage.said["wall"], healthy - concluded - unreached, concluded, healthy)


def markdown(samples: list[Sample], hung: list[Hung]) -> str:
    """Return the medians of each way, and the sweeps over hanging endpoints."""
    lines = [
        "| way, concurrency | wall s | probes/s | CPU µs a probe | peak MiB | p50 / p99 ms | lag ms |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for way in WAYS:
        for concurrency in CONCURRENCIES:
            f = _Figures(samples, way, concurrency)
            lag = f"{f.of('lag_ms'):.0f}" if way == "ours" else "–"
            lines.append(
                f"| {way} {concurrency} | {f.of('wall'):.2f} | {f.rate:,.0f} | {f.of('micros'):.0f} | {f.of('peak_mib'):.0f} "
                f"| {f.of('p50'):.1f} / {f.of('p99'):.0f} | {lag} |"
            )
    lines += [
        "",
        "| a tenth hang; time | took s | healthy ones found so | said to have failed |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {h.seconds:g} s, {h.budget} | {h.wall:.2f} | {h.concluded:,} of {h.healthy:,} | {h.wrong} |" for h in hung
    ]
    return "\n".join(lines)


def goals(samples: list[Sample], hung: list[Hung]) -> list[Goal]:
    """Return every goal of W3 with its verdict."""
    few, many = CONCURRENCIES
    thrifty = _Figures(samples, "session", many)
    ours, slower = _Figures(samples, "ours", many), _Figures(samples, "ours", few)
    theirs, curl, limit = (_Figures(samples, way, many) for way in ("requests", "pycurl", "limit"))
    waiting = WAITS * slower.samples[0].outcomes.get("slow succeeded", 0) / few
    ending = max(h.wall - h.seconds for h in hung)
    enough = hung[0]
    return [
        _at_least("at 200, probes/s ≥ 5x requests + ThreadPool(200)", ours.rate / theirs.rate, 5),
        replace(_at_least("… to requests with a session a thread", ours.rate / thrifty.rate, 0), is_goal=False),
        _at_most("at 200, wall ≤ 1.5x plain pycurl", ours.of("wall") / curl.of("wall"), 1.5),
        _at_most("at 50, wall ≤ 1.15x waiting / 50", slower.of("wall") / waiting, 1.15),
        _at_least("CPU a probe ≤ 1/5 of requests'", theirs.of("micros") / ours.of("micros"), 5),
        replace(_at_least("… of requests with a session a thread", thrifty.of("micros") / ours.of("micros"), 0), is_goal=False),
        _at_most("CPU a probe ≤ 3x the limit's", ours.of("micros") / limit.of("micros"), 3),
        _at_most("at 50, p50 of immediate endpoints ≤ 5 ms", slower.of("p50"), 5, " ms"),
        _at_most(f"peak ≤ 60 MiB over the interpreter at {ours.samples[0].endpoints:,}", ours.of("peak_mib"), 60, " MiB"),
        _at_most("a tenth hang: over its time by ≤ 1 s", ending, OVER, " s"),
        Goal(
            "a tenth hang: every healthy endpoint found healthy", f"{enough.concluded:,} of {enough.healthy:,}",
            enough.concluded == enough.healthy and not any(h.wrong for h in hung),
        ),
    ]  # fmt: skip


def as_results(samples: list[Sample], hung: list[Hung]) -> dict[str, Any]:
    """Return all figures as plain values."""
    return {"samples": [asdict(s) for s in samples], "hanging": [asdict(h) for h in hung]}


class _Figures:
    def __init__(self, samples: list[Sample], way: str, concurrency: int) -> None:
        self.samples = [s for s in samples if (s.way, s.concurrency) == (way, concurrency)]

    def of(self, name: str) -> float:
        """Return the median of one figure."""
        return median(getattr(s, name) for s in self.samples)

    @property
    def rate(self) -> float:
        """Return probes per second."""
        return self.samples[0].endpoints / self.of("wall")


def _at_least(title: str, found: float, wanted: float) -> Goal:
    return Goal(title, f"{found:.2f}x", found >= wanted)


def _at_most(title: str, found: float, wanted: float, unit: str = "x") -> Goal:
    return Goal(title, f"{found:.2f}{unit}", found <= wanted)
