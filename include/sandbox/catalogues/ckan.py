"""A CKAN portal: package_search of the Action API."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox.catalogues.entry import COMPONENT, HOST, KIND_WORDS, Entry, Mounted, uuid_of
from include.sandbox.catalogues.open_portal import OpenPortal, number_of
from include.sandbox.catalogues.portal_entries import CKAN
from include.sandbox.catalogues.world import CatalogueWorld, Listing
from include.sandbox.city_days import Days
from include.sandbox.city_platform import Asked, Page
from include.sandbox.faults import Faults

PATH = "/ckan/api/3/action/package_search"
ROWS_LIMIT, ROWS_DEFAULT = 1000, 10


class Ckan:
    """Serves the portal's packages."""

    def __init__(self, world: CatalogueWorld, days: Days, faults: Faults, calls: Counter[str]) -> None:
        self.portal = OpenPortal(CKAN, days, faults, calls)
        self.listing = Listing(world, CKAN, package)

    def routes(self) -> list[Route]:
        """Return the portal's address."""
        return [Route(PATH, self.search)]

    async def search(self, request: Request) -> Response:
        """Answer a stretch of the packages; more rows than the limit are silently capped, as CKAN does."""

        def read() -> Asked:
            begin = number_of(request, "start", 0, 0)
            rows = min(number_of(request, "rows", ROWS_DEFAULT, 1), ROWS_LIMIT)
            return Asked(begin, rows, made=self.listing.rows)

        def envelope(page: Page) -> bytes:
            head = f'{{"help":"http://{HOST}/api/3/action/help_show?name=package_search","success":true,"result":'
            return head.encode() + _result(page) + b"}"

        return self.portal.answer("package_search", read, envelope, _refused)


def _result(page: Page) -> bytes:
    head = f'{{"count":{page.total},"sort":"metadata_modified desc","facets":{{}},"results":['
    return head.encode() + b",".join(page.rows) + b'],"search_facets":{}}'


def _refused(why: str) -> dict[str, Any]:
    return {"help": "", "success": False, "error": {"__type": "Validation Error", "message": why}}


def package(entry: Entry) -> bytes:
    """Return an entry as a package."""
    unit = uuid_of("ckan-organization", entry.unit)
    extras = {
        "cata_code": entry.code,
        "res_kind": KIND_WORDS[entry.kind],
        "org_code": entry.credit,
        "system_code": entry.system,
        "update_cycle": entry.cycle_word,
        "share_type": entry.share,
        "share_condition": entry.condition,
        "open_type": entry.opened,
        "collect_state": entry.collection,
        "release_date": entry.issued,
        "data_updated": entry.updated,
        "secret_level": entry.secret,
    } | ({"endpoint": dict(entry.details)["endpoint"]} if entry.kind == COMPONENT else {})
    return orjson.dumps(
        {
            "id": entry.key,
            "name": f"dataset-{entry.key}",
            "title": entry.title,
            "notes": entry.summary,
            "type": "dataset",
            "state": "active",
            "private": False,
            "author": None,
            "maintainer": entry.unit,
            "license_id": "notspecified",
            "license_title": "政府数据开放许可",
            "url": f"http://{HOST}/dataset/{entry.key}",
            "metadata_created": f"{entry.issued}T08:00:00.120000" if entry.issued else None,
            "metadata_modified": f"{entry.modified}T09:30:15.004217" if entry.modified else None,
            "organization": {"id": unit, "name": f"org-{unit[:8]}", "title": entry.unit, "type": "organization"},
            "groups": [{"name": "group-1", "display_name": entry.theme, "title": entry.theme}],
            "tags": [{"name": word, "display_name": word, "state": "active"} for word in entry.keywords],
            "num_tags": len(entry.keywords),
            "extras": [{"key": key, "value": value} for key, value in extras.items()],
            "resources": [_resource(entry, place, m) for place, m in enumerate(entry.mounted)],
            "num_resources": len(entry.mounted),
        }
    )


def _resource(entry: Entry, place: int, mounted: Mounted) -> dict[str, Any]:
    return {
        "id": uuid_of("ckan-resource", mounted.key),
        "package_id": entry.key,
        "position": place,
        "name": mounted.title,
        "format": mounted.form.upper(),
        "mimetype": None,
        "url": mounted.url,
        "state": "active",
        "datastore_active": False,
    }
