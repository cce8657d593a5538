"""One call to a platform with every limit a card sets: size, time, attempts, redirects, addresses.

Knows nothing of signing, envelopes and paging. No cookies, no proxies and no credentials from the environment.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Container, Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3.exceptions as transport
from requests.exceptions import RequestException, SSLError

from include import clock
from include.connections import Connection
from include.errors import (
    ConfigurationError,
    LimitExceeded,
    Retryable,
    ShuhengError,
    SourceMalformed,
    SourceRefused,
    SourceThrottled,
    SourceUnreachable,
)
from include.sources.address import Dialer, DialingAdapter, address_policy
from include.sources.call import KNOWN, SYSTEM_TIMING, Answer, Call, Timing, origin, resolve
from include.sources.card import Limits
from include.sources.decoding import CutShort, decode_json
from include.sources.packed_body import Body, PackedBody
from include.sources.rate import make_limiter
from include.sources.unread_rows import Decode

log = logging.getLogger(__name__)

T = TypeVar("T")

_CHUNK = 1 << 20
_LONGEST_PAUSE = 300.0
_LONGEST_BACKOFF = 60.0
_USER_AGENT = "shuheng"
_RDF = "text/turtle, application/rdf+xml;q=0.9, application/ld+json;q=0.8"


class HttpSession:
    """Calls to one platform over one kept-alive connection.

    `error_is_answer`: JSON sent with HTTP 5xx is the platform's own refusal and is returned, as x-tif gateways do. `known`: hashes
    of bodies that were read and accepted before; they are not parsed again. `is_rdf`: answers are RDF; only refusals are JSON.
    """

    def __init__(
        self,
        connection: Connection,
        limits: Limits,
        timing: Timing = SYSTEM_TIMING,
        error_is_answer: bool = False,
        known: Container[str] = (),
        is_rdf: bool = False,
    ) -> None:
        """Check the connection's address and make ready; nothing is sent yet."""
        _hide_queries()
        self._base = _base_url(connection)
        self._limits, self._timing, self._error_is_answer = limits, timing, error_is_answer
        self._known, self._is_rdf = known, is_rdf
        self._dialer = Dialer(address_policy(limits, connection))
        self._adapter = DialingAdapter(self._dialer)
        self._verify: bool | str = connection.authority or True
        self._limiter = make_limiter(limits.rate, timing.monotonic, timing.sleep)
        self._deadline = timing.monotonic() + limits.seconds

    def __enter__(self) -> HttpSession:
        """Return the session itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._adapter.close()
        self._dialer.close()

    @property
    def seconds_left(self) -> float:
        """Return how long the whole read may still take."""
        return self._deadline - self._timing.monotonic()

    def fetch(self, make: Callable[[], Call], read: Callable[[Answer], T], decode: Decode = decode_json) -> T:
        """Make a call, send it and read the answer, again after failures that may pass.

        `make` runs for every attempt, so that time stamps and signatures are fresh. Errors of `read` that are
        `Retryable` count as failed attempts; every other error ends the call at once. `decode` makes a document of a good answer.
        """
        attempt = 1
        while True:
            call = make()
            if self._limiter:
                self._limiter.wait()
            try:
                return read(self._send(call, decode))
            except (Retryable, CutShort) as error:
                pause = self._pause(attempt, error)
                if attempt >= self._limits.attempts or pause >= self.seconds_left:
                    raise _final(error) from None
                log.warning(
                    "attempt %d of %d failed, next in %.1f s path=%s error=%s: %s",
                    attempt, self._limits.attempts, pause, urlsplit(call.where).path, type(error).__name__, error,
                )  # fmt: skip
                self._timing.sleep(pause)
                attempt += 1

    def _pause(self, attempt: int, error: ShuhengError) -> float:
        """Return what the platform asks for, or exponential backoff with full jitter."""
        if isinstance(error, SourceThrottled) and error.retry_after is not None:
            return min(error.retry_after, _LONGEST_PAUSE)
        longest: float = min(_LONGEST_BACKOFF, self._limits.backoff_seconds * 2.0 ** (attempt - 1))
        return self._timing.jitter() * longest

    def _send(self, call: Call, decode: Decode) -> Answer:
        """Send one request, follow redirects as far as the card allows, and return the answer."""
        request = self._prepare(call)
        self._dialer.arm()
        timer = threading.Timer(self._limits.page_seconds, self._dialer.cut)
        timer.daemon = True
        timer.start()
        try:
            asked_at = self._timing.now()
            response = self._exchange(request)
            for _ in range(self._limits.redirects):
                if not _is_redirect(response):
                    break
                request = _follow(request, response)
                response.close()
                response = self._exchange(request)
            return self._answer(response, asked_at, decode)
        except (RequestException, transport.HTTPError, OSError) as error:
            # `from None`: these errors quote the URL, and with it what the signer put into its query.
            raise self._failure(error) from None
        finally:
            timer.cancel()

    def _prepare(self, call: Call) -> requests.PreparedRequest:
        headers = {
            "User-Agent": _USER_AGENT,
            "Accept": _RDF if self._is_rdf else "application/json",
            "Accept-Encoding": "gzip, deflate",
        }
        headers.update(call.headers)
        if call.content_type:
            headers["Content-Type"] = call.content_type
        url = call.where if "://" in call.where else self._base + call.where
        try:
            return requests.Request(call.method, url, headers, params=call.query, data=call.body or None).prepare()
        except (RequestException, UnicodeError) as error:
            raise ConfigurationError(
                f"the request to {urlsplit(url).path} cannot be built ({type(error).__name__}); check host of the "
                "connection, and path and headers of the card"
            ) from None

    def _exchange(self, request: requests.PreparedRequest) -> requests.Response:
        timeout = (self._limits.connect_seconds, self._limits.read_seconds)
        # The adapter and not a requests.Session: that one would read the body of a redirect without any limit.
        return self._adapter.send(request, stream=True, timeout=timeout, verify=self._verify)

    def _answer(self, response: requests.Response, asked_at: datetime, decode: Decode) -> Answer:
        with response:
            if _is_redirect(response):
                raise _redirected(response)
            status = response.status_code
            body = self._body(response)
        if status == 429 or (status == 503 and "Retry-After" in response.headers):
            raise SourceThrottled(f"the platform asks to slow down (HTTP {status})", self._retry_after(response))
        content_type = response.headers.get("Content-Type", "")
        digest = body.sha256 if isinstance(body, PackedBody) else hashlib.sha256(body).hexdigest()
        is_known = status < 300 and digest in self._known
        document, notes = (KNOWN, ()) if is_known else self._document(status, body, content_type, decode)
        link = response.links.get("next", {}).get("url") if "Link" in response.headers else None
        url = response.url or ""
        return Answer(
            status, document, body, content_type, url,
            resolve(url, link) if link else None, asked_at, _moment(response.headers.get("Date")), notes,
            digest,
        )  # fmt: skip

    def _document(self, status: int, body: Body, content_type: str, decode: Decode) -> tuple[Any, tuple[str, ...]]:
        """Return the JSON value; for a failing status None where there is none, or the error that may pass."""
        if status < 400:
            return (None, ()) if self._is_rdf else decode(bytes(body), content_type)
        try:
            document, notes = decode_json(bytes(body), content_type)
        except ShuhengError:
            document, notes = None, ()
        if status >= 500 and not (self._error_is_answer and isinstance(document, dict)):
            raise SourceUnreachable(f"the platform failed with HTTP {status}")
        return document, notes

    def _body(self, response: requests.Response) -> Body:
        """Read the body, decompressed, up to `limits.page_bytes`; RDF is kept in pieces, as it is read in pieces."""
        raw, limit = response.raw, self._limits.page_bytes
        declared = raw.length_remaining
        if declared is not None and declared > limit:
            raise self._too_large(f"it declares {declared} bytes")
        parts: list[bytes] | PackedBody = PackedBody() if self._is_rdf else []
        size = 0
        for part in self._parts(raw, declared):
            parts.append(part)
            size += len(part)
            if size > limit:
                raise self._too_large(f"{size} bytes and more, after decompression")
        if self._dialer.is_cut:  # a body without a declared length ends like that, too
            raise self._too_slow()
        if isinstance(parts, PackedBody):
            return parts
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _parts(self, raw: Any, declared: int | None) -> Iterator[bytes]:
        if declared is None or self._is_rdf or "Content-Encoding" in raw.headers:
            yield from raw.stream(min(_CHUNK, self._limits.page_bytes + 1), decode_content=True)
            return
        while declared:
            part = raw.read(declared, decode_content=False)  # as a rule the whole body, without another copy
            declared -= len(part)
            yield part

    def _failure(self, error: Exception) -> ShuhengError:
        """Return our error for one of the transport, in words without URL or headers."""
        if self._dialer.is_cut:
            return self._too_slow()
        self._dialer.cut()
        if isinstance(error, SSLError | transport.SSLError):
            return ConfigurationError(
                f"the TLS certificate of {urlsplit(self._base).hostname} is not accepted; if a private authority "
                'issued it, name its file as "ca_file" in the extra of the connection'
            )
        if isinstance(error, requests.exceptions.Timeout | transport.TimeoutError):
            return SourceUnreachable(f"no answer within {self._limits.read_seconds} s (read_seconds)")
        return SourceUnreachable(f"the connection broke before the answer was complete ({_root(error)})")

    def _too_slow(self) -> LimitExceeded:
        return LimitExceeded(
            f"the answer took longer than {self._limits.page_seconds} s (page_seconds); ask for smaller pages "
            "or raise the limit in the card"
        )

    def _too_large(self, found: str) -> LimitExceeded:
        self._dialer.cut()
        return LimitExceeded(
            f"the answer is larger than {self._limits.page_bytes} bytes (page_bytes): {found}; ask for smaller pages "
            "or raise the limit in the card"
        )

    def _retry_after(self, response: requests.Response) -> float | None:
        value = response.headers.get("Retry-After", "").strip()
        if value.isdecimal():
            return float(value)
        moment = _moment(value)
        return max(0.0, (moment - self._timing.now()) / timedelta(seconds=1)) if moment else None


def _final(error: ShuhengError) -> ShuhengError:
    """Return the error of the last attempt, without what only the attempts needed to know."""
    return SourceMalformed(str(error)) if isinstance(error, CutShort) else error


def _base_url(connection: Connection) -> str:
    base = connection.base_url
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ConfigurationError(
            f"connection {connection.conn_id!r} has no usable address; give host as https://platform.example "
            "without user name or password in it"
        )
    return base.rstrip("/")


def _is_redirect(response: requests.Response) -> bool:
    return 300 <= response.status_code < 400


def _redirected(response: requests.Response) -> SourceRefused:
    target = resolve(response.url or "", response.headers.get("Location", ""))
    try:
        host = urlsplit(target).netloc
    except ValueError:
        host = "an address that is none"
    return SourceRefused(
        f"the platform redirects to {host!r} (HTTP {response.status_code}) and that is not followed; correct the "
        "address of the connection, or allow redirects on the same host in the card"
    )


def _follow(request: requests.PreparedRequest, response: requests.Response) -> requests.PreparedRequest:
    """Return the request that a redirect asks for, on the same scheme, host and port only."""
    target = resolve(request.url or "", response.headers.get("Location", ""))
    if origin(target) != origin(request.url or "") or "Location" not in response.headers:
        raise _redirected(response)
    following = request.copy()
    following.url = target
    if response.status_code in (301, 302, 303) and request.method == "POST":
        following.method, following.body = "GET", None
        for name in ("Content-Length", "Content-Type"):
            following.headers.pop(name, None)
    return following


def _moment(text: str | None) -> datetime | None:
    """Read an HTTP date; None where it is none."""
    try:
        moment = parsedate_to_datetime(text) if text else None
        if moment and not moment.tzinfo:
            moment = moment.replace(tzinfo=clock.SHANGHAI)
        return moment and moment.astimezone(clock.SHANGHAI)
    except (TypeError, ValueError, OverflowError):
        return None


def _root(error: BaseException) -> str:
    """Return the class name of the innermost cause; texts of the outer ones hold URLs."""
    while error.args and isinstance(error.args[-1], BaseException):
        error = error.args[-1]
    return type(error).__name__


def _without_query(record: logging.LogRecord) -> bool:
    """Cut queries out of urllib3's debug lines: some signers put caller id and signature there."""
    if isinstance(record.args, tuple):
        record.args = tuple(a.split("?")[0] if isinstance(a, str) else a for a in record.args)
    return True


def _hide_queries() -> None:
    logging.getLogger("urllib3.connectionpool").addFilter(_without_query)
