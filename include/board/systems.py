"""Systems: the list, and the dossier of one with what falls short and by which article."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from include.board.asked import SystemsAsked
from include.board.current import current
from include.board.dossier_models import (
    Labelled,
    Named,
    ServiceRow,
    SystemDetail,
    SystemRow,
    UsageDay,
)
from include.board.findings import findings_about
from include.board.looking import Look
from include.board.models import Listed
from include.board.problems import not_found
from include.board.subjects import counted_findings, narrowed, ordered, page_of
from include.board.verdicts import verdicts_on
from include.board.words import field
from include.ledger.identity import codes_in
from include.ledger.tables import (
    assessment,
    exchange_service,
    probe_state,
    project,
    resource,
    source_authority,
    system,
    system_usage_day,
)
from include.sources.card import canonical_schema

USAGE_DAYS = 180
"""Days of use that a dossier shows."""

MOST = 200
"""Services, reports and projects of one system that are shown."""

_SHOWN = (
    "unit_name", "status", "deployment", "purpose", "declared_connection", "protection_level", "protection_no",
    "cipher_assessed_on", "registered_users", "trial_started_on", "went_live_on", "last_released_on",
)  # fmt: skip
_LISTED = ("name", "unit_name", "status", "deployment", "protection_level", "went_live_on")


def list_systems(look: Look, asked: SystemsAsked) -> Listed[SystemRow]:
    """Return one page of the systems that were asked for."""
    s = current(system, "system_code", _LISTED, label="s")
    counts = counted_findings("system", s.c.system_code)
    columns = {"code": s.c.system_code, "name": s.c.name, "unit": s.c.unit_name}
    query = select(s, *counts.values())
    for name in ("status", "deployment"):
        if values := getattr(asked, name):
            query = query.where(s.c[name].in_(values))
    rows, total = page_of(look, ordered(narrowed(query, asked, columns, counts), asked, columns, counts))
    items = [SystemRow(**_row(row, row["leads"], row["hints"])) for row in rows]
    return Listed(items=items, total=total, limit=asked.limit, offset=asked.offset)


def _row(row: Mapping[Any, Any], leads: int, hints: int) -> dict[str, Any]:
    kept = {name: row[name] for name in ("status", "deployment", "protection_level", "went_live_on")}
    named = {"code": row["system_code"], "name": row["name"], "unit": row["unit_name"]}
    return named | kept | {"leads": leads, "hints": hints}


def read_system(look: Look, code: str) -> SystemDetail:
    """Return the dossier of a system."""
    here = current(system, "system_code", (*_SHOWN, *_LISTED, "project_codes"), system.c.system_code == code, label="s")
    row = look.connection.execute(select(here)).mappings().first()
    if row is None:
        raise not_found(f"编码为 {code} 的信息系统")
    holes = findings_about(look, "system", code)
    verdicts = verdicts_on(look, "system", code)
    leads = sum(1 for hole in holes if hole.outcome == "fail")
    return SystemDetail(
        **_row(row, leads, len(holes) - leads), fields=fields_of("system", row, _SHOWN), holes=holes, verdicts=verdicts,
        projects=_projects(look, codes_in(row["project_codes"])), services=_services(look, code),
        resources=_resources(look, code), reports=_reports(look, code), usage=_usage(look, code),
    )  # fmt: skip


def fields_of(entity: str, row: Mapping[Any, Any], names: Iterable[str]) -> list[Labelled]:
    """Return the fields of a record that have a value, with their Chinese titles, in words."""
    titles = canonical_schema(entity)["properties"]
    return [
        Labelled(title=titles[name]["title"], text=field(row[name], name)) for name in names if row[name] is not None
    ]


def _projects(look: Look, codes: Iterable[str]) -> list[Named]:
    wanted = list(codes)[:MOST]
    here = current(project, "project_code", ("name",), project.c.project_code.in_(wanted), label="p")
    names = dict(look.connection.execute(select(here.c.project_code, here.c.name)).tuples().all())
    return [Named(code=code, name=names.get(code)) for code in wanted]


def _services(look: Look, code: str) -> list[ServiceRow]:
    s, p = exchange_service, probe_state
    query = (
        select(s.c.service_code, s.c.name, s.c.kind, s.c.state, p.c.state.label("probe"), p.c.since_at)
        .select_from(s.outerjoin(p, p.c.service_code == s.c.service_code))
        .where(s.c.system_code == code, s.c.tombstoned_at.is_(None))
        .order_by(s.c.service_code)
        .limit(MOST)
    )
    return [
        ServiceRow(
            code=r["service_code"], name=r["name"], kind=field(r["kind"], "kind") if r["kind"] else None,
            state=field(r["state"], "state") if r["state"] else None, probe=r["probe"], since=r["since_at"],
        )
        for r in look.connection.execute(query).mappings()
    ]  # fmt: skip


def _resources(look: Look, code: str) -> dict[str, int]:
    """Return how many entries of the catalogues name the system, by kind, each resource once."""
    mine = (resource.c.system_code == code, resource.c.tombstoned_at.is_(None))
    count = func.count(func.distinct(resource.c.resource_id))
    query = select(resource.c.kind, count).where(*mine).group_by(resource.c.kind).order_by(resource.c.kind)
    return {str(kind or "unknown"): found for kind, found in look.connection.execute(query)}


def _reports(look: Look, code: str) -> list[Labelled]:
    """Return the security reports of a system, the newest first."""
    a = assessment
    query = select(a).where(a.c.system_code == code, a.c.tombstoned_at.is_(None)).order_by(a.c.issued_on.desc())
    found = []
    for row in look.connection.execute(query.limit(MOST)).mappings():
        until = f",有效至 {row['valid_until']}" if row["valid_until"] else ""
        conclusion = field(row["conclusion"], "conclusion") if row["conclusion"] else "结论未填"
        text = f"{row['issued_on'] or '日期未填'} {conclusion}{until}({row['report_no']})"
        found.append(Labelled(title=field(row["kind"], "kind") if row["kind"] else "测评", text=text))
    return found


def _usage(look: Look, code: str) -> list[UsageDay]:
    """Return the last days of use: read by key, which begins with day and system, for nothing else is indexed by system."""
    days = [look.today - timedelta(days=n) for n in range(USAGE_DAYS, 0, -1)]
    u = system_usage_day
    sources = look.connection.execute(select(source_authority.c.source)).scalars().all()
    readers = [s for s in sources if (card := look.reference.cards.get(s)) and card.entity == "system_usage_day"]
    keys = [f"{day}|{code}" for day in days]
    query = (
        select(u.c.day, func.max(u.c.logins), func.max(u.c.active_users))
        .where(u.c.source.in_(readers), u.c.record_key.in_(keys), u.c.tombstoned_at.is_(None))
        .group_by(u.c.day)
        .order_by(u.c.day)
    )
    return [UsageDay(day=day, logins=n, active_users=users) for day, n, users in look.connection.execute(query)]
