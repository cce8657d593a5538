"""What an Airflow connection named `probing` adds to the policy: networks that may be probed, and an authority to trust.

So a bureau (or the sandbox) can open its own network where connections are kept, without a file. It needs no such connection.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import replace
from pathlib import Path

from include.connections import Connection, get_connection
from include.errors import ConfigurationError
from include.sources.address import AddressPolicy
from include.sources.probing.policy import ProbePolicy

CONNECTION = "probing"


def widened(policy: ProbePolicy) -> ProbePolicy:
    """Return the policy united with `networks` and `ca_file` of the connection's extra, if there is such a connection."""
    connection = _found()
    if connection is None:
        return policy
    networks = connection.extra.get("networks") or []
    listed = networks.split(",") if isinstance(networks, str) else networks
    try:
        added = tuple(ipaddress.ip_network(str(name).strip(), strict=False) for name in listed)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f'connection {CONNECTION!r}: "networks" must be a list of CIDR such as 10.20.0.0/16 in its extra'
        ) from error
    return replace(
        policy,
        addresses=AddressPolicy((*policy.addresses.networks, *added)),
        ca_file=Path(connection.authority) if connection.authority else policy.ca_file,
    )


def _found() -> Connection | None:
    try:
        return get_connection(CONNECTION)
    except ConfigurationError:
        if os.environ.get(f"AIRFLOW_CONN_{CONNECTION.upper()}"):
            raise  # it is there, and wrong
        return None
