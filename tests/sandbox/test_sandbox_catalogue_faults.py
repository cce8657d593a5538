"""Faults of the catalogue portals: of paging and transport as elsewhere, and those of identifiers, addresses and contexts."""

from __future__ import annotations

import pyoxigraph
import pytest
import requests
from sandbox_client import ExchangeCaller

from include.sandbox.faults import Fault
from include.sandbox.server import SandboxServer

PATHS = {
    "ckan": "/ckan/api/3/action/package_search?start=10&rows=10",
    "dcat": "/dcat/catalog.ttl?page=2&size=10",
    "datajson": "/datajson/data.json",
    "municipal": "/municipal/api/list?page=2&size=10",
}
SERVED = {"dcat": "text/turtle;charset=utf-8"}


def get(server: SandboxServer, platform: str, path: str = "") -> requests.Response:
    return requests.get(f"{server.url}{path or PATHS[platform]}", timeout=5, allow_redirects=False)


def listed(server: SandboxServer, start: int = 10) -> tuple[int, list[str]]:
    path = f"/ckan/api/3/action/package_search?start={start}&rows=10"
    result = get(server, "ckan", path).json()["result"]
    return result["count"], [package["id"] for package in result["results"]]


@pytest.mark.parametrize("platform", PATHS)
def test_faults_of_transport_strike_every_portal(server: SandboxServer, platform: str):
    honest = get(server, platform)
    assert honest.headers["content-type"] == SERVED.get(platform, "application/json;charset=utf-8")
    for scenario, status in (("error_500", 500), ("error_429", 429), ("redirect", 302), ("down", 503)):
        server.fault(scenario, platform)
        assert get(server, platform).status_code == status
        server.clear_faults()
    server.fault("html_200", platform)
    assert get(server, platform).text.startswith("<!DOCTYPE")
    server.fault("truncated_json", platform)
    cut = get(server, platform)
    assert cut.content == honest.content[: len(honest.content) * 6 // 10]
    assert cut.headers["content-type"] == honest.headers["content-type"]
    server.fault("gbk_as_utf8", platform)
    assert get(server, platform).content.decode("gb18030") == honest.text
    server.fault("deep_json", platform)
    assert get(server, platform).content.count(b"[") == 100_000
    server.fault("reset_90", platform)
    with pytest.raises(requests.exceptions.RequestException):
        get(server, platform)
    assert get(server, platform).content == honest.content


@pytest.mark.parametrize("form", ["ttl", "rdf", "jsonld"])
def test_a_cut_description_is_no_description(server: SandboxServer, form: str):
    formats = {"ttl": pyoxigraph.RdfFormat.TURTLE, "rdf": pyoxigraph.RdfFormat.RDF_XML}
    server.fault("truncated_json", "dcat", call=form)
    body = get(server, "dcat", f"/dcat/catalog.{form}").content
    with pytest.raises(SyntaxError):
        list(pyoxigraph.parse(body, format=formats.get(form, pyoxigraph.RdfFormat.JSON_LD)))


@pytest.mark.parametrize(
    "scenario", ["wrong_total", "repeated_page", "skipped_page", "shifting_pages", "partial_pages", "empty_list"]
)
def test_faults_of_paging(server: SandboxServer, scenario: str):
    (count, first), (_, honest), (_, third) = (listed(server, start) for start in (0, 10, 20))
    server.fault(scenario, "ckan", times=0)
    wanted = {
        "wrong_total": (count + 7, honest),
        "repeated_page": (count, first),
        "skipped_page": (count, third),
        "shifting_pages": (count, [first[-1], *honest[:-1]]),
        "partial_pages": (count, honest[:6]),
        "empty_list": (0, []),
    }
    assert listed(server) == wanted[scenario]


def test_endless_links(server: SandboxServer):
    server.fault("endless_paging", "dcat", times=0)
    address = f"{server.url}/dcat/catalog.ttl?size=20"
    for _ in range(8):
        page = requests.get(address, timeout=5).text
        address = page.split("hydra:next <")[1].split(">")[0]
    assert "page=9" in address


@pytest.mark.parametrize("platform", ["dcat", "datajson", "municipal"])
def test_moved_portals_change_the_host_of_every_address_and_nothing_else(server: SandboxServer, platform: str):
    honest = get(server, platform).text
    server.fault("moved", platform)
    moved = get(server, platform).text
    own = honest.count("data.sys-portal.invalid")
    assert own >= 10 and moved.count("opendata.sys-city.invalid") >= own - 1
    assert moved.replace("opendata.sys-city.invalid", "data.sys-portal.invalid") == honest


def test_recoined_identifiers_change_alone(server: SandboxServer):
    caller = ExchangeCaller(server)
    honest = caller.rows("catalog/list")
    for platform in ("catalogue", "ckan"):
        server.fault("recoined", platform, times=0)
    rows = caller.rows("catalog/list")
    assert not {row["cataId"] for row in rows} & {row["cataId"] for row in honest}
    same = [[{**row, "cataId": ""} for row in found] for found in (honest, rows)]
    assert same[0] == same[1]
    again = caller.rows("catalog/list")
    assert again == rows
    ids = listed(server)[1]
    server.clear_faults()
    assert not set(ids) & set(listed(server)[1])


def test_half_of_the_entries_vanish_and_the_total_says_so(server: SandboxServer):
    honest = [id_ for start in (0, 10) for id_ in listed(server, start)[1]]
    server.fault("vanish_half", "ckan", times=0)
    count, ids = listed(server, 0)
    once, left = list(dict.fromkeys(honest)), list(dict.fromkeys(ids))
    assert len(left) > 7
    assert left[: len(once[::2])] == once[::2][: len(left)]
    assert count == server.truth()["catalogues"]["sources"]["ckan"]["listed"] // 2


def test_a_remote_context_is_named_and_not_held(server: SandboxServer):
    path = "/dcat/catalog.jsonld"
    honest = get(server, "dcat", path).json()
    server.fault("remote_context", "dcat")
    spoilt = get(server, "dcat", path).json()
    assert isinstance(honest["@context"], dict)
    assert spoilt["@context"] == "http://other-host.invalid/dcat-context.jsonld"
    assert spoilt["@graph"] == honest["@graph"]


def test_the_exchanges_catalogue_has_faults_of_its_own(server: SandboxServer):
    caller = ExchangeCaller(server)
    server.fault("expired_secret", "catalogue")
    assert caller.call("application/list").json()["code"] == "0"
    assert caller.call("catalog/list").json()["code"] == "E-107"
    server.fault("down", "catalogue", times=0)
    assert caller.call("catalog/list").status_code == 503
    server.clear_faults()
    assert caller.call("catalog/list").json()["code"] == "0"


def test_faults_of_catalogues_are_refused_elsewhere():
    for scenario, platform in (("recoined", "exchange"), ("vanish_half", "zj"), ("missing_days", "ckan")):
        with pytest.raises(ValueError, match=f"not of {platform}"):
            Fault(scenario, platform)
