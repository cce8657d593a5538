"""Whether the addresses that a catalogue entry shows can be used by those who read it. Pure; nothing is connected to."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit

import orjson

from include.sources.vocabulary import vocabulary

_BEHIND_SCHEME = len("https://")
_HTTP = frozenset({"http", "https"})
_OPEN = frozenset({"unconditional", "conditional"})


def has_bad_link(open_type: str | None, page: str | None, listed: str | None) -> bool:
    """Return whether the landing page of an entry, or the address of a file or interface listed in it, cannot be used.

    Addresses of the bureau's own networks are good enough for what is shared among departments, not for what is open to all.
    """
    is_public = open_type in _OPEN
    if page is not None and not is_usable(page, is_public=is_public):
        return True
    return (
        listed is not None
        and '"url"' in listed
        and not all(is_usable(url, is_public=is_public) for url in _urls(listed))
    )


def have_good_links(_: list[str | None], pages: list[str | None], listed: list[str | None]) -> bool:
    """Return whether all addresses of many entries are of hosts that everybody can reach; if not, `has_bad_link` tells of which."""
    addresses = [page for page in pages if page is not None]
    addresses += [
        str(one["url"]) for files in files_of_many(listed) for one in files if one.__class__ is dict and "url" in one
    ]
    if " " in "".join(addresses):
        return False
    ends = [address.find("/", _BEHIND_SCHEME) for address in addresses]
    origins = {address if end < 0 else address[:end] for address, end in zip(addresses, ends, strict=True)}
    return all(_is_reachable(origin, True) for origin in origins)


def is_usable(address: str, *, is_public: bool) -> bool:
    """Return whether an address is a whole http(s) address of a host that its readers can reach."""
    end = address.find("/", _BEHIND_SCHEME)
    return " " not in address and _is_reachable(address if end < 0 else address[:end], is_public)


@lru_cache(maxsize=4096)
def _is_reachable(origin: str, is_public: bool) -> bool:  # noqa: FBT001 - a cache takes keywords more slowly
    try:
        parts = urlsplit(origin)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.scheme not in _HTTP or not host:
        return False
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return host != "localhost" and ("." in host or not is_public)
    if number.is_loopback or number.is_unspecified or number.is_link_local or number.is_multicast:
        return False
    return number.is_global or not is_public


@lru_cache(maxsize=1)
def files_of(distributions: str) -> list[Any]:
    """Return the files and interfaces of an entry's column; several of its derived columns ask one after the other."""
    found = orjson.loads(distributions)
    return found if isinstance(found, list) else []


def files_of_many(listed: list[str | None]) -> list[list[Any]]:
    """Return what `files_of` does for each of many columns' texts; none for an empty one."""
    return _files_of_many(tuple(listed))


@lru_cache(maxsize=1)
def _files_of_many(listed: tuple[str | None, ...]) -> list[list[Any]]:
    """Several derived columns ask one after the other."""
    return [
        found if found.__class__ is list else []
        for found in orjson.loads(f"[{','.join([of or '[]' for of in listed])}]")
    ]


def _urls(listed: str) -> Iterator[str]:
    """Yield the addresses of what is had by address: a table or a medium has none, whatever stands in the field."""
    try:
        found = files_of(listed)
    except ValueError:
        return
    for one in found:
        if isinstance(one, dict) and isinstance(one.get("url"), str) and str(one.get("access")) not in _without():
            yield one["url"]


@cache
def _without() -> frozenset[str]:
    return frozenset(word for word, method in vocabulary("share_method").items() if method in ("table", "medium"))
