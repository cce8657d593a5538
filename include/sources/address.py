"""Which addresses a reader may connect to, and a transport that connects to exactly the address that was checked.

A platform's name is resolved by whoever runs its DNS. Without this, a changed record (or a redirect) could point a
worker, with its secrets, at the metadata service of a cloud or at a database inside the bureau's own network.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from include.connections import Connection
from include.errors import AddressRefused, ConfigurationError, SourceUnreachable
from include.sources.card import Limits

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Public addresses and the listed networks are allowed; everything else is refused."""

    networks: tuple[Network, ...] = ()

    def check(self, host: str, address: str) -> None:
        """Raise `AddressRefused` unless a connection to this address of `host` is allowed."""
        parsed = ipaddress.ip_address(address)
        if any(parsed in network for network in self.networks):
            return
        kind = _kind(parsed)
        if kind is None:
            return
        raise AddressRefused(
            f"{host} resolves to {parsed}, a {kind} address, and no connection is made to it; if the platform really "
            f"stands there, list its network (e.g. {parsed}/{parsed.max_prefixlen}) in limits.networks of the card, "
            f'or as "networks" in the extra of the connection'
        )


def address_policy(limits: Limits, connection: Connection) -> AddressPolicy:
    """Return the policy of a card united with the networks of the connection's `extra["networks"]`."""
    extra = connection.extra.get("networks") or []
    listed = extra.split(",") if isinstance(extra, str) else extra
    if not isinstance(listed, list):
        raise ConfigurationError(
            f'connection {connection.conn_id!r}: "networks" must be a list or comma separated text'
        )
    names = [*limits.networks, *(str(n).strip() for n in listed)]
    return AddressPolicy(tuple(_network(n, connection.conn_id) for n in names if n))


def _network(text: str, conn_id: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is not a network; write CIDR such as 10.20.0.0/16 in limits.networks of the card "
            f"or in the extra of connection {conn_id!r}"
        ) from error


def _kind(address: Address) -> str | None:
    """Return the word for an address that is not public, or None."""
    checks: Iterable[tuple[str, bool]] = (
        ("loopback", address.is_loopback),
        ("link-local", address.is_link_local),
        ("multicast", address.is_multicast),
        ("unspecified", address.is_unspecified),
        ("translated (IPv4 inside IPv6)", _is_translated(address)),
        ("private", address.is_private or getattr(address, "is_site_local", False)),
        ("reserved", address.is_reserved or not address.is_global),
    )
    return next((word for word, applies in checks if applies), None)


def _is_translated(address: Address) -> bool:
    """Return whether an IPv6 address stands for an IPv4 one, which could hide a private address."""
    if isinstance(address, ipaddress.IPv4Address):
        return False
    return any((address.ipv4_mapped, address.sixtofour, address.teredo, address in _NAT64))


class Dialer:
    """Opens connections to checked addresses, and can cut the one that is open from another thread.

    Used by one reader in one thread, which has one connection open at a time.
    """

    def __init__(self, policy: AddressPolicy) -> None:
        """Take the policy that every address is checked against."""
        self._policy = policy
        self._lever: socket.socket | None = None
        self.is_cut = False

    def dial(
        self, host: str, port: int, timeout: float | None = None, options: Iterable[tuple[Any, ...]] = ()
    ) -> socket.socket:
        """Resolve `host` once, check every address it has, and connect to the first that answers.

        `timeout` is in seconds and for each address.
        """
        try:
            found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise SourceUnreachable(
                f"the name {host} cannot be resolved; check it and the DNS of this machine"
            ) from error
        for entry in found:
            self._policy.check(host, str(entry[4][0]))
        failure: OSError | None = None
        for family, kind, protocol, _, where in found:
            sock = socket.socket(family, kind, protocol)
            try:
                for option in options:
                    sock.setsockopt(*option)
                sock.settimeout(timeout)
                sock.connect(where)
            except OSError as error:
                sock.close()
                failure = error
            else:
                self._hold(sock)
                return sock
        reason = "no answer in time" if isinstance(failure, TimeoutError) else type(failure).__name__
        raise SourceUnreachable(f"no connection to {host} port {port}: {reason}; check address, port and firewall")

    def _hold(self, sock: socket.socket) -> None:
        # A duplicate of the descriptor: TLS takes the socket object apart, but a shutdown reaches the connection.
        self.close()
        self._lever = sock.dup()
        if self.is_cut:
            self.cut()  # the time ran out while the connection was being made

    def arm(self) -> None:
        """Begin a call: forget that an earlier one was cut."""
        self.is_cut = False

    def cut(self) -> None:
        """End the open connection at once; whoever reads from it gets its end."""
        self.is_cut = True
        lever = self._lever
        if lever is None:
            return
        try:
            lever.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # closed by the other side in the meantime

    def close(self) -> None:
        """Let go of the connection."""
        if self._lever is not None:
            self._lever.close()
            self._lever = None


class _Dialed:
    """Mixed into urllib3's connections: the socket comes from the dialer, TLS still verifies the host name."""

    dialer: Dialer
    _dns_host: str
    port: int
    socket_options: Any
    timeout: Any

    def _new_conn(self) -> socket.socket:
        # urllib3 has set the connect time-out here; it sets the read time-out itself once the connection is made.
        timeout = self.timeout if isinstance(self.timeout, int | float) else None
        return self.dialer.dial(self._dns_host, self.port, timeout, self.socket_options or ())


class DialingAdapter(HTTPAdapter):
    """A requests transport whose every connection is opened by a `Dialer`."""

    def __init__(self, dialer: Dialer) -> None:
        """Take the dialer; no retries of its own and one connection kept alive."""
        self._dialer = dialer
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Put pools in place whose connections are dialed."""
        super().init_poolmanager(*args, **kwargs)
        held = {"dialer": self._dialer}
        plain = type("DialedHTTPConnection", (_Dialed, HTTPConnection), held)
        secure = type("DialedHTTPSConnection", (_Dialed, HTTPSConnection), held)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("DialedHTTPPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("DialedHTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
