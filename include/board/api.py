"""The API: the same answers as the pages, as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from include.board.alerts import list_alerts, read_message
from include.board.asked import (
    AlertsAsked,
    Asked,
    Code,
    ComplianceAsked,
    FindingId,
    FindingsAsked,
    MessageId,
    ProjectsAsked,
    SystemsAsked,
)
from include.board.compliance import list_compliance
from include.board.dossier_models import ProjectDetail, ProjectRow, SystemDetail, SystemRow
from include.board.drawing import Addresses
from include.board.finding_detail import read_finding
from include.board.findings import list_findings
from include.board.looking import Desk, Look, desk_of
from include.board.models import FindingDetail, FindingRow, Links, Listed
from include.board.overview import read_overview
from include.board.problems import MEDIA_TYPE
from include.board.projects import list_projects, read_project
from include.board.published import read_datasets
from include.board.sources import list_sources
from include.board.state_models import Alerts, ComplianceRow, Datasets, MessageDetail, Overview, Sources
from include.board.systems import list_systems, read_system

T = TypeVar("T", bound=BaseModel)
A = TypeVar("A", bound=Asked)


class ProblemShape(BaseModel):
    """A problem as RFC 9457 has it; `title` is Chinese, `title_en` English."""

    type: str
    title: str
    title_en: str
    status: int
    detail: str | None = None
    errors: list[dict[str, str]] | None = None


def _told(*statuses: int) -> dict[int | str, dict[str, Any]]:
    shape = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemShape"}}}
    return {status: {"description": "problem", "content": shape, "model": ProblemShape} for status in statuses}


ALWAYS = _told(401, 403, 422, 503)
ONE = _told(404)


class StrictFindings(FindingsAsked):
    """As pages ask, but a filter that there is not is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StrictSystems(SystemsAsked):
    """As pages ask, but a filter that there is not is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StrictProjects(ProjectsAsked):
    """As pages ask, but a filter that there is not is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StrictAlerts(AlertsAsked):
    """As pages ask, but a filter that there is not is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StrictCompliance(ComplianceAsked):
    """As pages ask, but a filter that there is not is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _answer(found: BaseModel) -> Response:
    """Return a model as JSON; it is whole already and is not checked a second time."""
    return Response(found.model_dump_json(), media_type="application/json")


def _linked(request: Request, asked: Asked, listed: Listed[T]) -> Listed[T]:
    at = Addresses(request)
    after, before = asked.offset + asked.limit, max(0, asked.offset - asked.limit)
    links = Links(
        self=at.asking(asked, offset=asked.offset), next=at.asking(asked, offset=after) if after < listed.total else None,
        prev=at.asking(asked, offset=before) if asked.offset else None,
    )  # fmt: skip
    return listed.model_copy(update={"links": links})


ROUTES = APIRouter(responses=ALWAYS)
DeskOf = Annotated[Desk, Depends(desk_of)]


def _listed(desk: Desk, request: Request, asked: A, read: Callable[[Look, A], Listed[T]]) -> Response:
    with desk.look() as look:
        return _answer(_linked(request, asked, read(look, asked)))


def _one(desk: Desk, read: Callable[[Look], BaseModel], *, is_judging: bool = False) -> Response:
    with desk.look(is_judging=is_judging) as look:
        return _answer(read(look))


@ROUTES.get("/overview", response_model=Overview, summary="总览:比率、线索、部门、趋势")
def overview(desk: DeskOf) -> Response:
    """Answer with the overview."""
    return _one(desk, read_overview)


@ROUTES.get("/findings", response_model=Listed[FindingRow], summary="线索列表")
def findings(desk: DeskOf, request: Request, asked: Annotated[StrictFindings, Query()]) -> Response:
    """Answer with findings."""
    return _listed(desk, request, asked, list_findings)


@ROUTES.get("/findings/{finding_id}", response_model=FindingDetail, summary="一条线索的全部", responses=ONE)
def finding(
    desk: DeskOf,
    finding_id: Annotated[FindingId, Path()],
    is_again: Annotated[bool, Query(description="按最近一次评判重新推算,较慢")] = False,
) -> Response:
    """Answer with one finding."""
    return _one(desk, lambda look: read_finding(look, finding_id, is_again=is_again), is_judging=is_again)


@ROUTES.get("/systems", response_model=Listed[SystemRow], summary="信息系统列表")
def systems(desk: DeskOf, request: Request, asked: Annotated[StrictSystems, Query()]) -> Response:
    """Answer with systems."""
    return _listed(desk, request, asked, list_systems)


@ROUTES.get("/systems/{code:path}", response_model=SystemDetail, summary="一个信息系统的档案", responses=ONE)
def system(desk: DeskOf, code: Annotated[Code, Path()]) -> Response:
    """Answer with the dossier of a system."""
    return _one(desk, lambda look: read_system(look, code))


@ROUTES.get("/projects", response_model=Listed[ProjectRow], summary="项目列表")
def projects(desk: DeskOf, request: Request, asked: Annotated[StrictProjects, Query()]) -> Response:
    """Answer with projects."""
    return _listed(desk, request, asked, list_projects)


@ROUTES.get("/projects/{code:path}", response_model=ProjectDetail, summary="一个项目的档案", responses=ONE)
def project(desk: DeskOf, code: Annotated[Code, Path()]) -> Response:
    """Answer with the dossier of a project."""
    return _one(desk, lambda look: read_project(look, code))


@ROUTES.get("/sources", response_model=Sources, summary="来源的完整与新鲜")
def sources(desk: DeskOf) -> Response:
    """Answer with the sources."""
    return _one(desk, list_sources)


@ROUTES.get("/alerts", response_model=Alerts, summary="消息、通道、暂缓与运行异常")
def alerts(desk: DeskOf, request: Request, asked: Annotated[StrictAlerts, Query()]) -> Response:
    """Answer with messages and what stands beside them."""
    with desk.look() as look:
        found = list_alerts(look, asked)
        return _answer(found.model_copy(update={"messages": _linked(request, asked, found.messages)}))


@ROUTES.get("/alerts/{message_id}", response_model=MessageDetail, summary="一条消息", responses=ONE)
def message(desk: DeskOf, message_id: Annotated[MessageId, Path()]) -> Response:
    """Answer with one message."""
    return _one(desk, lambda look: read_message(look, message_id))


@ROUTES.get("/compliance", response_model=Listed[ComplianceRow], summary="每日统计:按规则和部门")
def compliance(desk: DeskOf, request: Request, asked: Annotated[StrictCompliance, Query()]) -> Response:
    """Answer with daily figures."""
    return _listed(desk, request, asked, list_compliance)


@ROUTES.get("/datasets", response_model=Datasets, summary="已发布的数据集")
def datasets() -> Response:
    """Answer with what is published."""
    return _answer(read_datasets())
