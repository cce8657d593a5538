from __future__ import annotations

import ipaddress
import socket
import ssl
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from include.clock import SHANGHAI
from include.connections import Connection
from include.errors import AddressRefused, ConfigurationError, SourceUnreachable
from include.sources.address import AddressPolicy, Dialer, address_policy
from include.sources.call import Answer, Call
from include.sources.card import Limits
from include.sources.http import HttpSession
from tests.sources.answering import AnsweringServer, Reply, connection_to, reply


@pytest.mark.parametrize("address", ["8.8.8.8", "114.114.114.114", "2400:3200::1"])
def test_public_addresses_are_allowed(address: str) -> None:
    AddressPolicy().check("platform.example", address)


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("127.0.0.1", "loopback"),
        ("127.9.9.9", "loopback"),
        ("::1", "loopback"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("192.168.1.1", "private"),
        ("fc00::1", "private"),
        ("fec0::1", "private"),
        ("100.64.0.1", "reserved"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("240.0.0.1", "private|reserved"),
        ("255.255.255.255", "private|reserved"),
        ("::ffff:127.0.0.1", "translated"),
        ("::ffff:8.8.8.8", "translated"),
        ("64:ff9b::7f00:1", "translated"),
        ("2002:7f00:1::", "translated"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "translated"),
    ],
)
def test_every_other_kind_of_address_is_refused_with_host_address_and_remedy(address: str, word: str) -> None:
    with pytest.raises(AddressRefused, match=word) as caught:
        AddressPolicy().check("platform.example", address)
    said = str(caught.value)
    assert "platform.example" in said
    assert str(ipaddress.ip_address(address)) in said
    assert "limits.networks" in said and "extra" in said


def test_a_listed_network_is_allowed_and_its_neighbour_is_not() -> None:
    policy = address_policy(Limits(networks=("10.20.0.0/16",)), Connection("c", "http"))
    policy.check("host", "10.20.255.1")
    with pytest.raises(AddressRefused):
        policy.check("host", "10.21.0.1")


@pytest.mark.parametrize("extra", [["10.20.0.0/16", "fc00::/7"], "10.20.0.0/16, fc00::/7"])
def test_networks_of_the_connection_are_united_with_those_of_the_card(extra: Any) -> None:
    policy = address_policy(Limits(networks=("192.168.7.0/24",)), Connection("c", "http", extra={"networks": extra}))
    for address in ("10.20.0.1", "fc00::5", "192.168.7.1"):
        policy.check("host", address)
    with pytest.raises(AddressRefused):
        policy.check("host", "127.0.0.1")


@pytest.mark.parametrize("extra", ["ten-twenty", 7])
def test_an_unreadable_network_names_the_connection(extra: Any) -> None:
    with pytest.raises(ConfigurationError, match="'c'"):
        address_policy(Limits(), Connection("c", "http", extra={"networks": extra}))


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str], port: int = 80) -> list[str]:
    """Put a name server in the system's place that gives one answer after the other."""
    asked: list[str] = []
    left = list(answers)

    def getaddrinfo(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        found = left.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


LOOPBACK = AddressPolicy((ipaddress.ip_network("127.0.0.0/8"),))


def test_one_refused_address_among_many_refuses_the_host_before_any_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.2)
    resolve_to(monkeypatch, ["127.0.0.1", "10.0.0.1"], port=listener.getsockname()[1])
    with pytest.raises(AddressRefused, match="10.0.0.1"):
        Dialer(LOOPBACK).dial("platform.example", 80, 1)
    with listener, pytest.raises(TimeoutError):
        listener.accept()


def test_the_name_is_resolved_once_so_that_a_second_answer_cannot_redirect_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with AnsweringServer(lambda _: reply({"ok": 1})) as server:
        asked = resolve_to(monkeypatch, ["127.0.0.1"], ["10.0.0.1"], port=server.port)
        connection = Connection("c", "http", f"http://platform.example:{server.port}", extra={"networks": "127.0.0.1"})
        with HttpSession(connection, Limits()) as session:
            for _ in range(3):
                assert fetch(session).document == {"ok": 1}
        assert asked == ["platform.example"]
        assert {a.headers["host"] for a in server.asked} == {f"platform.example:{server.port}"}


def test_another_address_is_tried_when_the_first_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = socket.create_server(("127.0.0.2", 0))
    resolve_to(monkeypatch, ["127.0.0.1", "127.0.0.2"], port=listener.getsockname()[1])
    dialer = Dialer(LOOPBACK)
    sock = dialer.dial("platform.example", 80, 1)
    assert sock.getpeername()[0] == "127.0.0.2"
    sock.close()
    dialer.close()
    listener.close()


def test_a_closed_port_is_unreachable_and_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SourceUnreachable, match=f"127.0.0.1 port {port}: ConnectionRefusedError"):
        Dialer(LOOPBACK).dial("127.0.0.1", port, 1)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70 + ".example"])
def test_a_name_that_does_not_resolve_is_unreachable(host: str) -> None:
    with pytest.raises(SourceUnreachable, match="cannot be resolved"):
        Dialer(AddressPolicy()).dial(host, 80, 1)


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "[::1]"])
def test_loopback_in_every_spelling_is_refused_without_a_listed_network(host: str) -> None:
    connection = Connection("c", "http", f"http://{host}:9")
    with HttpSession(connection, Limits(attempts=1)) as session, pytest.raises(AddressRefused, match="loopback"):
        fetch(session)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with AnsweringServer(lambda _: reply({"ok": 1})) as server, HttpSession(connection_to(server.url), Limits()) as s:
        assert fetch(s).document == {"ok": 1}


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """Return a server's TLS context for a host name, and the file of its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    at = datetime.now(SHANGHAI)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / f"{name}.pem", folder / f"{name}.key"
    public.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


def test_tls_verifies_the_host_name_though_the_connection_goes_to_a_pinned_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, authority = certificate(tmp_path, "platform.example")
    with AnsweringServer(lambda _: reply({"ok": 1}), context) as server:
        resolve_to(monkeypatch, ["127.0.0.1"], ["127.0.0.1"], ["127.0.0.1"], port=server.port)

        def document(host: str, **extra: str) -> Any:
            connection = connection_to(f"https://{host}:{server.port}", **extra)
            with HttpSession(connection, Limits(attempts=1)) as session:
                return fetch(session).document

        assert document("platform.example", ca_file=str(authority)) == {"ok": 1}
        with pytest.raises(ConfigurationError, match="TLS certificate of other.example"):
            document("other.example", ca_file=str(authority))
        with pytest.raises(ConfigurationError, match="ca_file"):
            document("platform.example")


def test_a_connection_can_be_cut_from_outside() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dialer = Dialer(LOOPBACK)
        dialer.arm()
        sock = dialer.dial("127.0.0.1", listener.getsockname()[1], 1)
        dialer.cut()
        assert dialer.is_cut
        assert sock.recv(1) == b""
        sock.close()
        dialer.close()
        dialer.cut()  # of nothing: no error


def test_cookies_are_neither_kept_nor_sent() -> None:
    def answer(_: Any) -> Reply:
        return reply({"ok": 1}, Set_Cookie="session=1; Path=/")

    with AnsweringServer(answer) as server, HttpSession(connection_to(server.url), Limits()) as session:
        fetch(session)
        fetch(session)
        assert len(server.asked) == 2
        assert all("cookie" not in a.headers for a in server.asked)


def fetch(session: HttpSession) -> Answer:
    return session.fetch(lambda: Call("GET", "/"), lambda answer: answer)
