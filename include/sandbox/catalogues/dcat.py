"""A DCAT portal in Turtle and RDF/XML with Hydra's paging of today, and in JSON-LD with its paging of before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox import words
from include.sandbox.catalogues.entry import COMPONENT, HOST, Entry, Mounted
from include.sandbox.catalogues.graph import (
    PREFIXES,
    XML_END,
    Node,
    Ref,
    Text,
    Value,
    json_ld,
    turtle,
    turtle_head,
    xml,
    xml_head,
)
from include.sandbox.catalogues.open_portal import OpenPortal, number_of
from include.sandbox.catalogues.portal_entries import DCAT
from include.sandbox.catalogues.world import CatalogueWorld, Listing
from include.sandbox.city_days import Days
from include.sandbox.city_platform import Asked, Page
from include.sandbox.faults import Faults

SIZE_LIMIT, SIZE_DEFAULT = 5000, 20
TYPES = {"ttl": "text/turtle;charset=utf-8", "rdf": "application/rdf+xml", "jsonld": "application/ld+json"}
REMOTE_CONTEXT = "http://other-host.invalid/dcat-context.jsonld"
RIGHTS = "http://publications.europa.eu/resource/authority/access-right/"
NEW_FORM = {"first": "hydra:first", "previous": "hydra:previous", "next": "hydra:next", "last": "hydra:last"}
OLD_FORM = {
    "first": "hydra:firstPage",
    "previous": "hydra:previousPage",
    "next": "hydra:nextPage",
    "last": "hydra:lastPage",
}
SERVICE = "/service/"
Pairs = Iterator[tuple[str, Value]]


class Dcat:
    """Serves the portal's catalogue in three forms."""

    def __init__(self, world: CatalogueWorld, days: Days, faults: Faults, calls: Counter[str]) -> None:
        self.portal = OpenPortal(DCAT, days, faults, calls)
        self.listings = {form: Listing(world, DCAT, _ENCODERS[form]) for form in TYPES}

    def routes(self) -> list[Route]:
        """Return the addresses of the three forms."""
        return [Route("/dcat/catalog.{form}", self.catalog)]

    async def catalog(self, request: Request) -> Response:
        """Answer one page of the catalogue."""
        form = request.path_params["form"]
        if form not in self.listings:
            return Response("no such form", 404, media_type="text/plain")
        asked_for: list[int] = []

        def read() -> Asked:
            number = number_of(request, "page", 1, 1)
            size = number_of(request, "size", SIZE_DEFAULT, 1, SIZE_LIMIT)
            asked_for.extend((number, size))
            return Asked((number - 1) * size, size, made=self.listings[form].rows)

        def envelope(page: Page) -> bytes:
            return _document(form, f"{str(request.base_url).rstrip('/')}/dcat/catalog", page, *asked_for)

        return self.portal.answer(form, read, envelope, lambda why: {"error": why}, TYPES[form])


def _document(form: str, address: str, page: Page, number: int, size: int) -> bytes:
    """Return a page as a document; a row is the entry's address, a line feed and what describes it."""
    pairs = [row.partition(b"\n") for row in page.rows]
    members = [Ref(iri.decode()) for iri, _, _ in pairs]
    links = _links(f"{address}.{form}", size, number, -(-page.total // size))
    heads = (_new_heads if form != "jsonld" else _old_heads)(address, links, members, page.total, size)
    described = [text for _, _, text in pairs]
    if form == "jsonld":
        context = REMOTE_CONTEXT if page.scenario == "remote_context" else PREFIXES
        parts = [orjson.dumps(json_ld(head)) for head in heads] + described
        return b'{"@context":' + orjson.dumps(context) + b',"@graph":[' + b",".join(parts) + b"]}"
    write, begin, end = (turtle, turtle_head(), "") if form == "ttl" else (xml, xml_head(), XML_END)
    front = begin + "".join(write(head) for head in heads)
    return front.encode() + b"".join(described) + end.encode()


def _links(address: str, size: int, number: int, last: int) -> dict[str, str]:
    numbers = {"this": number, "first": 1, "last": max(1, last)}
    if number > 1:
        numbers["previous"] = number - 1
    if number < last:
        numbers["next"] = number + 1
    return {name: f"{address}?page={place}&size={size}" for name, place in numbers.items()}


def _new_heads(address: str, links: dict[str, str], members: list[Ref], total: int, size: int) -> list[Node]:
    view = ("hydra:view", Ref(links["this"]))
    counted = ("hydra:totalItems", Text(str(total), type="integer"))
    kind = ("rdf:type", Ref(f"{PREFIXES['hydra']}Collection"))
    catalog = Node(address, "dcat:Catalog", (*_about(members), kind, counted, view))
    steps = tuple((NEW_FORM[name], Ref(link)) for name, link in links.items() if name in NEW_FORM)
    return [catalog, Node(links["this"], "hydra:PartialCollectionView", steps)]


def _old_heads(address: str, links: dict[str, str], members: list[Ref], total: int, size: int) -> list[Node]:
    # Portals that still use the old form write its links as text.
    steps = tuple((OLD_FORM[name], Text(link)) for name, link in links.items() if name in OLD_FORM)
    counted = (
        ("hydra:totalItems", Text(str(total), type="integer")),
        ("hydra:itemsPerPage", Text(str(size), type="integer")),
    )
    return [
        Node(address, "dcat:Catalog", _about(members)),
        Node(links["this"], "hydra:PagedCollection", counted + steps),
    ]


def _about(members: list[Ref]) -> tuple[tuple[str, Value], ...]:
    listed = tuple(("dcat:service" if SERVICE in ref.iri else "dcat:dataset", ref) for ref in members)
    title = (("dct:title", Text("双鸭山市数据目录", "zh")), ("dct:title", Text("Data catalogue of Shuangyashan", "en")))
    return (*title, *listed)


def described(entry: Entry) -> Node:
    """Return an entry as a dataset or a service."""
    is_service = entry.kind == COMPONENT
    iri = f"http://{HOST}{SERVICE if is_service else '/dataset/'}{entry.key}"
    kind = "dcat:DataService" if is_service else "dcat:Dataset"
    return Node(iri, kind, (*_names(entry), *_facts(entry), *_reached(entry)))


def _names(entry: Entry) -> Pairs:
    number = entry.number
    if entry.title:
        yield "dct:title", Text(entry.title, "" if number % 5 == 4 else "zh")
        yield "dct:title", Text(f"Dataset {number + 1}", "en")
        if number % 4 == 1:
            yield "dct:title", Text(f"Набор данных {number + 1}", "ru")
    yield "dct:description", Text(entry.summary, "zh")
    yield "dct:identifier", Text(entry.key)
    yield "adms:identifier", Node("", "adms:Identifier", (("skos:notation", Text(entry.code)),))
    for word in entry.keywords:
        yield "dcat:keyword", Text(word, "zh")


def _facts(entry: Entry) -> Pairs:
    about = (("foaf:name", Text(entry.unit, "zh")), ("dct:identifier", Text(entry.credit)))
    named = f"http://{HOST}/organization/{entry.credit}" if entry.number % 3 == 0 else ""
    yield "dct:publisher", Node(named, "foaf:Organization", about)
    yield "dcat:theme", Node("", "skos:Concept", (("skos:prefLabel", Text(entry.theme, "zh")),))
    yield "dct:accrualPeriodicity", Ref(entry.cycle_word)
    for name, day in (("dct:issued", entry.issued), ("dct:modified", entry.modified)):
        if day:
            yield name, Text(day, type="date")
    yield "dct:accessRights", Ref(RIGHTS + ("PUBLIC" if entry.share == "无条件共享" else "RESTRICTED"))
    yield "shuheng:shareType", Text(entry.share)
    for name, value in (("systemCode", entry.system), ("secretLevel", entry.secret), ("condition", entry.condition)):
        if value:
            yield f"shuheng:{name}", Text(value)


def _reached(entry: Entry) -> Pairs:
    phone, contact = f"tel:1380000{entry.number % 10000:04d}", words.SURNAMES[entry.number % 12]
    name = contact + words.GIVEN_NAMES[entry.number % 11]
    card = (("vcard:fn", Text(name)), ("vcard:hasTelephone", Ref(phone)))
    yield "dcat:contactPoint", Node("", "vcard:Individual", card)
    if entry.kind == COMPONENT:
        yield "dcat:endpointURL", Ref(str(dict(entry.details)["endpoint"]))
        return
    yield "dcat:landingPage", Ref(f"http://{HOST}/page/{entry.key}")
    for mounted in entry.mounted:
        yield "dcat:distribution", _distribution(mounted)


def _distribution(mounted: Mounted) -> Node:
    values: tuple[tuple[str, Any], ...] = (
        ("dct:title", Text(mounted.title, "zh")),
        ("dct:format", Text(mounted.form.upper())),
        ("dcat:accessURL", Ref(mounted.url)),
        ("dcat:downloadURL", Ref(mounted.url)),
    )
    return Node(f"http://{HOST}/distribution/{mounted.key}", "dcat:Distribution", values)


def _row(node: Node, text: bytes) -> bytes:
    return node.iri.encode() + b"\n" + text


_ENCODERS = {
    "ttl": lambda entry: _row(node := described(entry), turtle(node).encode()),
    "rdf": lambda entry: _row(node := described(entry), xml(node).encode()),
    "jsonld": lambda entry: _row(node := described(entry), orjson.dumps(json_ld(node))),
}
