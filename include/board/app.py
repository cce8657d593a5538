"""The board as an application: read-only pages and an API over the ledger. Knows nothing of Airflow; who may look is handed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import Depends, FastAPI, Request
from starlette.responses import Response

from include.board import api, pages
from include.board.answering import Answering
from include.board.drawing import draw_problem, serve_file
from include.board.looking import Desk
from include.board.problems import Handlers, Login, not_found
from include.clock import now

VERSION = "1.0"
DESCRIPTION = (
    "数衡看板的只读接口:线索、系统、项目、来源、提示、每日统计与已发布数据集。"
    "Read-only: GET and HEAD. Lists are paged; errors are application/problem+json; answers carry an ETag."
)


def make_app(require: Callable[..., Any], login: Login, clock: Callable[[], datetime] = now) -> FastAPI:
    """Return the board. `require` is a dependency that raises 401 or 403; every route depends on it, those of files and of the
    API's description too. `login` says where pages send somebody who is not logged in.
    """
    app = FastAPI(
        title="数衡看板 Shuheng board", version=VERSION, description=DESCRIPTION, dependencies=[Depends(require)],
        docs_url=None, redoc_url=None, openapi_url=None,
    )  # fmt: skip
    app.add_middleware(Answering)
    Handlers(draw_problem, login).handle(app)
    app.state.desk = Desk(clock)
    app.include_router(api.ROUTES, prefix="/api/v1")
    app.include_router(pages.ROUTES, include_in_schema=False)

    @app.get("/api/v1/openapi.json", include_in_schema=False)
    def description() -> dict[str, Any]:
        return app.openapi()

    @app.get("/static/{digest}/{name}", include_in_schema=False)
    def file(request: Request, digest: str, name: str) -> Response:
        return serve_file(digest, name, is_gzip="gzip" in request.headers.get("accept-encoding", ""))

    @app.get("/{path:path}", include_in_schema=False)
    def nothing(path: str) -> Response:
        # Without it an address that is not there would be told to anybody, logged in or not.
        raise not_found(f"地址 /{path[:200]}")

    return app
