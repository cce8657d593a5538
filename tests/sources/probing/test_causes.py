"""What endpoints of one host have in common, and the order in which hosts take turns."""

from __future__ import annotations

from dataclasses import replace

from include.clock import now
from include.sandbox.gateway import Behaviour, Endpoint, Gateway
from include.sources.probing.causes import common_causes
from include.sources.probing.result import Outcome, ProbeResult
from include.sources.probing.sweep import sweep
from include.sources.probing.target import Target, interleaved
from tests.sources.probing.policies import policy


def _results(*outcomes: Outcome) -> list[ProbeResult]:
    return [ProbeResult(f"s{n:02d}", o, None, None, None, None, None, None, now()) for n, o in enumerate(outcomes)]


def _causes(*outcomes: Outcome) -> tuple[tuple[str, str, int, int], ...]:
    results = _results(*outcomes)
    found = common_causes(
        {r.service_code: "h" for r in results}, results, policy(common_least=10, common_share_percent=90)
    )
    return tuple((c.host, str(c.outcome), c.endpoints, len(c.services)) for c in found)


def test_most_of_a_host_fail_alike() -> None:
    good, refused, late = Outcome.SUCCEEDED, Outcome.REFUSED, Outcome.TIMED_OUT
    assert _causes(*[refused] * 9, good) == (("h", "refused", 10, 9),)
    assert _causes(*[refused] * 8, good, good) == (), "8 of 10 are less than the share"
    assert _causes(*[refused] * 9) == (), "too few endpoints to tell the host from its services"
    assert _causes(*[refused] * 5, *[late] * 5) == (), "not alike"
    assert _causes(*[good] * 20) == ()
    assert _causes(*[late] * 12, *[Outcome.OUT_OF_TIME] * 30) == (("h", "timed_out", 12, 12),), "not reached: no part"


def test_by_default_half_of_five_are_enough() -> None:
    good, refused = Outcome.SUCCEEDED, Outcome.REFUSED
    for outcomes, count in (((refused,) * 3 + (good,) * 2, 1), ((refused,) * 2 + (good,) * 3, 0), ((refused,) * 4, 0)):
        results = _results(*outcomes)
        assert len(common_causes({r.service_code: "h" for r in results}, results, policy())) == count


def test_what_is_a_services_own_fault_is_no_cause_however_many_have_it() -> None:
    for outcome, status, count in (
        (Outcome.WRONG_STATUS, 404, 0), (Outcome.WRONG_BODY, 200, 0), (Outcome.WRONG_STATUS, 502, 1), (Outcome.REDIRECTED, 302, 1),
    ):  # fmt: skip
        results = [replace(r, status=status) for r in _results(*[outcome] * 12)]
        assert len(common_causes({r.service_code: "h" for r in results}, results, policy())) == count, (outcome, status)


def test_a_dead_gateway_is_one_cause() -> None:
    endpoints = {f"dead{n}": Endpoint(Behaviour.REFUSES, "127.80.0.1") for n in range(12)}
    endpoints |= {f"ok{n}": Endpoint(Behaviour.OK, "127.80.0.2") for n in range(12)}
    endpoints |= {"lone": Endpoint(Behaviour.REFUSES, "127.80.0.3")}
    with Gateway(endpoints) as gateway:
        found = sweep([Target(n, "S1", u) for n, u in gateway.urls.items()], policy(), "s")
    assert [(c.host, c.outcome, c.endpoints) for c in found.causes] == [("127.80.0.1", Outcome.REFUSED, 12)]
    assert set(found.causes[0].services) == {f"dead{n}" for n in range(12)}


def test_hosts_take_turns() -> None:
    urls = [f"http://{host}.example/{n}" for host, count in (("a", 4), ("b", 2), ("c", 1)) for n in range(count)]
    targets = [Target(f"s{n}", None, url) for n, url in enumerate([*urls, "not a url"])]
    ordered = interleaved(reversed(targets))
    assert sorted(t.service_code for t in ordered) == sorted(t.service_code for t in targets), "none is lost"
    hosts = [t.url.removeprefix("http://")[0] for t in ordered if t.url.startswith("http")]
    assert hosts[:3] == ["a", "b", "c"] and hosts[3:5] == ["a", "b"] and hosts[5:] == ["a", "a"]
    assert ordered == interleaved(targets), "the order does not depend on that of the catalogue"
