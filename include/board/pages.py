"""The pages: each asks the ledger once and is drawn from what it answered."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from include.board import charts
from include.board.alerts import list_alerts, read_message
from include.board.asked import (
    AlertsAsked,
    Code,
    FindingId,
    FindingsAsked,
    MessageId,
    ProjectsAsked,
    SystemsAsked,
    Text,
)
from include.board.drawing import Addresses, draw
from include.board.finding_detail import read_finding
from include.board.findings import list_findings
from include.board.looking import Desk
from include.board.overview import read_overview
from include.board.projects import list_projects, read_project
from include.board.published import read_datasets
from include.board.sources import list_sources
from include.board.systems import list_systems, read_system

OF_DAGS = {
    "sync_projects": "/projects", "check_interconnection": "/findings?scope=interconnection",
    "harvest_catalogues": "/findings?scope=catalogues", "watch_systems": "/findings?scope=systems", "evaluate_rules": "/findings",
    "record_decision": "/help", "deliver_alerts": "/alerts", "publish_datasets": "/sources",
}  # fmt: skip
"""The page that shows what a DAG brings; every other DAG has the overview."""


def make_pages(desk: Desk) -> APIRouter:
    """Return the routes of the pages over a desk."""
    pages = APIRouter()

    @pages.get("/")
    def overview(request: Request) -> Response:
        with desk.look() as look:
            found = read_overview(look)
        values: dict[str, Any] = {"trend": charts.trend(found.trend), "by_department": charts.departments(found.departments)}
        return draw(request, "overview.html", has_charts=True, found=found, **values)

    @pages.get("/findings")
    def findings(request: Request, asked: Annotated[FindingsAsked, Query()]) -> Response:
        with desk.look() as look:
            found, reference = list_findings(look, asked), look.reference
        return draw(request, "findings.html", found=found, asked=asked, reference=reference)

    @pages.get("/findings/{finding_id}")
    def finding(request: Request, finding_id: Annotated[FindingId, Path()], is_again: bool = False) -> Response:
        with desk.look(is_judging=is_again) as look:
            found = read_finding(look, finding_id, is_again=is_again)
        return draw(request, "finding.html", found=found)

    @pages.get("/systems")
    def systems(request: Request, asked: Annotated[SystemsAsked, Query()]) -> Response:
        with desk.look() as look:
            found = list_systems(look, asked)
        return draw(request, "systems.html", found=found, asked=asked)

    @pages.get("/systems/{code:path}")
    def system(request: Request, code: Annotated[Code, Path()]) -> Response:
        with desk.look() as look:
            found = read_system(look, code)
        usage = charts.usage(found.usage)
        return draw(request, "system.html", has_charts=bool(usage), found=found, usage=usage)

    @pages.get("/projects")
    def projects(request: Request, asked: Annotated[ProjectsAsked, Query()]) -> Response:
        with desk.look() as look:
            found = list_projects(look, asked)
        return draw(request, "projects.html", found=found, asked=asked)

    @pages.get("/projects/{code:path}")
    def project(request: Request, code: Annotated[Code, Path()]) -> Response:
        with desk.look() as look:
            found, today = read_project(look, code), look.today
        return draw(request, "project.html", found=found, today=today)

    @pages.get("/sources")
    def sources(request: Request) -> Response:
        with desk.look() as look:
            found = list_sources(look)
        return draw(request, "sources.html", found=found, datasets=read_datasets())

    @pages.get("/alerts")
    def alerts(request: Request, asked: Annotated[AlertsAsked, Query()]) -> Response:
        with desk.look() as look:
            found = list_alerts(look, asked)
        return draw(request, "alerts.html", found=found, asked=asked)

    @pages.get("/alerts/{message_id}")
    def message(request: Request, message_id: Annotated[MessageId, Path()]) -> Response:
        with desk.look() as look:
            found = read_message(look, message_id)
        return draw(request, "message.html", found=found)

    @pages.get("/help")
    def help_page(request: Request, finding: Annotated[list[FindingId] | None, Query(max_length=50)] = None) -> Response:
        return draw(request, "help.html", chosen=finding or [])

    @pages.get("/dags/{dag_id}")
    def of_dag(request: Request, dag_id: Annotated[Text, Path()]) -> Response:
        return RedirectResponse(Addresses(request).to(OF_DAGS.get(dag_id, "/")), 303)

    return pages
