"""The provincial platform: hands out secrets and lists projects by page."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox.faults import Fault, Faults, stretch
from include.sandbox.responses import dated, json_answer, spoilt_answer
from include.sandbox.signing import ExchangeGate
from include.sandbox.world import KEPT_PAGE_BYTES, Listing, World

PAGE_LIMIT = 5000


class Provincial:
    """Serves one world in the provincial platform's shape."""

    def __init__(self, world: World, gate: ExchangeGate, faults: Faults, calls: Counter[str]) -> None:
        self.world, self.gate, self.faults, self.calls = world, gate, faults, calls
        self._pages: dict[tuple[Any, ...], bytes] = {}
        self._kept, self._version = 0, world.version

    def routes(self) -> list[Route]:
        """Return the platform's addresses."""
        return [
            Route("/provincial/auth/refreshappsecret", self.login, methods=["POST"]),
            Route("/provincial/httpproxy/project/list", self.list_projects, methods=["POST"]),
        ]

    async def login(self, request: Request) -> Response:
        """Hand out the secret to a caller who signs with the appkey."""
        self.calls["provincial.login"] += 1
        self.gate.clock.skew_ms = self.faults.take_skew("provincial")
        values = await _body(request)
        refusal = self.gate.refuse_login(values)
        return dated(json_answer(refusal or self.gate.issue()), self.gate.clock)

    async def list_projects(self, request: Request) -> Response:
        """Answer one page to a caller who signs with the secret."""
        self.calls["provincial.list"] += 1
        self.gate.clock.skew_ms = self.faults.take_skew("provincial")
        query = await _body(request)
        refusal = self.gate.refuse_call(request.headers)
        if refusal:
            return dated(json_answer(refusal), self.gate.clock)
        try:
            number, size, begin, end = _parameters(query)
        except (ValueError, TypeError) as error:
            return dated(json_answer(self.gate.answer("-1", f"参数错误：{error}")), self.gate.clock)
        fault = self.faults.take("provincial", number)
        if fault and fault.scenario == "expired_secret":
            return dated(json_answer(self.gate.expired()), self.gate.clock)
        with self.world.lock:
            body = self._page(self.world.listing(begin, end), number - 1, size, fault)
        return dated(spoilt_answer(body, fault), self.gate.clock)

    def _page(self, listing: Listing, number: int, size: int, fault: Fault | None) -> bytes:
        part = stretch(fault, number, size, listing.total)
        if part.begin >= part.end:
            return orjson.dumps({"code": "0", "message": "成功", "data": ""})
        if self._version != self.world.version or self._kept > KEPT_PAGE_BYTES:
            self._pages, self._kept, self._version = {}, 0, self.world.version
        key = (listing.first, listing.still, listing.tail_first, listing.tail_count, part, size)
        body = self._pages.get(key)
        if body is None:
            body = self._made(listing, part.begin, part.end, part.total, size)
            self._pages[key] = body
            self._kept += len(body)
        return body

    def _made(self, listing: Listing, begin: int, end: int, total: int, size: int) -> bytes:
        rows = [self.world.encoded(index) for index in listing.indexes(begin, end)]
        rows[0] = '{"code":"0","message":"成功","data":{"list":['.encode() + rows[0]
        rows[-1] += f'],"total":{total},"totalPage":{-(-total // size)}}}}}'.encode()
        return b",".join(rows)


async def _body(request: Request) -> dict[str, Any]:
    try:
        values = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return {}
    return values if isinstance(values, dict) else {}


def _parameters(query: dict[str, Any]) -> tuple[int, int, datetime | None, datetime | None]:
    number, size = int(query.get("pageNo", 1)), int(query.get("pageSize", 20))
    if number < 1 or not 1 <= size <= PAGE_LIMIT:
        raise ValueError(f"pageNo从1开始，pageSize为1至{PAGE_LIMIT}")
    begin, end = (query.get(name) or None for name in ("updateTimeStart", "updateTimeEnd"))
    return number, size, begin and datetime.fromisoformat(begin), end and datetime.fromisoformat(end)
