"""One HTTP POST to a channel: a checked address, no redirects, no proxy, limits on time and size, and secrets kept out of sight.

Robots carry their secret in the address. No error and no log line here quotes an address beyond its host.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus, urlencode, urlsplit

import orjson
import requests
import urllib3.exceptions as transport
from requests.exceptions import RequestException, SSLError

from include.alerts.pace import LEASE, MINUTE
from include.connections import Connection
from include.errors import (
    AddressRefused,
    ChannelRefused,
    ChannelThrottled,
    ChannelUnreachable,
    ConfigurationError,
    ShuhengError,
    SourceUnreachable,
)
from include.sources.address import Dialer, DialingAdapter, address_policy
from include.sources.card import Limits

CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 10.0, 30.0, 60.0
"""An answer may take so long from piece to piece, and in all; a task that sends many waits no longer for one."""
ANSWER_BYTES = 65_536
LONGEST_SECONDS = (LEASE - MINUTE).total_seconds()
"""No message may take longer: another worker takes it up when the claim of the first is over."""
_THROTTLED_SECONDS = 60.0
_LONGEST_PAUSE = 86_400.0
_QUOTED = 120
"""So many characters of a platform's own words are quoted."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the other side answered, read whole; `document` is None where the body is no JSON."""

    status: int
    body: bytes = field(repr=False)
    document: Any = field(repr=False)

    @property
    def is_refusal_in_json(self) -> bool:
        """Return whether the caller was refused (HTTP 4xx) in words that a program can read."""
        return 400 <= self.status < 500 and self.status not in (408, 429) and isinstance(self.document, dict)


class Poster:
    """Sends JSON to the one address of a connection; `title` is what errors call the channel."""

    def __init__(self, connection: Connection, title: str, default_host: str = "", default_path: str = "/") -> None:
        """Check the address; nothing is sent yet. Raises `ConfigurationError` where it cannot be used."""
        self._title = title
        self.secrets = secrets_of(connection)
        self._base = _base_url(connection, default_host)
        self._path = _path(connection, default_path)
        self._dialer = Dialer(address_policy(Limits(), connection))
        self._adapter = DialingAdapter(self._dialer)
        self._verify: bool | str = connection.authority or True
        self._whole = seconds_of(connection, WHOLE_SECONDS)

    def close(self) -> None:
        """Close the connection."""
        self._adapter.close()
        self._dialer.close()

    def post(
        self,
        body: bytes,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        secret_path: str = "",
        has_codes: bool = False,
    ) -> Reply:
        """Send a body and return the answer of status 2xx; `secret_path` is appended to the path and never shown.

        `has_codes`: JSON with HTTP 4xx is returned, too, for the platform's own code says more than the status.

        Raises `ChannelThrottled` for HTTP 429, `ChannelRefused` for other 3xx and 4xx, `ChannelUnreachable` for 5xx and
        wherever no whole answer came.
        """
        request = self._prepare(body, query or {}, headers or {}, secret_path)
        self._dialer.arm()
        timer = threading.Timer(self._whole, self._dialer.cut)
        timer.daemon = True
        timer.start()
        try:
            with _SilentTransport():
                # A second more than the whole may take: else both end at once, and which of them tells is chance.
                timeout = (min(CONNECT_SECONDS, self._whole), min(READ_SECONDS, self._whole + 1))
                response = self._adapter.send(request, stream=True, timeout=timeout, verify=self._verify)
                with response:
                    return self._read(response, has_codes)
        except AddressRefused as error:
            raise ChannelRefused(f"{self._title}: {error}") from None
        except SourceUnreachable as error:
            raise ChannelUnreachable(f"{self._title}: {error}") from None
        except (RequestException, transport.HTTPError, OSError) as error:
            raise self._failure(error) from None  # their texts quote the address, and with it the secret
        finally:
            timer.cancel()

    def _prepare(
        self, body: bytes, query: Mapping[str, str], headers: Mapping[str, str], secret_path: str
    ) -> requests.PreparedRequest:
        url = f"{self._base}{self._path}{quote(secret_path, safe='')}" + (f"?{urlencode(query)}" if query else "")
        sent = {"User-Agent": "shuheng", "Accept": "application/json", "Accept-Encoding": "identity"}
        sent |= {"Content-Type": "application/json; charset=utf-8", **headers}
        try:
            return requests.Request("POST", url, sent, data=body).prepare()
        except (RequestException, UnicodeError, ValueError) as error:
            raise ConfigurationError(
                f"{self._title}: the request cannot be built ({type(error).__name__}); check the connection"
            ) from None

    def _read(self, response: requests.Response, has_codes: bool) -> Reply:
        body = self._body(response)
        reply = Reply(response.status_code, body, _document(body))
        if 200 <= reply.status < 300 or (has_codes and reply.is_refusal_in_json):
            return reply
        raise self._refused(response, reply)

    def _body(self, response: requests.Response) -> bytes:
        body = b""
        for part in response.raw.stream(16_384, decode_content=True):
            body += part
            if len(body) > ANSWER_BYTES:
                self._dialer.cut()
                raise ChannelUnreachable(
                    f"{self._title}: the answer is larger than {ANSWER_BYTES} bytes; is this the right host?"
                )
        if self._dialer.is_cut:
            raise ChannelUnreachable(f"{self._title}: no whole answer within {self._whole:.0f} s")
        return body

    def _refused(self, response: requests.Response, reply: Reply) -> ShuhengError:
        status = reply.status
        if status == 429:
            return ChannelThrottled(f"{self._title} asks to slow down (HTTP 429)", _retry_after(response))
        if status >= 500 or status == 408:
            return ChannelUnreachable(f"{self._title} failed with HTTP {status}")
        if 300 <= status < 400:
            return ChannelRefused(
                f"{self._title} redirects (HTTP {status}), which is not followed; correct host and path of the connection"
            )
        said = quoted(reply.body, self.secrets)
        return ChannelRefused(f"{self._title} refused the message with HTTP {status}{said}; check the connection")

    def _failure(self, error: Exception) -> ChannelUnreachable | ChannelRefused:
        if self._dialer.is_cut:
            return ChannelUnreachable(f"{self._title}: no whole answer within {self._whole:.0f} s")
        self._dialer.cut()
        if isinstance(error, SSLError | transport.SSLError):
            return ChannelRefused(
                f"{self._title}: the TLS certificate of {urlsplit(self._base).hostname} is not accepted; if a private authority "
                'issued it, name its file as "ca_file" in the extra of the connection'
            )
        return ChannelUnreachable(
            f"{self._title}: the connection broke before the answer was complete ({type(error).__name__})"
        )


def quoted(text: bytes | str, secrets: Iterable[str] = ()) -> str:
    """Return a platform's own words for an error, short, printable and without secrets it repeats; "" where there are none."""
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    for secret in filter(None, secrets):
        for form in (secret, quote(secret, safe=""), quote_plus(secret)):
            plain = plain.replace(form, "***")
    plain = "".join(sign if sign.isprintable() else " " for sign in plain[: 4 * _QUOTED])
    short = " ".join(plain.split())[:_QUOTED]
    return f" ({short})" if short else ""


def seconds_of(connection: Connection, default: float) -> float:
    """Return how long one message may take: `timeout_seconds` of the extra, if there is one."""
    value = connection.extra.get("timeout_seconds") or default
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds <= LONGEST_SECONDS:
        raise ConfigurationError(
            f'connection {connection.conn_id!r}: "timeout_seconds" must be a number of seconds above 0, {LONGEST_SECONDS:g} at most'
        )
    return seconds


def secrets_of(connection: Connection) -> tuple[str, ...]:
    """Return what must not be shown: the password and the extra's `secret`."""
    return tuple(filter(None, (connection.password, str(connection.extra.get("secret") or ""))))


def _document(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        return None


def _retry_after(response: requests.Response) -> float:
    value = response.headers.get("Retry-After", "").strip()
    return min(float(value), _LONGEST_PAUSE) if value.isascii() and value.isdecimal() else _THROTTLED_SECONDS


def _base_url(connection: Connection, default_host: str) -> str:
    base = connection.base_url if connection.host else default_host
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.query:
        raise ConfigurationError(
            f"connection {connection.conn_id!r} has no usable address; give host as https://host.example, and secrets as "
            "password and in the extra, never in the address"
        )
    return base.rstrip("/")


def _path(connection: Connection, default: str) -> str:
    path = str(connection.extra.get("path") or default)
    if not path.startswith("/") or any(sign in path for sign in "?# \r\n"):
        raise ConfigurationError(
            f'connection {connection.conn_id!r}: "path" of the extra must begin with / and have no query'
        )
    return path


class _SilentTransport:
    """Keeps urllib3 from logging, in this thread, the address it posts to: a robot's secret stands in it."""

    _quiet = threading.local()

    def __enter__(self) -> None:
        logging.getLogger("urllib3.connectionpool").addFilter(_drop)
        _SilentTransport._quiet.is_on = True

    def __exit__(self, *_: object) -> None:
        _SilentTransport._quiet.is_on = False

    @classmethod
    def is_on(cls) -> bool:
        """Return whether this thread is sending."""
        return bool(getattr(cls._quiet, "is_on", False))


def _drop(_record: logging.LogRecord) -> bool:
    return not _SilentTransport.is_on()
