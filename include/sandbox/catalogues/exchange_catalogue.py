"""The exchange's catalogue call: national core metadata under the field names of a Chinese platform."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox import words
from include.sandbox.catalogues.entry import CLOUD, COMPONENT, DATA, KIND_WORDS, Entry
from include.sandbox.catalogues.system_entries import EXCHANGE
from include.sandbox.catalogues.world import CatalogueWorld, Listing
from include.sandbox.city_days import Days
from include.sandbox.city_platform import Asked, CityPlatform, Refused
from include.sandbox.exchange import SIDS, body_of, envelope, paging
from include.sandbox.faults import Faults
from include.sandbox.signing import ExchangeGate

PAGE_LIMIT = 1000
SHARE_NUMBERS = {"有条件共享": "0", "无条件共享": "1", "不予共享": "2"}
"""The vendor's own numbers, which are not those of the national guide."""


class ExchangeCatalogue:
    """Serves the entries of the city's systems."""

    def __init__(
        self, world: CatalogueWorld, days: Days, gate: ExchangeGate, faults: Faults, calls: Counter[str]
    ) -> None:
        self.world, self.gate = world, gate
        self.platform = CityPlatform("catalogue", gate, days, faults, calls)
        self.listings: dict[str, Listing] = {"": Listing(world, EXCHANGE, self._row)}
        self.listings |= {word: Listing(world, EXCHANGE, self._row, kind) for kind, word in KIND_WORDS.items()}

    def routes(self) -> list[Route]:
        """Return the call's address."""
        return [Route("/exchange/httpproxy/catalog/list", self.list_entries, methods=["POST"])]

    async def list_entries(self, request: Request) -> Response:
        """Answer one page of the entries, of one kind where one is named."""
        if down := self.platform.opened("list"):
            return down
        refusal = self.gate.refuse_call(request.headers, SIDS["catalogue"])
        if refusal:
            return self.platform.said(refusal)
        query = await body_of(request)
        try:
            number, size = paging(query, PAGE_LIMIT)
            listing = self._listing(query.get("kind") or "")
        except Refused as error:
            return self.platform.said(self.gate.answer("-1", f"参数错误：{error}"))
        return self.platform.page("list", Asked((number - 1) * size, size, made=listing.rows), envelope)

    def _listing(self, kind: Any) -> Listing:
        if kind not in self.listings:
            raise Refused(f"kind应为{'、'.join(KIND_WORDS.values())}")
        return self.listings[kind]

    def _row(self, entry: Entry) -> bytes:
        draw = self.world.city.draw("catalogue-contact", entry.code)
        return orjson.dumps(
            {
                "cataId": entry.key,
                "cataCode": entry.code,
                "cataTitle": entry.title,
                "orgName": entry.unit,
                "orgCode": entry.credit,
                "cataAbstract": entry.summary,
                "cataClass": f"部门信息资源/{entry.theme}" if entry.theme else "",
                "theme": entry.theme,
                "keywords": ",".join(entry.keywords),
                "resKind": KIND_WORDS[entry.kind],
                "shareType": SHARE_NUMBERS[entry.share],
                "shareTypeName": entry.share,
                "shareCondition": entry.condition,
                "shareMode": "、".join(dict.fromkeys(m.access for m in entry.mounted)),
                "openTypeName": entry.opened,
                "updateCycleName": entry.cycle_word,
                "releaseDate": entry.issued,
                "updateTime": f"{entry.modified} 10:20:30" if entry.modified else "",
                "dataUpdateDate": entry.updated,
                "collectState": entry.collection,
                "appCode": entry.system,
                "projectCodes": ";".join(entry.projects),
                "secretLevel": entry.secret,
                "contact": draw.of(words.SURNAMES) + draw.of(words.GIVEN_NAMES),
                "contactPhone": f"1380000{draw.below(10000):04d}",
                **KIND_FIELDS[entry.kind](entry),
            }
        )


def _data(entry: Entry) -> dict[str, Any]:
    return {
        "columns": [
            {
                "columnName": item.name,
                "columnCode": item.code,
                "dataType": item.type,
                "length": item.length,
                "desc": item.description,
            }
            for item in entry.items
        ],
        "resources": [
            {"resId": m.key, "resName": m.title, "resType": m.access, "url": m.url, "status": "已发布"}
            for m in entry.mounted
        ],
    }


def _component(entry: Entry) -> dict[str, Any]:
    said = dict(entry.details)
    return {
        "compType": said["type"],
        "compVersion": said["version"],
        "accessMode": said["mode"],
        "endpoint": said["endpoint"],
        "ipOwner": said["owner"],
    }


def _cloud(entry: Entry) -> dict[str, Any]:
    said = dict(entry.details)
    return {
        "platform": said["platform"],
        "zone": said["zone"],
        "cloudType": said["type"],
        "vcpu": said["vcpu"],
        "memGb": said["memory"],
        "diskGb": said["disk"],
        "expireDate": said["expires"],
    }


KIND_FIELDS = {DATA: _data, COMPONENT: _component, CLOUD: _cloud}
