"""Ports that nothing listens on."""

from __future__ import annotations

import socket


def free_ports(count: int) -> list[int]:
    """Return different free ports of loopback."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()
