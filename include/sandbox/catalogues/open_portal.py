"""What the open portals have in common: nobody signs, and a page is asked for by number or by position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from include.sandbox.city_days import Days
from include.sandbox.city_platform import Asked, CityPlatform, Page, Refused, whole_number
from include.sandbox.faults import Faults
from include.sandbox.responses import JSON_TYPE
from include.sandbox.signing import Clock

MOST = 10**9


class OpenDoor:
    """Lets everybody in; its clock can be wrong all the same."""

    def __init__(self) -> None:
        self.clock = Clock()

    def expired(self) -> dict[str, Any]:
        """Return what is said to a caller whose secret has run out; there are none here."""
        return {"error": "login required"}


class OpenPortal:
    """One portal: its name in faults and counts."""

    def __init__(self, name: str, days: Days, faults: Faults, calls: Counter[str]) -> None:
        self.platform = CityPlatform(name, OpenDoor(), days, faults, calls)

    def answer(
        self,
        call: str,
        read: Callable[[], Asked],
        envelope: Callable[[Page], bytes],
        refuse: Callable[[str], Any],
        media_type: str = JSON_TYPE,
    ) -> Response:
        """Answer one page, or what the portal says of a wrong parameter."""
        if down := self.platform.opened(call):
            return down
        try:
            asked = read()
        except Refused as error:
            return self.platform.said(refuse(str(error)), 400)
        return self.platform.page(call, asked, envelope, 401, media_type)


def number_of(request: Request, name: str, default: int, least: int, most: int = MOST) -> int:
    """Return a parameter of the query; raises Refused."""
    return whole_number(request.query_params.get(name, default), name, least, most)
