"""How a gateway's endpoint behaves once it is called: well, slowly, wrongly or not at all."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

SLOW_SECONDS = 0.5
DRIP_SECONDS = 1.0
LONGEST_REQUEST = 65_536
ENDLESS_PIECE = b"x" * 65_536
HEALTH_TEXT = '"status":"UP"'
"""What a healthy endpoint says; it stands in no other answer."""
ABROAD = "http://gateway.other-host.invalid/health"


class Behaviour(StrEnum):
    """What becomes of a call to an endpoint."""

    OK = "ok"
    SLOW = "slow"
    REFUSES = "refuses"
    HANGS = "hangs"
    DRIPS = "drips"
    ERROR_500 = "error_500"
    NOT_FOUND = "not_found"
    WRONG_BODY = "wrong_body"
    REDIRECTS_INSIDE = "redirects_inside"
    REDIRECTS_ABROAD = "redirects_abroad"
    RESETS = "resets"
    ENDLESS = "endless"
    MALFORMED = "malformed"
    TLS_OK = "tls_ok"
    TLS_EXPIRED = "tls_expired"
    TLS_SELF_SIGNED = "tls_self_signed"


MEANINGS = {
    Behaviour.OK: "200 with the health text",
    Behaviour.SLOW: "the same after 0.5 s",
    Behaviour.REFUSES: "a port on which nobody listens",
    Behaviour.HANGS: "accepts and never answers",
    Behaviour.DRIPS: "sends one byte a second",
    Behaviour.ERROR_500: "500",
    Behaviour.NOT_FOUND: "404",
    Behaviour.WRONG_BODY: "200 with a log-in page",
    Behaviour.REDIRECTS_INSIDE: "302 to a loopback service that is nobody's business (the trap)",
    Behaviour.REDIRECTS_ABROAD: "302 to a foreign host",
    Behaviour.RESETS: "resets the connection (RST) after the request",
    Behaviour.ENDLESS: "200 with a body that never ends",
    Behaviour.MALFORMED: "a status line that is none",
    Behaviour.TLS_OK: "as ok over TLS with a certificate of the test authority",
    Behaviour.TLS_EXPIRED: "over TLS with a certificate that has run out",
    Behaviour.TLS_SELF_SIGNED: "over TLS with a certificate that only itself vouches for",
}


@dataclass(slots=True)
class Traffic:
    """What reached one address."""

    connections: int = 0
    received: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Answers:
    """What the endpoints of one address do, by path; `override` is what all of them do instead, for a time."""

    paths: dict[str, Behaviour]
    trap_url: str
    override: Callable[[], Behaviour | None]

    def behaviour(self, path: str) -> Behaviour:
        """Return what a path does now; one that is not known is not found."""
        return self.override() or self.paths.get(path, Behaviour.NOT_FOUND)


class EndpointProtocol(asyncio.Protocol):
    """One connection to a gateway: reads requests until their end of headers and lets the endpoint behave."""

    def __init__(self, answers: Answers, traffic: Traffic) -> None:
        self.answers, self.traffic = answers, traffic
        self.transport: asyncio.Transport
        self._request = b""
        self._can_write = True
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  narrows asyncio's own declaration
        self.transport = transport
        self.traffic.connections += 1

    def data_received(self, data: bytes) -> None:
        """Collect a request; behave once its headers have ended."""
        self.traffic.received += len(data)
        self._request += data
        if b"\r\n\r\n" in self._request:
            request, self._request = self._request, b""
            self._behave(request)
        elif len(self._request) > LONGEST_REQUEST:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop whatever was still to be sent."""
        self._can_write = False
        if self._timer:
            self._timer.cancel()

    def pause_writing(self) -> None:
        """Wait until the caller has read."""
        self._can_write = False

    def resume_writing(self) -> None:
        """Go on with an endless body."""
        self._can_write = True
        self._pour()

    def _behave(self, request: bytes) -> None:
        line = request.split(b"\r\n", 1)[0].split(b" ")
        path = line[1].decode("latin-1") if len(line) > 1 else ""
        behaviour = self.answers.behaviour(path)
        act = _ACTS.get(behaviour)
        if act:
            act(self)
            return
        is_last = b"connection: close" in request.lower()
        body = _whole(behaviour, self.answers.trap_url, path, is_last)
        if behaviour is Behaviour.SLOW:
            self._later(SLOW_SECONDS, lambda: self._send(body, is_last))
        else:
            self._send(body, is_last)

    def _send(self, data: bytes, is_last: bool = False) -> None:
        self.traffic.sent += len(data)
        self.transport.write(data)
        if is_last:
            self.transport.close()

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, act)

    def hang(self) -> None:
        """Say nothing for as long as the caller waits."""

    def drip(self, rest: bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 3000\r\n\r\n" + b"." * 3000) -> None:
        """Send one byte, and the next in a second."""
        self._send(rest[:1], is_last=len(rest) == 1)
        if len(rest) > 1:
            self._later(DRIP_SECONDS, lambda: self.drip(rest[1:]))

    def reset(self) -> None:
        """Close with a RST."""
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def flood(self) -> None:
        """Begin a body without length and without end."""
        self._send(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")
        self._pour()

    def garble(self) -> None:
        """Answer something that is no HTTP."""
        self._send(b"HELLO/9 fine thank you\r\n\r\n", is_last=True)

    def _pour(self) -> None:
        if self._can_write and not self.transport.is_closing():
            self._send(ENDLESS_PIECE)
            # Through the loop, not in a circle: others are to be served in between.
            self._later(0, self._pour)


_ACTS: dict[Behaviour, Callable[[EndpointProtocol], None]] = {
    Behaviour.HANGS: EndpointProtocol.hang,
    Behaviour.DRIPS: EndpointProtocol.drip,
    Behaviour.RESETS: EndpointProtocol.reset,
    Behaviour.ENDLESS: EndpointProtocol.flood,
    Behaviour.MALFORMED: EndpointProtocol.garble,
}
_LOGIN_PAGE = "<!DOCTYPE html><html><head><title>统一身份认证</title></head><body>请登录</body></html>"


def _whole(behaviour: Behaviour, trap_url: str, path: str, is_last: bool) -> bytes:
    """Return a complete answer."""
    status, headers, body = "200 OK", "content-type: application/json;charset=utf-8\r\n", ""
    if behaviour is Behaviour.ERROR_500:
        status, body = "500 Internal Server Error", '{"status":"DOWN"}'
    elif behaviour is Behaviour.NOT_FOUND:
        status, body = "404 Not Found", '{"error":"Not Found"}'
    elif behaviour is Behaviour.WRONG_BODY:
        headers, body = "content-type: text/html;charset=utf-8\r\n", _LOGIN_PAGE
    elif behaviour in (Behaviour.REDIRECTS_INSIDE, Behaviour.REDIRECTS_ABROAD):
        target = trap_url if behaviour is Behaviour.REDIRECTS_INSIDE else ABROAD
        status, headers = "302 Found", f"location: {target}\r\n"
    else:
        body = f'{{{HEALTH_TEXT},"service":{json.dumps(path)}}}'
    raw = body.encode()
    ending = "connection: close\r\n" if is_last else ""
    return f"HTTP/1.1 {status}\r\n{headers}content-length: {len(raw)}\r\n{ending}\r\n".encode() + raw
