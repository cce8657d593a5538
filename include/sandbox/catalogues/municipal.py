"""A city's own open-data portal: JSON with Chinese field names, no identifiers, and lists written as text."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox.catalogues.entry import HOST, Entry
from include.sandbox.catalogues.open_portal import OpenPortal, number_of
from include.sandbox.catalogues.portal_entries import MUNICIPAL
from include.sandbox.catalogues.world import CatalogueWorld, Listing
from include.sandbox.city_days import Days
from include.sandbox.city_platform import Asked, Page
from include.sandbox.faults import Faults

PATH = "/municipal/api/list"
SIZE_LIMIT, SIZE_DEFAULT = 500, 20


class Municipal:
    """Serves the portal's entries."""

    def __init__(self, world: CatalogueWorld, days: Days, faults: Faults, calls: Counter[str]) -> None:
        self.portal = OpenPortal(MUNICIPAL, days, faults, calls)
        self.listing = Listing(world, MUNICIPAL, row)

    def routes(self) -> list[Route]:
        """Return the portal's address."""
        return [Route(PATH, self.list_entries)]

    async def list_entries(self, request: Request) -> Response:
        """Answer one page, counted from 1."""

        def read() -> Asked:
            number = number_of(request, "page", 1, 1)
            size = number_of(request, "size", SIZE_DEFAULT, 1, SIZE_LIMIT)
            return Asked((number - 1) * size, size, made=self.listing.rows)

        return self.portal.answer("list", read, _envelope, lambda why: {"状态": "失败", "信息": why})


def _envelope(page: Page) -> bytes:
    head, tail = '{"状态":"成功","结果":{"列表":['.encode(), f'],"总数":{page.total}}}}}'.encode()
    return head + b",".join(page.rows) + tail


def row(entry: Entry) -> bytes:
    """Return an entry as the portal writes it."""
    number = entry.number
    forms: Any = [mounted.form for mounted in entry.mounted]
    return orjson.dumps(
        {
            "标题": entry.title,
            "摘要": entry.summary,
            "数据提供方": entry.unit,
            "统一社会信用代码": entry.credit,
            "所属系统编码": entry.system,
            "数据领域": entry.theme,
            "更新周期": entry.cycle_word,
            "发布日期": _day(entry.issued, number),
            "更新日期": _day(entry.modified, number),
            "开放条件": entry.opened,
            "资源格式": str(forms) if number % 3 == 0 else forms,
            "标签": ",\t".join(entry.keywords) + ("\r\n" if number % 4 == 0 else ""),
            "数据量": str(number * 37) if number % 2 else number * 37,
            "密级": entry.secret,
            "联系电话": f"1380000{number % 10000:04d}" if number % 3 else "",
            "详情页网址": f"http://{HOST}/#/detail/{entry.key}",
        }
    )


def _day(text: str, number: int) -> str:
    """Return a date as people write it: of every second entry without leading zeros."""
    if not text or number % 2 == 0:
        return text
    return "-".join(part.lstrip("0") for part in text.split("-"))
