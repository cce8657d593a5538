"""What is probed, and the strict reading of its address: URLs come from catalogues and are not trusted."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, zip_longest
from urllib.parse import quote, urlsplit

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})\Z")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f\\]")
_KEPT = "%/?:@!$&'()*+,;=~-._"
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint of a service as the catalogue names it."""

    service_code: str
    system_code: str | None
    url: str
    expected_text: str | None = None
    in_maintenance: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads: its parts, and the URL written anew from them, so that nobody can read it differently."""

    host: str
    """In lower case; an IPv6 address without brackets."""
    port: int
    url: str
    is_secure: bool


class UrlRefused(ValueError):
    """The URL is not one that may be probed; the message says why, in Chinese."""


def place_of(url: str) -> Place:
    """Read a URL; raise `UrlRefused` for anything but plain http or https to a host, without credentials."""
    text = url.strip()
    if not text or _UNPRINTABLE.search(text):
        raise UrlRefused("接口地址为空或含空格、控制字符、反斜杠")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise UrlRefused("接口地址不是有效的网址") from error
    if parts.scheme not in PORTS:
        raise UrlRefused("接口地址不是 http 或 https")
    if "@" in parts.netloc:
        raise UrlRefused("接口地址含用户名或密码")
    if port == 0:
        raise UrlRefused("接口地址的端口无效")
    host = _host(parts.hostname or "", is_bracketed="[" in parts.netloc)
    port = port or PORTS[parts.scheme]
    shown = f"[{host}]" if ":" in host else host
    path = quote(parts.path or "/", safe=_KEPT) + (f"?{quote(parts.query, safe=_KEPT)}" if parts.query else "")
    return Place(host, port, f"{parts.scheme}://{shown}:{port}{path}", parts.scheme == "https")


def host_of(url: str) -> str:
    """Return the host of a URL, or an empty text where it has none that could be probed."""
    try:
        return place_of(url).host
    except UrlRefused:
        return ""


def _host(name: str, *, is_bracketed: bool) -> str:
    if is_bracketed:
        try:
            return str(ipaddress.IPv6Address(name.replace("%", "/")))  # no zone: it names an interface of this machine
        except ValueError as error:
            raise UrlRefused("接口地址的主机不是有效的 IPv6 地址") from error
    try:
        plain = name.encode("idna").decode("ascii").lower() if not name.isascii() else name.lower()
    except UnicodeError as error:
        raise UrlRefused("接口地址的主机名无效") from error
    if not _HOST.match(plain):
        raise UrlRefused("接口地址的主机名无效")
    return plain


def interleaved(targets: Iterable[Target]) -> list[Target]:
    """Return the targets in an order in which hosts take turns: no host is met all at once, or last."""
    by_host: dict[str, list[Target]] = defaultdict(list)
    for target in sorted(targets, key=lambda t: t.service_code):
        by_host[host_of(target.url)].append(target)
    rounds = zip_longest(*(by_host[host] for host in sorted(by_host)))
    return [target for target in chain.from_iterable(rounds) if target is not None]
