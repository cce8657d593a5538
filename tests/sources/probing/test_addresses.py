"""No forbidden address receives a byte, whatever a catalogue, a name service or an answer says."""

from __future__ import annotations

import gc
import socket
import warnings
from collections.abc import Iterator, Sequence

import pytest

from include.sandbox.gateway import TRAP_ADDRESS, Behaviour, Endpoint, Gateway
from include.sources.probing import transfer
from include.sources.probing.result import Outcome
from include.sources.probing.sweep import sweep
from include.sources.probing.target import Target, UrlRefused, place_of
from tests.sources.probing.policies import allowing, by_code, policy

FORBIDDEN = "127.81.0.1"
OPEN = "127.80.0.1"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """Serve the same on an allowed and on a forbidden address."""
    with Gateway(
        {
            "open": Endpoint(Behaviour.OK, OPEN),
            "forbidden": Endpoint(Behaviour.OK, FORBIDDEN),
            "leads_inside": Endpoint(Behaviour.REDIRECTS_INSIDE, OPEN),
        }
    ) as running:
        yield running


def _port(gateway: Gateway, name: str = "forbidden") -> int:
    return int(gateway.urls[name].split(":")[2].split("/")[0])


def test_listed_addresses_only(gateway: Gateway) -> None:
    targets = [Target(name, "S1", url) for name, url in gateway.urls.items()]
    found = by_code(sweep(targets, policy(), "s"))
    assert found["open"].outcome is Outcome.SUCCEEDED
    assert found["forbidden"].outcome is Outcome.ADDRESS_REFUSED and FORBIDDEN in found["forbidden"].detail
    assert found["leads_inside"].outcome is Outcome.REDIRECTED
    assert gateway.connections(FORBIDDEN) == gateway.traffic(FORBIDDEN).received == 0
    assert gateway.connections(TRAP_ADDRESS) == gateway.traffic(TRAP_ADDRESS).received == 0
    assert gateway.connections(OPEN) == 2, "the counters count"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "0x7f000001", "2130706433", "017700000001", "0", "0.0.0.0", "localhost", "[::1]",
        "[::ffff:127.81.0.1]", "[::ffff:7f51:1]", "[64:ff9b::7f51:1]", "[2002:7f51:1::]", "[fe80::1]", "[fc00::1]",
        "169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "224.0.0.1", "[ff02::1]",
        "255.255.255.255", "127.81.0.1.", "①②⑦.81.0.1",
    ],
)  # fmt: skip
def test_every_way_to_write_an_inner_address(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Besides the listeners that count, no socket at all is opened: not to addresses either that have none here."""
    opened: list[object] = []
    monkeypatch.setattr(transfer.Transfer, "_open", lambda *a: opened.append(a) or transfer._SOCKET_BAD)
    result = sweep([Target("x", "S1", f"http://{host}:{_port(gateway)}/")], policy(), "s").results[0]
    assert result.outcome in (Outcome.ADDRESS_REFUSED, Outcome.NAME_UNRESOLVED, Outcome.OUT_OF_TIME), result
    assert opened == []
    assert gateway.connections(FORBIDDEN) == 0


def test_one_forbidden_answer_among_good_ones_is_enough(gateway: Gateway) -> None:
    target = Target("x", "S1", f"http://two.example:{_port(gateway, 'open')}/services/open/health")
    for answers in ([OPEN, FORBIDDEN], [FORBIDDEN, OPEN], [OPEN, "10.1.2.3"], [OPEN, "no address"]):
        result = sweep([target], policy(), "s", lambda host, a=answers: a).results[0]
        assert result.outcome is Outcome.ADDRESS_REFUSED
    assert gateway.connections(FORBIDDEN) == gateway.connections(OPEN) == 0


class Rebinding:
    """A name service that gives an allowed address first and a forbidden one from then on."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return [OPEN] if len(self.asked) == 1 else [FORBIDDEN]


def test_a_rebinding_name_gains_nothing(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("looked up a second time")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    lookup = Rebinding()
    url = f"http://rebinding.example:{_port(gateway, 'open')}/services/open/health"
    found = sweep([Target(str(n), "S1", url) for n in range(20)], policy(), "s", lookup)
    assert {r.outcome for r in found.results} == {Outcome.SUCCEEDED}
    assert lookup.asked == ["rebinding.example"], "each name is looked up once"
    assert gateway.connections(OPEN) == 20
    assert gateway.connections(FORBIDDEN) == gateway.traffic(FORBIDDEN).received == 0


def test_curl_itself_may_only_open_a_checked_address(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last guard: were curl led elsewhere by an option, no socket would be opened."""
    monkeypatch.setattr(transfer.pycurl, "CONNECT_TO", transfer.pycurl.RESOLVE)  # the pin is lost
    target = Target("x", "S1", gateway.urls["forbidden"].replace(FORBIDDEN, "lost.example"))
    monkeypatch.setattr(transfer.Transfer, "ask", _ask_elsewhere(transfer.Transfer.ask, gateway.urls["forbidden"]))
    result = sweep([target], policy(), "s", lambda host: [OPEN]).results[0]
    assert result.outcome.is_inconclusive or result.outcome.is_failure
    assert gateway.connections(FORBIDDEN) == 0


def _ask_elsewhere(ask: object, url: str) -> object:
    def misled(self: transfer.Transfer, place: object, addresses: Sequence[str], *rest: object, **more: object) -> None:
        ask(self, place, addresses, *rest, **more)
        self.curl.setopt(transfer.pycurl.URL, url)

    return misled


def test_the_next_address_is_tried_where_one_refuses(gateway: Gateway) -> None:
    target = Target("x", "S1", f"http://two.example:{_port(gateway, 'open')}/services/open/health")
    result = sweep([target], policy(), "s", lambda host: ["127.80.0.99", OPEN]).results[0]
    assert result.outcome is Outcome.SUCCEEDED
    assert result.detail is None


def test_a_whole_network_may_be_allowed(gateway: Gateway) -> None:
    wide = policy(addresses=allowing("127.80.0.0/15"))
    found = sweep([Target(n, "S1", gateway.urls[n]) for n in ("open", "forbidden")], wide, "s")
    assert {r.outcome for r in found.results} == {Outcome.SUCCEEDED}


@pytest.mark.parametrize(
    "url",
    [
        "", "   ", "ftp://h/", "file:///etc/passwd", "gopher://h:70/_x", "javascript:alert(1)", "//h/x", "h/x", "http://",
        "http:///x", "http://user@h/", "http://user:pw@h/", "http://h@127.0.0.1/", "http://a b/", "http://h\\@127.0.0.1/",
        "http://h/\r\nX: y", "http://h\x00.example/", "http://h:0/", "http://h:65536/", "http://h:x/", "http://[::1/",
        "http://[v1.x]/", "http://[fe80::1%25lo]/", "http://h%2eexample/", "http://-h/", f"http://{'a' * 300}/", "http://h:80:80/",
        "http://h;h/", "http://h,h/",
    ],
)  # fmt: skip
def test_urls_that_are_not_even_looked_at(url: str) -> None:
    with pytest.raises(UrlRefused):
        place_of(url)
    result = sweep([Target("x", "S1", url)], policy(), "s").results[0]
    assert result.outcome is Outcome.ADDRESS_REFUSED and result.detail and result.outcome.is_inconclusive


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("HTTP://Gateway.Example/a?b=c#d", "http://gateway.example:80/a?b=c"),
        (" https://h:8443 ", "https://h:8443/"),
        ("http://网关.政务/服务/健康?名=值", "http://xn--9kq13f.xn--mxtq1m:80/"),
        ("http://[2001:DB8::1]:8080/x", "http://[2001:db8::1]:8080/x"),
        ("http://h/a%20b/../c;d=1?x=%E6", "http://h:80/a%20b/../c;d=1?x=%E6"),
        ("http://a_b.example/", "http://a_b.example:80/"),
    ],
)
def test_urls_are_written_anew(url: str, written: str) -> None:
    place = place_of(url)
    if place.host.startswith("xn--"):
        assert place.url.isascii() and "%E6%9C%8D" in place.url
    else:
        assert place.url == written


def test_no_socket_of_a_probe_is_lost_unclosed(gateway: Gateway) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ResourceWarning)
        found = sweep([Target("open", "S1", gateway.urls["open"])], policy(), "s")
        gc.collect()
    assert found.results[0].outcome is Outcome.SUCCEEDED
    assert not [str(one.message) for one in said if "socket" in str(one.message)]
