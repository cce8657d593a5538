"""What goes wrong, told to programs as application/problem+json and to people as a page; in Chinese, with the English beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from include.errors import ShuhengError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
API = "/api/"

Draw = Callable[[Request, "Problem"], Response]
"""Makes the page of a problem."""

Login = Callable[[Request], str]
"""Where somebody who is not logged in is sent, to come back afterwards."""

TITLES = {
    400: ("请求有误", "Bad request"), 401: ("尚未登录", "Not logged in"), 403: ("没有查看权限", "Not allowed"),
    404: ("没有这一页或这条记录", "Not found"), 405: ("看板只供查看", "The board is read only"),
    422: ("查询条件有误", "Wrong arguments"), 500: ("程序出错", "Internal error"),
    503: ("台账暂时不能读取", "The ledger cannot be read"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem, as RFC 9457 has it: title in both languages, and details that name no inner workings."""

    status: int
    detail: str = ""
    errors: tuple[dict[str, str], ...] = ()

    @property
    def titles(self) -> tuple[str, str]:
        """Return the title in Chinese and in English."""
        phrase = HTTPStatus(self.status).phrase
        return TITLES.get(self.status, (phrase, phrase))

    def answer(self) -> Response:
        """Return it for programs."""
        zh, en = self.titles
        body: dict[str, Any] = {"type": "about:blank", "title": zh, "title_en": en, "status": self.status}
        body |= {"detail": self.detail} if self.detail else {}
        body |= {"errors": self.errors} if self.errors else {}
        headers = {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}
        return Response(orjson.dumps(body), self.status, headers, MEDIA_TYPE)


def not_found(what: str) -> HTTPException:
    """Return the error that there is no such thing."""
    return HTTPException(404, f"没有{what}")


@dataclass(frozen=True, slots=True)
class Handlers:
    """Tells every problem in its form: to programs, to people, and to who is not logged in, who is sent to the login from pages."""

    draw: Draw
    login: Login

    def tell(self, request: Request, problem: Problem) -> Response:
        """Return the answer for whoever asked."""
        if _path(request).startswith(API):
            return problem.answer()
        if problem.status == 401:
            return RedirectResponse(self.login(request), 303)
        return self.draw(request, problem)

    def http(self, request: Request, error: Exception) -> Response:
        """Tell an error that has a status."""
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
        is_phrase = error.detail == HTTPStatus(error.status_code).phrase
        answer = self.tell(request, Problem(error.status_code, "" if is_phrase else str(error.detail)))
        for name, value in (error.headers or {}).items():
            answer.headers[name] = value
        return answer

    def arguments(self, request: Request, error: Exception) -> Response:
        """Tell which arguments are wrong, and why."""
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
        errors = tuple(
            {"field": ".".join(str(part) for part in one["loc"][1:]), "problem": str(one["msg"])}
            for one in error.errors()
        )
        return self.tell(request, Problem(422, "请更正所列参数", errors))

    def outside(self, request: Request, error: Exception) -> Response:
        """Tell that the ledger does not answer, is another's or takes too long; the log says which."""
        log.warning("%s %s: %s: %s", request.method, _path(request), type(error).__name__, error)
        return self.tell(request, Problem(503, "请稍后再试;仍不行时请值班工程师运行 python -m include doctor"))

    def broken(self, request: Request, _error: Exception) -> Response:
        """Tell that the program is wrong; the server logs where."""
        return self.tell(request, Problem(500, "已记入日志,请告知值班工程师"))

    def handle(self, app: FastAPI) -> None:
        """Let an application tell its problems so."""
        app.add_exception_handler(HTTPException, self.http)
        app.add_exception_handler(RequestValidationError, self.arguments)
        app.add_exception_handler(ShuhengError, self.outside)
        app.add_exception_handler(DBAPIError, self.outside)
        app.add_exception_handler(Exception, self.broken)


def _path(request: Request) -> str:
    """Return the path below the board's own address."""
    path: str = request.scope["path"]
    return path.removeprefix(request.scope.get("root_path", ""))
