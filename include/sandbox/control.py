"""The control desk: truth, time, faults and secrets, for who holds the token."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox.faults import SCENARIOS, Fault
from include.sandbox.responses import json_answer
from include.sandbox.truth import unclassified_page

if TYPE_CHECKING:
    from include.sandbox.app import Sandbox

TOKEN_HEADER = "x-control-token"  # noqa: S105  the name of a header
Handler = Callable[[Request], Awaitable[Any]]


class Control:
    """Serves /control over one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def routes(self) -> list[Route]:
        """Return the desk's addresses."""
        return [
            Route("/control/truth", self._guarded(self.truth)),
            Route("/control/truth/projects", self._guarded(self.truth_projects)),
            Route("/control/advance", self._guarded(self.advance), methods=["POST"]),
            Route("/control/fault", self._guarded(self.fault), methods=["GET", "POST", "DELETE"]),
            Route("/control/rotate", self._guarded(self.rotate), methods=["POST"]),
            Route("/control/channels", self._guarded(self.channels), methods=["GET", "DELETE"]),
            Route("/control/calls", self._guarded(self.calls), methods=["GET", "DELETE"]),
        ]

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            token = request.headers.get(TOKEN_HEADER, "")
            if not hmac.compare_digest(token.encode(), self.sandbox.options.control_token.encode()):
                return json_answer({"error": f"the header {TOKEN_HEADER} is missing or wrong"}, 403)
            try:
                return json_answer(await handler(request))
            except (ValueError, TypeError) as error:
                return json_answer({"error": str(error)}, 400)

        return answer

    async def truth(self, request: Request) -> Any:
        """Answer what the data really holds."""
        return await run_in_threadpool(self.sandbox.truth)

    async def truth_projects(self, request: Request) -> Any:
        """Answer the unclassified records of one stretch."""
        query = request.query_params
        number, size = int(query.get("pageNo", "1")), int(query.get("pageSize", "1000"))
        if number < 1 or size < 1:
            raise ValueError("pageNo and pageSize start from 1")
        return await run_in_threadpool(unclassified_page, self.sandbox.world, number, size)

    async def advance(self, request: Request) -> Any:
        """Move time one day on."""
        return await run_in_threadpool(self.sandbox.advance, await _body(request))

    async def fault(self, request: Request) -> Any:
        """List, add or clear faults."""
        faults = self.sandbox.faults
        if request.method == "DELETE":
            return {"cleared": faults.clear()}
        if request.method == "POST":
            faults.add(Fault(**await _body(request)))
        return {"in_force": faults.describe(), "scenarios": SCENARIOS}

    async def rotate(self, request: Request) -> Any:
        """End the secrets in force."""
        self.sandbox.rotate()
        return {"rotated": True}

    async def channels(self, request: Request) -> Any:
        """Answer what the channels took and refused, of one with `?channel=`, or forget it with their rates."""
        channels = self.sandbox.channels
        if request.method == "DELETE":
            return {"cleared": channels.clear()}
        return channels.shelf.described(request.query_params.get("channel", ""))

    async def calls(self, request: Request) -> Any:
        """Answer how often each address was called, or begin to count anew."""
        counted = dict(self.sandbox.calls)
        if request.method == "DELETE":
            self.sandbox.calls.clear()
        return counted


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    values = orjson.loads(raw) if raw else {}
    if not isinstance(values, dict):
        raise TypeError("the body must be a JSON object")
    return values
