"""Endpoints to probe: many loopback addresses with a behaviour for each endpoint, and a count of who came.

In tests and beside the sandbox as a context: `with Gateway({"a": Behaviour.OK, "b": Behaviour.HANGS}) as gateway:
gateway.urls["a"]`. As a process of its own, for measurements: `python -m include.sandbox.gateway --help`.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from include.sandbox.certificates import Authority, Trust
from include.sandbox.gateway_answers import HEALTH_TEXT, MEANINGS, Answers, Behaviour, EndpointProtocol, Traffic

__all__ = ["HEALTH_TEXT", "TRAP_ADDRESS", "Behaviour", "Endpoint", "Gateway", "GatewayFailed", "Traffic"]

FIRST_ADDRESS = "127.80.0.1"
TRAP_ADDRESS = "127.66.6.6"
"""A loopback service that nobody may be led to; it answers, and counts."""
ADDRESSES = 200
BACKLOG = 1024
START_SECONDS = 10.0
TRUSTS = {
    Behaviour.TLS_OK: Trust.VALID,
    Behaviour.TLS_EXPIRED: Trust.EXPIRED,
    Behaviour.TLS_SELF_SIGNED: Trust.SELF_SIGNED,
}


class GatewayFailed(OSError):
    """The gateway could not listen."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint: what it does and, where that matters, on which address."""

    behaviour: Behaviour
    address: str = ""


class Gateway:
    """Serves endpoints from a thread; `urls` says where each is, `traffic` what reached an address."""

    def __init__(
        self,
        behaviours: Mapping[str, Behaviour | Endpoint] | Mapping[Behaviour, int],
        *,
        addresses: int = ADDRESSES,
        port: int = 0,
        folder: Path | None = None,
        override: Callable[[], Behaviour | None] = lambda: None,
    ) -> None:
        """Take behaviours by name, or how many endpoints of each behaviour; they are spread over the addresses.

        `port` 0 takes a free one; another one is the port of plain endpoints where it is free, and those beside it
        serve TLS and refuse.
        """
        self.endpoints = _placed(_named(behaviours), addresses)
        self.urls: dict[str, str] = {}
        self.override = override
        self._port, self._folder = port, folder
        self._temporary: TemporaryDirectory[str] | None = None
        self._authority: Authority | None = None
        self._traffic: dict[str, Traffic] = {}
        self._answers: dict[str, Answers] = {}
        self._sockets: dict[tuple[str, Behaviour], socket.socket] = {}
        self._ports: dict[Behaviour, int] = {}
        self._contexts: dict[Behaviour, ssl.SSLContext] = {}
        self._loop = asyncio.new_event_loop()
        self._ready, self._failure = threading.Event(), ""
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)

    def __enter__(self) -> Self:
        """Bind every address, make the certificates and start serving."""
        if self._folder is None:
            self._temporary = TemporaryDirectory(prefix="gateway-")
        self._authority = Authority(Path(self._temporary.name) if self._temporary else self._folder or Path())
        for behaviour, trust in TRUSTS.items():
            at = [e.address for e in self.endpoints.values() if e.behaviour is behaviour]
            if at:
                self._contexts[behaviour] = self._authority.context(trust, sorted(set(at)))
        try:
            self._place()
            self._thread.start()
            if not self._ready.wait(START_SECONDS) or self._failure:
                raise GatewayFailed(self._failure or "the gateway did not start in time")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every connection and free the addresses."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(START_SECONDS)
        for sock in self._sockets.values():
            sock.close()
        if not self._loop.is_running():
            self._loop.close()
        if self._temporary:
            self._temporary.cleanup()

    @property
    def ca_file(self) -> Path:
        """Return the file of the authority that vouches for `tls_ok`."""
        if self._authority is None:
            raise RuntimeError("the gateway has not been started")
        return self._authority.file

    @property
    def addresses(self) -> list[str]:
        """Return every address that is served, the trap left out."""
        return [address for address in self._traffic if address != TRAP_ADDRESS]

    @property
    def trap_url(self) -> str:
        """Return the address that `redirects_inside` leads to; `connections(TRAP_ADDRESS)` counts who followed."""
        return f"http://{TRAP_ADDRESS}:{self._ports[Behaviour.NOT_FOUND]}/internal"

    def connections(self, address: str) -> int:
        """Return how many connections reached an address."""
        return self.traffic(address).connections

    def traffic(self, address: str) -> Traffic:
        """Return connections and bytes of an address, all zero for one that nobody came to."""
        return self._traffic.get(address, Traffic())

    def behave(self, name: str, behaviour: Behaviour) -> None:
        """Let an endpoint behave otherwise from now on; not for TLS and refusing ones, whose port decides."""
        endpoint = self.endpoints[name]
        if _door(behaviour) is not _door(endpoint.behaviour) or behaviour is Behaviour.REFUSES:
            raise ValueError(f"{name} cannot turn from {endpoint.behaviour} into {behaviour}: it needs another port")
        self.endpoints[name] = Endpoint(behaviour, endpoint.address)
        self._answers[endpoint.address].paths[_path(name)] = behaviour

    def _place(self) -> None:
        """Bind the sockets and say where each endpoint is."""
        self._bind(TRAP_ADDRESS, Behaviour.NOT_FOUND)
        self._traffic[TRAP_ADDRESS] = Traffic()
        self._answers[TRAP_ADDRESS] = Answers({"/internal": Behaviour.OK}, "", lambda: None)
        for name, endpoint in self.endpoints.items():
            address, door = endpoint.address, _door(endpoint.behaviour)
            if (address, door) not in self._sockets:
                self._bind(address, door)
            if address not in self._traffic:
                self._traffic[address] = Traffic()
                self._answers[address] = Answers({}, self.trap_url, self._overridden)
            self._answers[address].paths[_path(name)] = endpoint.behaviour
            scheme = "https" if door in TRUSTS else "http"
            port = self._sockets[address, door].getsockname()[1]
            self.urls[name] = f"{scheme}://{address}:{port}{_path(name)}"

    def _overridden(self) -> Behaviour | None:
        return self.override()

    def _bind(self, address: str, door: Behaviour) -> None:
        """Bind a door, on the port that it has on the other addresses if that is free."""
        wanted = self._port + list(_DOORS).index(door) if self._port else self._ports.get(door, 0)
        try:
            sock = _bound(address, wanted)
        except (OSError, OverflowError):
            try:
                sock = _bound(address, 0)
            except OSError as error:
                raise GatewayFailed(f"{address}: {error.strerror}") from error
        self._ports.setdefault(door, sock.getsockname()[1])
        self._sockets[address, door] = sock

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._listen())
        except (OSError, ssl.SSLError) as error:
            self._failure = str(error)
        finally:
            self._ready.set()
        if not self._failure:
            self._loop.run_forever()
            _end_tasks(self._loop)

    async def _listen(self) -> None:
        for (address, door), sock in self._sockets.items():
            if door is Behaviour.REFUSES:
                continue
            make = partial(EndpointProtocol, self._answers[address], self._traffic[address])
            context = self._contexts.get(door)
            await self._loop.create_server(make, sock=sock, backlog=BACKLOG, ssl=context)


_DOORS = (Behaviour.OK, *TRUSTS, Behaviour.REFUSES, Behaviour.NOT_FOUND)
"""What needs a port of its own: plain endpoints, each kind of TLS, refusing ones, the trap."""


def _door(behaviour: Behaviour) -> Behaviour:
    return behaviour if behaviour in TRUSTS or behaviour is Behaviour.REFUSES else Behaviour.OK


def _path(name: str) -> str:
    return f"/services/{name}/health"


def _bound(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def _named(behaviours: Mapping[str, Behaviour | Endpoint] | Mapping[Behaviour, int]) -> dict[str, Endpoint]:
    found: dict[str, Endpoint] = {}
    for name, value in behaviours.items():
        if isinstance(value, int):
            found |= {f"{name}-{number:05d}": Endpoint(Behaviour(name)) for number in range(value)}
        else:
            found[str(name)] = value if isinstance(value, Endpoint) else Endpoint(value)
    return found


def _placed(endpoints: dict[str, Endpoint], addresses: int) -> dict[str, Endpoint]:
    """Return the endpoints with an address each: in turn over so many, from the first on."""
    first = int(ipaddress.IPv4Address(FIRST_ADDRESS))
    placed = {}
    for number, (name, endpoint) in enumerate(endpoints.items()):
        address = endpoint.address or str(ipaddress.IPv4Address(first + number % addresses))
        placed[name] = Endpoint(endpoint.behaviour, address)
    return placed


def _end_tasks(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))


def main(argv: list[str]) -> int:
    """Serve until SIGTERM or SIGINT: one JSON line when ready, one with what reached the addresses at the end."""
    parser = argparse.ArgumentParser("python -m include.sandbox.gateway", description=__doc__)
    parser.add_argument("--addresses", type=int, default=ADDRESSES, help="over how many loopback addresses")
    parser.add_argument("--port", type=int, default=0, help="port of the plain endpoints; 0 takes a free one")
    parser.add_argument("--urls", type=Path, help="write name → address of every endpoint into this JSON file")
    parser.add_argument("--folder", type=Path, help="where the certificates are written; a temporary one if left out")
    for behaviour, meaning in MEANINGS.items():
        parser.add_argument(f"--{behaviour.replace('_', '-')}", type=int, default=0, metavar="N", help=meaning)
    arguments = vars(parser.parse_args(argv))
    counts = {behaviour: arguments[behaviour] for behaviour in Behaviour if arguments[behaviour]}
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    gateway = Gateway(counts, addresses=arguments["addresses"], port=arguments["port"], folder=arguments["folder"])
    with gateway:
        if arguments["urls"]:
            arguments["urls"].write_text(json.dumps(gateway.urls), "utf-8")
        ready = {"ready": True, "endpoints": len(gateway.urls), "addresses": len(gateway.addresses)}
        _say(ready | {"ca_file": str(gateway.ca_file), "health_text": HEALTH_TEXT, "trap_url": gateway.trap_url})
        stop.wait()
        reached = [gateway.traffic(address) for address in gateway.addresses]
        totals = {name: sum(getattr(t, name) for t in reached) for name in ("connections", "received", "sent")}
        _say(totals | {"trapped": gateway.connections(TRAP_ADDRESS)})
    return 0


def _say(values: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
