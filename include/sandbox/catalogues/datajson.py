"""A data.json (DCAT-US 1.1) and one of DCAT-US 3.0 with services: whole catalogues in one answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox import words
from include.sandbox.catalogues.entry import COMPONENT, HOST, Entry
from include.sandbox.catalogues.open_portal import OpenPortal
from include.sandbox.catalogues.portal_entries import DATAJSON, DATAJSON3
from include.sandbox.catalogues.world import CatalogueWorld, Listing
from include.sandbox.city_days import Days
from include.sandbox.city_platform import Asked, Page
from include.sandbox.faults import Faults

MEDIA = {
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "json": "application/json",
    "xml": "application/xml",
}
ACCESS = {"无条件开放": "public", "有条件开放": "restricted public"}
HEAD = (
    '{"@context":"https://project-open-data.cio.gov/v1.1/schema/catalog.jsonld","@type":"dcat:Catalog",'
    '"conformsTo":"https://project-open-data.cio.gov/v1.1/schema","dataset":['
)
HEAD3 = (
    '{"@type":"Catalog","@id":"http://' + HOST + '/data3.json","title":"双鸭山市数据目录",'
    '"conformsTo":{"@type":"Standard","title":"DCAT-US 3.0"},'
)
SERVICE_MARK = b'{"@type":"DataService"'


class DataJson:
    """Serves both documents."""

    def __init__(self, world: CatalogueWorld, days: Days, faults: Faults, calls: Counter[str]) -> None:
        self.portal = OpenPortal(DATAJSON, days, faults, calls)
        self.first, self.third = Listing(world, DATAJSON, dataset), Listing(world, DATAJSON3, dataset3)

    def routes(self) -> list[Route]:
        """Return the addresses of the documents."""
        return [Route("/datajson/data.json", self.version_1), Route("/datajson/data3.json", self.version_3)]

    async def version_1(self, request: Request) -> Response:
        """Answer the whole catalogue in the form of version 1.1."""
        return self._whole("data", self.first, lambda page: HEAD.encode() + b",".join(page.rows) + b"]}")

    async def version_3(self, request: Request) -> Response:
        """Answer the whole catalogue in the form of version 3.0, services apart."""
        return self._whole("data3", self.third, _third)

    def _whole(self, call: str, listing: Listing, envelope: Callable[[Page], bytes]) -> Response:
        def read() -> Asked:
            return Asked(0, max(1, len(listing.rows())), made=listing.rows)

        return self.portal.answer(call, read, envelope, lambda why: {"error": why})


def _third(page: Page) -> bytes:
    services = [row for row in page.rows if row.startswith(SERVICE_MARK)]
    datasets = [row for row in page.rows if not row.startswith(SERVICE_MARK)]
    front = HEAD3.encode() + b'"dataset":[' + b",".join(datasets)
    return front + b'],"service":[' + b",".join(services) + b"]}"


def dataset(entry: Entry) -> bytes:
    """Return an entry as a dataset of DCAT-US 1.1."""
    return orjson.dumps(
        {
            "@type": "dcat:Dataset",
            "identifier": entry.key,
            "title": entry.title,
            "description": entry.summary,
            "keyword": list(entry.keywords),
            "theme": [entry.theme],
            "issued": entry.issued,
            "modified": entry.modified,
            "publisher": {"@type": "org:Organization", "name": entry.unit},
            "contactPoint": {"@type": "vcard:Contact", "fn": _contact(entry), "hasEmail": f"mailto:data@{HOST}"},
            "accessLevel": ACCESS.get(entry.opened, "non-public"),
            "rights": entry.condition,
            "accrualPeriodicity": entry.cycle_word,
            "license": f"http://{HOST}/licence",
            "landingPage": f"http://{HOST}/dataset/{entry.key}",
            "systemCode": entry.system,
            "secretLevel": entry.secret,
            "distribution": _distributions(entry, "dcat:Distribution"),
        }
    )


def dataset3(entry: Entry) -> bytes:
    """Return an entry as a dataset or a service of DCAT-US 3.0."""
    is_service = entry.kind == COMPONENT
    said: dict[str, Any] = {
        "@type": "DataService" if is_service else "Dataset",
        "identifier": f"http://{HOST}/{'services' if is_service else 'datasets'}/{entry.key}",
        "title": entry.title,
        "description": entry.summary,
        "issued": entry.issued,
        "modified": entry.modified,
        "publisher": {"@type": "Organization", "name": entry.unit},
        "contactPoint": [{"@type": "Kind", "fn": _contact(entry), "hasEmail": f"mailto:data@{HOST}"}],
        "keyword": list(entry.keywords),
        "accrualPeriodicity": entry.cycle_word,
        "systemCode": entry.system,
        "secretLevel": entry.secret,
    }
    if is_service:
        return orjson.dumps(said | {"endpointURL": [dict(entry.details)["endpoint"]]})
    return orjson.dumps(said | {"distribution": _distributions(entry, "Distribution")})


def _contact(entry: Entry) -> str:
    return words.SURNAMES[entry.number % 12] + words.GIVEN_NAMES[entry.number % 11]


def _distributions(entry: Entry, kind: str) -> list[dict[str, str]]:
    return [
        {
            "@type": kind,
            "title": mounted.title,
            "downloadURL": mounted.url,
            "format": mounted.form.upper(),
            "mediaType": MEDIA[mounted.form],
        }
        for mounted in entry.mounted
    ]
