"""The suite reaches nothing beyond this machine, by whichever call."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
import requests

from tests.conftest import NetworkRefused

ELSEWHERE = "192.0.2.1"
"""An address of nobody (RFC 5737)."""


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        (socket.SOCK_STREAM, lambda s: s.connect((ELSEWHERE, 80))),
        (socket.SOCK_STREAM, lambda s: s.connect(("example.org", 80))),
        (socket.SOCK_STREAM, lambda s: s.connect_ex((ELSEWHERE, 80))),
        (socket.SOCK_DGRAM, lambda s: s.sendto(b"x", (ELSEWHERE, 53))),
        (socket.SOCK_DGRAM, lambda s: s.sendto(b"x", 0, (ELSEWHERE, 53))),
    ],
    ids=["address", "name", "connect_ex", "datagram", "datagram with flags"],
)
def test_another_machine_is_refused(kind: socket.SocketKind, call: Callable[[socket.socket], object]) -> None:
    with socket.socket(socket.AF_INET, kind) as ours, pytest.raises(NetworkRefused):
        call(ours)


def test_a_client_library_is_refused_as_well() -> None:
    with pytest.raises(NetworkRefused):
        requests.get(f"http://{ELSEWHERE}/", timeout=5)


def test_this_machine_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), 5) as client:
        assert client.getpeername() == server.getsockname()
