"""The pages: each asks the ledger once and is drawn from what it answered."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
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
from include.board.looking import Desk, desk_of
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

ROUTES = APIRouter()
DeskOf = Annotated[Desk, Depends(desk_of)]


@ROUTES.get("/")
def overview(desk: DeskOf, request: Request) -> Response:
    """Draw the overview."""
    with desk.look() as look:
        found = read_overview(look)
    values: dict[str, Any] = {
        "trend": charts.trend(found.trend),
        "by_department": charts.departments(found.departments),
    }
    return draw(request, "overview.html", has_charts=True, found=found, **values)


@ROUTES.get("/findings")
def findings(desk: DeskOf, request: Request, asked: Annotated[FindingsAsked, Query()]) -> Response:
    """Draw the list of findings."""
    with desk.look() as look:
        found, reference, units = list_findings(look, asked), look.reference, look.register.units
    return draw(request, "findings.html", found=found, asked=asked, reference=reference, units=units)


@ROUTES.get("/findings/{finding_id}")
def finding(
    desk: DeskOf, request: Request, finding_id: Annotated[FindingId, Path()], is_again: bool = False
) -> Response:
    """Draw one finding."""
    with desk.look(is_judging=is_again) as look:
        found = read_finding(look, finding_id, is_again=is_again)
    return draw(request, "finding.html", found=found)


@ROUTES.get("/systems")
def systems(desk: DeskOf, request: Request, asked: Annotated[SystemsAsked, Query()]) -> Response:
    """Draw the list of systems."""
    with desk.look() as look:
        found, units = list_systems(look, asked), look.register.units
    return draw(request, "systems.html", found=found, asked=asked, units=units)


@ROUTES.get("/systems/{code:path}")
def system(desk: DeskOf, request: Request, code: Annotated[Code, Path()]) -> Response:
    """Draw the dossier of a system."""
    with desk.look() as look:
        found = read_system(look, code)
    usage = charts.usage(found.usage)
    return draw(request, "system.html", has_charts=bool(usage), found=found, usage=usage)


@ROUTES.get("/projects")
def projects(desk: DeskOf, request: Request, asked: Annotated[ProjectsAsked, Query()]) -> Response:
    """Draw the list of projects."""
    with desk.look() as look:
        found, units = list_projects(look, asked), look.register.units
    return draw(request, "projects.html", found=found, asked=asked, units=units)


@ROUTES.get("/projects/{code:path}")
def project(desk: DeskOf, request: Request, code: Annotated[Code, Path()]) -> Response:
    """Draw the dossier of a project."""
    with desk.look() as look:
        found, today = read_project(look, code), look.today
    return draw(request, "project.html", found=found, today=today)


@ROUTES.get("/sources")
def sources(desk: DeskOf, request: Request) -> Response:
    """Draw the sources."""
    with desk.look() as look:
        found = list_sources(look)
    return draw(request, "sources.html", found=found, datasets=read_datasets())


@ROUTES.get("/alerts")
def alerts(desk: DeskOf, request: Request, asked: Annotated[AlertsAsked, Query()]) -> Response:
    """Draw messages, channels, holds and incidents."""
    with desk.look() as look:
        found, reference = list_alerts(look, asked), look.reference
    return draw(request, "alerts.html", found=found, asked=asked, reference=reference)


@ROUTES.get("/alerts/{message_id}")
def message(desk: DeskOf, request: Request, message_id: Annotated[MessageId, Path()]) -> Response:
    """Draw a message as its receiver reads it."""
    with desk.look() as look:
        found, reference = read_message(look, message_id), look.reference
    return draw(request, "message.html", found=found, reference=reference)


@ROUTES.get("/help")
def help_page(request: Request, finding: Annotated[list[FindingId] | None, Query(max_length=50)] = None) -> Response:
    """Draw how findings are handled; `finding` names those that somebody wants to handle."""
    return draw(request, "help.html", chosen=finding or [])


@ROUTES.get("/dags/{dag_id}")
def of_dag(request: Request, dag_id: Annotated[Text, Path()]) -> Response:
    """Lead from a DAG in Airflow to the page that shows what it brings."""
    return RedirectResponse(Addresses(request).to(OF_DAGS.get(dag_id, "/")), 303)
