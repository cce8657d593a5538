"""Every outcome, from real servers that behave that way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from include.clock import now
from include.sandbox.gateway import HEALTH_TEXT, TRAP_ADDRESS, Behaviour, Gateway
from include.sources.probing.answer import has_text
from include.sources.probing.policy import ProbePolicy
from include.sources.probing.result import Outcome, Sweep
from include.sources.probing.sweep import sweep
from include.sources.probing.target import Target
from tests.sources.probing.policies import allowing, by_code, policy

EXPECTED = {
    Behaviour.OK: (Outcome.SUCCEEDED, 200),
    Behaviour.SLOW: (Outcome.SUCCEEDED, 200),
    Behaviour.REFUSES: (Outcome.REFUSED, None),
    Behaviour.HANGS: (Outcome.TIMED_OUT, None),
    Behaviour.DRIPS: (Outcome.TIMED_OUT, None),
    Behaviour.ERROR_500: (Outcome.WRONG_STATUS, 500),
    Behaviour.NOT_FOUND: (Outcome.WRONG_STATUS, 404),
    Behaviour.WRONG_BODY: (Outcome.WRONG_BODY, 200),
    Behaviour.REDIRECTS_INSIDE: (Outcome.REDIRECTED, 302),
    Behaviour.REDIRECTS_ABROAD: (Outcome.REDIRECTED, 302),
    Behaviour.RESETS: (Outcome.RESET, None),
    Behaviour.ENDLESS: (Outcome.TOO_LARGE, 200),
    Behaviour.MALFORMED: (Outcome.MALFORMED, None),
    Behaviour.TLS_OK: (Outcome.SUCCEEDED, 200),
    Behaviour.TLS_EXPIRED: (Outcome.TLS_EXPIRED, None),
    Behaviour.TLS_SELF_SIGNED: (Outcome.TLS_UNTRUSTED, None),
}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with Gateway({str(b): b for b in Behaviour}) as running:
        yield running


@pytest.fixture
def swept(gateway: Gateway) -> Sweep:
    targets = [Target(name, "S1", url, HEALTH_TEXT) for name, url in gateway.urls.items()]
    return sweep(targets, policy(ca_file=gateway.ca_file), "s1")


def test_every_behaviour_has_its_outcome(gateway: Gateway, swept: Sweep) -> None:
    assert set(EXPECTED) == set(Behaviour)
    found = {code: (r.outcome, r.status) for code, r in by_code(swept).items()}
    assert found == {str(b): expected for b, expected in EXPECTED.items()}
    assert [r.service_code for r in swept.results] == list(gateway.urls), "results stand in the order of the targets"
    assert gateway.connections(TRAP_ADDRESS) == 0, "a redirect was followed"
    assert not swept.is_cut_off and swept.causes == ()


def test_times_and_certificates(swept: Sweep) -> None:
    found = by_code(swept)
    slow, secure, hanging = found["slow"], found["tls_ok"], found["hangs"]
    assert slow.connect_ms < 100 and 500 <= slow.first_byte_ms <= slow.total_ms < 900
    assert secure.connect_ms <= secure.tls_ms <= secure.first_byte_ms <= secure.total_ms
    assert found["ok"].tls_ms is None
    assert hanging.first_byte_ms is None and 1000 <= hanging.total_ms < 1500
    assert found["refuses"].connect_ms is None
    today = now().date()
    assert secure.certificate_expires_on - today > timedelta(days=80)
    assert found["tls_expired"].certificate_expires_on < today, "the day an expired certificate ran out is known"
    assert found["ok"].certificate_expires_on is None
    assert all(swept.started_at <= r.started_at <= swept.ended_at for r in swept.results)
    assert 0 <= swept.lag_ms < 500


def test_details_name_what_people_need(swept: Sweep) -> None:
    found = by_code(swept)
    assert "gateway.other-host.invalid" in found["redirects_abroad"].detail
    assert TRAP_ADDRESS in found["redirects_inside"].detail
    assert found["error_500"].detail == "状态码 500"
    assert found["ok"].detail is None
    assert all(len(r.detail or "") <= 200 for r in swept.results)


def test_an_authority_counts_only_where_the_policy_names_it(gateway: Gateway) -> None:
    target = Target("a", "S1", gateway.urls["tls_ok"])
    assert sweep([target], policy(), "s").results[0].outcome is Outcome.TLS_UNTRUSTED
    # A name that the certificate does not bear: checked as well, though the connection goes to the right address.
    other = Target("b", "S1", gateway.urls["tls_ok"].replace(_host(target.url), "other.example"))
    trusting = policy(ca_file=gateway.ca_file)
    found = by_code(sweep([target, other], trusting, "s", lambda host: [_host(target.url)]))
    assert found["a"].outcome is Outcome.SUCCEEDED
    assert found["b"].outcome is Outcome.TLS_UNTRUSTED


def _host(url: str) -> str:
    return url.split("//")[1].split(":")[0]


def test_without_an_expected_text_the_status_decides(gateway: Gateway) -> None:
    targets = [Target(n, "S1", gateway.urls[n]) for n in ("ok", "wrong_body", "error_500", "endless")]
    found = {code: r.outcome for code, r in by_code(sweep(targets, policy(), "s")).items()}
    assert found == {
        "ok": Outcome.SUCCEEDED, "wrong_body": Outcome.SUCCEEDED, "error_500": Outcome.WRONG_STATUS,
        "endless": Outcome.TOO_LARGE,
    }  # fmt: skip
    lenient = policy(good_statuses=frozenset({200, 500}))
    assert sweep([Target("e", "S1", gateway.urls["error_500"])], lenient, "s").results[0].outcome is Outcome.SUCCEEDED


def test_maintenance_is_not_disturbed(gateway: Gateway) -> None:
    address = gateway.endpoints["error_500"].address
    before = gateway.connections(address)
    result = sweep([Target("m", "S1", gateway.urls["error_500"], in_maintenance=True)], policy(), "s").results[0]
    assert result.outcome is Outcome.SKIPPED_MAINTENANCE and result.outcome.is_inconclusive
    assert gateway.connections(address) == before


def _serve_raw(answer: bytes, address: str = "127.80.9.9") -> tuple[socket.socket, str, list[bytes]]:
    """Answer every connection with these bytes."""
    listener = socket.create_server((address, 0))
    seen: list[bytes] = []

    def run() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                seen.append(peer.recv(65536))
                try:
                    peer.sendall(answer)
                except OSError:
                    continue  # the prober has had enough

    threading.Thread(target=run, daemon=True).start()
    return listener, f"http://{address}:{listener.getsockname()[1]}/x", seen


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param(b"", Outcome.RESET, id="closes"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", Outcome.RESET, id="cut short"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"y" * 3000 + b"\r\n" + b"X-B: z\r\n" * 20_000 + b"\r\n",
            Outcome.TOO_LARGE,
            id="long head",
        ),
        pytest.param(b"\x00\x01\x02\x03garbage\r\n\r\n", Outcome.MALFORMED, id="garbage"),
        pytest.param(b"HTTP/1.1 304 Not Modified\r\n\r\n", Outcome.WRONG_STATUS, id="304 without a target"),
        pytest.param(
            b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe://\x01evil\r\n\r\n",
            Outcome.REDIRECTED,
            id="target in no encoding",
        ),
        pytest.param(
            b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n", Outcome.REDIRECTED, id="target is a file"
        ),
        pytest.param(
            b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n",
            Outcome.WRONG_STATUS,
            id="asks for credentials",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
            Outcome.SUCCEEDED,
            id="claims gzip",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n", Outcome.SUCCEEDED, id="sets a cookie"
        ),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000, Outcome.TOO_LARGE, id="continues for ever"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", Outcome.MALFORMED, id="another protocol"),
    ],
)
def test_hostile_answers(answer: bytes, outcome: Outcome) -> None:
    listener, url, seen = _serve_raw(answer)
    with listener:
        result = sweep([Target("x", "S1", url)], policy(), "s").results[0]
        listener.shutdown(socket.SHUT_RDWR)
    assert result.outcome is outcome, result
    assert len(seen) == 1, "asked once, nothing followed or tried again"
    assert all(c.isprintable() for c in result.detail or "")


def test_what_a_probe_says_of_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.66.6.6:1/")
    monkeypatch.setenv("HOME", str(tmp_path))
    listener, url, seen = _serve_raw(b"HTTP/1.1 204 No Content\r\n\r\n")
    with listener:
        targets = [Target(str(n), "S1", url + "?q=1#part") for n in range(2)]
        outcomes = {r.outcome for r in sweep(targets, policy(), "s").results}
        listener.shutdown(socket.SHUT_RDWR)
    assert outcomes == {Outcome.SUCCEEDED}, "a proxy of the environment was asked"
    assert seen[0] == seen[1], "no cookie, nothing carried over"
    head = seen[0].decode().split("\r\n")
    assert head[0] == "GET /x?q=1 HTTP/1.1"
    names = {line.split(":")[0].lower() for line in head[1:] if line}
    assert names == {"host", "user-agent", "accept", "connection"}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_expected_text_in_any_encoding(encoding: str) -> None:
    encodings = ("utf-8", "gb18030")
    assert has_text("<b>运行正常</b>".encode(encoding), "运行正常", encodings)
    assert has_text(b'{"msg":"\\u8fd0\\u884c\\u6b63\\u5e38"}', "运行正常", encodings)
    assert not has_text("<b>运行异常</b>".encode(encoding), "运行正常", encodings)
    assert not has_text(b"\xff\xfe\x00" * 100, "运行正常", encodings)


def test_text_is_looked_for_within_the_limit_only(gateway: Gateway) -> None:
    early = b"HTTP/1.1 200 OK\r\n\r\n" + b"UP" + b"x" * 300_000
    late = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000 + b"UP"
    outcomes = []
    for answer in (early, late):
        listener, url, _ = _serve_raw(answer)
        with listener:
            outcomes.append(sweep([Target("x", "S1", url, "UP")], _limited(), "s").results[0].outcome)
            listener.shutdown(socket.SHUT_RDWR)
    assert outcomes == [Outcome.SUCCEEDED, Outcome.TOO_LARGE]


def _limited() -> ProbePolicy:
    return policy(max_bytes=1024, addresses=allowing("127.80.0.0/16"))
