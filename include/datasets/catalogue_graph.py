"""Describe an entry of the ledger as DCAT 3 and DCAT-AP 3, and in terms of our own that lose nothing.

A node is a JSON-LD object in compact form; both syntaxes are written from it. Standard terms are for others to read; reading an
export back takes our own terms only, one for each canonical field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

import orjson

from include.datasets.identity import CATALOGUE, local_iri, web_iri
from include.sources.card import canonical_schema

Node = dict[str, Any]
Record = Mapping[str, Any]

DATASET, SERVICE, RESOURCE = LINKS = ("dcat:dataset", "dcat:service", "dcat:resource")
"""How the catalogue links to an entry, in the order in which entries are written."""

_EU = "http://publications.europa.eu/resource/authority/"
_CHINESE = f"{_EU}language/ZHO"
_FREQUENCIES = {
    "realtime": "CONT", "daily": "DAILY", "weekly": "WEEKLY", "ten_days": "MONTHLY_3", "monthly": "MONTHLY",
    "quarterly": "QUARTERLY", "half_yearly": "ANNUAL_2", "yearly": "ANNUAL", "two_yearly": "BIENNIAL",
    "three_yearly": "TRIENNIAL", "irregular": "IRREG", "never": "NEVER", "other": "OTHER",
}  # fmt: skip
_ACCESS = {"unconditional": "PUBLIC", "conditional": "RESTRICTED", "closed": "NON_PUBLIC"}
_CLASSES = {"data": None, "component": "shuheng:Component", "cloud_resource": "shuheng:CloudResource"}
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]*")


def _terms(entity: str) -> dict[str, str]:
    """Return our own term of every canonical field but the identity, which is the IRI."""
    names = (name for name in canonical_schema(entity)["properties"] if name != "resource_id")
    return {name: "shuheng:" + re.sub(r"_(.)", lambda m: m[1].upper(), name) for name in names}


_RESOURCE_TERMS, _ITEM_TERMS = _terms("resource"), _terms("resource_item")


class SharedNodes:
    """What many entries point to (providers, categories, formats), described once, at the end. As many as there are words."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}

    def link(self, iri: str, type_: str, **described: Any) -> Node:
        """Return the link to a shared node; whoever names it first describes it."""
        if iri not in self._nodes:
            terms = {name.replace("_", ":"): value for name, value in described.items()}
            self._nodes[iri] = {"@id": iri, "@type": [type_]} | terms
        return {"@id": iri}

    def nodes(self) -> list[Node]:
        """Return the nodes in order."""
        return [self._nodes[iri] for iri in sorted(self._nodes)]


def link_of(kind: str, endpoint: str | None) -> str:
    """Return how the catalogue links to an entry. DCAT-AP asks a data service for its endpoint: a component without is none."""
    if kind == "data":
        return DATASET
    return SERVICE if kind == "component" and web_iri(endpoint) else RESOURCE


def catalogue_node(entries: int, modified: date | None, shared: SharedNodes) -> Node:
    """Return the catalogue without its entries; `modified` is the day of the newest one: equal ledgers give equal bytes."""
    return {
        "@id": CATALOGUE,
        "@type": ["dcat:Catalog", "hydra:Collection"],
        "dct:title": _zh("市级政务资源目录"),
        "dct:description": _zh("全市政务数据、组件和云资源目录,由数衡按各来源目录汇集。"),
        "dct:publisher": _agent(None, "市数据局", shared),
        "dct:language": _language(shared),
        "hydra:totalItems": entries,
    } | ({"dct:modified": _literal(modified)} if modified else {})


def entry_node(subject: str, record: Record, items: Iterable[Record], shared: SharedNodes) -> Node:
    """Return the node of one entry with everything that belongs to it alone."""
    link = link_of(record["kind"], record["endpoint"])
    standard = {DATASET: "dcat:Dataset", SERVICE: "dcat:DataService", RESOURCE: "dcat:Resource"}[link]
    own = _CLASSES[record["kind"]]
    node: Node = {"@id": subject, "@type": [standard, own] if own else [standard]}
    node.update(_filled(_described(subject, record, shared)))
    if link == SERVICE:
        node["dcat:endpointURL"] = {"@id": web_iri(record["endpoint"])}
    if link == DATASET:
        node.update(_filled(_of_dataset(subject, record, shared)))
    node.update(_local(record, _RESOURCE_TERMS))
    columns = [
        {"@id": f"{subject}#item-{number}", "@type": ["csvw:Column"], "csvw:title": _zh(item["name"])}
        | _local(item, _ITEM_TERMS)
        for number, item in enumerate(items, 1)
    ]
    return node | ({"shuheng:item": columns} if columns else {})


def _described(subject: str, record: Record, shared: SharedNodes) -> Iterator[tuple[str, Any]]:
    """Yield what DCAT says of any resource."""
    yield "dct:title", _zh(record["title"])
    yield "dct:description", _zh(record["description"] or record["title"])
    yield "dct:identifier", record["code"] or subject
    if record["code"]:
        code = {"@id": f"{subject}#code", "@type": ["adms:Identifier"], "skos:notation": record["code"]}
        yield "adms:identifier", code
    yield "dct:publisher", _agent(record["provider_uscc"], record["provider_name"], shared)
    yield "dct:language", _language(shared)
    yield "dcat:theme", _themes(record, shared)
    yield "dcat:keyword", [_zh(word) for word in _names(record["keywords"])]
    yield "dcat:version", record["version"]
    yield "dct:issued", _literal(record["issued_on"])
    yield "dct:modified", _literal(record["modified_on"])
    if record["open_type"]:
        # 无条件共享 is between departments and never PUBLIC: only whether it is open to society says that.
        iri = f"{_EU}access-right/{_ACCESS[record['open_type']]}"
        yield "dct:accessRights", shared.link(iri, "dct:RightsStatement")
    conditions = [record[name] for name in ("share_condition", "share_basis", "open_condition") if record[name]]
    if conditions:
        yield "dct:rights", {
            "@id": f"{subject}#rights", "@type": ["dct:RightsStatement"], "rdfs:label": [_zh(c) for c in sorted(set(conditions))],
        }  # fmt: skip
    if record["license"]:
        iri = web_iri(record["license"]) or local_iri("license", record["license"])
        yield "dct:license", shared.link(iri, "dct:LicenseDocument", rdfs_label=record["license"])
    if page := web_iri(record["landing_page"]):
        yield "dcat:landingPage", {"@id": page, "@type": ["foaf:Document"]}
    yield "dct:relation", [{"@id": local_iri("code", code)} for code in _names(record["relations"])]


def _of_dataset(subject: str, record: Record, shared: SharedNodes) -> Iterator[tuple[str, Any]]:
    if record["update_cycle"]:
        iri = f"{_EU}frequency/{_FREQUENCIES[record['update_cycle']]}"
        yield "dct:accrualPeriodicity", shared.link(iri, "dct:Frequency")
    listed = orjson.loads(record["distributions"] or "[]")
    yield (
        "dcat:distribution",
        [dict(_filled(_distribution(subject, n, one, shared))) for n, one in enumerate(listed, 1)],
    )


def _distribution(subject: str, number: int, one: dict[str, str], shared: SharedNodes) -> Iterator[tuple[str, Any]]:
    yield "@id", f"{subject}#distribution-{number}"
    yield "@type", ["dcat:Distribution"]
    yield "dct:title", _zh(one.get("title"))
    # A table within the exchange has no address, and DCAT-AP asks for one: it gets a name of ours.
    yield "dcat:accessURL", {"@id": web_iri(one.get("url")) or f"{subject}#access-{number}"}
    if one.get("format"):
        iri = local_iri("format", one["format"])
        yield "dct:format", shared.link(iri, "dct:MediaTypeOrExtent", rdfs_label=one["format"])
    media_type = one.get("media_type", "").lower()
    if _MEDIA_TYPE.fullmatch(media_type):
        yield (
            "dcat:mediaType",
            shared.link(f"https://www.iana.org/assignments/media-types/{media_type}", "dct:MediaType"),
        )


def _agent(uscc: str | None, name: str | None, shared: SharedNodes) -> Node | None:
    if not (uscc or name):
        return None
    iri = f"urn:shuheng:agent:{uscc}" if uscc else local_iri("agent", f"~{name}")
    described = {"foaf_name": _zh(name or uscc)} | ({"dct_identifier": uscc} if uscc else {})
    return shared.link(iri, "foaf:Agent", **described)


def _themes(record: Record, shared: SharedNodes) -> list[Node]:
    return [
        shared.link(local_iri(name, record[name]), "skos:Concept", skos_prefLabel=_zh(record[name]))
        for name in ("category", "theme")
        if record[name]
    ]


def _language(shared: SharedNodes) -> Node:
    return shared.link(_CHINESE, "dct:LinguisticSystem")


def _local(record: Record, terms: dict[str, str]) -> Node:
    return {term: _literal(record[name]) for name, term in terms.items() if record[name] is not None}


def _literal(value: Any) -> Any:
    """Return a value of the ledger as a literal; text and whole numbers stand for themselves."""
    if isinstance(value, date):
        return {"@value": value.isoformat(), "@type": "xsd:dateTime" if isinstance(value, datetime) else "xsd:date"}
    return value


def _zh(text: str | None) -> Node | None:
    return {"@value": text, "@language": "zh"} if text else None


def _names(text: str | None) -> list[str]:
    return list(dict.fromkeys(text.split("、"))) if text else []


def _filled(pairs: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in pairs if value is not None and value != [])
