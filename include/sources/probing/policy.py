"""How endpoints are probed: `probing.yaml`, with the bureau's own laid over it."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.sources.address import AddressPolicy
from include.sources.own_files import LaidOver, read_laid_over
from include.sources.probing.target import UrlRefused, place_of

DEFAULTS = Path(__file__).parent.parent / "probing.yaml"
SCHEMA = "probing.v1.json"
REFERENCE = "include/sources/probing.yaml"


@dataclass(frozen=True, slots=True)
class ProbePolicy:
    """The keys of probing.yaml, whose meaning stands in its schema; seconds, bytes and counts."""

    concurrency: int
    open_connections: int
    per_host: int
    connect_seconds: float
    total_seconds: float
    resolve_seconds: float
    sweep_seconds: float
    max_bytes: int
    good_statuses: frozenset[int]
    expected_encodings: tuple[str, ...]
    addresses: AddressPolicy
    canaries: tuple[str, ...]
    ca_file: Path | None
    confirm_after: int
    clear_after: int
    common_least: int
    common_share_percent: int
    user_agent: str


def load_policy() -> ProbePolicy:
    """Return the policy; raise `CardError` with file, line and fix for what is wrong in it."""
    laid = read_laid_over(DEFAULTS, SCHEMA, REFERENCE)
    for key, (check, fix) in _CHECKS.items():
        for index, item in enumerate(laid.data[key]):
            try:
                check(item)
            except ValueError as error:
                raise laid.wrong([key, index], f"{key}: {item!r}: {error}", fix) from error
    _check_times(laid)
    return _policy({**laid.data, "ca_file": _ca_file(laid)})


def _ca_file(laid: LaidOver) -> Path | None:
    """Return the file of the authority, which may stand beside the file that names it."""
    layer = laid.layers[-1]
    if not layer.data.get("ca_file"):
        return None
    path: Path = layer.file.parent / layer.data["ca_file"]
    try:
        ssl.create_default_context().load_verify_locations(cafile=path)
    except OSError as error:  # ssl.SSLError is one
        problem = f"ca_file: {path}: {error.strerror or 'no certificate in it'}"
        raise laid.wrong(["ca_file"], problem, "name a PEM file, absolute or beside this one") from error
    return path


def _check_times(laid: LaidOver) -> None:
    """Refuse a probe that could not end within its sweep; the keys may stand in either file."""
    values = laid.data
    for shorter, longer in (("connect_seconds", "total_seconds"), ("total_seconds", "sweep_seconds")):
        if values[shorter] > values[longer]:
            problem = f"{shorter} ({values[shorter]:g}) is longer than {longer} ({values[longer]:g})"
            at = [shorter] if shorter in laid.layers[-1].data else [longer]
            raise laid.wrong(at, problem, f"make {shorter} the smaller one, or raise {longer}")


def _statuses(text: str | int) -> range:
    first, _, last = str(text).partition("-")
    found = range(int(first), int(last or first) + 1)
    if not found:
        raise ValueError("the range is empty")
    return found


def _check_canary(url: str) -> None:
    try:
        place_of(url)
    except UrlRefused as error:
        raise ValueError(str(error)) from error


_CHECKS: dict[str, tuple[Callable[[Any], object], str]] = {
    "networks": (lambda t: ipaddress.ip_network(t, strict=False), "write CIDR such as 10.20.0.0/16"),
    "good_statuses": (_statuses, "write 200, or a range such as 200-299"),
    "canaries": (_check_canary, "write an address such as http://gateway.example.gov.cn/health"),
}


def _policy(values: dict[str, Any]) -> ProbePolicy:
    plain = {
        k: v for k, v in values.items() if k not in ("networks", "good_statuses", "expected_encodings", "canaries")
    }
    networks = tuple(ipaddress.ip_network(text, strict=False) for text in values["networks"])
    return ProbePolicy(
        **plain,
        addresses=AddressPolicy(networks),
        good_statuses=frozenset(status for text in values["good_statuses"] for status in _statuses(text)),
        expected_encodings=tuple(values["expected_encodings"]),
        canaries=tuple(values["canaries"]),
    )
