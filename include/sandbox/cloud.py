"""The city cloud: its inventory of resources and their daily utilisation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, time
from functools import cached_property
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox.city_days import CHINA, Days
from include.sandbox.city_platform import Asked, CityPlatform, Page, Refused, whole_number
from include.sandbox.city_signing import TifGate
from include.sandbox.faults import Faults
from include.sandbox.systems import City, System

PAGE_LIMIT = 5000
MOST = 10**9
PLATFORM = "双鸭山市政务云"
TYPES = ("云主机", "云主机", "容器", "数据库")
SHAPES = ((4, 8, 200), (8, 16, 500), (16, 64, 1000), (2, 4, 100))


class CityCloud:
    """Serves the resources of a city's systems."""

    def __init__(self, city: City, days: Days, gate: TifGate, faults: Faults, calls: Counter[str]) -> None:
        self.city, self.gate = city, gate
        self.platform = CityPlatform("cloud", gate, days, faults, calls)

    def routes(self) -> list[Route]:
        """Return the platform's addresses."""
        return [
            Route("/cloud/api/resources", self.list_resources),
            Route("/cloud/api/metrics/daily", self.list_metrics),
        ]

    async def list_resources(self, request: Request) -> Response:
        """Answer a stretch of the inventory."""
        return self._listed(request, "resources", lambda begin, size: Asked(begin, size, self.resource_rows))

    async def list_metrics(self, request: Request) -> Response:
        """Answer a stretch of the daily utilisation."""
        query = request.query_params

        def asked(begin: int, size: int) -> Asked:
            return Asked(begin, size, days=self.platform.window(query.get("from"), query.get("to")), kind="metrics")

        return self._listed(request, "metrics", asked)

    @cached_property
    def resource_rows(self) -> list[bytes]:
        """Return the rows of the inventory."""
        pairs = ((system, code) for system in self.city.systems for code in system.resources)
        return [orjson.dumps(self._resource(system, code)) for system, code in pairs]

    def _listed(self, request: Request, call: str, read: Callable[[int, int], Asked]) -> Response:
        if down := self.platform.opened(call):
            return down
        if refusal := self.gate.refuse(request.headers):
            return self.platform.said(refusal, self.gate.status)
        query = request.query_params
        try:
            begin = whole_number(query.get("offset", 0), "offset", 0, MOST)
            asked = read(begin, whole_number(query.get("limit", 200), "limit", 1, PAGE_LIMIT))
        except Refused as error:
            return self.platform.said({"code": 400002, "msg": str(error)})
        return self.platform.page(call, asked, _envelope, self.gate.status)

    def _resource(self, system: System, code: str) -> dict[str, Any]:
        profile, draw = system.profile, self.city.draw("resource", code)
        is_store = code.startswith("obs")
        vcpu, memory, disk = (0, 0, 2000) if is_store else SHAPES[draw.below(len(SHAPES))]
        opened = self.city.ago((profile.live_for or 30) + 3)
        is_stopped = profile.status == "停用"
        return {
            "resourceId": code,
            "resourceName": f"{system.name}-{code[-1]}",
            "platform": PLATFORM,
            "zone": ("政务外网区", "互联网区")[system.number % 5 == 0],
            "type": "存储" if is_store else TYPES[draw.below(len(TYPES))],
            "vcpu": vcpu,
            "memGb": memory,
            "diskGb": disk,
            "appCode": system.code,
            "orgName": system.unit,
            "orgCode": system.credit,
            "applyDate": _slashed(self.city.ago((profile.live_for or 30) + 20)),
            "openDate": _slashed(opened),
            "expireDate": _slashed(opened.replace(year=opened.year + 5, day=min(opened.day, 28))),
            "state": ("已释放" if system.number % 2 else "停机") if is_stopped else "运行",
            "xinchuang": ("否", "是")[draw.below(2)],
            "djLevel": ("三级", "二级", "")[system.number % 3],
            "secretLevel": "秘密" if profile.is_classified else "",
            "modifyTime": int(datetime.combine(opened, time(12), CHINA).timestamp() * 1000),
        }


def _slashed(day: date) -> str:
    return f"{day.year}/{day.month}/{day.day}"


def _envelope(page: Page) -> bytes:
    return b'{"code":0,"msg":"","data":{"rows":[' + b",".join(page.rows) + f'],"count":{page.total}}}}}'.encode()
