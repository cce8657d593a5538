"""What every answer of the board has: HEAD beside GET, an ETag with 304, and the headers that keep pages to themselves.

Plain ASGI: the body is held back until it is whole, which no answer of the board is too large for.
"""

from __future__ import annotations

import hashlib
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
)
"""Nothing from elsewhere and nothing inline; Airflow may show a page in its frame."""

CHARTS_CSP = CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
"""For pages with charts: Plotly writes its styles into the page."""

HAS_CHARTS = "x-has-charts"
"""The header by which a page says that it has charts; it is taken away here."""

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Answering:
    """The middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        held = _Held()
        await self._app({**scope, "method": "GET"} if is_head else scope, receive, held)
        held.finish(Headers(scope=scope).get("if-none-match"))
        await send(held.start)
        await send({"type": "http.response.body", "body": b"" if is_head else held.body})


class _Held:
    """An answer that is held back until it is whole."""

    def __init__(self) -> None:
        self.start: MutableMapping[str, Any] = {}
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    def finish(self, known: str | None) -> None:
        """Set the headers; where the caller has this very answer, leave the body out."""
        headers = MutableHeaders(raw=self.start["headers"])
        for name, value in _ALWAYS.items():
            headers[name] = value
        headers["Content-Security-Policy"] = CHARTS_CSP if HAS_CHARTS in headers else CSP
        if HAS_CHARTS in headers:
            del headers[HAS_CHARTS]
        headers.setdefault("Cache-Control", "private, no-cache")
        headers.add_vary_header("Cookie, Authorization")
        if self.start["status"] != 200:
            return
        tag = f'"{hashlib.blake2b(self.body, digest_size=16).hexdigest()}"'
        headers["ETag"] = tag
        if known and (known.strip() == "*" or tag in [one.strip() for one in known.split(",")]):
            self.start["status"], self.body = 304, b""
            for name in ("content-length", "content-type"):
                if name in headers:
                    del headers[name]
