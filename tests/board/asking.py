"""How the tests ask a board: in process, through the whole application."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

ROOT = "/shuheng"


class Board:
    """A board in process; requests carry the headers of somebody who may look, unless others are given."""

    def __init__(self, transport: httpx.ASGITransport, headers: Mapping[str, str]) -> None:
        self._transport, self._headers = transport, dict(headers)

    def ask(
        self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, **how: Any
    ) -> httpx.Response:
        """Return the answer to one request; `headers` are added, or stand alone where `alone` is true."""
        own = {} if how.pop("alone", False) else self._headers
        return asyncio.run(self._send(method, path, {**own, **(headers or {})}, how))

    async def _send(self, method: str, path: str, headers: dict[str, str], how: dict[str, Any]) -> httpx.Response:
        async with httpx.AsyncClient(transport=self._transport, base_url="http://board") as client:
            return await client.request(method, path if path.startswith(ROOT) else ROOT + path, headers=headers, **how)

    def get(self, path: str, **how: Any) -> Any:
        """Return the JSON of an answer that must be fine."""
        answer = self.ask("/api/v1" + path if not path.startswith(ROOT) else path, **how)
        assert answer.status_code == 200, answer.text
        return answer.json()
