"""A real HTTP server on loopback that answers as a test tells it, and cards and connections that point at it."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from include.clock import SHANGHAI
from include.connections import Connection
from include.sources.call import Timing
from include.sources.card import Card, Envelope, Limits, Paging, Request, Signer

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=SHANGHAI)


@dataclass(frozen=True)
class Asked:
    """One request as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    client: tuple[str, int]

    @property
    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What to answer: a body with headers, or `stream`, which writes to the connection whatever it likes."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    stream: Callable[[Any], None] | None = None


def reply(document: Any, status: int = 200, **headers: str) -> Reply:
    """Return a JSON reply; underscores in header names become hyphens."""
    body = json.dumps(document, ensure_ascii=False).encode()
    return Reply(body, status, {k.replace("_", "-"): v for k, v in headers.items()})


class AnsweringServer:
    """Serves one function from a thread; use it as a context. `asked` holds every request so far."""

    def __init__(self, answer: Callable[[Asked], Reply], tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                parts = urlsplit(self.path)
                asked = Asked(
                    self.command, parts.path, {k: v[-1] for k, v in parse_qs(parts.query).items()},
                    {k.lower(): v for k, v in self.headers.items()},
                    self.rfile.read(int(self.headers.get("Content-Length") or 0)), self.client_address,
                )  # fmt: skip
                outer.asked.append(asked)
                said = answer(asked)
                if said.stream:
                    self.close_connection = True
                    try:
                        said.stream(self.connection)
                    except OSError:
                        return
                    return
                self.send_response_only(said.status)
                headers = {"Content-Type": "application/json", "Content-Length": str(len(said.body)), **said.headers}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said.body)

            do_GET = do_POST = _serve

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.port = self._server.server_address[1]
        self.scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Return the base address."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class FakeTime:
    """A clock that moves only when somebody sleeps."""

    def __init__(self, start: datetime = NOON) -> None:
        self.start, self.seconds = start, 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Move the clock on."""
        self.slept.append(seconds)
        self.seconds += seconds

    def timing(self, jitter: float = 1.0) -> Timing:
        """Return clocks and pause for a reader."""
        return Timing(self.now, lambda: self.seconds, self.sleep, lambda: jitter)

    def now(self) -> datetime:
        """Return the present moment."""
        return self.start + timedelta(seconds=self.seconds)


def connection_to(url: str, login: str = "", password: str = "", **extra: Any) -> Connection:
    """Return a connection that may reach loopback."""
    return Connection("test_platform", "http", url, None, login, password, "", {"networks": "127.0.0.0/8", **extra})


def make_card(
    paging: Paging | None = None,
    envelope: Envelope | None = None,
    request: Request | None = None,
    limits: dict[str, Any] | None = None,
    signer: Signer | None = None,
    **more: Any,
) -> Card:
    """Return a card for a paged interface with code, data.list and data.total."""
    return Card(
        "test_platform", "测试平台", "project", "http", "test_platform", ("project_code",), (), "0" * 16, "test.yaml",
        paging=paging or Paging("page", size="pageSize", page_size=3),
        envelope=envelope or Envelope("code", ("0",), rows=("data.list",), total_path="data.total"),
        request=request or Request("/list"),
        limits=Limits(**{"attempts": 3, "backoff_seconds": 1, **(limits or {})}),
        signer=signer or Signer(),
        **more,
    )  # fmt: skip


def rows(first: int, after: int) -> list[dict[str, Any]]:
    """Return made-up rows with ids from `first` up to, not including, `after`."""
    return [{"ID": i, "NAME": f"项目{i}"} for i in range(first, after)]


def envelope_of(found: list[dict[str, Any]], total: object = None) -> dict[str, Any]:
    """Return an answer as `make_card` expects it."""
    data: dict[str, Any] = {"list": found}
    if total is not None:
        data["total"] = total
    return {"code": "0", "message": "成功", "data": data}


def listing(total: int, size: int = 3, *, declare: bool = True, name: str = "pageNo") -> Callable[[Asked], Reply]:
    """Return the answers of an honest platform with pages from 1."""

    def answer(asked: Asked) -> Reply:
        begin = (int(asked.query[name]) - 1) * size
        return reply(envelope_of(rows(begin, min(begin + size, total)), total if declare else None))

    return answer
