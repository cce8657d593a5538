"""The board inside Airflow: mounted in its api-server, behind its login, with an entry in its navigation.

Every process of Airflow loads plugins; the board itself is only built when the api-server is first asked for it.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.types import Receive, Scope, Send

PREFIX = "/shuheng"
RIGHT_TO = "evaluate_rules"
"""Whoever may look at Airflow's pages and at this DAG may look at what it finds."""


@cache
def board() -> FastAPI:
    """Return the board with Airflow's login in front of every route."""
    from include.board.app import make_app

    return make_app(_reader(), _login)


def _reader() -> Any:
    """Return the dependency that lets those pass who are logged in and may read."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagDetails
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi import Depends, HTTPException

    logged_in = Depends(get_user)

    async def may_read(user: Any = logged_in) -> None:
        manager = get_auth_manager()
        if not manager.is_authorized_view(access_view=AccessView.WEBSITE, user=user):
            raise HTTPException(403, "Forbidden")
        if not manager.is_authorized_dag(method="GET", details=DagDetails(id=RIGHT_TO), user=user):
            raise HTTPException(403, "Forbidden")

    return may_read


def _login(request: Request) -> str:
    """Return Airflow's login, which whatever auth manager there is redirects on; it leads back to the page asked for."""
    root: str = request.scope.get("root_path", "")
    query = request.url.query
    target = request.scope["path"] + (f"?{query}" if query else "")
    return f"{root.removesuffix(PREFIX)}/api/v2/auth/login?{urlencode({'next': target})}"


def _address() -> str:
    """Return the board's address below that of Airflow, which may itself lie below a path."""
    return urlsplit(conf.get("api", "base_url", fallback="/")).path.rstrip("/") + PREFIX


def _icon() -> str:
    """Return the icon within its own address: the file's is only known to the api-server."""
    icon = Path(__file__).resolve().parent.parent / "include" / "board" / "static" / "icon.svg"
    return "data:image/svg+xml;base64," + b64encode(icon.read_bytes()).decode()


class Board:
    """The application as Airflow mounts it: built at the first request."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await board()(scope, receive, send)


class ShuhengBoard(AirflowPlugin):
    """Makes the board known to Airflow: the application, an entry in the navigation, and a tab beside each DAG."""

    name = "shuheng_board"
    fastapi_apps = [{"app": Board(), "url_prefix": PREFIX, "name": "shuheng_board"}]
    external_views = [
        # Without a route of its own it opens as a page, not in a frame that may not open Airflow's forms.
        {"name": "数衡看板", "href": _address() + "/", "destination": "nav", "nav_top_level": True, "icon": _icon()},
        {
            "name": "看板",
            "href": _address() + "/dags/{DAG_ID}",
            "destination": "dag",
            "url_route": "shuheng-board",
            "icon": _icon(),
        },
    ]
