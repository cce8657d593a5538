"""The usage statistics: logins and active users of each system and day, read with an opaque cursor."""

from __future__ import annotations

import base64
import binascii
from collections import Counter

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox.city_days import Days
from include.sandbox.city_platform import Asked, CityPlatform, Page, Refused, whole_number
from include.sandbox.city_signing import SmGate
from include.sandbox.faults import Faults

PAGE_LIMIT = 5000
MARK = b"p:"


class UsageStatistics:
    """Serves the logins of a city's systems, but for the department that sends files."""

    def __init__(self, days: Days, gate: SmGate, faults: Faults, calls: Counter[str]) -> None:
        self.gate = gate
        self.platform = CityPlatform("usage", gate, days, faults, calls)

    def routes(self) -> list[Route]:
        """Return the platform's addresses."""
        return [Route("/usage/api/v1/daily", self.list_days)]

    async def list_days(self, request: Request) -> Response:
        """Answer the rows from a cursor on, and the cursor of those after them."""
        if down := self.platform.opened("daily"):
            return down
        query = request.query_params
        if refusal := self.gate.refuse(query):
            return self.platform.said(refusal)
        try:
            size = whole_number(query.get("limit", 1000), "limit", 1, PAGE_LIMIT)
            days = self.platform.window(query.get("from"), query.get("to"))
            asked = Asked(_position(query.get("cursor") or ""), size, days=days, kind="usage")
        except Refused as error:
            return self.platform.said(self.gate.answer("40001", str(error)))
        return self.platform.page("daily", asked, _envelope)


def _envelope(page: Page) -> bytes:
    has_more = page.rows and (page.end < page.total or page.is_endless)
    following = _cursor(page.end) if has_more else ""
    return b'{"code":"200","msg":"","data":{"list":[' + b",".join(page.rows) + f'],"next":"{following}"}}}}'.encode()


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(MARK + str(position).encode()).decode()


def _position(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        raw = base64.urlsafe_b64decode(cursor)
    except (binascii.Error, ValueError):
        raw = b""
    if not raw.startswith(MARK) or not raw[len(MARK) :].isdigit():
        raise Refused("cursor无效")
    return int(raw[len(MARK) :])
