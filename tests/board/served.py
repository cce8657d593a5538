"""A board at a real address, with a login of its own, and a browser to look at it with."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from starlette.responses import HTMLResponse, Response

from include.board.app import make_app
from tests.rules.evidence import DAY, at

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
COOKIE = "board_test"


def _require(request: Request) -> None:
    if request.cookies.get(COOKIE) != "in":
        raise HTTPException(401)


@contextmanager
def served(clock: Any = lambda: at(DAY, 12)) -> Iterator[str]:
    """Serve the board on a port of this machine, and give its address; /login lets whoever comes in."""
    outer = FastAPI(openapi_url=None)

    @outer.get("/login")
    def login(next: str) -> Response:
        answer = HTMLResponse(f'<title>登录</title><link rel="icon" href="data:,"><p>next={next}</p>')
        answer.set_cookie(COOKIE, "in", httponly=True, samesite="lax")
        return answer

    outer.mount("/shuheng", make_app(_require, lambda request: f"/login?next={request.scope['path']}", clock))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(outer, "127.0.0.1", port, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


@contextmanager
def browser() -> Iterator[Any]:
    """Give Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        try:
            yield chromium
        finally:
            chromium.close()
