"""The data-sharing exchange: its register of applications, its services with their details, and its call log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox import words
from include.sandbox.city_days import Days
from include.sandbox.city_platform import Asked, CityPlatform, Page, Refused, whole_number
from include.sandbox.faults import Faults
from include.sandbox.gateway_answers import HEALTH_TEXT
from include.sandbox.responses import dated, spoilt_answer
from include.sandbox.signing import ExchangeGate
from include.sandbox.systems import City, Service, System

SIDS = {
    "systems": "s_sys_supply009",
    "services": "s_sys_service001",
    "detail": "s_sys_service003",
    "calls": "s_sys_log001",
    "catalogue": "s_sys_catalog002",
}
"""Call → the id of its service; a call signed for another one is refused."""
PAGE_LIMIT, LOG_PAGE_LIMIT = 1000, 5000
MOST = 10**9
STATUS = {"在用": "1", "试运行": "2", "在建": "3", "停用": "0"}
RATES = ("1000次/小时", "10次/秒", "不限", "60次/分钟", "5000次/天")
TIMEOUTS = (5, 3, 10, 30)

Record = dict[str, Any]


class Exchange:
    """Serves a city as the exchange lists it; `urls` says where the gateway serves a service."""

    def __init__(
        self, city: City, days: Days, gate: ExchangeGate, faults: Faults, calls: Counter[str], urls: dict[str, str]
    ) -> None:
        self.city, self.gate, self.urls = city, gate, urls
        self.platform = CityPlatform("exchange", gate, days, faults, calls)

    def routes(self) -> list[Route]:
        """Return the platform's addresses."""
        paths: dict[str, Callable[[Request], Any]] = {
            "/exchange/auth/refreshappsecret": self.login,
            "/exchange/httpproxy/application/list": self.list_systems,
            "/exchange/httpproxy/service/getlist": self.list_services,
            "/exchange/httpproxy/service/getdetail": self.detail,
            "/exchange/httpproxy/calllog/daily": self.call_log,
        }
        return [Route(path, handler, methods=["POST"]) for path, handler in paths.items()]

    async def login(self, request: Request) -> Response:
        """Hand out the secret to a caller who signs with the appkey, for any of the services."""
        if down := self.platform.opened("login"):
            return down
        refusal = self.gate.refuse_login(await body_of(request))
        return self.platform.said(refusal or self.gate.issue())

    async def list_systems(self, request: Request) -> Response:
        """Answer one page of the register of applications."""
        return await self._listed(request, "systems", lambda query: _page(query, self.system_rows))

    async def list_services(self, request: Request) -> Response:
        """Answer one page of the services."""
        return await self._listed(request, "services", lambda query: _page(query, self.service_rows))

    async def call_log(self, request: Request) -> Response:
        """Answer one page of the daily counts by service and caller."""

        def asked(query: Record) -> Asked:
            number, size = paging(query, LOG_PAGE_LIMIT)
            days = self.platform.window(query.get("dayFrom"), query.get("dayTo"))
            return Asked((number - 1) * size, size, days=days, kind="calls")

        return await self._listed(request, "calls", asked)

    async def detail(self, request: Request) -> Response:
        """Answer the details of one service."""
        answer = await self._let_in(request, "detail")
        if isinstance(answer, Response):
            return answer
        found = self.city.with_services.get(str(answer.get("code") or ""))
        if found is None:
            # Nothing but a row that the secrecy gate should have refused has such a code: a test counts these.
            self.platform.calls["exchange.detail_unknown"] += 1
            return self.platform.said(self.gate.answer("-1", "服务不存在"))
        fault = self.platform.faults.take("exchange", 1, "detail")
        if fault and fault.scenario == "expired_secret":
            return self.platform.said(self.gate.expired())
        data: Any = "" if fault and fault.scenario == "empty_list" else self.detail_of(*found)
        body = orjson.dumps({"code": "0", "message": "成功", "data": data})
        return dated(spoilt_answer(body, fault), self.gate.clock)

    @cached_property
    def system_rows(self) -> list[bytes]:
        """Return the register's rows."""
        shown = (system for system in self.city.systems if system.profile.in_exchange)
        return [orjson.dumps(self._system(system)) for system in shown]

    @cached_property
    def service_rows(self) -> list[bytes]:
        """Return the rows of all services."""
        return [orjson.dumps(_service(s, service)) for s in self.city.systems for service in s.services]

    def detail_of(self, system: System, service: Service) -> Record:
        """Return what the exchange knows of one service beyond its row."""
        is_api = service.kind == "接口"
        return {
            "code": service.code,
            "url": self.urls.get(service.code, "") if is_api else "",
            "reqTimeout": TIMEOUTS[system.number % len(TIMEOUTS)],
            "healthText": HEALTH_TEXT if is_api and system.number % 10 != 9 else "",
            "regTime": f"{_registered(self.city, system)} 10:00:00",
        }

    def _system(self, system: System) -> Record:
        profile, draw = system.profile, self.city.draw("contact", system.number)
        return {
            "APP_CODE": system.code,
            "APP_NAME": system.name,
            "ORG_NAME": system.unit,
            "ORG_CODE": system.credit,
            "PROJECT_CODES": ";".join(system.projects),
            "APP_STATUS": STATUS[profile.status],
            "SECRET_FLAG": "1" if profile.is_classified else "0",
            "REG_TIME": f"{_registered(self.city, system)} 09:30:00",
            "UPDATETIME": f"{self.city.ago(10 + system.number % 200)} 15:20:{system.number % 60:02d}",
            "CONTACT": draw.of(words.SURNAMES) + draw.of(words.GIVEN_NAMES),
            "CONTACT_PHONE": f"1380000{draw.below(10000):04d}",
        }

    async def _let_in(self, request: Request, call: str) -> Response | Record:
        """Return the body of a call that may be answered, or the refusal."""
        if down := self.platform.opened(call):
            return down
        refusal = self.gate.refuse_call(request.headers, SIDS[call])
        return self.platform.said(refusal) if refusal else await body_of(request)

    async def _listed(self, request: Request, call: str, read: Callable[[Record], Asked]) -> Response:
        answer = await self._let_in(request, call)
        if isinstance(answer, Response):
            return answer
        try:
            asked = read(answer)
        except Refused as error:
            return self.platform.said(self.gate.answer("-1", f"参数错误：{error}"))
        return self.platform.page(call, asked, envelope)


def envelope(page: Page) -> bytes:
    """Return a page as the exchange answers it."""
    if not page.rows:
        return orjson.dumps({"code": "0", "message": "成功", "data": ""})
    head = '{"code":"0","message":"成功","data":{"list":['.encode()
    return head + b",".join(page.rows) + f'],"total":{page.total}}}}}'.encode()


def _service(system: System, service: Service) -> Record:
    return {
        "code": service.code,
        "cnName": service.name,
        "appCode": system.code,
        "orgName": system.unit,
        "orgCode": system.credit,
        "cataType": service.kind,
        "state": service.state,
        "reqRate": RATES[system.number % len(RATES)],
        "updateTime": f"2026-10-{1 + system.number % 28:02d} 11:00:00",
        "secretLevel": "秘密" if system.profile.is_classified else ("", "非密")[system.number % 2],
    }


def _registered(city: City, system: System) -> str:
    days = system.profile.live_for
    return str(city.start - timedelta(days=(days if days is not None else 20) + 5))


def _page(query: Record, rows: list[bytes]) -> Asked:
    number, size = paging(query, PAGE_LIMIT)
    return Asked((number - 1) * size, size, rows)


def paging(query: Record, limit: int) -> tuple[int, int]:
    """Return the number and the size of the page asked for; raises Refused."""
    number = whole_number(query.get("pageNo", 1), "pageNo", 1, MOST)
    return number, whole_number(query.get("pageSize", 20), "pageSize", 1, limit)


async def body_of(request: Request) -> Record:
    """Return the JSON object that a caller sent, an empty one where it is none."""
    try:
        values = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return {}
    return values if isinstance(values, dict) else {}
