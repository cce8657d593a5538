"""One reusable curl handle: asks one place at a time, at the checked address and no other, and keeps little of the answer."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pycurl

from include.clock import SHANGHAI
from include.sources.probing.policy import ProbePolicy
from include.sources.probing.target import Place

MOST_HEADER_BYTES = 65_536
_SOCKET_BAD: int = pycurl.SOCKET_BAD


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds from the start of a probe; None for what was not reached."""

    connect_ms: float | None
    tls_ms: float | None
    first_byte_ms: float | None
    total_ms: float


class Transfer:
    """A handle with what is alike in all probes set once; `ask` sets the rest."""

    def __init__(self, policy: ProbePolicy, authorities: Path) -> None:
        """Take the policy and the file of the authorities that are trusted."""
        self._policy = policy
        self.body = bytearray()
        self.is_cut = False
        """Whether more of the body came than is read."""
        self.has_long_head = False
        self._keeps_body = False
        self._received = self._head = 0
        self._addresses: tuple[str, ...] = ()
        self.curl = _prepared(policy, authorities)
        for option, function in (
            (pycurl.WRITEFUNCTION, self._take),
            (pycurl.HEADERFUNCTION, self._take_head),
            (pycurl.OPENSOCKETFUNCTION, self._open),
        ):
            self.curl.setopt(option, function)

    def ask(self, place: Place, addresses: Sequence[str], seconds: float, *, keeps_body: bool) -> None:
        """Prepare a probe: the connection goes to the first of these addresses, whatever the URL's host is called."""
        self.body.clear()
        self.is_cut = self.has_long_head = False
        self._received = self._head = 0
        self._keeps_body = keeps_body
        self._addresses = tuple(addresses)
        shown = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
        curl = self.curl
        curl.setopt(pycurl.URL, place.url)
        curl.setopt(pycurl.CONNECT_TO, [f"::{shown}:{place.port}"])
        curl.setopt(pycurl.TIMEOUT_MS, max(1, round(seconds * 1000)))
        connect = min(seconds, self._policy.connect_seconds)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, round(connect * 1000)))

    def times(self) -> Times:
        """Return how long the parts of the probe took."""
        parts = (pycurl.CONNECT_TIME_T, pycurl.APPCONNECT_TIME_T, pycurl.STARTTRANSFER_TIME_T)
        connect, tls, first_byte = (us / 1000 if us else None for us in map(self.curl.getinfo, parts))
        return Times(connect, tls, first_byte, self.curl.getinfo(pycurl.TOTAL_TIME_T) / 1000)

    def certificate_expires_on(self) -> date | None:
        """Return the day, in Shanghai, on which the server's certificate runs out."""
        chain = self.curl.getinfo_raw(pycurl.INFO_CERTINFO) or ()
        for name, value in chain[0] if chain else ():
            if name == b"Expire date":
                return _day(value)
        return None

    def _take(self, data: bytes) -> int:
        self._received += len(data)
        if self._keeps_body:
            self.body += data[: self._policy.max_bytes - len(self.body)]
        self.is_cut = self._received > self._policy.max_bytes
        return -1 if self.is_cut else len(data)

    def _take_head(self, line: bytes) -> int:
        self._head += len(line)
        self.has_long_head = self._head > MOST_HEADER_BYTES
        return -1 if self.has_long_head else len(line)

    def _open(self, purpose: int, address: tuple[int, int, int, Any]) -> socket.socket | int:
        """Open a socket for a checked address only: the last word, should curl ever think of another."""
        family, kind, protocol, where = address
        if where[0] not in self._addresses:
            return _SOCKET_BAD
        try:
            return _Lent(family, kind, protocol)
        except OSError:
            return _SOCKET_BAD  # no descriptors left: this machine's fault, and judged as such


class _Lent(socket.socket):
    """A socket of which curl keeps a copy of its own: this one is closed, not lost, when curl lets it go."""

    def __del__(self) -> None:
        self.close()


def _prepared(policy: ProbePolicy, authorities: Path) -> pycurl.Curl:
    curl = pycurl.Curl()
    web = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS
    for option, value in (
        (pycurl.NOSIGNAL, 1),
        (pycurl.PROTOCOLS, web),
        (pycurl.REDIR_PROTOCOLS, web),
        (pycurl.FOLLOWLOCATION, 0),
        (pycurl.PROXY, ""),  # an empty one: those of the environment are not asked
        (pycurl.NOPROXY, "*"),
        (pycurl.NETRC, 0),
        (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
        (pycurl.HTTPGET, 1),
        (pycurl.HTTP09_ALLOWED, 0),
        (pycurl.PATH_AS_IS, 1),
        (pycurl.FRESH_CONNECT, 1),  # each probe connects: that the service can be reached is the question
        (pycurl.FORBID_REUSE, 1),
        (pycurl.SSL_SESSIONID_CACHE, 0),
        (pycurl.SSL_VERIFYPEER, 1),
        (pycurl.SSL_VERIFYHOST, 2),
        (pycurl.OPT_CERTINFO, 1),
        (pycurl.CAINFO, str(authorities)),
        (pycurl.USERAGENT, policy.user_agent),
        (pycurl.HTTPHEADER, ["Accept: */*", "Connection: close"]),
    ):
        curl.setopt(option, value)
    curl.unsetopt(pycurl.CAPATH)
    return curl


def _day(text: bytes) -> date | None:
    try:
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(text.decode("ascii")), SHANGHAI).date()
    except (ValueError, OverflowError, OSError):
        return None
