"""Answers over HTTP, whole or spoilt by a fault of transport or content."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from email.utils import formatdate
from random import Random
from typing import Any

import orjson
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from include.sandbox.faults import Fault
from include.sandbox.signing import Clock

JSON_TYPE = "application/json;charset=utf-8"
HUGE_PIECES, HUGE_PIECE = 300, b" " * 1_000_000
DRIP_BYTES, DRIP_SECONDS = 5, 1.0
DEEP_LEVELS = 100_000
TRANSPORT_KEY = "sandbox.transport"


def json_answer(content: Any, status: int = 200) -> Response:
    """Return a JSON answer."""
    return Response(orjson.dumps(content), status, media_type=JSON_TYPE)


def dated(response: Response, clock: Clock) -> Response:
    """Put the platform's own time into the Date header."""
    response.headers["date"] = formatdate(clock.shown_ms() / 1000, usegmt=True)
    return response


def spoilt_answer(body: bytes, fault: Fault | None, media_type: str = JSON_TYPE) -> Response:
    """Return a body as an answer, spoilt where the fault is one of transport or content."""
    spoil = _SPOILERS.get(fault.scenario) if fault else None
    answer = spoil(body) if spoil else Response(body, media_type=JSON_TYPE)
    if answer.headers.get("content-type") == JSON_TYPE and answer.status_code == 200:
        answer.headers["content-type"] = media_type
    return answer


class ResetAnswer(Response):
    """Sends 90 % of its body and then resets the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the start, wait until the kernel has it, then close with a RST."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        part = bytes(self.body)[: len(self.body) * 9 // 10]
        await send({"type": "http.response.body", "body": part, "more_body": True})
        transport = scope["extensions"][TRANSPORT_KEY]
        while transport.get_write_buffer_size() and not transport.is_closing():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
        await asyncio.sleep(0.01)


class DripAnswer(Response):
    """Sends its body a few bytes a second until the caller has gone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send piece by piece."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body, transport = bytes(self.body), scope["extensions"][TRANSPORT_KEY]
        for begin in range(0, len(body), DRIP_BYTES):
            piece = body[begin : begin + DRIP_BYTES]
            more = begin + DRIP_BYTES < len(body)
            await send({"type": "http.response.body", "body": piece, "more_body": more})
            if transport.is_closing():
                return
            await asyncio.sleep(DRIP_SECONDS)


async def _spaces() -> AsyncIterator[bytes]:
    for _ in range(HUGE_PIECES):
        yield HUGE_PIECE
        await asyncio.sleep(0)
    yield b'{"code":"0"}'


def _error_500(_: bytes) -> Response:
    return Response("java.lang.NullPointerException", 500, media_type="text/plain")


def _error_429(_: bytes) -> Response:
    response = json_answer({"code": "-1", "message": "访问过于频繁", "data": ""}, 429)
    response.headers["retry-after"] = "1"
    return response


def _html_200(_: bytes) -> Response:
    page = "<!DOCTYPE html><html><head><title>系统维护</title></head><body>请稍后再试。</body></html>"
    return Response(page, media_type="text/html")


def _truncated(body: bytes) -> Response:
    return Response(body[: len(body) * 6 // 10], media_type=JSON_TYPE)


def _gbk(body: bytes) -> Response:
    return Response(body.decode().encode("gb18030"), media_type=JSON_TYPE)


def _redirect(_: bytes) -> Response:
    return Response(b"", 302, {"location": "http://other-host.invalid/list"})


def _deep(_: bytes) -> Response:
    arrays = b"[" * DEEP_LEVELS + b"]" * DEEP_LEVELS
    return Response(b'{"code":"0","data":' + arrays + b"}", media_type=JSON_TYPE)


def _mess(_: bytes) -> Response:
    return Response(bytes([0, 255, 254]) + Random(0).randbytes(4096), headers={"content-type": "text/plain"})


_SPOILERS = {
    "error_500": _error_500,
    "error_429": _error_429,
    "reset_90": lambda body: ResetAnswer(body, media_type=JSON_TYPE),
    "html_200": _html_200,
    "truncated_json": _truncated,
    "gbk_as_utf8": _gbk,
    "slow_drip": lambda body: DripAnswer(body, media_type=JSON_TYPE),
    "huge_page": lambda _: StreamingResponse(_spaces(), media_type=JSON_TYPE),
    "redirect": _redirect,
    "deep_json": _deep,
    "wrong_type": _mess,
}
