"""Five ways to probe the same endpoints; `python -m benchmarks.peers.probers WAY CONCURRENCY TARGETS` probes once, prints JSON.

`ours` is the whole of our sweep. `requests` is what most write: `requests.get` in a pool of threads; `session` keeps one session a
thread, which spares requests half of its work. `pycurl` is curl's multi interface as its documentation shows it.
`limit` stops at the status line: a lower bound, no HTTP client.
Every way verifies certificates, follows no redirect and makes a new connection for each endpoint.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import urlsplit

SECONDS = 10.0
WORD = "refused"
UNTRUSTED = "tls_untrusted"


@dataclass(frozen=True, slots=True)
class Work:
    """What to probe: addresses in order, the authority to trust, and how long a probe and ours as a whole may take."""

    urls: list[str]
    ca_file: str
    health_text: str
    probe_seconds: float
    sweep_seconds: float


Found = list[tuple[str, float]]
"""Outcome and milliseconds of each address, in their order."""


def ours(work: Work, concurrency: int) -> tuple[Found, dict[str, Any]]:
    """Sweep with the default policy, the loopback network allowed."""
    import ipaddress

    from include.sources.address import AddressPolicy
    from include.sources.probing.policy import load_policy
    from include.sources.probing.sweep import sweep
    from include.sources.probing.target import Target

    policy = replace(
        load_policy(), concurrency=concurrency, addresses=AddressPolicy((ipaddress.ip_network("127.80.0.0/15"),)),
        ca_file=Path(work.ca_file), total_seconds=work.probe_seconds, sweep_seconds=work.sweep_seconds,
    )  # fmt: skip
    targets = [Target(str(n), None, url, work.health_text) for n, url in enumerate(work.urls)]
    found = sweep(targets, policy, "benchmark")
    return [(str(r.outcome), r.total_ms or 0.0) for r in found.results], {"lag_ms": found.lag_ms}


def requests_get(work: Work, concurrency: int) -> tuple[Found, dict[str, Any]]:
    """Probe with `requests.get` in a pool of threads."""
    import requests

    return _in_threads(work, concurrency, lambda: requests.get)


def requests_session(work: Work, concurrency: int) -> tuple[Found, dict[str, Any]]:
    """Probe with a session of requests for each thread, which does not look for proxies each time."""
    import requests

    own = threading.local()

    def get() -> Callable[..., Any]:
        if not hasattr(own, "session"):
            own.session = requests.Session()
            own.session.trust_env = False
        return own.session.get

    return _in_threads(work, concurrency, get)


def _in_threads(work: Work, concurrency: int, get: Callable[[], Callable[..., Any]]) -> tuple[Found, dict[str, Any]]:
    from concurrent.futures import ThreadPoolExecutor

    import requests

    def probe(url: str) -> tuple[str, float]:
        begun = time.perf_counter()
        try:
            with get()(
                url,
                timeout=work.probe_seconds,
                allow_redirects=False,
                headers={"Connection": "close"},
                verify=work.ca_file,
            ) as answer:
                outcome = str(answer.status_code) if answer.status_code != 200 else _read(answer.text, work)
        except requests.exceptions.SSLError:
            outcome = UNTRUSTED
        except requests.exceptions.Timeout:
            outcome = "timed_out"
        except requests.exceptions.ConnectionError:
            outcome = WORD
        return outcome, (time.perf_counter() - begun) * 1000

    with ThreadPoolExecutor(concurrency) as pool:
        return list(pool.map(probe, work.urls)), {}


def _read(body: str, work: Work) -> str:
    return "succeeded" if work.health_text in body else "wrong_body"


def pycurl_multi(work: Work, concurrency: int) -> tuple[Found, dict[str, Any]]:
    """Probe with curl's multi interface and reused handles."""
    from io import BytesIO

    import pycurl

    codes = {7: WORD, 28: "timed_out", 60: UNTRUSTED}
    multi, free = pycurl.CurlMulti(), []
    for _ in range(concurrency):
        curl = pycurl.Curl()
        for option, value in (
            (pycurl.NOSIGNAL, 1), (pycurl.PROXY, ""), (pycurl.FORBID_REUSE, 1), (pycurl.FRESH_CONNECT, 1),
            (pycurl.CAINFO, work.ca_file), (pycurl.TIMEOUT_MS, round(work.probe_seconds * 1000)),
        ):  # fmt: skip
            curl.setopt(option, value)
        free.append(curl)
    found: Found = [("", 0.0)] * len(work.urls)
    at, running = 0, {}
    while at < len(work.urls) or running:
        while free and at < len(work.urls):
            curl, body = free.pop(), BytesIO()
            curl.setopt(pycurl.URL, work.urls[at])
            curl.setopt(pycurl.WRITEDATA, body)
            multi.add_handle(curl)
            running[curl] = (at, body)
            at += 1
        while multi.perform()[0] == pycurl.E_CALL_MULTI_PERFORM:
            pass
        more = 1
        while more:
            more, well, badly = multi.info_read()
            for curl, code in [(c, 0) for c in well] + [(c, n) for c, n, _ in badly]:
                index, body = running.pop(curl)
                status = curl.getinfo(pycurl.RESPONSE_CODE)
                outcome = codes.get(code, f"curl {code}") if code else str(status)
                if outcome == "200":
                    outcome = _read(body.getvalue().decode(), work)
                found[index] = outcome, curl.getinfo(pycurl.TOTAL_TIME) * 1000
                multi.remove_handle(curl)
                free.append(curl)
        if running:
            multi.select(1.0)
    return found, {}


def limit(work: Work, concurrency: int) -> tuple[Found, dict[str, Any]]:
    """Ask with bare asyncio protocols on uvloop."""
    import uvloop

    return uvloop.run(_ask_all(work, concurrency)), {}


class _Asking(asyncio.Protocol):
    def __init__(self, request: bytes, done: asyncio.Future[str]) -> None:
        self.request, self.done = request, done

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if not self.done.done():
            self.done.set_result("succeeded" if data[9:12] == b"200" else data[9:12].decode())
        self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result("reset")


async def _ask_all(work: Work, concurrency: int) -> Found:
    loop, context = asyncio.get_running_loop(), ssl.create_default_context(cafile=work.ca_file)
    found: Found = [("", 0.0)] * len(work.urls)
    rest = iter(enumerate(work.urls))

    async def ask(url: str) -> str:
        parts = urlsplit(url)
        done: asyncio.Future[str] = loop.create_future()
        request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
        secure = context if parts.scheme == "https" else None
        try:
            async with asyncio.timeout(work.probe_seconds):
                await loop.create_connection(lambda: _Asking(request, done), parts.hostname, parts.port, ssl=secure)
                return await done
        except ssl.SSLError:
            return UNTRUSTED
        except TimeoutError:
            return "timed_out"
        except OSError:
            return WORD

    async def take() -> None:
        for index, url in rest:
            begun = time.perf_counter()
            outcome = await ask(url)
            found[index] = outcome, (time.perf_counter() - begun) * 1000

    await asyncio.gather(*(take() for _ in range(concurrency)))
    return found


WAYS: dict[str, Callable[[Work, int], tuple[Found, dict[str, Any]]]] = {
    "ours": ours, "requests": requests_get, "session": requests_session, "pycurl": pycurl_multi, "limit": limit,
}  # fmt: skip


def main(way: str, concurrency: int, file: Path) -> None:
    """Probe once and print outcomes by kind of endpoint, and what it took; imports are not counted as probing."""
    given = json.loads(file.read_text("utf-8"))
    kinds, names = given.pop("kinds"), given.pop("names")
    work = Work(**given)
    WAYS[way](replace(work, urls=[]), 1)  # imports and the reading of the policy are not probing
    begun, cpu = time.perf_counter(), time.process_time()
    found, said = WAYS[way](work, concurrency)
    wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
    outcomes = Counter(f"{kinds[name]} {outcome}" for name, (outcome, _) in zip(names, found, strict=True))
    quick = [took for name, (_, took) in zip(names, found, strict=True) if kinds[name] == "ok"]
    cuts = quantiles(quick, n=100)
    figures = {"wall": wall, "cpu": cpu, "outcomes": dict(sorted(outcomes.items())), "p50": cuts[49], "p99": cuts[98]}
    print(json.dumps(figures | said))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
