"""Policies for tests: the real defaults, allowed to reach the gateway's addresses, in less time."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any

from include.sources.address import AddressPolicy
from include.sources.probing.policy import ProbePolicy, load_policy
from include.sources.probing.result import ProbeResult, Sweep

GATEWAYS = "127.80.0.0/16"


def allowing(*networks: str) -> AddressPolicy:
    return AddressPolicy(tuple(ipaddress.ip_network(n) for n in networks))


def policy(**changes: Any) -> ProbePolicy:
    """Return the default policy with the gateway's network allowed, quick enough for a test."""
    quick = {"addresses": allowing(GATEWAYS), "total_seconds": 1.0, "sweep_seconds": 10.0}
    return replace(load_policy(), **quick | changes)


def by_code(found: Sweep) -> dict[str, ProbeResult]:
    return {result.service_code: result for result in found.results}
