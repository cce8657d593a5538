"""The gateways: each behaviour can be seen with plain sockets, and what reaches an address is counted."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from include.sandbox.gateway import HEALTH_TEXT, TRAP_ADDRESS, Behaviour, Endpoint, Gateway

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def shared_gateway() -> Iterator[Gateway]:
    behaviours = {behaviour.value: behaviour for behaviour in Behaviour}
    with Gateway({**behaviours, "elsewhere": Endpoint(Behaviour.OK, "127.81.0.9")}, addresses=7) as gateway:
        yield gateway


@pytest.fixture
def gateway(shared_gateway: Gateway) -> Iterator[Gateway]:
    yield shared_gateway
    shared_gateway.override = lambda: None


def opened(url: str, timeout: float = 0.3) -> socket.socket:
    parts = urlsplit(url)
    sock = socket.create_connection((parts.hostname, parts.port), timeout=2)
    sock.settimeout(timeout)
    sock.sendall(f"GET {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\n\r\n".encode())
    return sock


def get(url: str, **more: object) -> requests.Response:
    return requests.get(url, timeout=2, allow_redirects=False, **more)  # type: ignore[arg-type]


def test_whole_answers(gateway: Gateway):
    healthy = get(gateway.urls["ok"])
    assert (healthy.status_code, HEALTH_TEXT in healthy.text) == (200, True)
    started = time.monotonic()
    assert HEALTH_TEXT in get(gateway.urls["slow"]).text
    assert time.monotonic() - started > 0.45
    for name, status in (("error_500", 500), ("not_found", 404), ("wrong_body", 200)):
        answer = get(gateway.urls[name])
        assert (answer.status_code, HEALTH_TEXT in answer.text) == (status, False)


def test_redirects_lead_into_a_trap_and_abroad(gateway: Gateway):
    inside, abroad = (get(gateway.urls[name]) for name in ("redirects_inside", "redirects_abroad"))
    assert (inside.status_code, abroad.status_code) == (302, 302)
    assert inside.headers["location"] == gateway.trap_url
    assert abroad.headers["location"].endswith("other-host.invalid/health")
    before = gateway.connections(TRAP_ADDRESS)
    assert requests.get(gateway.urls["redirects_inside"], timeout=2).status_code == 200
    assert gateway.connections(TRAP_ADDRESS) == before + 1


def test_no_answer_at_all(gateway: Gateway):
    with pytest.raises(ConnectionRefusedError):
        opened(gateway.urls["refuses"])
    with opened(gateway.urls["hangs"]) as sock, pytest.raises(TimeoutError):
        sock.recv(1)
    with opened(gateway.urls["resets"]) as sock, pytest.raises(ConnectionResetError):
        sock.recv(1)


def test_strange_answers(gateway: Gateway):
    with opened(gateway.urls["drips"], timeout=2) as sock:
        first, started = sock.recv(100), time.monotonic()
        assert (first, sock.recv(100)) == (b"H", b"T")
        assert time.monotonic() - started > 0.8
    with opened(gateway.urls["endless"]) as sock:
        assert sum(len(sock.recv(65536)) for _ in range(300)) > 3_000_000
    with opened(gateway.urls["malformed"]) as sock:
        assert not sock.recv(100).startswith(b"HTTP")


def test_tls_is_trusted_by_the_authority_alone(gateway: Gateway):
    ca = str(gateway.ca_file)
    assert HEALTH_TEXT in get(gateway.urls["tls_ok"], verify=ca).text
    with pytest.raises(requests.exceptions.SSLError):
        get(gateway.urls["tls_ok"])
    with pytest.raises(requests.exceptions.SSLError, match="expired"):
        get(gateway.urls["tls_expired"], verify=ca)
    with pytest.raises(requests.exceptions.SSLError, match="self-signed"):
        get(gateway.urls["tls_self_signed"], verify=ca)
    assert ssl.get_server_certificate((urlsplit(gateway.urls["tls_expired"]).hostname, _port(gateway, "tls_expired")))


def _port(gateway: Gateway, name: str) -> int:
    return urlsplit(gateway.urls[name]).port or 0


def test_what_reaches_an_address_is_counted(gateway: Gateway):
    assert gateway.connections("127.81.0.9") == 0
    get(gateway.urls["elsewhere"])
    traffic = gateway.traffic("127.81.0.9")
    assert traffic.connections == 1
    assert traffic.received > 30
    assert traffic.sent > 60
    assert gateway.connections("127.99.9.9") == 0


def test_endpoints_change_and_all_may_be_overridden(gateway: Gateway):
    url = gateway.urls["wrong_body"]
    gateway.behave("wrong_body", Behaviour.OK)
    assert HEALTH_TEXT in get(url).text
    gateway.behave("wrong_body", Behaviour.WRONG_BODY)
    with pytest.raises(ValueError, match="another port"):
        gateway.behave("ok", Behaviour.TLS_OK)
    gateway.override = lambda: Behaviour.ERROR_500
    assert {get(gateway.urls[name]).status_code for name in ("ok", "not_found", "hangs")} == {500}


def test_a_connection_is_kept_alive_unless_told(gateway: Gateway):
    with opened(gateway.urls["ok"]) as sock:
        assert sock.recv(4096).endswith(b"}")
        path = urlsplit(gateway.urls["ok"]).path
        sock.sendall(f"GET {path} HTTP/1.1\r\nconnection: close\r\n\r\n".encode())
        received = b""
        while piece := sock.recv(4096):
            received += piece
        assert b"connection: close" in received


def test_ten_thousand_endpoints_as_a_process(tmp_path: Path):
    urls = tmp_path / "urls.json"
    command = [sys.executable, "-m", "include.sandbox.gateway", "--ok", "9900", "--refuses", "60", "--tls-ok", "40"]
    process = subprocess.Popen([*command, "--urls", str(urls)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    ready = json.loads(process.stdout.readline())
    assert (ready["endpoints"], ready["addresses"]) == (10_000, 200)
    listed = json.loads(urls.read_text())
    hosts = {urlsplit(url).hostname for url in listed.values()}
    assert len(listed) == 10_000
    assert len(hosts) == 200
    assert HEALTH_TEXT in get(listed["ok-09899"]).text
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert json.loads(output)["connections"] == 1


def test_a_given_port_is_kept(tmp_path: Path):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with Gateway({"a": Behaviour.OK, "b": Behaviour.OK}, port=port, folder=tmp_path) as gateway:
        assert gateway.urls["a"] == f"http://127.80.0.1:{port}/services/a/health"
        assert gateway.urls["b"] == f"http://127.80.0.2:{port}/services/b/health"
        assert gateway.ca_file.parent == tmp_path
