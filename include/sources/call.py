"""What is sent and what comes back: plain values between signing, sending and reading."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import orjson

from include import clock
from include.errors import SourceMalformed
from include.sources.card import Request
from include.sources.packed_body import Body


@dataclass(frozen=True, slots=True)
class Timing:
    """The clocks, the pause and the dice of a read, so that tests can set them; seconds throughout."""

    now: Callable[[], datetime] = clock.now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random


SYSTEM_TIMING = Timing()


@dataclass(frozen=True, slots=True)
class Call:
    """One request before signing and sending; `where` is a path below the base address or a full URL."""

    method: str
    where: str
    query: Mapping[str, Any] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    content_type: str | None = None
    sid: str | None = None
    """gjgxjhpt: id of the service that is called, where it is not the card's."""


KNOWN = object()
"""The document of an answer that is known byte for byte."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the JSON value, and the facts around it that a person may need to see.

    `document` is `KNOWN` where the same bytes were read before: they were not parsed again.
    """

    status: int
    document: Any = field(repr=False)
    body: Body = field(repr=False)
    content_type: str
    url: str = field(repr=False)
    next_link: str | None = field(default=None, repr=False)
    asked_at: datetime | None = None
    server_at: datetime | None = None
    notes: tuple[str, ...] = ()
    body_sha256: str = ""

    @property
    def skew_seconds(self) -> float | None:
        """Return the platform's clock minus ours, or None where it does not tell its time."""
        if self.server_at is None or self.asked_at is None:
            return None
        return (self.server_at - self.asked_at).total_seconds()


def json_body(values: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return parameters as a JSON body and its content type."""
    return orjson.dumps(dict(values)), "application/json"


def form_body(values: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return parameters as a form body and its content type."""
    return urlencode(values, doseq=True).encode(), "application/x-www-form-urlencoded"


def build_call(request: Request, parameters: Mapping[str, Any], url: str | None = None) -> Call:
    """Return the unsigned call of a card's request, or of a URL in its place; parameters go where the card says."""
    where = url or request.path
    if request.parameters_in == "query":
        texts = {k: str(v).lower() if isinstance(v, bool) else v for k, v in parameters.items()}
        return Call(request.method, where, texts, request.headers)
    body, content_type = (json_body if request.parameters_in == "json" else form_body)(parameters)
    return Call(request.method, where, {}, request.headers, body, content_type)


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port of a URL, which must stay the same over redirects and links.

    Raises:
        SourceMalformed: a platform named an address that is none.
    """
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        raise SourceMalformed("the platform names an address that is none; ask the platform") from None


def resolve(url: str, link: str) -> str:
    """Return a link as seen from the address it was given at; one that is no address stays as it is: `origin` refuses it."""
    try:
        return urljoin(url, link)
    except ValueError:
        return link
